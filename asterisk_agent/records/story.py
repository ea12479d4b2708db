"""One call as it is told while it lasts, and the JSON form that everything else works from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4


@dataclass(slots=True)
class Delays:
    """Milliseconds from the caller's last sound to the answer's first, and its parts."""

    end_of_turn: float = 0.0
    recognise: float = 0.0
    retrieve: float = 0.0
    model: float = 0.0
    voice: float = 0.0
    playout: float = 0.0
    total: float = 0.0


@dataclass(slots=True)
class TurnRecord:
    """One thing said. ``at_s`` counts from the start of the call; ``heard_s`` is how much of the
    agent's words the caller really heard, or how long the caller spoke.

    ``confidence`` is the recogniser's in the caller's words, the brain's in the agent's.
    ``interrupted``: the caller cut it short. ``unanswered``: the documents do not say.
    """

    who: str
    text: str
    at_s: float
    heard_s: float = 0.0
    source: dict[str, str] | None = None
    action: str | None = None
    delay_ms: Delays | None = None
    confidence: float | None = None
    interrupted: bool = False
    unanswered: bool = False


@dataclass(slots=True)
class Step:
    """One stage of the call's way: where it went, when, and why."""

    to: str
    at_s: float
    because: str
    result: str = ""


@dataclass(slots=True)
class Attempt:
    """One team, or one on-call phone (``on-call:CHANNEL``), that was rung.

    ``waited_s`` is how long the caller waited, None while they do; ``result`` is Asterisk's word.
    """

    team: str
    at_s: float
    waited_s: float | None = None
    result: str = ""
    picked_up_by: str | None = None


@dataclass(slots=True)
class Event:
    """What else happened: ``key`` (detail: which), ``barge_in``, ``error`` (detail: what)."""

    kind: str
    at_s: float
    detail: str = ""


@dataclass(slots=True)
class Callback:
    """Whom to call back, on which number, about what; "" for what the caller did not tell.

    ``confirmed``: the number was read back, or is the caller's own, and the caller said yes.
    """

    name: str = ""
    number: str = ""
    confirmed: bool = False
    reason: str = ""


_ANSWERS = ("answer", "repeat", "smalltalk")
_RUNG = ("team", "on-call", "phone")


@dataclass(slots=True)
class Story:
    """One call from its arrival to its end. Times are UTC; ``caller`` is as the trunk gave it."""

    channel: str
    caller: str
    state: str
    started: datetime
    unique_id: str = ""
    id: UUID = field(default_factory=uuid4)
    answered: datetime | None = None
    ended: datetime | None = None
    outcome: str | None = None
    reason: str | None = None
    team: str | None = None
    picked_up_by: str | None = None
    turns: list[TurnRecord] = field(default_factory=list)
    path: list[Step] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    message: str | None = None
    """What the caller left with the agent for whoever calls back."""
    callback: Callback | None = None
    """The same, taken apart."""
    tasks: list[str] = field(default_factory=list)
    """What people have to do about it: ``call_back``."""
    agent_s: float = 0.0
    """How long the agent's conversations lasted: what ceilings count."""
    tokens: int = 0
    """How many tokens the language model read and wrote."""
    brief: str | None = None
    """What whoever picks up is told."""
    recording: str | None = None
    """The file of the call's audio."""
    node: str = ""
    """The service that tells this, where there are several."""
    continues: bool = False
    """Whether the call began with another service, or with this one before it started again."""

    def add_tasks(self, tasks: Iterable[str]) -> None:
        """Note what people have to do; each thing once."""
        self.tasks += [task for task in tasks if task not in self.tasks]

    def went(self, to: str, because: str, now: datetime) -> None:
        """The call goes to ``team:support``, ``voicemail:support``, … ``goodbye``."""
        at_s = self.seconds(now)
        self.path.append(Step(to, at_s, because))
        kind, _, target = to.partition(":")
        if kind in _RUNG:
            self.attempts.append(Attempt(target if kind == "team" else to, at_s))

    def left(self, result: str, now: datetime) -> None:
        """The stage that the call was at is over."""
        if not self.path:
            return
        self.path[-1].result = result
        if self.path[-1].to.partition(":")[0] in _RUNG:
            self._waited(now)
            self.attempts[-1].result = result

    def picked_up(self, by: str, now: datetime) -> None:
        """A person took the call."""
        self.picked_up_by = by
        if self.attempts:
            self._waited(now)
            self.attempts[-1].picked_up_by = by

    def over(self, outcome: str, now: datetime) -> None:
        """The call has ended."""
        self.ended, self.outcome = now, outcome
        if self.attempts:
            self._waited(now)

    def _waited(self, now: datetime) -> None:
        attempt = self.attempts[-1]
        if attempt.waited_s is None:
            attempt.waited_s = round(self.seconds(now) - attempt.at_s, 3)

    def happened(self, kind: str, at_s: float, detail: str = "") -> None:
        """Note an event."""
        self.events.append(Event(kind, round(at_s, 3), detail))

    @property
    def served(self) -> bool:
        """Whether the last thing said was an answer of the agent's, to the end of it or not."""
        last = self.turns[-1] if self.turns else None
        return last is not None and last.who == "agent" and last.action in _ANSWERS

    def seconds(self, now: datetime) -> float:
        """Seconds since the call began."""
        return round((now - self.started).total_seconds(), 3)

    def as_json(self) -> dict[str, Any]:
        """The form that ``asterisk-agent calls show --json`` prints."""
        return {
            "id": str(self.id),
            "channel": self.channel,
            "caller": self.caller,
            "state": self.state,
            "started": _iso(self.started),
            "answered": _iso(self.answered),
            "ended": _iso(self.ended),
            "outcome": self.outcome,
            "reason": self.reason,
            "team": self.team,
            "picked_up_by": self.picked_up_by,
            "turns": [asdict(turn) for turn in self.turns],
            "path": [asdict(step) for step in self.path],
            "attempts": [asdict(attempt) for attempt in self.attempts],
            "events": [asdict(event) for event in self.events],
            "message": self.message,
            "callback": None if self.callback is None else asdict(self.callback),
            "tasks": list(self.tasks),
            "agent_s": round(self.agent_s, 3),
            "tokens": self.tokens,
            "brief": self.brief,
            "recording": self.recording,
            "node": self.node,
            "continues": self.continues,
        }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds")
