"""The call log: what happened, who said what, how long each stage took.

A ``Story`` collects one call in memory; ``CallLog`` writes stories to a database on a thread of
its own. A database that is slow, full or gone never touches a call.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sql

from asterisk_agent.errors import AgentError

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Delays:
    """Milliseconds from the caller's last sound to the answer's first, and its parts."""

    end_of_turn: float = 0.0
    recognise: float = 0.0
    retrieve: float = 0.0
    model: float = 0.0
    voice: float = 0.0
    playout: float = 0.0
    total: float = 0.0


@dataclass(slots=True)
class TurnRecord:
    """One thing said. ``at_s`` counts from the start of the call; ``heard_s`` is how much of the
    agent's words the caller really heard, or how long the caller spoke.
    """

    who: str
    text: str
    at_s: float
    heard_s: float = 0.0
    source: dict[str, str] | None = None
    action: str | None = None
    delay_ms: Delays | None = None


@dataclass(slots=True)
class Step:
    """One stage of the call's way: where it went, when, and why."""

    to: str
    at_s: float
    because: str
    result: str = ""


@dataclass(slots=True)
class Callback:
    """Whom to call back, on which number, about what; "" for what the caller did not tell.

    ``confirmed``: the number was read back, or is the caller's own, and the caller said yes.
    """

    name: str = ""
    number: str = ""
    confirmed: bool = False
    reason: str = ""


_ANSWERS = ("answer", "repeat", "smalltalk")


@dataclass(slots=True)
class Story:
    """One call from its arrival to its end. Times are UTC; ``caller`` is as the trunk gave it."""

    channel: str
    caller: str
    state: str
    started: datetime
    unique_id: str = ""
    id: UUID = field(default_factory=uuid4)
    answered: datetime | None = None
    ended: datetime | None = None
    outcome: str | None = None
    reason: str | None = None
    team: str | None = None
    picked_up_by: str | None = None
    turns: list[TurnRecord] = field(default_factory=list)
    path: list[Step] = field(default_factory=list)
    message: str | None = None
    """What the caller left with the agent for whoever calls back."""
    callback: Callback | None = None
    """The same, taken apart."""
    tasks: list[str] = field(default_factory=list)
    """What people have to do about it: ``call_back``."""

    def add_tasks(self, tasks: Iterable[str]) -> None:
        """Note what people have to do; each thing once."""
        self.tasks += [task for task in tasks if task not in self.tasks]

    @property
    def served(self) -> bool:
        """Whether the last thing said was an answer of the agent's, to the end of it or not."""
        last = self.turns[-1] if self.turns else None
        return last is not None and last.who == "agent" and last.action in _ANSWERS

    def seconds(self, now: datetime) -> float:
        """Seconds since the call began."""
        return round((now - self.started).total_seconds(), 3)

    def as_json(self) -> dict[str, Any]:
        """The form that ``asterisk-agent calls show --json`` prints."""
        return {
            "id": str(self.id),
            "channel": self.channel,
            "caller": self.caller,
            "state": self.state,
            "started": _iso(self.started),
            "answered": _iso(self.answered),
            "ended": _iso(self.ended),
            "outcome": self.outcome,
            "reason": self.reason,
            "team": self.team,
            "picked_up_by": self.picked_up_by,
            "turns": [asdict(turn) for turn in self.turns],
            "path": [asdict(step) for step in self.path],
            "message": self.message,
            "callback": None if self.callback is None else asdict(self.callback),
            "tasks": list(self.tasks),
        }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds")


_metadata = sql.MetaData()
_calls = sql.Table(
    "calls",
    _metadata,
    sql.Column("id", sql.String(36), primary_key=True),
    sql.Column("channel", sql.String(64), nullable=False, index=True),
    sql.Column("caller", sql.String(128), nullable=False),
    sql.Column("started", sql.String(32), nullable=False, index=True),
    sql.Column("ended", sql.String(32)),
    sql.Column("outcome", sql.String(32)),
    sql.Column("story", sql.Text, nullable=False),
)


class CallLog:
    """Stories in a database. Every method blocks: call it from a worker thread."""

    def __init__(self, url: str) -> None:
        """Open the database and make its tables. Raises AgentError where that is impossible."""
        try:
            address = sql.make_url(url)
            if address.get_backend_name() == "sqlite" and address.database:
                Path(address.database).parent.mkdir(parents=True, exist_ok=True)
            self._engine = sql.create_engine(address)
            if address.get_backend_name() == "sqlite":
                with self._engine.connect() as connection:
                    connection.execute(sql.text("PRAGMA journal_mode=WAL"))
            _metadata.create_all(self._engine)
        except (sql.exc.SQLAlchemyError, OSError) as error:
            raise AgentError(
                f"the call log {url.rpartition('@')[2]} cannot be opened: {error}",
                hint="check records.database in agent.yaml",
            ) from error

    def close(self) -> None:
        """Close the database's connections."""
        self._engine.dispose()

    def write(self, story: dict[str, Any]) -> None:
        """Insert or replace a story in its JSON form. Raises AgentError; loses nothing else."""
        row = {
            key: story[key] for key in ("id", "channel", "caller", "started", "ended", "outcome")
        }
        row["story"] = json.dumps(story, ensure_ascii=False)
        try:
            with self._engine.begin() as connection:
                connection.execute(sql.delete(_calls).where(_calls.c.id == story["id"]))
                connection.execute(sql.insert(_calls).values(row))
        except sql.exc.SQLAlchemyError as error:
            raise AgentError(f"the call log could not be written: {error}") from error

    def show(self, call_id: str) -> dict[str, Any] | None:
        """One call, by its id or by the beginning of it if that is unique; None if unknown."""
        query = sql.select(_calls.c.story).where(_calls.c.id.startswith(call_id, autoescape=True))
        with self._engine.connect() as connection:
            rows = connection.execute(query.limit(2)).all()
        return json.loads(rows[0][0]) if len(rows) == 1 else None

    def latest(self, limit: int = 20) -> list[dict[str, Any]]:
        """The newest calls, newest first."""
        query = sql.select(_calls.c.story).order_by(_calls.c.started.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [json.loads(row[0]) for row in connection.execute(query)]
