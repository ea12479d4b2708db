"""Public holidays by country, from the ``holidays`` package. Pure: years are arguments.

The package is imported when a country is first asked for: it takes longer than all the rest of a
configuration.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from asterisk_agent.config.scalars import nearest

if TYPE_CHECKING:
    from holidays import HolidayBase

MANY_YEARS = range(2000, 2050)
"""Long enough for every holiday of a country to fall on some day of it."""
_SEPARATOR = "; "
"""What the package puts between two holidays of one day."""


@cache
def subdivisions() -> Mapping[str, tuple[str, ...]]:
    """Every known country's two letters, and the codes of its parts."""
    import holidays  # noqa: PLC0415

    known = holidays.list_supported_countries(include_aliases=False)
    return {country: tuple(parts) for country, parts in known.items()}


def country_hint(written: str) -> str:
    """The country that was meant: ``Norway``, ``NOR`` and ``no`` are NO."""
    from holidays.registry import COUNTRIES  # noqa: PLC0415

    codes: dict[str, str] = {}
    names: dict[str, str] = {}
    for module, (name, code, *aliases) in COUNTRIES.items():
        codes |= {_letters(alias): code for alias in (module, name, code, *aliases)}
        names[_letters(name)] = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    letters = _letters(written)
    if letters in codes:
        return f"write {codes[letters]}"
    # A letter or two amiss is a slip; Norge is not Niger.
    close = difflib.get_close_matches(letters, names, 1, 0.8)
    if close:
        return f"write {codes[close[0]]} for {names[close[0]]}"
    return "the two letters of ISO 3166: US is the United States, NO is Norway"


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


def subdivision_hint(country: str, written: str) -> str:
    """The part of the country that was meant: ``New York`` is NY."""
    codes = subdivisions()[country]
    if not codes:
        return f"the holidays of {country} are the same everywhere: leave it out"
    aliases: Mapping[str, str] = getattr(
        _calendar(country, None, None, ()), "subdivisions_aliases", {}
    )
    for name, code in aliases.items():
        if _letters(name) == _letters(written):
            return f"write {code}"
    return nearest(written, codes) or f"{country} has {', '.join(codes)}"


def languages(country: str) -> tuple[str, ...]:
    """The languages in which the holidays of a country are known; none where there is but one."""
    return tuple(_calendar(country, None, None, ()).supported_languages)


def language_of(country: str, wanted: str | None) -> str | None:
    """The package's name of a language: ``en`` is ``en_US``. None wanted: English, if known.

    Returns None where only the country's own will do.
    """
    known = languages(country)
    own = _calendar(country, None, None, ()).default_language or ""
    start = wanted or "en"
    for each in (own, *known):
        if each == start or each.startswith(f"{start}_"):
            return each
    return None


def public_holidays(
    country: str, subdivision: str | None, language: str | None, years: Iterable[int]
) -> dict[date, tuple[str, ...]]:
    """The public holidays of these years: date → its names."""
    calendar = _calendar(country, subdivision, language_of(country, language), years)
    return {day: tuple(names.split(_SEPARATOR)) for day, names in sorted(calendar.items())}


@cache
def known_names(country: str, subdivision: str | None, language: str | None) -> tuple[str, ...]:
    """The name of every holiday that falls on some day in half a century, in order."""
    found = public_holidays(country, subdivision, language, MANY_YEARS).values()
    return tuple(sorted({name for names in found for name in names}))


def _calendar(
    country: str, subdivision: str | None, language: str | None, years: Iterable[int]
) -> HolidayBase:
    import holidays  # noqa: PLC0415

    return holidays.country_holidays(
        country, subdiv=subdivision, years=list(years), language=language, expand=False
    )
