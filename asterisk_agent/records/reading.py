"""Rows → stories in their JSON form."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sql

from asterisk_agent.records import schema
from asterisk_agent.records.writing import from_ms


def stories(connection: sql.Connection, query: sql.Select[Any]) -> list[dict[str, Any]]:
    """The stories of the ``calls`` that the query selects, in its order."""
    rows = connection.execute(query).all()
    parts = {
        table.name: _parts(connection, table, [row.n for row in rows]) for table in schema.PARTS
    }
    return [_story(row, {name: found[row.n] for name, found in parts.items()}) for row in rows]


def _parts(
    connection: sql.Connection, table: sql.Table, numbers: Sequence[int]
) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for start in range(0, len(numbers), 500):  # SQLite allows so many variables at least
        some = table.c.call.in_(numbers[start : start + 500])
        for row in connection.execute(
            sql.select(table).where(some).order_by(table.c.call, table.c.place)
        ):
            found[row.call].append(row)
    return found


def _story(row: Any, parts: dict[str, list[Any]]) -> dict[str, Any]:
    return {
        "id": row.id,
        "channel": row.channel,
        "caller": row.caller,
        "state": row.state,
        "started": from_ms(row.started),
        "answered": from_ms(row.answered),
        "ended": from_ms(row.ended),
        "outcome": row.outcome,
        "reason": row.reason,
        "team": row.team,
        "picked_up_by": row.picked_up_by,
        "turns": [_turn(turn) for turn in parts["turns"]],
        "path": [
            {
                "to": step.destination,
                "at_s": step.at_ms / 1000,
                "because": step.because,
                "result": step.result,
            }
            for step in parts["steps"]
        ],
        "attempts": [
            {
                "team": attempt.team,
                "at_s": attempt.at_ms / 1000,
                "waited_s": None if attempt.waited_ms is None else attempt.waited_ms / 1000,
                "result": attempt.result,
                "picked_up_by": attempt.picked_up_by,
            }
            for attempt in parts["attempts"]
        ],
        "events": [
            {"kind": event.kind, "at_s": event.at_ms / 1000, "detail": event.detail}
            for event in parts["events"]
        ],
        "tasks": row.tasks.split(),
        "agent_s": row.agent_ms / 1000,
        "tokens": row.tokens,
        "recording": row.recording,
        **json.loads(row.more),
    }


def _turn(row: Any) -> dict[str, Any]:
    source = None if row.file is None else {"file": row.file, "heading": row.heading or ""}
    return {
        "who": row.who,
        "text": row.text,
        "at_s": row.at_ms / 1000,
        "heard_s": row.heard_ms / 1000,
        "source": source,
        "action": row.action,
        "delay_ms": None if row.stages is None else json.loads(row.stages),
        "confidence": row.confidence,
        "interrupted": row.interrupted,
        "unanswered": row.unanswered,
        **json.loads(row.more),
    }
