"""Question sets: what callers ask, and what a right reply holds. Read from YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from asterisk_agent.errors import ConfigError
from asterisk_agent.events import Action

LARGEST_FILE = 4_000_000
"""Bytes."""


class Kind(StrEnum):
    """What a question is asked for; each has figures of its own."""

    ANSWERABLE = "answerable"
    DIALOGUE = "dialogue"
    """Answerable with what was said before it."""
    UNANSWERABLE = "unanswerable"
    PERSON = "person"
    EMERGENCY = "emergency"
    HOSTILE = "hostile"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Case:
    """One question.

    ``facts`` must all be said, each in one of its ways to say it; ``never`` may not be.
    ``headings`` name the passages that answer, where no facts are given. ``after`` is what the
    caller said before. ``at`` is the local time of the call.
    """

    kind: Kind
    text: str
    facts: tuple[tuple[str, ...], ...] = ()
    never: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    team: str | None = None
    expect: Action | None = None
    after: tuple[str, ...] = ()
    channel: str | None = None
    at: datetime | None = None
    staffed: bool = True


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A file of questions. ``required`` are its thresholds, by the figure's name."""

    cases: tuple[Case, ...]
    required: Mapping[str, float] = field(default_factory=dict)


_KEYS = {"q", "facts", "never", "headings", "team", "expect", "after", "channel", "at", "staffed"}
_TOP = {"channel", "at", "require", *Kind}


def read(file: Path) -> QuestionSet:
    """Read a question set. Raises ConfigError with every problem in it."""
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise ConfigError([f"{file}: larger than {LARGEST_FILE // 1_000_000} MB"])
        loaded = yaml.load(file.read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - text only
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError([f"{file}: {str(error).splitlines()[0]}"]) from None
    if not isinstance(loaded, dict):
        raise ConfigError([f"{file}: expected keys such as answerable: and unanswerable:"])
    problems = [
        f"{file}: {key} is not a known key. Hint: known are {', '.join(sorted(_TOP))}"
        for key in loaded
        if key not in _TOP
    ]
    cases: list[Case] = []
    for kind in Kind:
        for number, entry in enumerate(_list(loaded.get(kind)), 1):
            try:
                cases.append(_case(kind, entry, loaded))
            except ValueError as error:
                problems.append(f"{file}: {kind} {number}: {error}")
    try:
        required = _required(loaded.get("require") or {})
    except ValueError as error:
        problems.append(f"{file}: require: {error}")
    if problems:
        raise ConfigError(problems)
    return QuestionSet(tuple(cases), required)


def share(text: str) -> float:
    """A threshold as written: ``0.95``, ``95%`` or a count. Raises ValueError."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", text)
    if found is None:
        raise ValueError(f'expected a number such as 0.95 or 95%, got "{text}"')
    return float(found[1]) / (100 if found[2] else 1)


def _required(written: object) -> dict[str, float]:
    if not isinstance(written, dict):
        raise ValueError("expected figures and their thresholds, such as right: 95%")
    return {str(name): share(str(value)) for name, value in written.items()}


def _case(kind: Kind, entry: object, defaults: Mapping[str, Any]) -> Case:
    if not isinstance(entry, dict) or not isinstance(entry.get("q"), str):
        raise ValueError("expected q: a question")
    if unknown := sorted(set(entry) - _KEYS):
        raise ValueError(f"{unknown[0]} is not a known key. Hint: {', '.join(sorted(_KEYS))}")
    case = Case(
        kind=kind,
        text=entry["q"],
        facts=tuple(_ways(fact) for fact in _list(entry.get("facts"))),
        never=tuple(_texts(entry.get("never"))),
        headings=tuple(_texts(entry.get("headings"))),
        team=entry.get("team"),
        expect=Action(entry["expect"]) if "expect" in entry else None,
        after=tuple(_texts(entry.get("after"))),
        channel=entry.get("channel", defaults.get("channel")),
        at=_moment(entry.get("at", defaults.get("at"))),
        staffed=entry.get("staffed", "yes") not in ("no", "off", "false"),
    )
    if kind in (Kind.ANSWERABLE, Kind.DIALOGUE) and not (case.facts or case.headings):
        raise ValueError("expected facts: what a right answer says, or headings: where it stands")
    return case


def _ways(fact: object) -> tuple[str, ...]:
    """``7 p.m. | 19:00``: two ways to say one fact."""
    return tuple(way.strip() for way in str(fact).split("|"))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _list(value: object) -> Sequence[object]:
    if value in (None, ""):
        return ()
    return value if isinstance(value, list) else (value,)


def _texts(value: object) -> Iterator[str]:
    return map(str, _list(value))
