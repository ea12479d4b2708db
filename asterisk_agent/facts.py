"""The words of routing: what is known of a call, and what can be decided about it.

``routing`` re-exports all of them; they stand here so that it tells the decisions alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from asterisk_agent.hours import State
from asterisk_agent.overrides import Override


class Stage(StrEnum):
    """What the call has just come from."""

    ARRIVAL = "arrival"
    AGENT = "agent"
    TEAM = "team"
    ON_CALL = "on-call"
    VOICEMAIL = "voicemail"


class AgentHealth(StrEnum):
    """Whether the agent can take a call."""

    UP = "up"
    DOWN = "down"
    FULL = "full"
    SPENT = "spent"
    """The channel's minutes of this month are used up: see ``ceiling``."""


class Outcome(StrEnum):
    """How the agent's part of a call ended."""

    RESOLVED = "resolved"
    MESSAGE = "message"
    """The agent took a message."""
    PERSON = "person"
    """The caller asked for a person."""
    UNANSWERED = "unanswered"
    """The documents do not say, or the agent did not understand."""
    URGENT = "urgent"
    """The caller needs a person, and it cannot wait until opening."""
    VOICEMAIL = "voicemail"
    """The caller asked to leave a message."""
    EMERGENCY = "emergency"
    ABUSE = "abuse"
    """The caller was abusive twice."""
    NO_INPUT = "no_input"
    """The caller never said a word."""
    TOO_LONG = "too_long"
    STOPPING = "stopping"
    """The service was told to stop."""
    LOST = "lost"
    """Something broke."""
    HANGUP = "hangup"
    """The line ended: the caller hung up, unless the dialplan goes on asking for them."""


class Kind(StrEnum):
    """The kinds of destination. ``WAIT``: ring for a slot of the agent, then ask again."""

    AGENT = "agent"
    TEAM = "team"
    ON_CALL = "on-call"
    VOICEMAIL = "voicemail"
    WAIT = "wait"
    GOODBYE = "goodbye"


CALL_BACK = "call_back"
"""The task: somebody has to call this caller back."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision depends on, beside the plan and the time.

    ``state`` is None on arrival and is kept afterwards; ``arrived`` is when that was. ``tried``
    are the teams already rung, in order. ``status`` is what Asterisk says of the stage just left:
    QUEUESTATUS, DIALSTATUS or VMSTATUS. ``turns`` counts the agent's conversations in this call;
    ``outcome`` is that of the last one, None where it is unknown. ``hung_up``: the caller is gone,
    at this stage. ``resolved``: before that, they had got what they called for.
    """

    stage: Stage
    state: State | None = None
    arrived: datetime | None = None
    override: Override | None = None
    agent: AgentHealth = AgentHealth.UP
    outcome: Outcome | None = None
    wanted_team: str | None = None
    tried: tuple[str, ...] = ()
    status: str = ""
    turns: int = 0
    waited: bool = False
    hung_up: bool = False
    resolved: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The next destination.

    ``target`` is a team's id, for its queue or its mailbox, or the id of the channel whose on-call
    phone rings. ``message`` names what is played before the tone, ``prompt`` a recording that is
    played first of all. ``purpose`` is ``answer`` or ``message`` where the agent speaks.
    ``bypassed``: the agent should have answered and could not. ``first_in_line``: ahead of
    everybody else in the queue. ``tasks`` are left to people. ``seconds`` bounds a ringing.
    """

    kind: Kind
    target: str
    message: str
    state: State
    because: str
    prompt: str = ""
    purpose: str = ""
    bypassed: bool = False
    first_in_line: bool = False
    tasks: tuple[str, ...] = ()
    seconds: int | None = None
