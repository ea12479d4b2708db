"""Is a caller's line still there? Pure: frames and moments in, a judgement out.

A line whose audio connection stands still looks to us as one on hold does: nothing comes. And a
phone that sends nothing while its owner is silent looks like that all the time. So a line is only
called dead that has sent its silences until now, and that nobody has put on hold.
"""

from __future__ import annotations

STILL_S = 2.5
"""A line that has been steady and brings nothing for so long is dead."""
STEADY_S = 1.5
"""So much silence must have been sent before a line counts as steady."""
GAP_S = 0.5
"""A longer gap than this, and the phone does not send all the time."""


class LineWatch:
    """One line. ``now`` is any clock that only goes forward, in seconds."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._silence_s = 0.0

    def heard(self, seconds: float, now: float, *, silent: bool) -> None:
        """So much audio came; ``silent``: nobody spoke in it."""
        if self._last is not None and now - self._last > GAP_S:
            self._silence_s = 0.0
        self._last = now
        if silent:
            self._silence_s += seconds

    def dead(self, now: float, on_hold: bool | None) -> bool:
        """Whether it is dead; never where it is not known whether the line is on hold (None)."""
        if self._last is None or self._silence_s < STEADY_S or on_hold is not False:
            return False
        return now - self._last > STILL_S
