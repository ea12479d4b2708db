"""Configuration → the files that Asterisk includes: extensions, queues, voicemail.

The generated extensions hold what depends on the configuration: the numbers, the teams, the
mailboxes, and for each channel a context that routes its calls by weekly hours when the service
cannot be asked. ``dialplan/agent.conf`` holds the rest, written by hand. Everything that reaches
these files was held to a narrow alphabet by the configuration's schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asterisk_agent import hours
from asterisk_agent.config.paths import shared_file
from asterisk_agent.config.schema import Channel, Config, Message, Team, Unanswered
from asterisk_agent.routing import MAX_TEAM_ATTEMPTS

MAILBOX_CONTEXT = "agent"
SOUNDS = "sounds"
HEADER = """\
; Written by `asterisk-agent dialplan write` from the configuration. Changes made here are lost:
; change the YAML and write again.
"""


def files(config: Config, directory: Path) -> dict[str, str]:
    """The generated files by name. ``directory`` is where they, and the sounds, will lie."""
    return {
        "extensions.conf": _text(_extensions(config, directory)),
        "queues.conf": _text(_queues(config)),
        "voicemail.conf": _text(_voicemail(config)),
        "agent.conf": shared_file("dialplan/agent.conf").read_text(encoding="utf-8"),
    }


def write(config: Config, directory: Path) -> list[Path]:
    """Write the files, each in one step, and return those that changed.

    Raises OSError where the directory cannot be written.
    """
    directory = directory.resolve()
    (directory / SOUNDS).mkdir(parents=True, exist_ok=True)
    changed = []
    for name, text in files(config, directory).items():
        path = directory / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        temporary = path.with_suffix(".new")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
        changed.append(path)
    return changed


def message_sound(message_id: str, message: Message) -> str:
    """The sound of a message, as Playback() takes it."""
    return message.sound if message.sound else f"${{AGENT_SOUNDS}}/message-{message_id}"


def _text(lines: Iterator[str]) -> str:
    return HEADER + "\n".join(lines) + "\n"


def _extensions(config: Config, directory: Path) -> Iterator[str]:
    yield from (
        "",
        "[globals]",
        f"AGENT_FASTAGI={config.listen.fastagi}",
        f"AGENT_MEDIA={config.listen.media}",
        f"AGENT_SOUNDS={directory / SOUNDS}",
        "",
        f"#include {directory / 'agent.conf'}",
        "",
        "; The way in: include this context where the trunk's calls arrive.",
        "[asterisk-agent]",
    )
    for channel in config.channels.values():
        yield from _numbers(channel)
    yield from _unknown_number(config)
    for team in config.teams.values():
        yield from _team(team)
    yield from _mailboxes(config)
    for channel in config.channels.values():
        yield from _static(channel, config)


def _numbers(channel: Channel) -> Iterator[str]:
    yield f"; {channel.label}"
    for number in channel.number:
        digits = number.removeprefix("+")
        for extension in (f"+{digits}", digits):
            yield f"exten => {extension},1,Set(AGENT_CHANNEL={channel.id})"
            yield " same => n,Goto(agent-start,s,1)"


def _unknown_number(config: Config) -> Iterator[str]:
    """A number that no channel has: a person, by the first channel's hours, rather than silence."""
    first = next(iter(config.channels))
    yield from (
        "",
        "; For calls to numbers that no channel has: the teams of the first channel, by its hours.",
        "; Include it behind everything else in the trunk's context.",
        "[asterisk-agent-unknown]",
        f"exten => _[+0-9]!,1,NoOp(asterisk-agent: no channel has this number - as {first})",
        f" same => n,Set(AGENT_CHANNEL={first})",
        " same => n,Answer()",
        " same => n,Set(AGENT_STAGE=arrival)",
        " same => n,Set(AGENT_TEAMS=0)",
        " same => n,Set(AGENT_TRIED=)",
        " same => n,Set(AGENT_STEPS=0)",
        f" same => n,Goto(agent-static-{first},arrival,1)",
    )


def _team(team: Team) -> Iterator[str]:
    """Ring a team. However it ends, come back with QUEUESTATUS and ask what is next."""
    yield from ("", f"; {team.label}", f"[agent-team-{team.id}]")
    extension = team.extension or "ring"
    yield f"exten => s,1,Goto({extension},1)"
    yield f"exten => {extension},1,Set(AGENT_STAGE=team)"
    yield f" same => n,Set(AGENT_TEAM={team.id})"
    yield " same => n,Set(AGENT_TEAMS=$[${AGENT_TEAMS} + 1])"
    separator = '${IF($["${AGENT_TRIED}" = ""]?:.)}'
    yield f" same => n,Set(AGENT_TRIED=${{AGENT_TRIED}}{separator}{team.id})"
    if team.existing is not None:
        yield f" same => n,Goto({team.existing.context},{team.existing.extension},1)"
    else:
        # QUEUESTATUS stays stale behind an answered call. Options: c goes on in the dialplan when
        # the member hangs up; r rings, so that the caller never waits in silence.
        wait_s = round(team.queue.wait.total_seconds())
        yield " same => n,Set(QUEUESTATUS=)"
        yield f" same => n,TryExec(Queue(agent-{team.id},cr,,${{AGENT_BRIEF}},{wait_s}))"
        yield " same => n,Set(AGENT_STATUS=${QUEUESTATUS})"
        yield " same => n,Set(AGENT_BRIEF=)"
        yield " same => n,Goto(agent-ask,next,1)"
    yield "include => agent-end"


