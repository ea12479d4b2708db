"""What a phone heard and said, with the moment of every 20 ms, and where the sound is in it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from asterisk_agent.audio import rms_dbfs, write_wav

FRAME_S = 0.02
AUDIBLE_DBFS = -50.0
"""Louder than this is sound. The noise of an A-law or mu-law line lies below -65."""
Side = Literal["heard", "said"]


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of a call. ``at`` is the monotonic time, in seconds, at which it began."""

    at: float
    heard: bytes
    said: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """Uninterrupted sound, from its first to the end of its last audible frame."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end - self.start


class Recording:
    """A call as one phone knows it, growing while it lasts."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.frames: list[Frame] = []
        self._audible: dict[Side, list[bool]] = {"heard": [], "said": []}
        self._quiet_from: dict[Side, int] = {"heard": 0, "said": 0}
        self._silence = bytes(round(rate_hz * FRAME_S) * 2)

    def add(self, at: float, heard: bytes, said: bytes) -> None:
        """Take the next 20 ms; empty means silence."""
        self.frames.append(Frame(at, heard or self._silence, said or self._silence))
        sides: tuple[tuple[Side, bytes], ...] = (("heard", heard), ("said", said))
        for side, pcm in sides:
            is_sound = bool(pcm) and rms_dbfs(pcm) > AUDIBLE_DBFS
            self._audible[side].append(is_sound)
            if is_sound:
                self._quiet_from[side] = len(self.frames)

    def pcm(self, side: Side = "heard", start: float = 0.0, end: float = float("inf")) -> bytes:
        """The sound between two moments."""
        chosen = (frame for frame in self.frames if start <= frame.at < end)
        if side == "heard":
            return b"".join(frame.heard for frame in chosen)
        return b"".join(frame.said for frame in chosen)

    def segments(self, side: Side = "heard", *, pause_s: float = 0.3) -> list[Segment]:
        """Where there was sound; a shorter pause than ``pause_s`` does not end a segment."""
        moments = [frame.at for frame in self.frames]
        audible = zip(moments, self._audible[side], strict=True)
        return join((at for at, is_sound in audible if is_sound), pause_s)

    def span(self, start: float, end: float, side: Side = "heard") -> Segment | None:
        """From the first to the last sound between two moments; None where there was none."""
        first = bisect_left(self.frames, start, key=_beginning)
        last = bisect_left(self.frames, end, key=_beginning)
        audible = self._audible[side]
        moments = [self.frames[index].at for index in range(first, last) if audible[index]]
        return Segment(moments[0], moments[-1] + FRAME_S) if moments else None

    def reaches(self, moment: float) -> bool | None:
        """True when the recording goes on past ``moment``, None while it does not."""
        return True if self.frames and self.frames[-1].at + FRAME_S > moment else None

    def sound_after(self, moment: float, side: Side = "heard") -> float | None:
        """When the first sound at or after ``moment`` began."""
        first = bisect_left(self.frames, moment, key=_beginning)
        for index in range(first, len(self.frames)):
            if self._audible[side][index]:
                return self.frames[index].at
        return None

    def quiet_since(self, side: Side = "heard") -> float | None:
        """When the silence that still lasts began; None during sound or before any audio."""
        index = self._quiet_from[side]
        return self.frames[index].at if index < len(self.frames) else None

    def save_stereo(self, path: Path) -> None:
        """Write a WAV file: left is what this phone said, right what it heard."""
        left, right = bytearray(), bytearray()
        for frame in self.frames:  # a packet may bring more or less than was said meanwhile
            size = max(len(frame.said), len(frame.heard))
            left += frame.said.ljust(size, b"\0")
            right += frame.heard.ljust(size, b"\0")
        sides = [np.frombuffer(side, dtype="<i2") for side in (left, right)]
        write_wav(path, np.column_stack(sides).tobytes(), self.rate_hz, channels=2)


def _beginning(frame: Frame) -> float:
    return frame.at


def join(moments: Iterable[float], pause_s: float) -> list[Segment]:
    """Audible frames, by their beginnings in order, to segments."""
    segments: list[Segment] = []
    for at in moments:
        if segments and at - segments[-1].end < pause_s:
            segments[-1] = Segment(segments[-1].start, at + FRAME_S)
        else:
            segments.append(Segment(at, at + FRAME_S))
    return segments
