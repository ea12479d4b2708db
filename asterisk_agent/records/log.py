"""The call log: stories written, found again, counted and forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sql

from asterisk_agent.errors import AgentError
from asterisk_agent.records import insights as counting
from asterisk_agent.records import retention, schema
from asterisk_agent.records import usage as using
from asterisk_agent.records.database import BUSY_S, Database, Refused
from asterisk_agent.records.filters import LISTED, CallFilter, CallRow, Page, conditions, row_of
from asterisk_agent.records.joining import joined
from asterisk_agent.records.migrations import migrate
from asterisk_agent.records.reading import stories
from asterisk_agent.records.writing import alone_with, from_ms, insert

MOST_A_PAGE = 500
_NO_STORY = (KeyError, TypeError, ValueError, AttributeError, RecursionError)
"""A file of stories that was damaged, or changed by hand, may hold anything."""


class NoLog(AgentError):
    """The database is a file that the service has not made yet."""


@dataclass(frozen=True, slots=True)
class LogState:
    """``calls`` in the log, the ``oldest`` of them, and the ``bytes`` of its files if known."""

    calls: int
    oldest: str | None
    bytes: int | None


class CallLog:
    """Stories in a database. Every method blocks: call it from a worker thread.

    May be used by several threads. Each method raises AgentError where the database fails.
    ``timezone`` is that of days, hours and months.
    """

    def __init__(
        self, url: str, *, timezone: str = "UTC", busy_s: float = BUSY_S, make: bool = True
    ) -> None:
        """Open the database and bring its tables up to date. ``make``: also where there is none."""
        self._zone = ZoneInfo(timezone)
        self.database = Database(url, busy_s=busy_s)
        if self.database.is_missing and not make:
            raise NoLog(
                f"there is no call log {self.database.file} yet",
                hint="the service makes it: asterisk-agent run",
            )
        try:
            migrate(self.database)
        except BaseException:
            self.database.close()
            raise

    def close(self) -> None:
        """Close the database's connections."""
        self.database.close()

    # --- writing ----------------------------------------------------------------------------

    def write(self, story: Mapping[str, Any]) -> None:
        """Insert or replace a story in its JSON form."""
        self.write_all([story])

    def write_all(self, several: Sequence[Mapping[str, Any]]) -> None:
        """Insert or replace stories, all or none of them. A call that another service told, too,
        becomes one: see ``joining``.
        """
        with self.database.writing() as connection:
            for story in several:
                try:
                    alone_with(connection, story["id"])
                    known = sql.select(schema.calls).where(schema.calls.c.id == story["id"])
                    before = next(iter(stories(connection, known)), None)
                    insert(connection, joined(before, story))
                except _NO_STORY as error:
                    raise Refused(f"what waits is no story: {type(error).__name__}") from error

    def try_writing(self) -> None:
        """Write for a trial, and take it back. Raises AgentError where that fails."""
        with self.database.writing() as connection:
            version = schema.version.c.version
            connection.execute(sql.update(schema.version).values(version=version))
            connection.rollback()

    # --- finding ----------------------------------------------------------------------------

    def show(self, call_id: str) -> dict[str, Any] | None:
        """One call, by its id or by the beginning of it if that is unique; None if unknown."""
        some = schema.calls.c.id.startswith(call_id, autoescape=True)
        with self.database.reading() as connection:
            found = stories(connection, sql.select(schema.calls).where(some).limit(2))
        return found[0] if len(found) == 1 else None

    def story(self, call_id: str) -> dict[str, Any] | None:
        """One call by its whole id; None if unknown."""
        query = sql.select(schema.calls).where(schema.calls.c.id == call_id)
        with self.database.reading() as connection:
            return next(iter(stories(connection, query)), None)

    def latest(self, limit: int = 20, filters: CallFilter | None = None) -> list[dict[str, Any]]:
        """The newest calls, newest first, whole."""
        query = self._newest(filters or CallFilter(), sql.select(schema.calls)).limit(limit)
        with self.database.reading() as connection:
            return stories(connection, query)

    def search(
        self, filters: CallFilter | None = None, page: int = 1, size: int = 50
    ) -> Page[CallRow]:
        """A page of the calls that a filter leaves, newest first. Pages count from 1."""
        wanted = filters or CallFilter()
        page, size = max(1, page), min(max(1, size), MOST_A_PAGE)
        query = self._newest(wanted, sql.select(*LISTED)).limit(size).offset((page - 1) * size)
        total = sql.select(sql.func.count()).select_from(schema.calls)
        with self.database.reading() as connection:
            all_of_them = conditions(wanted, connection.dialect.name)
            count = connection.execute(total.where(*all_of_them)).scalar_one()
            rows = [row_of(row) for row in connection.execute(query)]
        return Page(rows, page, size, count)

    def _newest(self, filters: CallFilter, query: sql.Select[Any]) -> sql.Select[Any]:
        calls = schema.calls.c
        dialect = "sqlite" if self.database.is_sqlite else "postgresql"
        return query.where(*conditions(filters, dialect)).order_by(
            calls.started.desc(), calls.n.desc()
        )

    # --- counting ---------------------------------------------------------------------------

    def usage(self, channel: str, month: str) -> using.Usage:
        """What a channel used in a month (``2026-03``). Raises ValueError for no month."""
        return self.usages(month).get(channel, using.Usage(channel, month))

    def usages(self, month: str) -> dict[str, using.Usage]:
        """What each channel used in a month; those without a call are left out."""
        with self.database.reading() as connection:
            return using.used(connection, month, self._zone)

    def month(self, moment: datetime) -> str:
        """The month of an instant, as ``usage`` takes it."""
        return using.month_of(moment, self._zone)

    def insights(
        self, since: datetime, until: datetime, channel: str | None = None
    ) -> counting.Insights:
        """How the calls between two instants ended, when, why, and how long callers waited."""
        with self.database.reading() as connection:
            return counting.insights(connection, since, until, channel, self._zone)

    def unanswered(
        self, since: datetime, channel: str | None = None, limit: int = 500
    ) -> list[counting.Question]:
        """What callers asked and the documents don't say, the newest first."""
        with self.database.reading() as connection:
            return counting.unanswered(connection, since, channel, limit)

    # --- forgetting -------------------------------------------------------------------------

    def export(self, caller: str) -> list[dict[str, Any]]:
        """Everything that the log knows of a number, the oldest call first."""
        return retention.of_caller(self.database, caller)

    def erase(self, caller: str) -> int:
        """Forget everything of a number, recordings too; return how many calls that were."""
        return retention.erase(self.database, caller, self._zone)

    def sweep(self, now: datetime, kept: retention.Kept) -> retention.Forgotten:
        """Forget what is older than it may be."""
        return retention.sweep(self.database, now, kept, self._zone)

    def health(self) -> LogState:
        """How large the log is."""
        query = sql.select(sql.func.count(), sql.func.min(schema.calls.c.started))
        with self.database.reading() as connection:
            calls, oldest = connection.execute(query).one()
        return LogState(calls, from_ms(oldest), _bytes(self.database.file))


def _bytes(file: Path | None) -> int | None:
    if file is None:
        return None
    parts = (file, file.with_name(f"{file.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())
