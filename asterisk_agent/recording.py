"""A call's sound: what the caller says on the left, what the agent says on the right.

A ``Tape`` puts both sides where they belong in time, in memory; a ``WavFile`` is written behind the
call's back. Neither knows a clock.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np

LATE_S = 0.06
"""A frame that comes later than this behind the one before it has a gap before it."""
SETTLE_S = 0.5
"""What is newer may still be joined by sound of the other side."""
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
HEADER_BYTES = _HEADER.size
"""A file that has no more holds no sound."""


class Tape:
    """Both sides of a conversation. Seconds count from the start of the call."""

    def __init__(self, rate_hz: int, starts_s: float) -> None:
        self.rate_hz = rate_hz
        self.starts_s = starts_s
        self._starts = round(starts_s * rate_hz)
        self._taken = 0  # samples since the start of the tape
        self._sides = (bytearray(), bytearray())  # what has not been taken yet

    def heard(self, pcm: bytes, at_s: float) -> None:
        """The caller's sound, 16 bit, that ended now."""
        self._put(self._sides[0], pcm, at_s)

    def sent(self, pcm: bytes, at_s: float) -> None:
        """The agent's sound, 16 bit, that was sent now."""
        self._put(self._sides[1], pcm, at_s)

    def take(self, until_s: float) -> bytes:
        """Both sides of what was not taken yet, left and right by turns, up to a moment."""
        count = max(0, round(until_s * self.rate_hz) - self._starts - self._taken)
        sides = []
        for side in self._sides:
            side.extend(bytes(max(0, 2 * count - len(side))))
            sides.append(np.frombuffer(bytes(side[: 2 * count]), "<i2"))
            del side[: 2 * count]
        self._taken += count
        return np.stack(sides, axis=1).tobytes()

    def _put(self, side: bytearray, pcm: bytes, at_s: float) -> None:
        has = self._starts + self._taken + len(side) // 2
        missing = round(at_s * self.rate_hz) - has
        if missing > LATE_S * self.rate_hz:
            side.extend(bytes(2 * missing))
        side.extend(pcm)


class WavFile:
    """A stereo WAV file that is whole after each ``write``. Its methods block; raise OSError."""

    def __init__(self, path: Path, rate_hz: int) -> None:
        self._path, self._rate_hz = path, rate_hz

    @property
    def exists(self) -> bool:
        """Whether anything of it was written."""
        return self._path.exists()

    def write(self, pcm: bytes, at_s: float | None = None) -> None:
        """Add sound at the end, or at ``at_s`` if that is behind the end, with silence between.

        A file that an error leaves without sound, or that nobody could play, is deleted.
        """
        try:
            self._write(pcm, at_s)
        except OSError:
            with suppress(OSError):
                if not self._has_sound():
                    self._path.unlink()
            raise

    def _has_sound(self) -> bool:
        with self._path.open("rb") as file:
            return file.read(4) == b"RIFF" and file.seek(0, os.SEEK_END) > HEADER_BYTES

    def _write(self, pcm: bytes, at_s: float | None) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o640)
        with os.fdopen(descriptor, "r+b") as file:
            end = max(file.seek(0, os.SEEK_END), _HEADER.size)
            if at_s is not None:
                end = max(end, _HEADER.size + 4 * round(at_s * self._rate_hz))
            file.seek(end)
            file.write(pcm)
            file.seek(0)
            file.write(self._header(end + len(pcm) - _HEADER.size))

    def _header(self, size: int) -> bytes:
        rate = self._rate_hz
        form = (b"fmt ", 16, 1, 2, rate, rate * 4, 4, 16)
        return _HEADER.pack(b"RIFF", 36 + size, b"WAVE", *form, b"data", size)
