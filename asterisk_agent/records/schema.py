"""The tables of the call log. Times are milliseconds since 1970, UTC; lengths are milliseconds.

What a story says and no column holds is kept in ``calls.more``, so that nothing is dropped.
"""

from __future__ import annotations

import sqlalchemy as sql

DELAY_STEP_MS = 20
"""Answer delays are counted in steps of this."""
metadata = sql.MetaData()

calls = sql.Table(
    "calls",
    metadata,
    sql.Column("n", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column("id", sql.String(36), nullable=False, unique=True),
    sql.Column("channel", sql.String(64), nullable=False),
    sql.Column("caller", sql.String(128), nullable=False),
    sql.Column("number", sql.String(32), nullable=False),  # the caller's digits alone
    sql.Column("state", sql.String(16), nullable=False),
    sql.Column("started", sql.BigInteger, nullable=False),
    sql.Column("answered", sql.BigInteger),
    sql.Column("ended", sql.BigInteger),
    sql.Column("outcome", sql.String(64)),
    sql.Column("reason", sql.String(64)),
    sql.Column("team", sql.String(64)),
    sql.Column("picked_up_by", sql.String(128)),
    sql.Column("tasks", sql.String(255), nullable=False),  # words with a space between them
    sql.Column("agent_ms", sql.BigInteger, nullable=False),
    sql.Column("tokens", sql.BigInteger, nullable=False),
    sql.Column("turns", sql.Integer, nullable=False),
    sql.Column("said", sql.Boolean, nullable=False),  # whether texts and caller are still there
    sql.Column("recording", sql.Text),
    sql.Column("more", sql.Text, nullable=False),
    sql.Index("calls_by_time", "started", "channel", "outcome"),
    sql.Index("calls_by_channel", "channel", "started", "agent_ms", "tokens"),
    sql.Index("calls_by_end", "channel", "outcome", "reason", "started"),
    sql.Index("calls_by_number", "number"),
    sqlite_autoincrement=True,
)


def _part(name: str, *columns: sql.Column[object]) -> sql.Table:
    """A list that belongs to a call, in order; it goes when the call goes."""
    return sql.Table(
        name,
        metadata,
        sql.Column(
            "call", sql.Integer, sql.ForeignKey("calls.n", ondelete="CASCADE"), primary_key=True
        ),
        sql.Column("place", sql.Integer, primary_key=True, autoincrement=False),
        *columns,
    )


turns = _part(
    "turns",
    sql.Column("who", sql.String(16), nullable=False),
    sql.Column("text", sql.Text, nullable=False),
    sql.Column("at_ms", sql.BigInteger, nullable=False),
    sql.Column("heard_ms", sql.BigInteger, nullable=False),
    sql.Column("file", sql.Text),
    sql.Column("heading", sql.Text),
    sql.Column("action", sql.String(32)),
    sql.Column("confidence", sql.Float),
    sql.Column("interrupted", sql.Boolean, nullable=False),
    sql.Column("unanswered", sql.Boolean, nullable=False),
    # From the caller's last sound to the answer's first, in steps of DELAY_STEP_MS; with the call's
    # own time and channel, so that insights need not look at the call.
    sql.Column("delay", sql.Integer),
    sql.Column("started", sql.BigInteger, nullable=False),
    sql.Column("channel", sql.String(64), nullable=False),
    sql.Column("stages", sql.Text),  # its parts
    sql.Column("more", sql.Text, nullable=False),
)
steps = _part(
    "steps",
    sql.Column("destination", sql.String(128), nullable=False),
    sql.Column("at_ms", sql.BigInteger, nullable=False),
    sql.Column("because", sql.Text, nullable=False),
    sql.Column("result", sql.String(64), nullable=False),
)
attempts = _part(
    "attempts",
    sql.Column("team", sql.String(128), nullable=False),
    sql.Column("at_ms", sql.BigInteger, nullable=False),
    sql.Column("waited_ms", sql.BigInteger),
    sql.Column("result", sql.String(64), nullable=False),
    sql.Column("picked_up_by", sql.String(128)),
)
events = _part(
    "events",
    sql.Column("kind", sql.String(32), nullable=False),
    sql.Column("at_ms", sql.BigInteger, nullable=False),
    sql.Column("detail", sql.Text, nullable=False),
)
PARTS = (turns, steps, attempts, events)

usage = sql.Table(  # of calls that are no longer in the log: counts, no callers
    "usage",
    metadata,
    sql.Column("channel", sql.String(64), primary_key=True),
    sql.Column("month", sql.String(7), primary_key=True),
    sql.Column("calls", sql.BigInteger, nullable=False),
    sql.Column("agent_ms", sql.BigInteger, nullable=False),
    sql.Column("tokens", sql.BigInteger, nullable=False),
)
version = sql.Table("log_version", metadata, sql.Column("version", sql.Integer, nullable=False))

unanswered_turns = sql.Index(
    "turns_unanswered",
    turns.c.call,
    turns.c.place,
    sqlite_where=turns.c.unanswered,
    postgresql_where=turns.c.unanswered,
)
answer_delays = sql.Index(
    "turns_delays",
    turns.c.delay,
    turns.c.started,
    turns.c.channel,
    sqlite_where=turns.c.delay.is_not(None),
    postgresql_where=turns.c.delay.is_not(None),
)

# What was said, for searching: one row a call. SQLite has a table of its own kind for that.
SQLITE_WORDS = ("CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(said, tokenize='unicode61')",)
POSTGRES_WORDS = (
    "CREATE TABLE IF NOT EXISTS words (rowid INTEGER PRIMARY KEY"
    " REFERENCES calls(n) ON DELETE CASCADE, said TSVECTOR NOT NULL)",
    "CREATE INDEX IF NOT EXISTS words_said ON words USING GIN (said)",
)
