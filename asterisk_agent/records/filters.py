"""What calls are looked for, and the page of them that was found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sql

from asterisk_agent.records import schema
from asterisk_agent.records.writing import digits_of, from_ms, to_ms

MOST_WORDS = 8
_NUMBER = re.compile(r"\+?[0-9][0-9 ()./-]{2,}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls; what is None or empty does not matter. ``since`` ≤ started < ``until``.

    ``search`` are words that were said, each perhaps only begun, or a part of the caller's number.
    ``outcome`` is one word of the log's, ``tasks`` those that somebody has to see to.
    """

    channel: str | None = None
    outcome: str | None = None
    reason: str | None = None
    team: str | None = None
    caller: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""
    tasks: bool = False
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call in a list. Times are ISO, in UTC; ``caller`` is empty once it was forgotten."""

    id: str
    channel: str
    caller: str
    state: str
    started: str
    ended: str | None
    seconds: float | None
    outcome: str | None
    reason: str | None
    team: str | None
    picked_up_by: str | None
    turns: int
    tasks: tuple[str, ...]
    recorded: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """``rows`` of the page ``number`` (from 1), ``size`` to a page, of ``total`` in all."""

    rows: Sequence[T]
    number: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are; one at least."""
        return max(1, -(-self.total // self.size))


def conditions(filters: CallFilter, dialect: str) -> list[sql.ColumnElement[bool]]:
    """The filter as conditions on ``calls``."""
    calls = schema.calls.c
    found: list[sql.ColumnElement[bool]] = [
        column == wanted
        for column, wanted in (
            (calls.channel, filters.channel),
            (calls.outcome, filters.outcome),
            (calls.reason, filters.reason),
            (calls.team, filters.team),
        )
        if wanted
    ]
    if filters.caller:
        found.append(calls.number == digits_of(filters.caller))
    if filters.since is not None:
        found.append(calls.started >= to_ms(filters.since))
    if filters.until is not None:
        found.append(calls.started < to_ms(filters.until))
    if filters.tasks:
        found.append(calls.tasks != "")
    if filters.recorded:
        found.append(calls.recording.is_not(None))
    if filters.search.strip():
        found.append(_said(filters.search.strip(), dialect))
    return found


def _said(search: str, dialect: str) -> sql.ColumnElement[bool]:
    """Calls in which these words were said, or whose caller's number has these digits."""
    if _NUMBER.fullmatch(search):
        number = schema.calls.c.number.contains(digits_of(search), autoescape=True)
        words = _words(search, dialect)
        return number if words is None else sql.or_(number, words)
    words = _words(search, dialect)
    return sql.false() if words is None else words


def _words(search: str, dialect: str) -> sql.ColumnElement[bool] | None:
    """Each word of the search begins a word that was said; None where there is no word."""
    found = re.findall(r"\w+", search)[:MOST_WORDS]
    if not found:
        return None
    if dialect == "sqlite":
        # Quoted, nothing that was typed is taken as the query language's own.
        match = " ".join(f'"{word}"*' for word in found)
        statement = "calls.n IN (SELECT rowid FROM words WHERE words MATCH :said)"
    else:
        match = " & ".join(f"{word}:*" for word in found)
        statement = "calls.n IN (SELECT rowid FROM words WHERE said @@ to_tsquery('simple', :said))"
    return sql.text(statement).bindparams(said=match)  # type: ignore[return-value]


def row_of(row: Any) -> CallRow:
    """A row of ``calls``, as ``LISTED`` selects it."""
    seconds = None if row.ended is None else (row.ended - row.started) / 1000
    started = from_ms(row.started)
    assert started is not None
    return CallRow(
        id=row.id,
        channel=row.channel,
        caller=row.caller,
        state=row.state,
        started=started,
        ended=from_ms(row.ended),
        seconds=seconds,
        outcome=row.outcome,
        reason=row.reason,
        team=row.team,
        picked_up_by=row.picked_up_by,
        turns=row.turns,
        tasks=tuple(row.tasks.split()),
        recorded=row.recording is not None,
    )


_c = schema.calls.c
LISTED = (
    *(_c.n, _c.id, _c.channel, _c.caller, _c.state, _c.started, _c.ended, _c.outcome, _c.reason),
    *(_c.team, _c.picked_up_by, _c.turns, _c.tasks, _c.recording),
)
