"""Channels as dialplan: their numbers, their on-call phones, and their decisions without anyone.

``agent-static-CHANNEL`` takes the decisions of ``routing.decide`` with the agent down; a test
walks both and compares them.
"""

from __future__ import annotations

from collections.abc import Iterator

from asterisk_agent.config.channels import Channel
from asterisk_agent.config.schema import Config
from asterisk_agent.hours import State
from asterisk_agent.plan import ChannelPlan, Plan
from asterisk_agent.routing import (
    MAX_TEAM_ATTEMPTS,
    ON_CALL_RING_S,
    handoff_order,
    mailbox_in,
    unanswered_in,
)


def entry(config: Config) -> Iterator[str]:
    """The numbers, and where calls to unknown numbers go."""
    yield from (
        "",
        "; --- The way in -------------------------------------------------------------------",
        "; Include this context where the trunk's calls arrive.",
        "[asterisk-agent]",
    )
    for channel in config.channels.values():
        yield from _numbers(channel)
    yield from _unknown_number(next(iter(config.channels.values())))


def _numbers(channel: Channel) -> Iterator[str]:
    yield f"; {channel.label}"
    for number in channel.number:
        digits = number.removeprefix("+")
        for extension in (f"+{digits}", digits):
            yield f"exten => {extension},1,Set(AGENT_CHANNEL={channel.id})"
            yield f" same => n,Set(AGENT_LABEL={channel.label})"
            yield " same => n,Goto(agent-start,s,1)"


def _unknown_number(first: Channel) -> Iterator[str]:
    """A number that no channel has: a person, by the first channel's hours, rather than silence."""
    yield from (
        "",
        "; For calls to numbers that no channel has: the teams of the first channel, by its hours.",
        "; Include it behind everything else in the trunk's context.",
        "[asterisk-agent-unknown]",
        f"exten => _[+0-9]!,1,NoOp(asterisk-agent: no channel has this number - as {first.id})",
        f" same => n,Set(AGENT_CHANNEL={first.id})",
        f" same => n,Set(AGENT_LABEL={first.label})",
        " same => n,Answer()",
        " same => n,Gosub(agent-new,s,1)",
        f" same => n,Goto(agent-static-{first.id},arrival,1)",
    )


def on_call(config: Config) -> Iterator[str]:
    """The on-call phones. The only way out of the house, so no variable names a device here."""
    phones = {
        channel: channel.after_hours.on_call
        for channel in config.channels.values()
        if channel.after_hours.on_call is not None
    }
    yield from (
        "",
        "; --- On-call phones, one per channel ----------------------------------------------",
        "[agent-on-call]",
    )
    for channel, phone in phones.items():
        yield f"; {channel.label}"
        yield f"exten => {channel.id},1,Set(AGENT_STAGE=on-call)"
        yield " same => n,Gosub(agent-caller,s,1)"
        # A plays the brief to whoever picks up, g goes on when that person hangs up.
        brief = '${IF($["${AGENT_BRIEF}" != ""]?A(${AGENT_BRIEF}))}'
        options = f"grb(agent-brief^s^1){brief}"
        yield f" same => n,Dial({phone.dial},{ON_CALL_RING_S},{options})"
        yield " same => n,Gosub(agent-caller,back,1)"
        yield " same => n,Set(AGENT_STATUS=${DIALSTATUS})"
        yield " same => n,Set(AGENT_BRIEF=)"
        yield " same => n,Goto(agent-ask,next,1)"
    yield "include => agent-end"


def phones(config: Config) -> Iterator[str]:
    """The phones of the console's users. Whoever does not answer there comes to a team."""
    yield from (
        "",
        "; --- Phones of those who take calls over from the console ---------------------------",
        "[agent-phone]",
    )
    for user, device in config.web.phones.items():
        yield f"exten => {user},1,Set(AGENT_STAGE=team)"
        yield " same => n,Gosub(agent-caller,s,1)"
        yield f" same => n,Dial({device},{ON_CALL_RING_S},grb(agent-brief^s^1))"
        yield " same => n,Gosub(agent-caller,back,1)"
        answered = '$["${DIALSTATUS}" = "ANSWER"]?CONTINUE:${DIALSTATUS}'
        yield f" same => n,Set(AGENT_STATUS=${{IF({answered})}})"
        yield " same => n,Goto(agent-ask,next,1)"
    yield "include => agent-end"


def static(config: Config, plan: Plan) -> Iterator[str]:
    """For each channel, what is decided where neither service nor rescue script answers."""
    yield from (
        "",
        "; --- Channels, for when nobody can be asked ---------------------------------------",
        "; What is the same for each of them is in [agent-static], in agent-parts.conf.",
    )
    for channel in plan.channels.values():
        yield from ("", f"; {config.channels[channel.id].label}", f"[agent-static-{channel.id}]")
        yield from _hours(channel)
        yield from _arrival(channel, plan)
        yield from _people(channel, plan)
        yield from _mailbox(channel, plan)
        yield "include => agent-static"


def _hours(channel: ChannelPlan) -> Iterator[str]:
    if channel.schedule is not None:
        yield f"exten => hours,1,Goto(agent-hours-{channel.schedule},s,1)"
        return
    yield "; No hours are set: always open."
    yield "exten => hours,1,Set(AGENT_STATE=open)"
    yield " same => n,Return()"


def _arrival(channel: ChannelPlan, plan: Plan) -> Iterator[str]:
    """What a call gets in each state. Only who waited for the agent is told why people answer."""
    missed = channel.agent and channel.open_answer == "agent"
    connected = missed and handoff_order(channel, plan, None)
    yield from _chain(
        "open",
        "Set(AGENT_BYPASSED=1)" if missed else "",
        "Playback(${AGENT_SOUNDS}/connecting)" if connected else "",
        "Goto(people,1)",
    )
    missed = channel.agent and channel.closed_answer == "agent"
    yield from _chain(
        "closed",
        "Set(AGENT_BYPASSED=1)" if missed else "",
        "Goto(people,1)" if channel.closed_answer == "team" else "Goto(mailbox,1)",
    )


def _people(channel: ChannelPlan, plan: Plan) -> Iterator[str]:
    yield from _chain(
        "people",
        f"GotoIf($[${{AGENT_TEAMS}} >= {MAX_TEAM_ATTEMPTS}]?mailbox,1)",
        *(
            f"GotoIf($[${{FIELDNUM(AGENT_TRIED,.,{team})}} = 0]?agent-team-{team},s,1)"
            for team in handoff_order(channel, plan, None)
        ),
        "Goto(mailbox,1)",
    )


def _mailbox(channel: ChannelPlan, plan: Plan) -> Iterator[str]:
    for name, state in (("mailbox-open", State.OPEN), ("mailbox-closed", State.CLOSED)):
        team = mailbox_in(channel, plan, state)
        if team is None:
            yield f"exten => {name},1,Goto(nothing-taken,1)"
            continue
        message = unanswered_in(channel, state).message
        yield from _chain(name, f"Set(AGENT_MESSAGE={message})", f"Goto(agent-voicemail,{team},1)")


def _chain(extension: str, *lines: str) -> Iterator[str]:
    """An extension of these lines, leaving out empty ones."""
    first, *others = (line for line in lines if line)
    yield f"exten => {extension},1,{first}"
    yield from (f" same => n,{line}" for line in others)
