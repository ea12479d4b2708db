"""What the product itself knows: opening hours, special days, whether it is open now.

Computed from the plan that routes the calls; no model words it, so that the agent never says other
hours than those that decide where the caller goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from asterisk_agent import hours
from asterisk_agent.brain import opening_english as words
from asterisk_agent.brain.opening import Asked, Edge, Form, Span
from asterisk_agent.brain.words import normalise
from asterisk_agent.hours import State
from asterisk_agent.overrides import Override, OverrideState
from asterisk_agent.plan import Interval, Schedule

FILE = "hours.yaml"
"""The source of every answer from here."""
_DAY = timedelta(days=1)
_LOOK_AHEAD = 21
"""Days in which the next opening is sought."""
_MOST_HOLIDAYS = 4
_MIDDAY = (11 * 60, 15 * 60)


@dataclass(frozen=True)
class Office:
    """One channel's hours, as callers ask for them.

    ``instant`` gives the current one, aware; ``override`` the night switch where it is in force.
    ``names`` are texts with the company's own names, which a question may hold: its greeting.
    """

    schedule: Schedule
    instant: Callable[[], datetime]
    override: Callable[[], Override | None] = lambda: None
    names: Sequence[str] = ()
    heading: str = ""

    def answer(self, utterance: str, *, follows: bool = False) -> str | None:
        """The answer to a question about the hours; None for any other.

        ``follows``: the answer before was one of these, so that "and on Friday?" is, too.
        """
        today = self._local().date()
        own = frozenset(word for name in self.names for word in normalise(name).split())
        asked = words.read(utterance, today, own, self._named(today), follows)
        if asked is None:
            return None
        match asked.form:
            case Form.NOW:
                return self._now()
            case Form.NEXT:
                return self._now() if self._is_open() else self._next()
            case Form.DAYS:
                return " ".join(self._span(span, asked) for span in asked.spans)
            case Form.LUNCH:
                return self._lunch()
            case Form.HOLIDAYS:
                return self._holidays(today)
        return self._week()

    # --- facts --------------------------------------------------------------------------------

    def _local(self) -> datetime:
        return self.instant().astimezone(ZoneInfo(self.schedule.timezone))

    def _named(self, today: date) -> list[tuple[str, date]]:
        """The special days from today on, with their names."""
        return [(s.name, day) for day, s in sorted(self.schedule.dates.items()) if day >= today]

    def _on(self, day: date) -> tuple[Interval, ...]:
        return hours.intervals_on(self.schedule, day)

    def _is_open(self) -> bool:
        switched = self.override()
        if switched is not None:
            return switched.state is not OverrideState.CLOSED
        return hours.look(self.schedule, self.instant())[0] is State.OPEN

    def _openings(self) -> Iterator[tuple[date, int]]:
        """The days and minutes at which it opens, after now."""
        local = self._local()
        for offset in range(_LOOK_AHEAD):
            day = local.date() + offset * _DAY
            for start, _ in self._on(day):
                if offset or start > local.hour * 60 + local.minute:
                    yield day, start

    # --- answers ------------------------------------------------------------------------------

    def _now(self) -> str:
        """Neither yes nor no: callers ask for open and for closed."""
        switched = self.override()
        local = self._local()
        if not self._is_open():
            if switched is not None:
                return "We are closed at the moment."
            name = self._holiday(local.date())
            why = f"Today is {name}, and we are closed." if name else "We are closed now."
            return f"{why} {self._next()}".strip()
        until = switched.until if switched is not None else hours.at(self.schedule, local).until
        if until is None:
            return "We are open now."
        end = until.astimezone(local.tzinfo)
        at = words.minute(end.hour * 60 + end.minute)
        if end.date() == local.date() or (end.date() - _DAY == local.date() and at == "midnight"):
            return words.sentence(f"We are open now, until {at}")
        return words.sentence(f"We are open now, until {words.weekday(end.weekday())}, {at}")

    def _next(self) -> str:
        found = next(self._openings(), None)
        if found is None:
            return ""
        day, start = found
        away = (day - self._local().date()).days
        when = {0: "today", 1: "tomorrow"}.get(away) or f"on {words.weekday(day.weekday())}"
        if away > 6:
            when = f"on {words.calendar_day(day)}"
        return words.sentence(f"We open again {when} at {words.minute(start)}")

    def _holiday(self, day: date) -> str:
        special = self.schedule.dates.get(day)
        return special.name if special is not None and not special.intervals else ""

    def _span(self, span: Span, asked: Asked) -> str:
        if len(span.days) > 1 and not span.weekly:
            return self._range(span)
        if span.weekly:
            return self._weekly(span, asked)
        return self._dated(span.days[0], asked)

    def _weekly(self, span: Span, asked: Asked) -> str:
        """Days of every week, and what is different in this one."""
        ordinary = hours.weekly_intervals(self.schedule)
        numbers = [day.weekday() for day in span.days]
        groups = _grouped(numbers, ordinary)
        said = [_sentence(_on(days), open_, asked) for open_, days in groups]
        special = [
            self._dated(day, asked)
            for day in span.days
            if day in self.schedule.dates and self._on(day) != ordinary[day.weekday()]
        ]
        return " ".join([*said, *special])

    def _dated(self, day: date, asked: Asked) -> str:
        away = (day - self._local().date()).days
        special = self.schedule.dates.get(day)
        when = {0: "Today", 1: "Tomorrow"}.get(away) or f"On {words.calendar_day(day)}"
        name = f", {special.name}," if special is not None else ""
        return _sentence(f"{when}{name}", self._on(day), asked)

    def _range(self, span: Span) -> str:
        first, last = span.days[0], span.days[-1]
        between = f"From {words.calendar_day(first)} to {words.calendar_day(last)}"
        if not any(self._on(day) for day in span.days):
            return f"{between}, we are closed."
        asked = Asked(Form.DAYS)
        return " ".join(self._dated(day, asked) for day in span.days)

    def _week(self) -> str:
        ordinary = hours.weekly_intervals(self.schedule)
        groups = _grouped(range(7), ordinary)
        open_ = [
            f"{words.on_weekdays(days)} {words.intervals(intervals)}"
            for intervals, days in groups
            if intervals
        ]
        if not open_:
            return "We are closed at the moment."
        said = [words.sentence(f"We are open {words.join(open_)}")]
        said += [f"{_on(days)} we are closed." for at, days in groups if not at]
        today = self._local().date()
        for day in (today + offset * _DAY for offset in range(7)):
            if day in self.schedule.dates and self._on(day) != ordinary[day.weekday()]:
                said.append(self._dated(day, Asked(Form.DAYS)))
        return " ".join(said)

    def _lunch(self) -> str:
        """The gap around midday, where all days that have one have the same."""
        gaps: dict[tuple[int, int], list[int]] = {}
        for number, open_ in enumerate(hours.weekly_intervals(self.schedule)):
            for (_, end), (start, _) in pairwise(open_):
                if _MIDDAY[0] <= end <= _MIDDAY[1]:
                    gaps.setdefault((end, start), []).append(number)
        if not gaps:
            return self._week()
        return " ".join(
            words.sentence(
                f"{_on(days)} we are closed from {words.minute(end)} to",
                words.minute(start),
            )
            for (end, start), days in gaps.items()
        )

    def _holidays(self, today: date) -> str | None:
        named = self._named(today)[:_MOST_HOLIDAYS]
        if not named:
            return None
        return " ".join(self._dated(day, Asked(Form.DAYS)) for _, day in named)


def _sentence(when: str, open_: Sequence[Interval], asked: Asked) -> str:
    if not open_:
        return f"{when} we are closed."
    if len(open_) == 1 and asked.edge is not None and open_ != ((0, 1440),):
        start, end = open_[0]
        if asked.edge is Edge.CLOSES:
            return words.sentence(f"{when} we close at {words.minute(end)}")
        return words.sentence(f"{when} we open at {words.minute(start)}")
    return words.sentence(f"{when} we are open {words.intervals(open_)}")


def _on(days: Sequence[int]) -> str:
    said = words.on_weekdays(days)
    return said[0].upper() + said[1:]


def _grouped(
    numbers: Sequence[int], week: Sequence[tuple[Interval, ...]]
) -> list[tuple[tuple[Interval, ...], list[int]]]:
    """Days of the week with the same hours together, in the order of the first of them."""
    groups: dict[tuple[Interval, ...], list[int]] = {}
    for number in sorted(numbers):
        groups.setdefault(week[number], []).append(number)
    return list(groups.items())
