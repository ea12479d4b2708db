"""Opening hours: ``(schedule, instant) → open, closed or holiday, until when, and why``.

Pure: the instant is an argument. Wall time is what the instant is in the schedule's time zone, so
an hour that a clock change skips never matches, and one that it repeats matches twice. A special
day replaces the intervals that *start* on its date; what the evening before carries over midnight
stays, unless the special day cuts it off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from asterisk_agent.plan import DAYS, MINUTES_A_DAY, Interval, Schedule

_DAY = timedelta(days=1)
_HORIZON = timedelta(days=22)
"""Behind the last special day a week repeats itself; a clock change can swallow one week's only
interval, and a change of the calendar (Samoa, 2011) a day, but never that of three weeks."""


class State(StrEnum):
    """Whether the channel's hours say that people are there."""

    OPEN = "open"
    CLOSED = "closed"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class HoursState:
    """The state at an instant. ``until`` is the UTC instant of the next other state, or None."""

    state: State
    until: datetime | None
    because: str


def at(schedule: Schedule | None, instant: datetime) -> HoursState:
    """Look up an aware instant. No schedule is always open. Intervals are ``[start, end)``."""
    state, because = look(schedule, instant)
    until = None if schedule is None else _next_change(schedule, instant.astimezone(UTC), state)
    return HoursState(state, until, because)


def look(schedule: Schedule | None, instant: datetime) -> tuple[State, str]:
    """The state and the reason alone: much quicker than ``at`` where nobody asks until when."""
    assert instant.tzinfo is not None, "an instant needs its time zone"
    if schedule is None:
        return State.OPEN, "no hours are set, so always open"
    local = instant.astimezone(ZoneInfo(schedule.timezone))
    minute, today = local.hour * 60 + local.minute, local.date()
    found = _matching(schedule, today, minute)
    if found is not None:
        return State.OPEN, f"hours of {found}"
    special = schedule.dates.get(today)
    wall = f"{DAYS[today.weekday()]} {clock(minute)}"
    if special is None:
        return State.CLOSED, f"{wall} is outside hours"
    if not special.intervals:
        return State.HOLIDAY, f"holiday: {special.name}"
    return State.CLOSED, f"{wall} is outside the hours of {special.name}"


def intervals_on(schedule: Schedule, day: date) -> tuple[Interval, ...]:
    """The open minutes of a local date, merged, each within ``[0, 1440)``.

    They include what the evening before carries over midnight. On the dates of a clock change
    they are still the wall clock's minutes.
    """
    special = schedule.dates.get(day)
    yesterday = () if special is not None and special.cut else _starting_on(schedule, day - _DAY)
    return _merged(_pieces(_starting_on(schedule, day), yesterday))


def closed_state(schedule: Schedule, day: date) -> State:
    """What a local date is outside its open minutes: closed, or a holiday."""
    special = schedule.dates.get(day)
    return State.HOLIDAY if special is not None and not special.intervals else State.CLOSED


def weekly_intervals(schedule: Schedule) -> tuple[tuple[Interval, ...], ...]:
    """The seven days of a week without special days, Monday first, as ``intervals_on`` has them."""
    week = schedule.week
    return tuple(_merged(_pieces(week[day], week[day - 1])) for day in range(len(DAYS)))


def special_dates(schedule: Schedule) -> list[date]:
    """The dates that differ from their weekday in open minutes or in state, in order.

    Beside the special days themselves these are the days after them, where other hours spill.
    """
    ordinary = weekly_intervals(schedule)
    candidates = {day + offset for day in schedule.dates for offset in (timedelta(), _DAY)}
    return sorted(
        day
        for day in candidates
        if intervals_on(schedule, day) != ordinary[day.weekday()]
        or closed_state(schedule, day) is State.HOLIDAY
    )


def clock(minute: int) -> str:
    """A minute of the day as ``HH:MM``; 1440 is ``24:00``."""
    return f"{minute // 60:02}:{minute % 60:02}"


