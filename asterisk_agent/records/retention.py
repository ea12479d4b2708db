"""Forgetting: what is older than it may be, and all of one caller on request.

What is deleted is gone from the files: SQLite overwrites it, the words for searching are written
anew without it, the journal is emptied, recordings are unlinked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sql

from asterisk_agent.errors import AgentError
from asterisk_agent.records import schema
from asterisk_agent.records import usage as using
from asterisk_agent.records.database import Database
from asterisk_agent.records.reading import stories
from asterisk_agent.records.writing import digits_of, remove_parts, remove_words, to_ms

AT_ONCE = 500
"""Calls in a transaction: the service's own writing never waits long."""
_MORE = '{"message": null, "callback": null, "brief": null}'


@dataclass(frozen=True, slots=True)
class Kept:
    """How long each kind is kept. ``audio`` None: none is kept at all."""

    transcripts: timedelta
    calls: timedelta
    audio: timedelta | None


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many calls lost their texts and caller, how many their recording, how many all."""

    transcripts: int = 0
    recordings: int = 0
    calls: int = 0

    def __bool__(self) -> bool:
        return bool(self.transcripts or self.recordings or self.calls)


def sweep(database: Database, now: datetime, kept: Kept, zone: ZoneInfo) -> Forgotten:
    """Forget what is too old at ``now``. Raises AgentError, half-way at worst."""
    calls = schema.calls.c
    old = [calls.started < to_ms(now - kept.calls)]
    unsaid = [calls.said, calls.started < to_ms(now - kept.transcripts)]
    unheard: list[sql.ColumnElement[bool]] = [calls.recording.is_not(None)]
    if kept.audio is not None:
        unheard.append(calls.started < to_ms(now - kept.audio))
    done = Forgotten(
        recordings=_each(database, unheard, _unrecord),
        transcripts=_each(database, unsaid, _unsay),
        calls=_each(database, old, lambda connection, rows: _remove(connection, rows, zone)),
    )
    if done:
        tidy(database)
    return done


def of_caller(database: Database, caller: str) -> list[dict[str, Any]]:
    """Everything that is known of a number, the oldest call first."""
    calls = schema.calls.c
    query = sql.select(schema.calls).where(calls.number == _number(caller)).order_by(calls.started)
    with database.reading() as connection:
        return stories(connection, query)


def erase(database: Database, caller: str, zone: ZoneInfo) -> int:
    """Forget everything of a number; return how many calls that were."""
    wanted = [schema.calls.c.number == _number(caller)]
    count = _each(database, wanted, lambda connection, rows: _remove(connection, rows, zone))
    if count:
        tidy(database)
    return count


def tidy(database: Database) -> None:
    """Let nothing of what was deleted stay behind in the files. Takes seconds in a large log."""
    if database.is_sqlite:
        with database.writing() as connection:
            connection.execute(sql.text("INSERT INTO words (words) VALUES ('optimize')"))
        database.alone("PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        database.alone(*(f"VACUUM {name}" for name in ("calls", "words", "turns", "events")))


def _number(caller: str) -> str:
    number = digits_of(caller)
    if not number:
        raise AgentError(
            f"{caller[:40]!r} is no number", hint="write the number as `asterisk-agent calls` does"
        )
    return number


def _each(database: Database, chosen: Sequence[sql.ColumnElement[bool]], forget: Any) -> int:
    """Forget the chosen calls, some at a time; their recordings go first."""
    calls, count = schema.calls.c, 0
    query = sql.select(
        calls.n, calls.channel, calls.started, calls.agent_ms, calls.tokens, calls.recording
    )
    while True:
        with database.writing() as connection:
            rows = connection.execute(query.where(*chosen).limit(AT_ONCE)).all()
            if not rows:
                return count
            forget(connection, rows)
        count += len(rows)


def _unlink(rows: Sequence[Any]) -> None:
    for row in rows:
        if row.recording is not None:
            try:
                Path(row.recording).unlink(missing_ok=True)
            except OSError as error:
                raise AgentError(f"a recording could not be deleted: {error}") from error


def _unrecord(connection: sql.Connection, rows: Sequence[Any]) -> None:
    _unlink(rows)
    update = sql.update(schema.calls).where(schema.calls.c.n.in_([row.n for row in rows]))
    connection.execute(update.values(recording=None))


def _unsay(connection: sql.Connection, rows: Sequence[Any]) -> None:
    """What was said and who said it; how the call went stays."""
    numbers = [row.n for row in rows]
    remove_words(connection, [{"n": number} for number in numbers])
    update = sql.update(schema.calls).where(schema.calls.c.n.in_(numbers))
    connection.execute(update.values(said=False, caller="", number="", more=_MORE))
    turns, events = schema.turns, schema.events
    connection.execute(
        sql.update(turns).where(turns.c.call.in_(numbers)).values(text="", more="{}")
    )
    connection.execute(sql.update(events).where(events.c.call.in_(numbers)).values(detail=""))


def _remove(connection: sql.Connection, rows: Sequence[Any], zone: ZoneInfo) -> None:
    """The whole call. What it used stays in the month's sum."""
    _unlink(rows)
    numbers = [row.n for row in rows]
    for row in rows:
        began = datetime.fromtimestamp(row.started / 1000, UTC)
        using.keep(
            connection,
            using.Usage(
                row.channel, using.month_of(began, zone), 1, row.agent_ms / 60_000, row.tokens
            ),
        )
    remove_parts(connection, numbers)
    connection.execute(sql.delete(schema.calls).where(schema.calls.c.n.in_(numbers)))
