"""What a caller got, judged by their own telephone: no drop, no long silence, the right place.

Pure: intervals on the monotonic clock in, a verdict out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from asterisk_agent.audio import LINE_RATE_HZ
from asterisk_agent.sandbox.listening import FRAME_S, Recording

LONGEST_SILENCE_S = 3.0
"""Before ringing, music or speech."""
PURE = 0.5
"""A frame of which so much is one frequency is a tone."""
TONE_S = 0.3
"""So much of a tone is no accident."""

Span = tuple[float, float]
"""From and to, monotonic seconds."""


class End(StrEnum):
    """Where a caller came to."""

    PERSON = "person"
    MAILBOX = "mailbox"
    AGENT = "agent"
    TOLD = "told"
    """Nobody can take a message: the caller heard that, and the call log says to call back."""
    DROPPED = "dropped"
    NOWHERE = "nowhere"


@dataclass(slots=True)
class Verdict:
    """One caller of one round."""

    number: str
    stage: str
    """Where the caller was to be at the moment of the fault."""
    seen_at: str = ""
    """Where Asterisk had the caller at that moment."""
    end: End = End.NOWHERE
    place: str = ""
    """The member or mailbox."""
    expected: tuple[str, ...] = ()
    """The members and mailboxes that the configuration names for this number."""
    silence_s: float = 0.0
    took_s: float = 0.0
    """From the fault, or the first ring behind it, to the end."""
    why: str = ""
    recording: str = ""
    faults: list[str] = field(default_factory=list)
    """What was wrong; nothing: the caller was rescued."""

    @property
    def rescued(self) -> bool:
        """Whether nothing was wrong."""
        return not self.faults


def judge(verdict: Verdict, limit_s: float = LONGEST_SILENCE_S) -> Verdict:
    """Fill in what was wrong."""
    faults = []
    if verdict.end is End.DROPPED:
        faults.append("dropped")
    elif verdict.end is End.NOWHERE:
        faults.append(verdict.why or "reached nobody")
    elif verdict.end not in (End.AGENT, End.TOLD) and verdict.place not in verdict.expected:
        faults.append(f"wrong place: {verdict.place}")
    if verdict.silence_s > limit_s:
        faults.append(f"{verdict.silence_s:.1f} s of silence")
    verdict.faults = faults
    return verdict


def longest_silence_s(sounds: Iterable[Span], start: float, end: float) -> float:
    """The longest time between ``start`` and ``end`` in which nobody was heard.

    ``sounds`` are what the caller heard and what the caller said: who speaks does not wait.
    """
    longest, quiet_from = 0.0, start
    for began, ended in sorted(sounds):
        if ended <= start:
            continue
        if began >= end:
            break
        longest = max(longest, began - quiet_from)
        quiet_from = max(quiet_from, ended)
    return max(0.0, longest, end - quiet_from)


def sounds_of(recording: Recording, said: Sequence[Span]) -> list[Span]:
    """Everything that was to be heard on a caller's line."""
    heard = recording.segments("heard", pause_s=FRAME_S * 1.5)
    return [*((one.start, one.end) for one in heard), *said]


def has_tone(recording: Recording, hz: float, start: float, seconds: float = TONE_S) -> bool:
    """Whether so much of a tone was heard since ``start``."""
    needed = round(seconds / FRAME_S)
    for frame in reversed(recording.frames):
        if frame.at < start:
            break
        needed -= purity(frame.heard, hz, recording.rate_hz) > PURE
        if needed <= 0:
            return True
    return False


def purity(pcm: bytes, hz: float, rate_hz: int) -> float:
    """How much of a frame's power is at one frequency, 0 to 1."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    power = float(samples @ samples)
    if len(samples) == 0 or power < len(samples) * 100.0:
        return 0.0
    turns = np.exp(-2j * np.pi * hz / rate_hz * np.arange(len(samples)))
    return float(2 * abs(samples @ turns) ** 2 / (len(samples) * power))


def tone(hz: float, seconds: float, rate_hz: int = LINE_RATE_HZ) -> bytes:
    """PCM of a tone, in whole frames."""
    count = round(seconds / FRAME_S) * round(rate_hz * FRAME_S)
    moments = np.arange(count) / rate_hz
    pcm: bytes = np.rint(8000 * np.sin(2 * np.pi * hz * moments)).astype("<i2").tobytes()
    return pcm
