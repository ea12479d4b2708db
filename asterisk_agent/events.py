"""Frozen values that cross layers: what was heard, what is answered, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a recogniser understood.

    ``confidence`` is 0 to 1 (the mean probability of the words); ``audio_s`` is the length of the
    speech and ``compute_s`` the time it took to recognise.
    """

    text: str
    confidence: float
    audio_s: float = 0.0
    compute_s: float = 0.0


class Action(StrEnum):
    """What the agent does with what the caller said."""

    ANSWER = "answer"
    CLARIFY = "clarify"
    HANDOFF = "handoff"
    VOICEMAIL = "voicemail"
    REPEAT = "repeat"
    GOODBYE = "goodbye"
    EMERGENCY = "emergency"
    SMALLTALK = "smalltalk"
    ABUSE = "abuse"


@dataclass(frozen=True, slots=True)
class Source:
    """The passage an answer was taken from: a file under ``knowledge/`` and its heading."""

    file: str
    heading: str


@dataclass(frozen=True, slots=True)
class ThinkingTime:
    """Milliseconds that a reply took."""

    retrieve: float = 0.0
    model: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Reply:
    """The brain's reply to one utterance. ``text`` is what the caller shall hear.

    ``team`` names the team to hand over to (``Action.HANDOFF``) where the caller's words named
    one; None leaves the choice to the routing. ``unanswered`` marks a hand-off that the caller
    did not ask for: the documents do not say. ``options`` are the passages that a question back
    (``Action.CLARIFY``) offers. ``slow``: the caller asked for it to be said slowly. ``urgent``:
    the caller cannot wait until opening (``Action.HANDOFF``). ``tokens`` are those that the
    language model read and wrote for it.
    """

    text: str
    action: Action
    team: str | None = None
    source: Source | None = None
    confidence: float = 1.0
    ms: ThinkingTime = field(default_factory=ThinkingTime)
    unanswered: bool = False
    options: tuple[Source, ...] = ()
    slow: bool = False
    urgent: bool = False
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One finished turn of the conversation, as the brain sees its history."""

    who: Literal["caller", "agent"]
    text: str
    action: Action | None = None
    source: Source | None = None
