"""``hours``: the calendar of the coming weeks, as it is in force."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from asterisk_agent import hours as opening
from asterisk_agent.cli import moment
from asterisk_agent.cli.app import (
    DEFAULT_CONFIG,
    ConfigDirectory,
    Json,
    app,
    out,
    print_json,
    reports_errors,
)
from asterisk_agent.errors import AgentError
from asterisk_agent.overrides import Override, OverrideState, current
from asterisk_agent.plan import MINUTES_A_DAY, Interval, Schedule
from asterisk_agent.routing import Standing, State, state_at

if TYPE_CHECKING:
    from asterisk_agent.config.schema import Config
    from asterisk_agent.plan import Plan

WIDTH = 80
BAR_AT = 19
TEXT_AT = BAR_AT + 24 + 2
SCALE = "0     6     12    18"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """One schedule, with the override in force if there is one, and the channels that have both."""

    id: str
    schedule: Schedule | None
    zone: ZoneInfo
    override: Override | None
    channels: tuple[str, ...]
    standing: Standing


@dataclass(frozen=True, slots=True)
class Day:
    """A local date: its open minutes, and what is special about it."""

    date: date
    intervals: tuple[Interval, ...]
    holiday: bool
    name: str
    clock: str
    """``02:00 -> 03:00`` where the clock changes."""


@app.command()
@reports_errors
def hours(
    week: Annotated[bool, typer.Option("--week", help="This week alone.")] = False,
    weeks: Annotated[int, typer.Option(min=1, max=104, help="How many, from this one on.")] = 4,
    channel: Annotated[
        str | None, typer.Option(metavar="ID", help="The hours of this channel alone.")
    ] = None,
    config: ConfigDirectory = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Draw the opening hours of the coming weeks: holidays, clock changes, overrides."""
    from asterisk_agent.config.compiling import plan_for
    from asterisk_agent.config.load import load

    settings, now = load(config), moment.now()
    if channel is not None and channel not in settings.channels:
        known = ", ".join(settings.channels)
        raise AgentError(f"there is no channel {channel[:40]!r}", hint=f"known: {known}")
    plan = plan_for(settings, now)
    count = 7 * (1 if week else weeks)
    calendars = list(_calendars(settings, plan, channel, now))
    if as_json:
        print_json({"schedules": [_as_json(one, now, count) for one in calendars]})
        return
    for index, calendar in enumerate(calendars):
        for line in [""] * (index > 0) + list(_drawn(calendar, now, count)):
            out.print(line, markup=False, style="bold" if line.startswith(">") else None)


def _calendars(config: Config, plan: Plan, only: str | None, now: datetime) -> Iterator[Calendar]:
    """Channels with the same schedule and override share one; a schedule of no channel has one."""
    groups: dict[tuple[str, Override | None], list[str]] = {}
    if only is None:
        used = {channel.schedule for channel in plan.channels.values()}
        groups = {(id_, None): [] for id_ in plan.schedules if id_ not in used}
    for channel in plan.channels.values():
        if only in (None, channel.id):
            forced = current(config.overrides_directory, channel.id, now)
            groups.setdefault((channel.schedule or "", forced), []).append(channel.id)
    for (id_, forced), channels in sorted(groups.items(), key=lambda group: group[0][0]):
        schedule = plan.schedules[id_] if id_ else None
        if channels:
            standing = state_at(plan.channels[channels[0]], plan, forced, now)
        else:
            found = opening.at(schedule, now)
            standing = Standing(found.state, found.until, found.because)
        zone = ZoneInfo(schedule.timezone if schedule is not None else config.timezone)
        yield Calendar(id_, schedule, zone, forced, tuple(channels), standing)


# --- Days ---------------------------------------------------------------------------------------


def _days(calendar: Calendar, now: datetime, count: int) -> Iterator[Day]:
    """From Monday of this week on."""
    today = now.astimezone(calendar.zone).date()
    monday = today - timedelta(days=today.weekday())
    for day in (monday + n * DAY for n in range(count)):
        schedule = calendar.schedule
        if schedule is None:
            intervals: tuple[Interval, ...] = ((0, MINUTES_A_DAY),)
            name, holiday = "", False
        else:
            intervals = opening.intervals_on(schedule, day)
            name = schedule.dates[day].name if day in schedule.dates else ""
            holiday = opening.closed_state(schedule, day) is State.HOLIDAY
        intervals = _overridden(intervals, calendar, now, day)
        yield Day(day, intervals, holiday, name, _clock_change(calendar.zone, day))


