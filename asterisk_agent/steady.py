"""Is a caller's line still there, and is it a line? Pure: frames and moments in, judgements out.

A line whose audio connection stands still looks to us as one on hold does: nothing comes. And a
phone that sends nothing while its owner is silent looks like that all the time. So a line is only
called dead that has sent its silences until now, and that nobody has put on hold; or where Asterisk
says that the phone sends what the line does not bring; or where other lines have just died, too.
"""

from __future__ import annotations

from collections import deque

STILL_S = 2.0
"""A line that has been steady and brings nothing for so long is dead."""
STEADY_S = 0.6
"""So much silence in one piece must have been sent before a line counts as steady. Phones that send
nothing in silence go on for about 0.2 s behind a word."""
GAP_S = 0.5
"""A longer gap than this, and the phone does not send all the time."""
QUIET_S = 0.6
"""A line that brings nothing for so long is compared with what the phone sends, every so often."""
PHONE_SENDS = 25
"""Packets a second: phones send 50, or 33. Those that say that it is quiet send a few."""
BEHIND = 2
"""So many comparisons in a row have to find it behind: a key that is held down sends packets, too,
and the line brings it when it is let go."""
FLOOD_S = 3.0
"""No line is so far ahead of time: what was held up on the way comes late, never early."""

OUTAGE, OUTAGE_S = 2, 4.0
"""So many lines that died within so long were not alone: what stands between all of them and us
stands still."""


class LineWatch:
    """One line. ``now`` is any clock that only goes forward, in seconds."""

    def __init__(self, now: float = 0.0) -> None:
        self._born = now
        self._last: float | None = None
        self._silence_s = 0.0
        self._steady = False
        self._began: float | None = None
        self._audio_s = 0.0
        self._counted: tuple[float, int] | None = None
        self._behind = 0

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
        self.alive(now)
        self._silence_s = self._silence_s + seconds if silent else 0.0
        self._steady = self._steady or self._silence_s >= STEADY_S

    def alive(self, now: float) -> None:
        """Audio came, or a key: while it was down the phone sent packets, and the line none."""
        self._last, self._counted, self._behind = now, None, 0

    def dead(self, now: float, on_hold: bool | None) -> bool:
        """Whether it is dead; never where it is not known whether the line is on hold (None)."""
        if on_hold:
            self._held(now)
        if self._last is None or not self._steady or on_hold is not False:
            return False
        return now - self._last > STILL_S

    def quiet(self, now: float, on_hold: bool | None) -> bool:
        """Whether it brings nothing, be it steady or not."""
        if on_hold:
            self._held(now)
        last = self._born if self._last is None else self._last
        if on_hold is not False or now - last <= QUIET_S:
            self._counted, self._behind = None, 0
            return False
        return True

    def lags_behind(self, packets: int | None, now: float) -> bool:
        """The phone of a ``quiet`` line has sent so many packets in all, or nobody knows (None);
        whether it has sent audio since the last looks, of which the line brought nothing."""
        before, self._counted = self._counted, None if packets is None else (now, packets)
        if before is None or packets is None:
            self._behind = 0
            return False
        since, counted = before
        sends = packets - counted >= PHONE_SENDS * (now - since) > 0
        self._behind = self._behind + 1 if sends else 0
        return self._behind >= BEHIND

    def _held(self, now: float) -> None:
        """What comes behind a hold begins anew: the first packet needs its time."""
        self.alive(now)
        self._silence_s, self._steady = 0.0, False


class Outage:
    """The lines of one service that have died lately, each by itself. Monotonic seconds."""

    def __init__(self) -> None:
        self._deaths: deque[float] = deque(maxlen=OUTAGE)

    def died(self, now: float) -> None:
        """A line did."""
        self._deaths.append(now)

    def lasts(self, now: float) -> bool:
        """Whether a line that brings nothing now is likely to be dead as well."""
        return len(self._deaths) == OUTAGE and now - self._deaths[0] < OUTAGE_S
