"""Dates that contradict each other: two for one day, or two ranges that overlap.

A closer description beats a wider one (a date a range, a range a public holiday), so only two of
one kind leave open which counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from pydantic_core import PydanticCustomError

from asterisk_agent.config.problems import File, KeyPath, Tree
from asterisk_agent.config.special_days import Yearly, written_date


@dataclass(frozen=True, slots=True)
class _Entry:
    """An item of a list of dates, and where it stands."""

    path: KeyPath
    first: date | Yearly
    last: date | Yearly

    @property
    def is_range(self) -> bool:
        return self.path[-1] == "from"

    def __str__(self) -> str:
        return f"{self.first} to {self.last}" if self.is_range else str(self.first)


def check_dates(file: File) -> None:
    """Report contradictions within a list, and among the lists of one schedule."""
    for name in file.mapping("holidays"):
        _check(file, list(_entries(file, name)))
    for schedule in file.mapping("hours"):
        lists = dict.fromkeys(file.words("hours", schedule, "holidays"))
        _check(file, [entry for name in lists for entry in _entries(file, name)])


def _check(file: File, entries: list[_Entry]) -> None:
    singles: dict[date | Yearly, _Entry] = {}
    for entry in entries:
        if not entry.is_range and (first := singles.setdefault(entry.first, entry)) is not entry:
            what = f"{entry} is listed already in line {file.line_of(first.path)}"
            file.report(entry.path, what, "delete one of the two", _shown(entry))
    ranges = sorted((e for e in entries if e.is_range), key=lambda e: (str(e.first), str(e.last)))
    longest = ranges[:1]
    for entry in ranges[1:]:
        if str(entry.first) <= str(longest[0].last):
            line = file.line_of(longest[0].path)
            what = f"{entry} overlaps {longest[0]} in line {line}"
            file.report(entry.path, what, "let one end before the other begins", _shown(entry))
        longest = [max(longest[0], entry, key=lambda e: str(e.last))]


def _shown(entry: _Entry) -> KeyPath:
    *lists, _, key = entry.path
    return (*lists, key)


def _entries(file: File, name: str) -> Iterator[_Entry]:
    """The dates of a list, as far as they are dates; the schema complains about the others."""
    items = file.mapping("holidays").get(name)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        at = ("holidays", name, str(index))
        first, last = _parsed(item, "from"), _parsed(item, "to")
        if single := _parsed(item, "date"):
            yield _Entry((*at, "date"), single, single)
        elif isinstance(first, date) and isinstance(last, date):
            yield _Entry((*at, "from"), first, last)


def _parsed(item: Tree, key: str) -> date | Yearly | None:
    try:
        return written_date(item[key]) if isinstance(item, dict) and key in item else None
    except PydanticCustomError:
        return None
