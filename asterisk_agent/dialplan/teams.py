"""Teams as dialplan: their queues, their mailboxes, and how a call comes back from either."""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_agent.config.schema import Config, Message, Team

MAILBOX_CONTEXT = "agent"
NOBODY = "unavailable,invalid,unknown,paused"
"""Phones in these states do not count as somebody: the caller goes on at once."""
ANNOUNCE_S = 30


def message_sound(message_id: str, message: Message) -> str:
    """The sound of a message, as Playback() takes it."""
    return message.sound if message.sound else f"${{AGENT_SOUNDS}}/message-{message_id}"


def extensions(config: Config) -> Iterator[str]:
    """A context for each team, and one for all mailboxes."""
    yield from (
        "",
        "; --- Teams ------------------------------------------------------------------------",
        "; Goto(agent-team-ID,EXTENSION,1) rings a team from any dialplan. However it ends, the",
        "; call comes back with AGENT_STATUS, and asks for what is next.",
    )
    for team in config.teams.values():
        if team.reachable:
            yield from _team(team)
    yield from _existing(config)
    yield from _mailboxes(config)


def _team(team: Team) -> Iterator[str]:
    """Only the way in: the queue itself is entered in [agent-queue], which no reload takes away."""
    yield from ("", f"; {team.label}", f"[agent-team-{team.id}]")
    if team.extension is not None:
        yield f"exten => s,1,Goto({team.extension},1)"
    yield f"exten => {team.extension or 's'},1,Set(AGENT_TEAM={team.id})"
    yield f" same => n,Set(AGENT_WAIT={round(team.queue.wait.total_seconds())})"
    kind = "team" if team.existing is None else "other"
    yield f" same => n,Goto(agent-queue,{kind}-{team.id},1)"
    yield "include => agent-end"


def _existing(config: Config) -> Iterator[str]:
    """Queues of another system, each entered on a line of its own: see agent-to-existing."""
    yield from ("", "; Where the queues are that this PBX had already.", "[agent-existing]")
    for team in config.teams.values():
        if team.existing is not None:
            yield f"exten => {team.id},1,Gosub(agent-leg,s,1)"
            yield f" same => n,Goto({team.existing.context},{team.existing.extension},1)"


def _mailboxes(config: Config) -> Iterator[str]:
    """One extension per team with a mailbox: the message, the tone, the recording."""
    yield from (
        "",
        "; --- Mailboxes: the message, the tone, the recording --------------------------------",
        "[agent-voicemail]",
    )
    for team in config.teams.values():
        if team.voicemail is None:
            continue
        yield f"; {team.label}"
        yield f"exten => {team.id},1,Set(AGENT_STAGE=voicemail)"
        known = "${DIALPLAN_EXISTS(agent-message,${AGENT_MESSAGE},1)}"
        yield f" same => n,GosubIf($[{known} = 1]?agent-message,${{AGENT_MESSAGE}},1)"
        # VoiceMail() ends the call where the mailbox does not exist; TryExec() goes on.
        yield " same => n,Set(VMSTATUS=)"
        yield f" same => n,TryExec(VoiceMail({team.voicemail.mailbox}@{MAILBOX_CONTEXT},s))"
        yield " same => n,Gosub(agent-taken,s,1)"
        yield " same => n,Goto(agent-ask,next,1)"
    yield "include => agent-end"
    yield from _messages(config)


def _messages(config: Config) -> Iterator[str]:
    """What is said before the tone, each with as many lines: a call may be in the middle of one
    while a reload takes another away.
    """
    yield from ("", "[agent-message]")
    for message_id, message in config.messages.items():
        yield f"exten => {message_id},1,Playback({message_sound(message_id, message)})"
        yield " same => n,Return()"
    yield "; This one was taken away while it was played."
    yield "exten => i,1,Return()"
    yield "include => agent-end"


def queues(config: Config) -> Iterator[str]:
    """queues.conf: a queue for each team that has phones of its own."""
    for team in config.teams.values():
        if not team.members:
            continue
        queue = team.queue
        yield from (
            "",
            f"; {team.label}",
            f"[agent-{team.id}]",
            f"strategy={queue.strategy}",
            f"timeout={round(queue.ring.total_seconds())}",
            "retry=1",
            "ringinuse=no",
            "autofill=yes",
            f"joinempty={NOBODY}",
            f"leavewhenempty={NOBODY}",
            f"announce-position={'yes' if queue.announce_position else 'no'}",
            "announce-holdtime=no",
            f"announce-frequency={ANNOUNCE_S if queue.announce_position else 0}",
        )
        yield from (f"member => {member}" for member in team.members)


def voicemail(config: Config) -> Iterator[str]:
    """voicemail.conf: a mailbox for each team that has one."""
    yield from ("", f"[{MAILBOX_CONTEXT}]")
    for team in config.teams.values():
        if team.voicemail is not None:
            email = team.voicemail.email or ""
            attach = "attach=yes" if email else "attach=no"
            yield f"{team.voicemail.mailbox} => ,{team.label},{email},,{attach}"
