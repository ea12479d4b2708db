"""hours.yaml: schedules, and the dates that differ from their week: listed ones and a country's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, TypeAlias

from pydantic import (
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from asterisk_agent.config import countries
from asterisk_agent.config.names import Id
from asterisk_agent.config.opening import Intervals, Timetable
from asterisk_agent.config.scalars import (
    DurationOrNone,
    Some,
    Switch,
    Zone,
    matching,
    nearest,
    unexpected,
)
from asterisk_agent.config.sections import Section

FIRST_YEAR, LAST_YEAR = 2000, 2099


@dataclass(frozen=True, slots=True, order=True)
class Yearly:
    """A day of every year. ``02-29`` comes in leap years alone."""

    month: int
    day: int

    def in_year(self, year: int) -> date | None:
        """Its date in that year, if it has one."""
        try:
            return date(year, self.month, self.day)
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.month:02}-{self.day:02}"


def _date(value: object) -> date:
    if isinstance(value, date):
        return value
    written = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", str(value))
    try:
        found = date.fromisoformat(written[0]) if written else None
    except ValueError:
        raise unexpected("a date of the calendar", value) from None
    if found is None:
        raise unexpected("a date such as 2026-12-24", value, _date_hint(value))
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise unexpected(f"a year from {FIRST_YEAR} to {LAST_YEAR}", value)
    return found


def written_date(value: object) -> date | Yearly:
    """``2026-12-24`` or ``12-24``. Raises PydanticCustomError for anything else."""
    if isinstance(value, Yearly):
        return value
    written = re.fullmatch(r"([0-9]{2})-([0-9]{2})", str(value))
    if not written:
        return _date(value)
    yearly = Yearly(int(written[1]), int(written[2]))
    if yearly.in_year(2000) is None:  # a leap year
        raise unexpected("a date of the calendar", value, "the month comes first: 12-24")
    return yearly


def _date_hint(value: object) -> str:
    text = str(value)
    if isinstance(value, list):
        return "give each date an item of its own, or write from: and to:"
    if re.fullmatch(r"[0-9]{2}-[0-9]{2}", text):
        return "a range needs its year: 2026-12-24"
    european = re.fullmatch(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", text)
    if european:
        return f"write {european[3]}-{int(european[2]):02}-{int(european[1]):02}"
    return "the year comes first, then the month, then the day"


Date = Annotated[date, PlainValidator(_date)]
DateOrYearly = Annotated[date | Yearly, PlainValidator(written_date)]
DayName = Annotated[
    str,
    matching(
        r"[^\W_](?:[\w .,&/+'()-]{0,58}[\w.)])?",
        "up to 60 letters, digits, spaces and . , & / + - ' ( ) that begin with a letter or digit",
    ),
]


class ListedDay(Section):
    """A date, or the dates ``from_`` … ``to``, both included. No ``hours``: closed, a holiday."""

    date: DateOrYearly | None = None
    from_: Date | None = Field(None, alias="from")
    to: Date | None = None
    name: DayName
    hours: Intervals = ()
    cut: Switch = False

    @model_validator(mode="after")
    def _dated(self) -> ListedDay:
        problem, hint = "", "write date: 2026-12-24, or from: and to:"
        if self.date is not None and (self.from_ or self.to):
            problem = "has a date and a range"
        elif self.date is None and not (self.from_ or self.to):
            problem = "has no date"
        elif self.date is None and not (self.from_ and self.to):
            problem = f"has no {'to' if self.from_ else 'from'}:"
            hint = "a range needs both; a single day is written date: 2026-12-24"
        elif self.from_ and self.to and self.to < self.from_:
            problem, hint = f"ends on {self.to}, before it begins on {self.from_}", "swap the two"
        if problem:
            raise PydanticCustomError("unexpected", "{problem}", {"problem": problem, "hint": hint})
        return self


class PublicHolidays(Section):
    """A country's public holidays, in ``language``, but for those that are named ``except_``."""

    country: str
    subdivision: str | None = None
    language: str | None = None
    except_: Some[str] = Field((), alias="except")

    @field_validator("country")
    @classmethod
    def _country(cls, code: str) -> str:
        if code not in countries.subdivisions():
            raise unexpected(
                "a country's two letters, such as US", code, countries.country_hint(code)
            )
        return code

    @field_validator("subdivision")
    @classmethod
    def _subdivision(cls, code: str, info: ValidationInfo) -> str:
        country = info.data.get("country")
        if country is not None and code not in countries.subdivisions()[country]:
            hint = countries.subdivision_hint(country, code)
            raise unexpected(f"a part of {country}", code, hint)
        return code

    @field_validator("language")
    @classmethod
    def _language(cls, code: str, info: ValidationInfo) -> str:
        country = info.data.get("country")
        if country is not None and countries.language_of(country, code) is None:
            known = countries.languages(country)
            listed = f"{country} has {', '.join(known)}" if known else "leave it out"
            hint = nearest(code, known) or listed
            raise unexpected(f"a language of the holidays of {country}", code, hint)
        return code

    @field_validator("except_")
    @classmethod
    def _except(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        place = [info.data.get(key, ...) for key in ("country", "subdivision", "language")]
        if ... in place:
            return names  # which names there are cannot be known
        known = countries.known_names(*place)
        for name in names:
            if name not in known:
                hint = nearest(name, known, cutoff=0.7) or f"known are {_listed(known)}"
                raise unexpected(f"a public holiday of {info.data['country']}", name, hint)
        return names

    def dates(self, years: Iterable[int]) -> dict[date, str]:
        """The dates that count in these years, with their names."""
        found = countries.public_holidays(self.country, self.subdivision, self.language, years)
        kept = {day: [n for n in names if not self._is_excepted(n)] for day, names in found.items()}
        return {day: " and ".join(names) for day, names in kept.items() if names}

    def _is_excepted(self, name: str) -> bool:
        """Whoever leaves out Christmas Day also leaves out Christmas Day (observed)."""
        return any(name == each or name.startswith(f"{each} (") for each in self.except_)


def _listed(names: Iterable[str]) -> str:
    """Names for a hint, without those that only say that a day is moved."""
    return ", ".join(name for name in names if not name.endswith(("(observed)", "(estimated)")))


def _holidays(value: object) -> object:
    """Keys are a country's holidays, a list is a list of dates."""
    if isinstance(value, PublicHolidays | tuple):
        return value
    if isinstance(value, Mapping):
        return PublicHolidays.model_validate(value, by_alias=True, by_name=False)
    if isinstance(value, list):
        return _LISTED.validate_python(value, by_alias=True, by_name=False)
    raise unexpected("a country, or a list of dates", value)


_LISTED = TypeAdapter(Annotated[tuple[ListedDay, ...], Field(min_length=1)])
HolidayList: TypeAlias = PublicHolidays | tuple[ListedDay, ...]


class HoursFile(Section):
    """hours.yaml."""

    timezone: Zone
    close_grace: DurationOrNone = timedelta(minutes=10)
    hours: dict[Id, Timetable] = Field(default_factory=dict)
    holidays: dict[Id, Annotated[HolidayList, PlainValidator(_holidays)]] = Field(
        default_factory=dict
    )
