"""A story in its JSON form ↔ rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sql

from asterisk_agent.records import schema

_LISTS = ("turns", "path", "attempts", "events", "tasks")
_COLUMNS = {"id", "channel", "caller", "state", "started", "answered", "ended", "outcome"} | {
    *("reason", "team", "picked_up_by", "agent_s", "tokens", "recording", *_LISTS)
}
_TURN = {"who", "text", "at_s", "heard_s", "source", "action", "confidence"} | {
    *("interrupted", "unanswered", "delay_ms")
}


def alone_with(connection: sql.Connection, call_id: str) -> None:
    """Keep other services from writing the same call meanwhile; SQLite's transaction does that."""
    if connection.dialect.name == "postgresql":
        lock = sql.text("SELECT pg_advisory_xact_lock(4573, hashtext(:id))")
        connection.execute(lock, {"id": call_id})


def insert(connection: sql.Connection, story: Mapping[str, Any]) -> int:
    """Write a story, in the place of an earlier form of it; return its number."""
    story = _clean(story)
    known = sql.select(schema.calls.c.n).where(schema.calls.c.id == story["id"])
    number = connection.execute(known).scalar()
    row = call_row(story)
    if number is None:
        adding = sql.insert(schema.calls).values(row).returning(schema.calls.c.n)
        number = connection.execute(adding).scalar_one()
    else:
        remove_parts(connection, [number])
        update = sql.update(schema.calls).where(schema.calls.c.n == number)
        connection.execute(update.values(row))
    for table, rows in part_rows(number, story):
        if rows:
            connection.execute(sql.insert(table), rows)
    connection.execute(words_statement(connection), {"n": number, "said": words_of(story)})
    return int(number)


def _clean(value: Any) -> Any:
    """The same without what no database stores: halves of characters, and zero characters."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "")
    if isinstance(value, Mapping):
        return {key: _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list | tuple) else value


def remove_parts(connection: sql.Connection, numbers: Iterable[int]) -> None:
    """Delete what belongs to these calls, their words for searching too."""
    rows = [{"n": number} for number in numbers]
    if not rows:
        return
    for table in schema.PARTS:
        connection.execute(sql.delete(table).where(table.c.call == sql.bindparam("n")), rows)
    remove_words(connection, rows)


def remove_words(connection: sql.Connection, rows: list[dict[str, int]]) -> None:
    """Delete what is kept for searching of the calls ``{"n": number}``."""
    connection.execute(sql.text("DELETE FROM words WHERE rowid = :n"), rows)


def words_statement(connection: sql.Connection) -> sql.TextClause:
    """Insert ``:said`` for call ``:n``."""
    said = ":said" if connection.dialect.name == "sqlite" else "to_tsvector('simple', :said)"
    return sql.text(f"INSERT INTO words (rowid, said) VALUES (:n, {said})")  # noqa: S608


def words_of(story: Mapping[str, Any]) -> str:
    """What is found by searching: what was said, who called, and the message they left."""
    own = (story["caller"], story.get("message") or "", story.get("brief") or "")
    return "\n".join([*own, *(turn["text"] for turn in story["turns"])])


def call_row(story: Mapping[str, Any]) -> dict[str, Any]:
    """The row of ``calls``."""
    return {
        "id": story["id"],
        "channel": story["channel"],
        "caller": story["caller"],
        "number": digits_of(story["caller"]),
        "state": story["state"] or "",
        "started": to_ms(story["started"]),
        "answered": to_ms(story["answered"]),
        "ended": to_ms(story["ended"]),
        "outcome": story["outcome"],
        "reason": story["reason"],
        "team": story["team"],
        "picked_up_by": story["picked_up_by"],
        "tasks": " ".join(story.get("tasks", ())),
        "agent_ms": round(story.get("agent_s", 0.0) * 1000),
        "tokens": story.get("tokens", 0),
        "turns": len(story["turns"]),
        "said": True,
        "recording": story.get("recording"),
        "more": _json({key: story[key] for key in story if key not in _COLUMNS}),
    }


def part_rows(
    number: int, story: Mapping[str, Any]
) -> list[tuple[sql.Table, list[dict[str, Any]]]]:
    """The rows of the tables that belong to a call."""
    call = {"started": to_ms(story["started"]), "channel": story["channel"]}
    makers = (
        (schema.turns, "turns", lambda turn: _turn_row(turn) | call),
        (schema.steps, "path", _step_row),
        (schema.attempts, "attempts", _attempt_row),
        (schema.events, "events", _event_row),
    )
    return [
        (
            table,
            [
                {"call": number, "place": place, **make(part)}
                for place, part in enumerate(story.get(key, ()))
            ],
        )
        for table, key, make in makers
    ]


def _turn_row(turn: Mapping[str, Any]) -> dict[str, Any]:
    source, delays = turn.get("source") or {}, turn.get("delay_ms")
    return {
        "who": turn["who"],
        "text": turn["text"],
        "at_ms": _ms(turn["at_s"]),
        "heard_ms": _ms(turn["heard_s"]),
        "file": source.get("file"),
        "heading": source.get("heading"),
        "action": turn.get("action"),
        "confidence": turn.get("confidence"),
        "interrupted": turn.get("interrupted", False),
        "unanswered": turn.get("unanswered", False),
        "delay": int(delays["total"] // schema.DELAY_STEP_MS) if delays else None,
        "stages": _json(delays) if delays else None,
        "more": _json({key: turn[key] for key in turn if key not in _TURN}),
    }


def _step_row(step: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "destination": step["to"],
        "at_ms": _ms(step["at_s"]),
        "because": step["because"],
        "result": step["result"],
    }


def _attempt_row(attempt: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "team": attempt["team"],
        "at_ms": _ms(attempt["at_s"]),
        "waited_ms": None if attempt["waited_s"] is None else _ms(attempt["waited_s"]),
        "result": attempt["result"],
        "picked_up_by": attempt["picked_up_by"],
    }


def _event_row(event: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": event["kind"], "at_ms": _ms(event["at_s"]), "detail": event["detail"]}


def digits_of(caller: str) -> str:
    """The digits of a number, however it is written; 32 at most."""
    return "".join(letter for letter in caller if letter.isascii() and letter.isdigit())[:32]


def to_ms(moment: str | datetime | None) -> int | None:
    """An instant, or its ISO form, as milliseconds since 1970."""
    if moment is None:
        return None
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return round(moment.timestamp() * 1000)


def from_ms(milliseconds: int | None) -> str | None:
    """Milliseconds since 1970 in ISO form, in UTC."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
