"""Text becomes durations, numbers and switches: the types of single values, and their errors.

The loader hands over nothing but text, so YAML's own guesses (``NO`` as false, ``0600`` as octal,
``12:30`` as 750) never happen.
"""

from __future__ import annotations

import difflib
import json
import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError


def got(value: object) -> str:
    """Name what was found, for a message: quoted text, or the kind of thing it is."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    quoted = json.dumps(f"{text[:60]}…" if len(text) > 60 else text, ensure_ascii=False)
    return printable(quoted)


def printable(text: str) -> str:
    """Text as one line of a message; what cannot be seen, or turns writing round, is spelt out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def unexpected(expected: str, value: object, hint: str = "") -> PydanticCustomError:
    """The one error of our own validators: what was expected, what came, how to mend it."""
    found = "nothing" if value == "" else got(value)
    context = {"expected": expected, "got": found, "hint": hint}
    return PydanticCustomError("unexpected", "expected {expected}, got {got}", context)


def nearest(word: str, known: Sequence[str], cutoff: float = 0.6) -> str:
    """A hint naming the known word closest to this one, or an empty string."""
    if len(known) > 1000:  # a file that long is not proof-read by the word
        return ""
    found = difflib.get_close_matches(word.lower(), [k.lower() for k in known], n=1, cutoff=cutoff)
    return next((f'did you mean "{k}"?' for k in known if [k.lower()] == found), "")


def matching(pattern: str, expected: str, hint: Callable[[str], str] = lambda _: "") -> Any:
    """A validator of text that matches the whole pattern; ``expected`` is what its error says."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise unexpected(expected, text, hint(text))
        return text

    return AfterValidator(check)


def _speech(text: str) -> str:
    """Text to be spoken: one line, whatever its folding in the file; no control characters."""
    line = " ".join(text.split())
    if not line or len(line) > 2000 or not line.isprintable():
        raise unexpected("text of 1 to 2000 printable characters", line)
    return line


def switch(value: object) -> object:
    """``on`` or ``off``, or a word that means the same, as True or False."""
    words = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.lower() not in words:
        raise unexpected("on or off", value)
    return words[value.lower()]


def whole(low: int, high: int) -> BeforeValidator:
    """A whole number from ``low`` to ``high``, both included."""

    def parse(value: object) -> object:
        digits = re.fullmatch(r"[0-9]{1,9}", str(value))
        if not digits or not low <= int(digits[0]) <= high:
            raise unexpected(f"a whole number from {low} to {high}", value)
        return int(digits[0])

    return BeforeValidator(parse)


def _factor(value: object) -> object:
    digits = re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", str(value))
    if not digits or not 0.5 <= float(digits[0]) <= 2:
        raise unexpected("a number from 0.5 to 2", value)
    return float(digits[0])


def duration(least: timedelta = timedelta(seconds=1)) -> BeforeValidator:
    """``15s``, ``10m``, ``2h``, ``90d``; from ``least`` to ten years."""
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

    def parse(value: object) -> object:
        if isinstance(value, timedelta):
            return value
        written = re.fullmatch(r"([0-9]{1,9})([smhd])", value) if isinstance(value, str) else None
        length = timedelta(**{units[written[2]]: int(written[1])}) if written else None
        if length is None or not least <= length <= timedelta(days=3660):
            raise unexpected("a duration such as 60s", value, _duration_hint(value))
        return length

    return BeforeValidator(parse)


def _duration_hint(value: object) -> str:
    guess = re.fullmatch(r"([1-9][0-9]*)\s*(s|m|h|d|)[a-z]*\.?", str(value).strip().lower())
    return f"write {guess[1]}{guess[2] or 's'}" if guess else "write 15s, 10m, 2h or 90d"


def one_or_more(value: object) -> object:
    """A list may be written as its only item."""
    return (value,) if isinstance(value, str) else value


def each_once(values: tuple[object, ...]) -> tuple[object, ...]:
    """Refuse a list that holds a value twice."""
    seen: set[object] = set()
    for value in values:
        if value in seen:
            raise PydanticCustomError("unexpected", "{got} is listed twice", {"got": got(value)})
        seen.add(value)
    return values


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())  # reads hundreds of files


def _zone(name: str) -> str:
    known = _zones()
    if name not in known:
        # Etc/GMT+1 is an hour *behind*: never what was meant.
        places = [zone for zone in sorted(known) if "GMT" not in zone]
        city = name.replace(" ", "_").lower()
        close = [zone for zone in places if zone.lower().endswith(f"/{city}")]
        hint = f"write {close[0]}" if close else nearest(name, places, cutoff=0.8)
        raise unexpected("a time zone such as America/New_York", name, hint)
    return name


def _database(url: str) -> str:
    """The URL may carry a password, so a message never shows it."""
    if not re.fullmatch(r"(sqlite|postgresql)(\+[a-z0-9]+)?://\S*", url):
        raise PydanticCustomError(
            "unexpected",
            "expected the URL of a SQLite or PostgreSQL database",
            {"hint": "write one such as sqlite:////var/lib/asterisk-agent/calls.db"},
        )
    return url


ServerUrl = Annotated[
    str,
    matching(
        r"https?://[\w.:\[\]-]{1,200}(?:/[\w./~-]{0,200})?", "a URL such as http://gpu:8000/v1"
    ),
]
FileName = Annotated[str, matching(r"[\w./ -]{1,255}", "the name of a file")]
Directory = Annotated[
    str,
    # It stands in Asterisk's files, where a comma or a semicolon would end it.
    matching(r"(?:/[\w.@+=~-]+)+", "a directory such as /etc/asterisk/agent"),
]
DatabaseUrl = Annotated[str, AfterValidator(_database)]
Speech = Annotated[str, AfterValidator(_speech)]
Switch = Annotated[bool, BeforeValidator(switch)]
Port = Annotated[int, whole(1, 65535)]
Duration = Annotated[timedelta, duration()]
LongDuration = Annotated[timedelta, duration(timedelta(hours=1))]
DurationOrNone = Annotated[timedelta, duration(timedelta())]
Zone = Annotated[str, AfterValidator(_zone)]
Factor = Annotated[float, BeforeValidator(_factor)]


T = TypeVar("T")
Some = Annotated[tuple[T, ...], BeforeValidator(one_or_more), AfterValidator(each_once)]
"""A list without repetition; one item alone may stand without brackets."""
