"""Is a caller's line still there, and is it a line? Pure: frames and moments in, judgements out.

A line whose audio connection stands still looks to us as one on hold does: nothing comes. And a
phone that sends nothing while its owner is silent looks like that all the time. So a line is only
called dead that has sent its silences until now, and that nobody has put on hold.
"""

from __future__ import annotations

STILL_S = 2.0
"""A line that has been steady and brings nothing for so long is dead."""
STEADY_S = 0.6
"""So much silence in one piece must have been sent before a line counts as steady. Phones that send
nothing in silence go on for about 0.2 s behind a word."""
GAP_S = 0.5
"""A longer gap than this, and the phone does not send all the time."""
FLOOD_S = 3.0
"""No line is so far ahead of time: what was held up on the way comes late, never early."""


class LineWatch:
    """One line. ``now`` is any clock that only goes forward, in seconds."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._silence_s = 0.0
        self._steady = False
        self._began: float | None = None
        self._audio_s = 0.0

    def floods(self, seconds: float, now: float) -> bool:
        """So much audio has arrived; whether that was more by now than there can be."""
        if self._began is None:
            self._began = now
        self._audio_s += seconds
        return self._audio_s - (now - self._began) > FLOOD_S

    def heard(self, seconds: float, now: float, *, silent: bool) -> None:
        """So much audio came; ``silent``: nobody spoke in it."""
        if self._last is not None and now - self._last > GAP_S:
            self._silence_s, self._steady = 0.0, False
        self._last = now
        self._silence_s = self._silence_s + seconds if silent else 0.0
        self._steady = self._steady or self._silence_s >= STEADY_S

    def dead(self, now: float, on_hold: bool | None) -> bool:
        """Whether it is dead; never where it is not known whether the line is on hold (None)."""
        if self._last is None or not self._steady or on_hold is not False:
            return False
        return now - self._last > STILL_S
