"""Configuration → ``plan.Plan``: what decides where calls go, with every holiday a date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from asterisk_agent import plan
from asterisk_agent.config.channels import Channel, Unanswered
from asterisk_agent.config.opening import WeeklyHours
from asterisk_agent.config.schema import Config, ListedDay, PublicHolidays, Yearly

ONE_DAY = timedelta(days=1)


def plan_for(config: Config, today: date) -> plan.Plan:
    """The plan as it serves on this date: holidays of last year, this one, and the next two."""
    return plan_of(config, today.year - 1)


def plan_of(config: Config, first_year: int, years: int = 4) -> plan.Plan:
    """Compile a checked configuration. Holidays are known from 1 January of ``first_year`` on."""
    first, last = date(first_year, 1, 1), date(first_year + years - 1, 12, 31)
    return plan.Plan(
        channels={channel.id: _channel(channel) for channel in config.channels.values()},
        teams={
            team.id: plan.TeamPlan(team.id, team.reachable, team.voicemail is not None)
            for team in config.teams.values()
        },
        schedules={
            name: plan.Schedule(
                timezone=hours.timezone or config.timezone,
                week=hours.days,
                dates=_dates(hours, config, first, last),
            )
            for name, hours in config.hours.items()
        },
        close_grace_s=round(config.close_grace.total_seconds()),
        first_date=first,
        last_date=last,
    )


def _channel(channel: Channel) -> plan.ChannelPlan:
    on_call = channel.after_hours.on_call
    return plan.ChannelPlan(
        id=channel.id,
        numbers=channel.number,
        agent=channel.agent,
        schedule=channel.hours,
        open_answer=channel.in_hours.answer,
        handoff=channel.in_hours.handoff,
        open_unanswered=_unanswered(channel.in_hours.unanswered),
        closed_answer=channel.after_hours.answer,
        closed_unanswered=_unanswered(channel.after_hours.unanswered),
        on_call=plan.OnCall(on_call.dial, on_call.purposes) if on_call else None,
    )


def _unanswered(written: Unanswered) -> plan.Unanswered:
    return plan.Unanswered(written.voicemail, written.message)


def _dates(
    hours: WeeklyHours, config: Config, first: date, last: date
) -> dict[date, plan.SpecialDay]:
    """The dates that replace a schedule's week, in order.

    The closest description of a date wins: a date beats a day of every year, that a range, and
    that a public holiday. Between two of one kind the loader has refused to choose, but for two
    countries' holidays: there the first list named wins.
    """
    public, ranges, yearly, single = (dict[date, plan.SpecialDay]() for _ in range(4))
    for name in hours.holidays:
        holidays = config.holidays[name]
        if isinstance(holidays, PublicHolidays):
            # One year more: the next New Year's Day may be observed in this December.
            found = holidays.dates(range(first.year, last.year + 2))
            days = {
                day: plan.SpecialDay(plain(name))
                for day, name in found.items()
                if first <= day <= last
            }
            public = days | public
            continue
        for listed in holidays:
            kind = ranges
            if listed.date is not None:
                kind = yearly if isinstance(listed.date, Yearly) else single
            special = plan.SpecialDay(listed.name, listed.hours, listed.cut)
            kind.update(dict.fromkeys(_days_of(listed, first, last), special))
    return dict(sorted({**public, **ranges, **yearly, **single}.items()))


def _days_of(listed: ListedDay, first: date, last: date) -> Iterator[date]:
    """The dates of a listed day between ``first`` and ``last``."""
    if isinstance(listed.date, Yearly):
        days = (listed.date.in_year(year) for year in range(first.year, last.year + 1))
        yield from (day for day in days if day is not None)
        return
    start, end = listed.date or listed.from_, listed.date or listed.to
    assert start is not None, "the schema sees to that"
    assert end is not None, "the schema sees to that"
    day, end = max(start, first), min(end, last)
    while day <= end:
        yield day
        day += ONE_DAY


def plain(name: str) -> str:
    """A public holiday's name in the alphabet of ours: it ends up in generated files."""
    return " ".join(re.sub(r"[^\w .,&/+'()-]", " ", name)[:60].split())
