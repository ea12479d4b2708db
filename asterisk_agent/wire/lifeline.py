"""What a service tells its supervisor, a datagram each, and what it is told at its start."""

from __future__ import annotations

import json
import re
import signal
from dataclasses import asdict, dataclass
from enum import StrEnum

MAX_BYTES = 4096
"""Of a datagram."""
WHERE = signal.SIGUSR1
"""Asks a service to write into its log where each of its threads stands."""
_BEAT = re.compile(rb"beat (-|[0-9]{1,9}) (-|[0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Beat:
    """The event loop came round. Both ages in seconds, None where nothing is due.

    ``playout_s``: since the call that is furthest behind last sent a frame of audio.
    ``engines_s``: since the engine process was last looked after.
    """

    playout_s: float | None = None
    engines_s: float | None = None


class Word(StrEnum):
    """What else a service says."""

    READY = "ready"
    """It takes calls."""
    RELOADED = "reloaded"
    """It has tried to take a changed configuration over."""
    QUIET = "quiet"
    """It stops, and no call is with it any more: it need not show life while it tidies up."""


@dataclass(frozen=True, slots=True)
class Losses:
    """How many services the supervisor lost before this one; the last of them ``at``, and why."""

    count: int = 0
    at: str = ""
    """UTC, in ISO's form."""
    why: str = ""


def encode(said: Beat | Word) -> bytes:
    """What is said as a datagram."""
    if isinstance(said, Word):
        return said.encode()
    ages = ("-" if age is None else str(max(0, round(age * 1000))) for age in _ages(said))
    return f"beat {' '.join(ages)}".encode()


def decode(data: bytes) -> Beat | Word | None:
    """A datagram as what it says; None for nonsense, which is no sign of life."""
    beat = _BEAT.fullmatch(data)
    if beat is not None:
        return Beat(*(None if age == b"-" else int(age) / 1000 for age in beat.groups()))
    return next((word for word in Word if word.encode() == data), None)


def encode_losses(losses: Losses) -> bytes:
    """What a new service is told of those before it."""
    return json.dumps(asdict(losses)).encode()


def losses_of(data: bytes) -> Losses:
    """What ``encode_losses`` wrote. Raises ValueError for anything else."""
    try:
        told = json.loads(data)
    except RecursionError:  # brackets without end
        raise ValueError("not what a supervisor tells") from None
    kinds = {name: type(value) for name, value in told.items()} if isinstance(told, dict) else {}
    if kinds != {"count": int, "at": str, "why": str}:
        raise ValueError("not what a supervisor tells")
    return Losses(**told)


def _ages(beat: Beat) -> tuple[float | None, float | None]:
    return beat.playout_s, beat.engines_s
