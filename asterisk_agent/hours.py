"""Weekly opening hours: ``(schedule, instant) → open or closed, until when, and why``.

Pure: the instant is an argument. Wall time is what the instant is in the schedule's time zone, so
an hour that a clock change skips never matches, and one that it repeats matches twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from asterisk_agent.config.schema import DAYS, MINUTES_A_DAY, Interval, WeeklyHours

_HORIZON_DAYS = 15
"""A clock change can swallow one week's only interval, so the next is two weeks away at most."""


@dataclass(frozen=True, slots=True)
class HoursState:
    """Open or closed at an instant. ``until`` is the UTC instant of the next change, or None."""

    open: bool
    until: datetime | None
    because: str


def state(schedule: WeeklyHours | None, timezone: str, instant: datetime) -> HoursState:
    """Look up an aware instant. No schedule is always open. Intervals are ``[start, end)``."""
    assert instant.tzinfo is not None, "an instant needs its time zone"
    if schedule is None:
        return HoursState(True, None, "no hours are set, so always open")
    zone = ZoneInfo(timezone)
    local = instant.astimezone(zone)
    found = _matching(schedule, local)
    until = _next_change(schedule, zone, instant.astimezone(UTC), found is not None)
    if found is None:
        return HoursState(False, until, f"{DAYS[local.weekday()]} {local:%H:%M} is outside hours")
    return HoursState(True, until, f"hours of {found}")


def _matching(schedule: WeeklyHours, local: datetime) -> str | None:
    """The interval that holds this wall time, as ``fri 22:00-02:00``."""
    minute, today = local.hour * 60 + local.minute, local.weekday()
    for start, end in schedule.days[today]:
        if start <= minute and (minute < end or end < start):
            return f"{DAYS[today]} {_clock(start)}-{_clock(end)}"
    for start, end in schedule.days[today - 1]:
        if end < start and minute < end:
            return f"{DAYS[today - 1]} {_clock(start)}-{_clock(end)}"
    return None


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _next_change(
    schedule: WeeklyHours, zone: ZoneInfo, instant: datetime, is_open: bool
) -> datetime | None:
    first = instant.astimezone(zone).date() - timedelta(days=1)
    for offset in range(_HORIZON_DAYS + 1):
        day = first + timedelta(days=offset)
        for moment in sorted(_moments(schedule, zone, day)):
            if (
                moment > instant
                and (_matching(schedule, moment.astimezone(zone)) is not None) != is_open
            ):
                return moment
    return None


def _moments(schedule: WeeklyHours, zone: ZoneInfo, day: date) -> Iterator[datetime]:
    """UTC instants of a local day at which the state may change.

    Those are the ends of that day's and the day before's intervals, in both readings of a
    repeated hour, and a change of the clock itself.
    """
    midnight = datetime.combine(day, time(), zone)
    today = schedule.days[day.weekday()]
    minutes = {minute for interval in today for minute in interval}
    minutes |= {end for start, end in schedule.days[day.weekday() - 1] if end < start}
    for minute in minutes - {MINUTES_A_DAY} | {0}:
        for fold in (0, 1):
            wall = midnight.replace(hour=minute // 60, minute=minute % 60, fold=fold)
            yield wall.astimezone(UTC)
    yield from _clock_change(zone, midnight.astimezone(UTC))


def _clock_change(zone: ZoneInfo, start: datetime) -> Iterator[datetime]:
    """The instant within 25 hours of ``start`` at which the zone's offset changes, if one does."""
    low, high = start, start + timedelta(hours=25)
    before = low.astimezone(zone).utcoffset()
    if high.astimezone(zone).utcoffset() == before:
        return
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    yield high


def weekly_spans(schedule: WeeklyHours) -> list[tuple[str, str, str]]:
    """The week as ``(days, first minute, last minute)``: ``("mon-thu", "08:00", "11:59")``.

    Made for GotoIfTime, whose last minute counts as inside and which reads a span over midnight
    as two pieces of the *same* weekday: such a span is split here, the second piece under the
    next day. Overlaps are merged; equal spans of days in a row become one.
    """
    owners: dict[Interval, list[int]] = {}
    for day in range(len(DAYS)):
        for span in _merged(_pieces(schedule, day)):
            owners.setdefault(span, []).append(day)
    spans = [(run, span) for span, days in owners.items() for run in _runs(days)]
    return [
        (_day_names(run), _clock(start), _clock(end - 1)) for run, (start, end) in sorted(spans)
    ]


def _pieces(schedule: WeeklyHours, day: int) -> Iterator[Interval]:
    """What of the schedule lies on this weekday, within ``[0, 1440)``."""
    for start, end in schedule.days[day]:
        yield (start, end) if start < end else (start, MINUTES_A_DAY)
    for start, end in schedule.days[day - 1]:
        if end < start:
            yield (0, end)


def _merged(pieces: Iterator[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for start, end in sorted(pieces):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _runs(days: list[int]) -> list[list[int]]:
    """Days in a row: ``[0, 1, 4]`` → ``[[0, 1], [4]]``."""
    grouped = groupby(enumerate(days), key=lambda pair: pair[1] - pair[0])
    return [[day for _, day in group] for _, group in grouped]


def _day_names(run: list[int]) -> str:
    return DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}-{DAYS[run[-1]]}"
