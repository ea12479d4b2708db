"""What each channel used in a month: calls, the agent's minutes, the language model's tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sql

from asterisk_agent.records import schema
from asterisk_agent.records.writing import to_ms


@dataclass(frozen=True, slots=True)
class Usage:
    """One channel's month (``2026-03``). ``minutes`` are the agent's, which ceilings count."""

    channel: str
    month: str
    calls: int = 0
    minutes: float = 0.0
    tokens: int = 0


def month_of(moment: datetime, zone: ZoneInfo) -> str:
    """The month that an instant is in, there."""
    return f"{moment.astimezone(zone):%Y-%m}"


def bounds(month: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first instant of a month and of the next. Raises ValueError for what is no month."""
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
    year, number = divmod(first.year * 12 + first.month, 12)
    return first, first.replace(year=year, month=number + 1)


def used(connection: sql.Connection, month: str, zone: ZoneInfo) -> dict[str, Usage]:
    """The month of every channel that had a call in it."""
    calls, kept = schema.calls.c, schema.usage.c
    since, until = (to_ms(moment) for moment in bounds(month, zone))
    logged = (
        sql.select(
            calls.channel,
            sql.func.count(),
            sql.func.sum(calls.agent_ms),
            sql.func.sum(calls.tokens),
        )
        .where(calls.started >= since, calls.started < until)
        .group_by(calls.channel)
    )
    forgotten = sql.select(kept.channel, kept.calls, kept.agent_ms, kept.tokens).where(
        kept.month == month
    )
    found: dict[str, Usage] = {}
    for channel, count, agent_ms, tokens in [
        *connection.execute(logged),
        *connection.execute(forgotten),
    ]:
        before = found.get(channel, Usage(channel, month))
        found[channel] = Usage(
            channel,
            month,
            before.calls + int(count),
            before.minutes + int(agent_ms) / 60_000,
            before.tokens + int(tokens),
        )
    return found


def keep(connection: sql.Connection, used: Usage) -> None:
    """Add to what is kept of a month beside the calls in the log."""
    table, agent_ms = schema.usage, round(used.minutes * 60_000)
    column = table.c
    adding = (
        sql.update(table)
        .where(column.channel == used.channel, column.month == used.month)
        .values(
            calls=column.calls + used.calls,
            agent_ms=column.agent_ms + agent_ms,
            tokens=column.tokens + used.tokens,
        )
    )
    if connection.execute(adding).rowcount == 0:
        connection.execute(
            sql.insert(table).values(
                channel=used.channel,
                month=used.month,
                calls=used.calls,
                agent_ms=agent_ms,
                tokens=used.tokens,
            )
        )
