"""Opening hours as written: intervals, days of the week, and which holidays count.

What they mean at an instant is ``hours``' business; here they become minutes and weekdays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from asterisk_agent.config.names import Id
from asterisk_agent.config.scalars import Some, Zone, got, nearest, one_or_more, unexpected
from asterisk_agent.config.sections import Section
from asterisk_agent.plan import DAYS, MINUTES_A_DAY, Interval

__all__ = ["DAYS", "MINUTES_A_DAY", "Interval", "Intervals", "Timetable", "WeeklyHours"]


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """Opening hours of every week. ``days[0]`` is Monday; a day without intervals is closed.

    ``holidays`` names the lists of dates that change it; ``timezone`` None: the configuration's.
    """

    days: tuple[tuple[Interval, ...], ...]
    holidays: tuple[str, ...] = ()
    timezone: str | None = None

    def __post_init__(self) -> None:
        assert len(self.days) == len(DAYS)


def _interval(value: object) -> object:
    if isinstance(value, tuple):
        return value
    times = re.fullmatch(r"(\S+?)\s?-\s?(\S+)", value) if isinstance(value, str) else None
    start, end = (_minute(times[1]), _minute(times[2])) if times else (None, None)
    if start is None or end is None or start == MINUTES_A_DAY:
        raise unexpected('hours such as "08:00-12:00"', value, _interval_hint(value))
    if start == end:
        raise unexpected(
            "an end that differs from the start", value, 'write "00:00-24:00" for a whole day'
        )
    return start, end or MINUTES_A_DAY


def _minute(text: str) -> int | None:
    """``HH:MM`` as minutes since midnight; ``24:00`` is the end of the day."""
    written = re.fullmatch(r"([0-9]{1,2}):([0-5][0-9])", text)
    minute = int(written[1]) * 60 + int(written[2]) if written else MINUTES_A_DAY + 1
    return minute if minute <= MINUTES_A_DAY else None


def _interval_hint(value: object) -> str:
    if value in ("", "closed", "none", "off"):
        return "write [] for a day without hours"
    return "use the 24-hour clock" if re.search(r"[ap]\.?m", str(value).lower()) else ""


def _day_range(key: str) -> str:
    weekdays(key)
    return key


def weekdays(key: str) -> tuple[int, ...]:
    """``mon``, ``mon-thu``, ``sat,sun``, ``fri-mon`` as weekdays, Monday being 0."""
    found: list[int] = []
    for part in key.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            wrong = first if first not in DAYS else last
            hint = _day_hint(wrong)
            raise unexpected("days such as mon, mon-thu or sat,sun", key, hint)
        start, end = DAYS.index(first), DAYS.index(last or first)
        found += [(start + n) % 7 for n in range((end - start) % 7 + 1)]
    return tuple(found)


def _day_hint(wrong: str) -> str:
    close = [day for day in DAYS if wrong.lower().startswith(day)]
    if close:
        return f"write {close[0]} for {wrong}"
    return nearest(wrong, BESIDE) or "days are " + ", ".join(DAYS)


def weekly(
    written: Mapping[str, tuple[Interval, ...]],
    holidays: tuple[str, ...] = (),
    timezone: str | None = None,
) -> WeeklyHours:
    """Hours as written (days → intervals) as a week."""
    days: list[tuple[Interval, ...]] = [()] * len(DAYS)
    for key, intervals in written.items():
        for day in weekdays(key):
            days[day] = intervals
    return WeeklyHours(tuple(days), holidays, timezone)


def _each_day_once(written: dict[str, tuple[Interval, ...]]) -> dict[str, tuple[Interval, ...]]:
    owner: dict[int, str] = {}
    for key in written:
        for day in weekdays(key):
            if day in owner:
                raise PydanticCustomError(
                    "unexpected",
                    "{day} is given twice, by {first} and by {second}",
                    {"day": DAYS[day], "first": got(owner[day]), "second": got(key)},
                )
            owner[day] = key
    if not written:
        raise PydanticCustomError(
            "unexpected", "names no day", {"hint": "write at least one, such as mon-fri"}
        )
    return written


Days = Annotated[str, AfterValidator(_day_range)]
Intervals = Annotated[
    tuple[Annotated[Interval, BeforeValidator(_interval)], ...], BeforeValidator(one_or_more)
]
WrittenHours = Annotated[dict[Days, Intervals], AfterValidator(_each_day_once)]

BESIDE = ("holidays", "timezone")
"""What may stand beside the days of a schedule."""


class Timetable(Section):
    """A schedule as written: its days, and beside them ``holidays`` and ``timezone``."""

    days: WrittenHours = Field(alias="[days]")
    holidays: Some[Id] = ()
    timezone: Zone | None = None

    @model_validator(mode="before")
    @classmethod
    def _apart(cls, data: Any) -> Any:
        """Days stand beside the other keys, so they are gathered first."""
        if not isinstance(data, Mapping):
            return data
        days = {key: value for key, value in data.items() if key not in BESIDE}
        return {"[days]": days, **{key: data[key] for key in BESIDE if key in data}}

    @property
    def week(self) -> WeeklyHours:
        """The same, by weekday."""
        return weekly(self.days, self.holidays, self.timezone)
