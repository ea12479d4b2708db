"""Opening hours as dialplan: one context per schedule, which answers with AGENT_STATE.

Special days come first, by their full date, so that years count: GotoIfTime() knows none. Its
last minute counts as inside, and a span over midnight would be read as two pieces of the *same*
weekday, so every date has its own minutes here, what the evening before carries over included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from asterisk_agent import hours as opening
from asterisk_agent.plan import DAYS, Interval, Plan, Schedule


def hours(plan: Plan) -> Iterator[str]:
    """A context for each schedule: Gosub(agent-hours-ID,s,1) sets AGENT_STATE."""
    if plan.schedules:
        yield from (
            "",
            "; --- Opening hours, for when nobody can be asked ---------------------------------",
            f"; Holidays are known from {plan.first_date} to {plan.last_date}.",
        )
    for name, schedule in plan.schedules.items():
        yield from _schedule(name, schedule)


def _schedule(name: str, schedule: Schedule) -> Iterator[str]:
    zone, special = schedule.timezone, opening.special_dates(schedule)
    yield from ("", f"[agent-hours-{name}]")
    lines = [
        f"GotoIfTime({span},{days},*,*,{zone}?open,1)" for days, span in weekly_spans(schedule)
    ]
    if special:
        date = f"${{STRFTIME(${{AGENT_NOW}},{zone},%Y%m%d)}}"
        here = f"$[${{DIALPLAN_EXISTS(agent-hours-{name},${{AGENT_DATE}},1)}} = 1]"
        lines[:0] = [f"Set(AGENT_DATE={date})", f"GotoIf({here}?${{AGENT_DATE}},1)"]
    yield from _extension("s", [*lines, "Goto(closed,1)"])
    for state in opening.State:
        yield from _extension(state, [f"Set(AGENT_STATE={state})", "Return()"])
    for day in special:
        known = schedule.dates.get(day)
        yield f"; {day:%A}, {day}: {known.name if known else 'the day after a special day'}"
        spans = [_span(interval) for interval in opening.intervals_on(schedule, day)]
        closed = opening.closed_state(schedule, day)
        yield from _extension(
            f"{day:%Y%m%d}",
            [*(f"GotoIfTime({span},*,*,*,{zone}?open,1)" for span in spans), f"Goto({closed},1)"],
        )
    yield "include => agent-end"


def _extension(name: str, lines: list[str]) -> Iterator[str]:
    yield f"exten => {name},1,{lines[0]}"
    yield from (f" same => n,{line}" for line in lines[1:])


def weekly_spans(schedule: Schedule) -> list[tuple[str, str]]:
    """The week without special days as ``("mon-thu", "08:00-11:59")``, in order.

    Equal spans of days in a row become one.
    """
    owners: dict[Interval, list[int]] = {}
    for day, intervals in enumerate(opening.weekly_intervals(schedule)):
        for interval in intervals:
            owners.setdefault(interval, []).append(day)
    runs = [(run, interval) for interval, days in owners.items() for run in _runs(days)]
    return [(_day_names(run), _span(interval)) for run, interval in sorted(runs)]


def _span(interval: Interval) -> str:
    """``[start, end)`` with its last minute inside, as GotoIfTime() wants it."""
    start, end = interval
    return f"{opening.clock(start)}-{opening.clock(end - 1)}"


def _runs(days: Iterable[int]) -> list[list[int]]:
    """Days in a row: ``[0, 1, 4]`` → ``[[0, 1], [4]]``."""
    grouped = groupby(enumerate(days), key=lambda pair: pair[1] - pair[0])
    return [[day for _, day in group] for _, group in grouped]


def _day_names(run: list[int]) -> str:
    return DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}-{DAYS[run[-1]]}"
