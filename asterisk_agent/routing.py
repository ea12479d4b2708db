"""Where a call goes next. Pure and total: every set of facts has a destination.

The FastAGI steps call ``decide``; the generated dialplan takes the same decisions by itself when
the service cannot be asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from asterisk_agent import hours
from asterisk_agent.config.schema import Channel, Config, Unanswered

MAX_TEAM_ATTEMPTS = 2


class State(StrEnum):
    """Whether the channel's hours say that people are there."""

    OPEN = "open"
    CLOSED = "closed"


class Stage(StrEnum):
    """What the call has just come from."""

    ARRIVAL = "arrival"
    AGENT = "agent"
    TEAM = "team"
    VOICEMAIL = "voicemail"


class AgentHealth(StrEnum):
    """Whether the agent can take a call."""

    UP = "up"
    DOWN = "down"
    FULL = "full"


class Outcome(StrEnum):
    """How the agent's part of a call ended."""

    RESOLVED = "resolved"
    PERSON = "person"
    """The caller asked for a person."""
    UNANSWERED = "unanswered"
    """The documents do not say, or the agent did not understand."""
    VOICEMAIL = "voicemail"
    """The caller asked to leave a message."""
    EMERGENCY = "emergency"
    NO_INPUT = "no_input"
    """The caller never said a word."""
    TOO_LONG = "too_long"
    STOPPING = "stopping"
    """The service was told to stop."""
    LOST = "lost"
    """Something broke."""
    HANGUP = "hangup"
    """The caller hung up."""


class Kind(StrEnum):
    """The kinds of destination."""

    AGENT = "agent"
    TEAM = "team"
    VOICEMAIL = "voicemail"
    GOODBYE = "goodbye"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision depends on, beside the configuration and the time.

    ``state`` is None on arrival and is kept afterwards. ``tried`` are the teams already rung, in
    order. ``queue_status`` is Asterisk's QUEUESTATUS behind the last of them.
    """

    stage: Stage
    state: State | None = None
    agent: AgentHealth = AgentHealth.UP
    outcome: Outcome | None = None
    wanted_team: str | None = None
    tried: tuple[str, ...] = ()
    queue_status: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The next destination. ``target`` is a team's id, for its queue or its mailbox;
    ``message`` names the message to play before the tone, or is empty.
    """

    kind: Kind
    target: str
    message: str
    state: State
    because: str


def state_at(channel: Channel, config: Config, now: datetime) -> tuple[State, str]:
    """The channel's state at an instant, and the reason in words."""
    schedule = config.hours[channel.hours] if channel.hours is not None else None
    found = hours.state(schedule, config.timezone, now)
    return (State.OPEN if found.open else State.CLOSED), found.because


def decide(facts: Facts, channel: Channel, config: Config, now: datetime) -> Decision:
    """Decide where the call goes.

    Reading order is the caller's way: arrival, after the agent, after a team, after voicemail.
    """
    state = facts.state or state_at(channel, config, now)[0]
    if facts.stage is Stage.ARRIVAL:
        return _arrival(facts, channel, config, state)
    if facts.stage is Stage.AGENT:
        return _after_agent(facts, channel, config, state)
    if facts.stage is Stage.TEAM:
        return _after_team(facts, channel, config, state)
    return Decision(Kind.GOODBYE, "", "", state, "a message was taken, or could not be")


def handoff_order(channel: Channel, config: Config, wanted_team: str | None) -> tuple[str, ...]:
    """The teams to ring, in order: the one the caller needs first, then the channel's own."""
    order = channel.in_hours.handoff
    wanted = config.teams.get(wanted_team) if wanted_team is not None else None
    if wanted_team is not None and wanted is not None and wanted.reachable:
        return (wanted_team, *(team for team in order if team != wanted_team))
    return order


def _arrival(facts: Facts, channel: Channel, config: Config, state: State) -> Decision:
    answer = channel.in_hours.answer if state is State.OPEN else channel.after_hours.answer
    if answer == "agent" and channel.agent and facts.agent is AgentHealth.UP:
        return Decision(Kind.AGENT, "", "", state, f"{state}: the agent answers")
    if answer == "agent":
        why = f"{state}: the agent is {facts.agent if channel.agent else 'not assigned'}"
        return _people(facts, channel, config, state, why)
    if answer == "team":
        return _first_team(facts, channel, config, state, f"{state}: people answer first")
    return _voicemail(channel, state, f"{state}: voicemail answers")


def _after_agent(facts: Facts, channel: Channel, config: Config, state: State) -> Decision:
    outcome = facts.outcome or Outcome.LOST
    if outcome in (Outcome.RESOLVED, Outcome.NO_INPUT, Outcome.HANGUP):
        return Decision(Kind.GOODBYE, "", "", state, f"the agent's part ended: {outcome}")
    if outcome is Outcome.VOICEMAIL:
        return _voicemail(channel, state, "the caller asked to leave a message")
    return _people(facts, channel, config, state, f"the agent's part ended: {outcome}")


def _after_team(facts: Facts, channel: Channel, config: Config, state: State) -> Decision:
    if facts.queue_status == "CONTINUE":
        return Decision(Kind.GOODBYE, "", "", state, "a person took the call")
    status = facts.queue_status or "no status"
    return _first_team(facts, channel, config, state, f"nobody took the call ({status})")


def _people(facts: Facts, channel: Channel, config: Config, state: State, because: str) -> Decision:
    """A person while the house is open, voicemail when it is not."""
    if state is State.OPEN:
        return _first_team(facts, channel, config, state, because)
    return _voicemail(channel, state, because)


def _first_team(
    facts: Facts, channel: Channel, config: Config, state: State, because: str
) -> Decision:
    if len(facts.tried) < MAX_TEAM_ATTEMPTS:
        for team in handoff_order(channel, config, facts.wanted_team):
            if team not in facts.tried:
                return Decision(Kind.TEAM, team, "", state, because)
    return _voicemail(channel, state, f"{because}; no further team")


def _voicemail(channel: Channel, state: State, because: str) -> Decision:
    unanswered = unanswered_in(channel, state)
    return Decision(Kind.VOICEMAIL, unanswered.voicemail, unanswered.message, state, because)


def unanswered_in(channel: Channel, state: State) -> Unanswered:
    """The voicemail and message of a state."""
    return (channel.in_hours if state is State.OPEN else channel.after_hours).unanswered
