"""A database opened as the call log needs it: SQLite or PostgreSQL, by its URL."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sql

from asterisk_agent.errors import AgentError

_NO_ROOM_BESIDE = ("SQLITE_READONLY", "SQLITE_READONLY_DIRECTORY", "SQLITE_CANTOPEN")
_LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED")
BUSY_S = 5.0
"""How long to wait for a database that another process has locked."""
FULL_BYTES = 100_000
"""A disk with less room than this is full: a log that is to grow needs more at once."""


class Refused(AgentError):
    """The database works, and does not take these values."""


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
    def is_missing(self) -> bool:
        """Whether it is a file that is not there yet."""
        return self.file is not None and not self.file.exists()

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database."""
        name = self._address.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    def refused(self, error: Exception) -> AgentError:
        """The error of a database that cannot be opened."""
        cause = error.__cause__ if isinstance(error, AgentError) else error
        return AgentError(
            f"the call log {self.name} cannot be opened: {self._why(cause or error)}",
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
        except (sql.exc.DataError, sql.exc.IntegrityError, UnicodeError, OverflowError) as error:
            raise Refused(f"the call log does not take a call: {_plain(error)}") from error
        except sql.exc.SQLAlchemyError as error:
            raise AgentError(f"the call log could not be written: {self._why(error)}") from error

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

    def _why(self, error: BaseException) -> str:
        """What the database says, or what it means by "disk I/O error" where the disk is full."""
        name = getattr(getattr(error, "orig", None), "sqlite_errorname", "")
        if name not in _LOCKED and self.file is not None and is_full(self.file):
            return f"the disk is full, make room on it: {self.file.parent}"
        return _plain(error)


def is_full(file: Path) -> bool:
    """Whether the disk that a file is on has no room, as far as that can be told."""
    try:
        disk = os.statvfs(file.parent)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < FULL_BYTES


def _plain(error: BaseException) -> str:
    """What the database says, without the statement and the caller's words in it."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def _postgresql(address: sql.URL) -> sql.Engine:
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    return sql.create_engine(
        address, pool_pre_ping=True, pool_timeout=5, connect_args={"connect_timeout": 5}
    )


def _sqlite(address: sql.URL, busy_s: float) -> sql.Engine:
    # A connection for each use: one that was opened when the disk was read-only stays so.
    engine = sql.create_engine(
        address, creator=lambda: _connect(address.database or "", busy_s), poolclass=sql.NullPool
    )

    @sql.event.listens_for(engine, "begin")
    def begins(connection: sql.Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _connect(file: str, busy_s: float) -> sqlite3.Connection:
    """A connection that is able to write; to a read-only folder one that only reads."""
    # The driver's own transactions begin too late for us: none of them.
    options: dict[str, Any] = {"timeout": busy_s, "isolation_level": None}
    connection: sqlite3.Connection = sqlite3.connect(file, check_same_thread=False, **options)
    try:
        with suppress(sqlite3.OperationalError):  # read-only, or busy: it stays as it is
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    except sqlite3.Error as error:
        connection.close()
        if error.sqlite_errorname not in _NO_ROOM_BESIDE:
            raise
        # Where no journal may be made beside it, nobody else can be writing either.
        where = f"file:{quote(str(Path(file).absolute()))}?mode=ro&immutable=1"
        connection = sqlite3.connect(where, uri=True, check_same_thread=False, **options)
    return connection
