"""A database opened as the call log needs it: SQLite or PostgreSQL, by its URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sql

from asterisk_agent.errors import AgentError

BUSY_S = 5.0
"""How long to wait for a database that another process has locked."""


class Database:
    """Connections for reading, and transactions for writing. Its methods block."""

    def __init__(self, url: str, *, busy_s: float = BUSY_S) -> None:
        """Connect to nothing yet. Raises AgentError where the URL can be no database's."""
        self.name = url.rpartition("@")[2]
        try:
            self._address = sql.make_url(url)
            self.is_sqlite = self._address.get_backend_name() == "sqlite"
            if self.is_sqlite:
                self._engine = _sqlite(self._address, busy_s)
            else:
                self._engine = _postgresql(self._address)
        except (sql.exc.SQLAlchemyError, ImportError) as error:
            raise self.refused(error) from error

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database."""
        name = self._address.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    def refused(self, error: Exception) -> AgentError:
        """The error of a database that cannot be opened."""
        return AgentError(
            f"the call log {self.name} cannot be opened: {_plain(error)}",
            hint="check records.database in agent.yaml, and the folder that it names",
        )

    @contextmanager
    def reading(self) -> Iterator[sql.Connection]:
        """A connection for queries. Raises AgentError where the database does not answer."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except sql.exc.SQLAlchemyError as error:
            raise AgentError(f"the call log could not be read: {_plain(error)}") from error

    @contextmanager
    def writing(self) -> Iterator[sql.Connection]:
        """A transaction, all or nothing. Raises AgentError where it could not be written."""
        try:
            with self._engine.execution_options(writes=True).begin() as connection:
                yield connection
        except sql.exc.SQLAlchemyError as error:
            raise AgentError(f"the call log could not be written: {_plain(error)}") from error

    def alone(self, *statements: str) -> None:
        """Statements that no transaction may hold, such as VACUUM. Raises AgentError."""
        try:
            with self._engine.connect() as connection:
                free = connection.execution_options(isolation_level="AUTOCOMMIT")
                for statement in statements:
                    free.exec_driver_sql(statement)
        except sql.exc.SQLAlchemyError as error:
            raise AgentError(f"the call log could not be tidied: {_plain(error)}") from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _plain(error: Exception) -> str:
    """What the database says, without the statement and the caller's words in it."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def _postgresql(address: sql.URL) -> sql.Engine:
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    return sql.create_engine(
        address, pool_pre_ping=True, pool_timeout=5, connect_args={"connect_timeout": 5}
    )


def _sqlite(address: sql.URL, busy_s: float) -> sql.Engine:
    engine = sql.create_engine(address, connect_args={"timeout": busy_s})

    @sql.event.listens_for(engine, "connect")
    def opened(connection: Any, _record: Any) -> None:
        # The driver's own transactions begin too late for what follows.
        connection.isolation_level = None
        with suppress(connection.OperationalError):  # read-only: it stays as it is
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten

    @sql.event.listens_for(engine, "begin")
    def begins(connection: sql.Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