def clock_changes(zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """The UTC instants in ``(start, end]`` at which the zone's offset from UTC changes."""
    found = []
    while start < end:
        window = min(start + _DAY, end)
        if _offset(zone, start) != _offset(zone, window):
            found.append(_clock_change(zone, start, window))
        start = window
    return found


def _starting_on(schedule: Schedule, day: date) -> tuple[Interval, ...]:
    special = schedule.dates.get(day)
    return schedule.week[day.weekday()] if special is None else special.intervals


def _pieces(today: Iterable[Interval], yesterday: Iterable[Interval]) -> Iterator[Interval]:
    """What lies within a day of the intervals that start on it and on the day before."""
    for start, end in today:
        yield (start, end) if start <= end else (start, MINUTES_A_DAY)
    for start, end in yesterday:
        if end < start:
            yield (0, end)


def _merged(pieces: Iterator[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for start, end in sorted(pieces):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return tuple(merged)


def _matching(schedule: Schedule, today: date, minute: int) -> str | None:
    """The written interval that holds this wall time, as ``fri 22:00-02:00``."""
    for start, end in _starting_on(schedule, today):
        if start <= minute and (minute < end or end < start):
            return _named(schedule, today, start, end)
    special = schedule.dates.get(today)
    if special is not None and special.cut:
        return None
    yesterday = today - _DAY
    for start, end in _starting_on(schedule, yesterday):
        if end < start and minute < end:
            return _named(schedule, yesterday, start, end)
    return None


def _named(schedule: Schedule, day: date, start: int, end: int) -> str:
    special = schedule.dates.get(day)
    name = DAYS[day.weekday()] if special is None else special.name
    return f"{name} {clock(start)}-{clock(end)}"


def _next_change(schedule: Schedule, instant: datetime, state: State) -> datetime | None:
    """The first instant after this one at which another state holds.

    Between two changes of the clock, local time is UTC plus a constant. So each day of UTC is cut
    at the change of the clock that it may hold, and the wall clock walked within the pieces.
    """
    zone = ZoneInfo(schedule.timezone)
    last = max(schedule.dates, default=date.min)
    end = max(instant, datetime.combine(last, time(), UTC)) + _HORIZON
    start = instant
    while start < end:
        window = start + _DAY
        before, after = _offset(zone, start), _offset(zone, window)
        middle = window if before == after else _clock_change(zone, start, window)
        for low, high, offset in ((start, middle, before), (middle, window, after)):
            for wall, then in _states(schedule, low + offset, high + offset):
                if then is not state:
                    return wall - offset
        start = window
    return None


def _states(schedule: Schedule, start: datetime, end: datetime) -> Iterator[tuple[datetime, State]]:
    """The states that the wall clock passes in ``[start, end)``, and when each begins."""
    day = start.date()
    while (midnight := datetime.combine(day, time(), UTC)) < end:
        for first, last, state in _day(schedule, day):
            begins = max(midnight + timedelta(minutes=first), start)
            if begins < min(midnight + timedelta(minutes=last), end):
                yield begins, state
        day += _DAY


def _day(schedule: Schedule, day: date) -> Iterator[tuple[int, int, State]]:
    """A local date from 00:00 to 24:00 as ``(first minute, end, state)``."""
    otherwise, minute = closed_state(schedule, day), 0
    for start, end in intervals_on(schedule, day):
        yield minute, start, otherwise
        yield start, end, State.OPEN
        minute = end
    yield minute, MINUTES_A_DAY, otherwise


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _clock_change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first second of ``(low, high]`` whose offset differs from that at ``low``."""
    before = _offset(zone, low)
    low, high = low.replace(microsecond=0), high.replace(microsecond=0)
    while (gap := high - low) > timedelta(seconds=1):
        middle = low + timedelta(seconds=gap // timedelta(seconds=2))
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high