def _overridden(
    intervals: tuple[Interval, ...], calendar: Calendar, now: datetime, day: date
) -> tuple[Interval, ...]:
    """A day's open minutes under the override: from now on, until its end."""
    override = calendar.override
    if override is None:
        return intervals
    first = _minute_of(now, calendar.zone, day)
    end = MINUTES_A_DAY
    if override.until is not None:
        end = _minute_of(override.until, calendar.zone, day)
    minutes = {minute for start, stop in intervals for minute in range(start, stop)}
    forced = set(range(first, end))
    minutes = minutes - forced if override.state is OverrideState.CLOSED else minutes | forced
    starts = sorted(minute for minute in minutes if minute - 1 not in minutes)
    stops = sorted(minute + 1 for minute in minutes if minute + 1 not in minutes)
    return tuple(zip(starts, stops, strict=True))


def _minute_of(instant: datetime, zone: ZoneInfo, day: date) -> int:
    """An instant as a minute of this date: 0 if it is before, 1440 if it is after."""
    local = instant.astimezone(zone)
    if local.date() != day:
        return 0 if local.date() < day else MINUTES_A_DAY
    return local.hour * 60 + local.minute


def _clock_change(zone: ZoneInfo, day: date) -> str:
    start, end = (datetime.combine(d, time(), zone).astimezone(UTC) for d in (day, day + DAY))
    for instant in opening.clock_changes(zone, start - timedelta(seconds=1), end):
        offset = (instant - timedelta(seconds=1)).astimezone(zone).utcoffset()
        assert offset is not None
        after = instant.astimezone(zone)
        if after.date() == day:
            return f"{instant + offset:%H:%M} -> {after:%H:%M}"
    return ""


# --- Drawing ------------------------------------------------------------------------------------


def _drawn(calendar: Calendar, now: datetime, count: int) -> Iterator[str]:
    yield from _heading(calendar)
    if calendar.schedule is None and calendar.override is None:
        return
    today = now.astimezone(calendar.zone).date()
    yield " " * BAR_AT + SCALE
    for day in _days(calendar, now, count):
        if day.date.weekday() == 0 and day.date != today - timedelta(days=today.weekday()):
            yield ""
        mark = ">" if day.date == today else " "
        begin = f"{mark} {day.date:%a %Y-%m-%d}".ljust(BAR_AT) + _bar(day.intervals)
        lines = textwrap.wrap(_text(day), WIDTH - TEXT_AT)
        yield f"{begin}  {lines[0]}"
        yield from (" " * TEXT_AT + line for line in lines[1:])


def _heading(calendar: Calendar) -> Iterator[str]:
    standing = calendar.standing
    name = f"{calendar.id or 'no hours'} ({calendar.zone.key})"
    channels = ", ".join(calendar.channels) or "no channel has these hours"
    until = f" until {moment.shown(standing.until, calendar.zone)}" if standing.until else ""
    yield from textwrap.wrap(f"{name}: {channels}", WIDTH, subsequent_indent="  ")
    text = f"now {standing.state}{until}: {standing.because}"
    yield from textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")


def _bar(intervals: tuple[Interval, ...]) -> str:
    """A character an hour: open, in part, or not at all."""
    inside = [
        sum(max(0, min(end, hour + 60) - max(start, hour)) for start, end in intervals)
        for hour in range(0, MINUTES_A_DAY, 60)
    ]
    return "".join("█" if open_ == 60 else "▄" if open_ else "·" for open_ in inside)


def _text(day: Day) -> str:
    spans = [f"{opening.clock(start)}-{opening.clock(end)}" for start, end in day.intervals]
    parts = [" ".join(spans) or ("" if day.holiday else "closed")]
    if day.name:
        parts.append(f"holiday: {day.name}" if day.holiday else day.name)
    if day.clock:
        parts.append(f"clock {day.clock}")
    return ", ".join(part for part in parts if part)


def _as_json(calendar: Calendar, now: datetime, count: int) -> dict[str, Any]:
    override, until = calendar.override, calendar.standing.until
    end = override.until if override is not None else None
    return {
        "schedule": calendar.id or None,
        "timezone": calendar.zone.key,
        "channels": list(calendar.channels),
        "override": override.state if override is not None else None,
        "override_until": moment.iso(end),
        "state": calendar.standing.state,
        "because": calendar.standing.because,
        "until": moment.iso(until),
        "today": now.astimezone(calendar.zone).date().isoformat(),
        "days": [
            {
                "date": day.date.isoformat(),
                "intervals": [[opening.clock(s), opening.clock(e)] for s, e in day.intervals],
                "holiday": day.holiday,
                "name": day.name or None,
                "clock_change": day.clock or None,
            }
            for day in _days(calendar, now, count)
        ],
    }