def _mailboxes(config: Config) -> Iterator[str]:
    """One extension per team with a mailbox: the message, the tone, the recording."""
    yield from ("", "[agent-voicemail]")
    for team in config.teams.values():
        if team.voicemail is None:
            continue
        box = f"{team.voicemail.mailbox}@{MAILBOX_CONTEXT}"
        yield f"exten => {team.id},1,Set(AGENT_STAGE=voicemail)"
        for message_id, message in config.messages.items():
            sound = message_sound(message_id, message)
            yield (f' same => n,ExecIf($["${{AGENT_MESSAGE}}" = "{message_id}"]?Playback({sound}))')
        # VoiceMail() ends the call where the mailbox does not exist; TryExec() goes on.
        yield " same => n,Set(VMSTATUS=)"
        yield f" same => n,TryExec(VoiceMail({box},s))"
        yield (
            ' same => n,ExecIf($["${VMSTATUS}" != "SUCCESS"]?'
            "Playback(${AGENT_SOUNDS}/no-message-taken))"
        )
        yield " same => n,Set(AGENT_STATUS=${VMSTATUS})"
        yield " same => n,Goto(agent-ask,next,1)"
    yield "include => agent-end"


def _static(channel: Channel, config: Config) -> Iterator[str]:
    """A channel's own decisions, for when the service cannot be asked."""
    yield from (
        "",
        f"; {channel.label}, without the service",
        f"[agent-static-{channel.id}]",
        'exten => arrival,1,GotoIf($["${AGENT_STATE}" = "open"]?open,1)',
        ' same => n,GotoIf($["${AGENT_STATE}" = "closed"]?closed,1)',
    )
    yield from _weekly_hours(channel, config)
    yield from (
        "; Lost in the middle of the conversation.",
        "exten => agent,1,Playback(${AGENT_SOUNDS}/apology)",
        " same => n,Goto(arrival,1)",
    )
    yield from _static_arrival("open", channel, channel.in_hours.unanswered)
    yield from _static_arrival("closed", channel, channel.after_hours.unanswered)
    yield from _static_after_team(channel)
    yield from (
        "; The message was taken, or could not be.",
        "exten => voicemail,1,Hangup()",
        "include => agent-end",
    )


def _weekly_hours(channel: Channel, config: Config) -> Iterator[str]:
    if channel.hours is None:
        yield " same => n,Goto(open,1)"
        return
    for days, start, end in hours.weekly_spans(config.hours[channel.hours]):
        yield f" same => n,GotoIfTime({start}-{end},{days},*,*,{config.timezone}?open,1)"
    yield " same => n,Goto(closed,1)"


def _static_arrival(state: str, channel: Channel, unanswered: Unanswered) -> Iterator[str]:
    yield f"exten => {state},1,Set(AGENT_STATE={state})"
    people = state == "open" or channel.after_hours.answer == "team"
    if people and channel.in_hours.handoff:
        yield " same => n,Playback(${AGENT_SOUNDS}/connecting)"
        yield f" same => n,Goto(agent-team-{channel.in_hours.handoff[0]},s,1)"
        return
    yield from _to_voicemail(unanswered)


def _static_after_team(channel: Channel) -> Iterator[str]:
    """Behind a team: done if a person took the call, else the next team, else voicemail."""
    yield 'exten => team,1,GotoIf($["${AGENT_STATUS}" = "CONTINUE"]?voicemail,1)'
    yield f" same => n,GotoIf($[${{AGENT_TEAMS}} >= {MAX_TEAM_ATTEMPTS}]?message,1)"
    for team in channel.in_hours.handoff:
        untried = f"$[${{FIELDNUM(AGENT_TRIED,.,{team})}} = 0]"
        yield f" same => n,GotoIf({untried}?agent-team-{team},s,1)"
    yield " same => n,Goto(message,1)"
    yield 'exten => message,1,GotoIf($["${AGENT_STATE}" = "closed"]?message-closed,1)'
    yield from _to_voicemail(channel.in_hours.unanswered)
    yield "exten => message-closed,1,NoOp()"
    yield from _to_voicemail(channel.after_hours.unanswered)


def _to_voicemail(unanswered: Unanswered) -> Iterator[str]:
    yield f" same => n,Set(AGENT_MESSAGE={unanswered.message or ''})"
    yield f" same => n,Goto(agent-voicemail,{unanswered.voicemail},1)"


def _queues(config: Config) -> Iterator[str]:
    for team in config.teams.values():
        if team.existing is not None:
            continue
        # Phones that are not there do not count as a queue: the caller goes on at once.
        nobody = "unavailable,invalid,unknown,paused"
        yield from (
            "",
            f"; {team.label}",
            f"[agent-{team.id}]",
            f"strategy={team.queue.strategy}",
            f"timeout={round(team.queue.ring.total_seconds())}",
            "retry=1",
            "ringinuse=no",
            "autofill=yes",
            f"joinempty={nobody}",
            f"leavewhenempty={nobody}",
            f"announce-position={'yes' if team.queue.announce_position else 'no'}",
            f"announce-frequency={30 if team.queue.announce_position else 0}",
        )
        for member in team.members:
            yield f"member => {member}"


def _voicemail(config: Config) -> Iterator[str]:
    yield from ("", f"[{MAILBOX_CONTEXT}]")
    for team in config.teams.values():
        if team.voicemail is not None:
            email = team.voicemail.email or ""
            attach = "attach=yes" if email else "attach=no"
            yield f"{team.voicemail.mailbox} => ,{team.label},{email},,{attach}"
