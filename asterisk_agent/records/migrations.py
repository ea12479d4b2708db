"""The database's tables are made, or brought up to date, one numbered step after the other."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import sqlalchemy as sql

from asterisk_agent.errors import AgentError
from asterisk_agent.records import schema
from asterisk_agent.records.database import Database
from asterisk_agent.records.writing import insert


def migrate(database: Database) -> None:
    """Bring the tables up to date; reads only where they are. Raises AgentError."""
    _make_file(database)
    try:
        with database.reading() as connection:
            found = _version(connection)
    except AgentError as error:
        raise database.refused(error) from error
    if found > len(STEPS):
        raise AgentError(
            f"the call log {database.name} was written by a newer version of asterisk-agent",
            hint="use that version, or set records.database to another file",
        )
    if found == len(STEPS):
        return
    try:
        with database.writing() as connection:
            _alone(connection)
            for number in range(_version(connection), len(STEPS)):
                STEPS[number](connection)
                connection.execute(sql.delete(schema.version))
                connection.execute(sql.insert(schema.version).values(version=number + 1))
    except AgentError as error:
        raise database.refused(error) from error


def _make_file(database: Database) -> None:
    if database.file is None or database.file.exists():
        return
    try:
        database.file.parent.mkdir(parents=True, exist_ok=True)
        # Callers' words are nobody's business but the operator's.
        os.close(os.open(database.file, os.O_CREAT | os.O_RDWR, 0o640))
    except OSError as error:
        raise database.refused(error) from error


def _alone(connection: sql.Connection) -> None:
    """Keep other processes from doing the same; SQLite's transaction does that by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(sql.text("SELECT pg_advisory_xact_lock(4573)"))


def _version(connection: sql.Connection) -> int:
    """How many steps have been taken."""
    if not sql.inspect(connection).has_table("log_version"):
        return 0
    return connection.execute(sql.select(schema.version.c.version)).scalar() or 0


def _make_tables(connection: sql.Connection) -> None:
    """The tables, with the stories of 0.1's single one carried over."""
    inspector = sql.inspect(connection)
    old = inspector.has_table("calls")
    if old:
        for index in inspector.get_indexes("calls"):
            connection.execute(sql.text(f'DROP INDEX "{index["name"]}"'))
        connection.execute(sql.text("ALTER TABLE calls RENAME TO calls_before"))
    schema.metadata.create_all(connection)
    is_sqlite = connection.dialect.name == "sqlite"
    for statement in schema.SQLITE_WORDS if is_sqlite else schema.POSTGRES_WORDS:
        connection.execute(sql.text(statement))
    if old:
        for (story,) in connection.execute(sql.text("SELECT story FROM calls_before")).all():
            insert(connection, json.loads(story))
        connection.execute(sql.text("DROP TABLE calls_before"))


STEPS: tuple[Callable[[sql.Connection], None], ...] = (_make_tables,)
"""What has been changed, in order. A step that was released is never changed again."""
