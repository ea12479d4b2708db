"""What many calls say together: how they ended, when, why, and how long callers waited."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sql

from asterisk_agent.records import schema
from asterisk_agent.records.writing import from_ms, to_ms

GROUPS = ("resolved", "handed over", "voicemail", "abandoned", "other")
_GROUP_OF = {
    "resolved": "resolved",
    "answered": "handed over",
    "voicemail": "voicemail",
    "message": "voicemail",
    "abandoned": "abandoned",
    "no_input": "abandoned",
}
_QUARTER_MS = 15 * 60 * 1000
_HOUR_MS = 4 * _QUARTER_MS

Chosen = Sequence[sql.ColumnElement[bool]]


def group_of(outcome: str | None) -> str:
    """One of ``GROUPS`` for an outcome of the log's."""
    return _GROUP_OF.get(outcome or "", "other")


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of ``count`` lengths in seconds; each the upper end of the 20 ms in which it lies."""

    count: int = 0
    p50: float | None = None
    p95: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a caller asked and the documents don't say. ``id`` is the call's."""

    text: str
    id: str
    channel: str
    started: str


def _counters() -> defaultdict[Any, Counter[str]]:
    return defaultdict(Counter)


@dataclass(slots=True)
class Insights:
    """Calls counted by ``GROUPS`` and more. Hours (0 to 23) and days (ISO dates) are local."""

    since: str
    until: str
    calls: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    by_hour: defaultdict[int, Counter[str]] = field(default_factory=_counters)
    by_day: defaultdict[str, Counter[str]] = field(default_factory=_counters)
    by_channel: defaultdict[str, Counter[str]] = field(default_factory=_counters)
    by_reason: defaultdict[str, Counter[str]] = field(default_factory=_counters)
    answer_delay: Percentiles = field(default_factory=Percentiles)
    team_wait: dict[str, Percentiles] = field(default_factory=dict)
    """How long callers waited for each team, those who gave up included."""


def insights(
    connection: sql.Connection,
    since: datetime,
    until: datetime,
    channel: str | None,
    zone: ZoneInfo,
) -> Insights:
    """Count the calls that began between two instants."""
    began = schema.calls.c.started
    chosen = _chosen(began, since, until, channel)
    found = Insights(since.astimezone(UTC).isoformat(), until.astimezone(UTC).isoformat())
    _count_times(found, connection, chosen, zone)
    # Not the column itself: the index that has these columns in order is the quicker one here.
    _count_ends(found, connection, _chosen(began + 0, since, until, channel))
    found.answer_delay = _delays(connection, since, until, channel)
    found.team_wait = _waits(connection, chosen)
    return found


def _chosen(
    started: sql.ColumnElement[int], since: datetime, until: datetime, channel: str | None
) -> Chosen:
    between = [started >= to_ms(since), started < to_ms(until)]
    return [*between, schema.calls.c.channel == channel] if channel else between


def unanswered(
    connection: sql.Connection, since: datetime, channel: str | None, limit: int
) -> list[Question]:
    """What callers asked and the documents don't say, the newest first."""
    calls, answer, asked = schema.calls.c, schema.turns.alias("answer"), schema.turns.alias("asked")
    query = (
        sql.select(asked.c.text, calls.id, calls.channel, calls.started)
        .select_from(schema.calls)
        # Not the column itself: so the newest calls come first, and few have to be looked at.
        .join(answer, answer.c.call == calls.n + 0)
        .join(asked, sql.and_(asked.c.call == calls.n, asked.c.place == answer.c.place - 1))
        .where(calls.started >= to_ms(since), answer.c.unanswered, asked.c.who == "caller")
        .where(asked.c.text != "")
        .order_by(calls.started.desc(), asked.c.place.desc())
        .limit(limit)
    )
    if channel:
        query = query.where(calls.channel == channel)
    return [
        Question(text, id_, of, from_ms(started) or "")
        for text, id_, of, started in connection.execute(query)
    ]


def _count_times(
    found: Insights, connection: sql.Connection, chosen: Chosen, zone: ZoneInfo
) -> None:
    calls = schema.calls.c
    since = datetime.fromisoformat(found.since).astimezone(zone)
    # Offsets of time zones are whole quarters of an hour, and mostly whole hours.
    length_ms = _QUARTER_MS if _minutes_off(since) else _HOUR_MS
    slot = calls.started // sql.literal_column(str(length_ms), sql.BigInteger)
    columns = (slot.label("slot"), calls.outcome)
    query = sql.select(*columns, sql.func.count()).where(*chosen).group_by(*columns)
    places: dict[int, tuple[Counter[str], Counter[str]]] = {}
    for at, outcome, count in connection.execute(query).all():
        if at not in places:
            local = datetime.fromtimestamp(at * length_ms / 1000, zone)
            places[at] = found.by_hour[local.hour], found.by_day[f"{local:%Y-%m-%d}"]
        group = group_of(outcome)
        for counts in places[at]:
            counts[group] += count


def _minutes_off(moment: datetime) -> bool:
    offset = moment.utcoffset()
    return offset is None or offset.total_seconds() % 3600 != 0


def _count_ends(found: Insights, connection: sql.Connection, chosen: Chosen) -> None:
    calls = schema.calls.c
    columns = (calls.channel, calls.outcome, calls.reason)
    query = sql.select(*columns, sql.func.count()).where(*chosen).group_by(*columns)
    for channel, outcome, reason, count in connection.execute(query):
        group, why = group_of(outcome), reason or "-"
        found.calls += count
        found.outcomes[group] += count
        found.by_channel[channel][group] += count
        found.by_reason[why][group] += count


def _delays(
    connection: sql.Connection, since: datetime, until: datetime, channel: str | None
) -> Percentiles:
    turns = schema.turns.c
    query = (
        sql.select(turns.delay, sql.func.count())
        # Not the columns themselves: the index that has the delays in order is the quicker one.
        .where(turns.delay.is_not(None), turns.started + 0 >= to_ms(since))
        .where(turns.started + 0 < to_ms(until))
        .group_by(turns.delay)
    )
    if channel:
        query = query.where(turns.channel == channel)
    counts = {int(at): int(count) for at, count in connection.execute(query)}
    return percentiles(counts, schema.DELAY_STEP_MS)


def _waits(connection: sql.Connection, chosen: Chosen) -> dict[str, Percentiles]:
    attempts = schema.attempts.c
    second = attempts.waited_ms // sql.literal_column("1000", sql.BigInteger)
    query = (
        sql.select(attempts.team, second.label("second"), sql.func.count())
        .select_from(schema.calls)
        .join(schema.attempts, attempts.call == schema.calls.c.n)
        .where(*chosen, attempts.waited_ms.is_not(None))
        .group_by(attempts.team, second)
    )
    teams: dict[str, dict[int, int]] = {}
    for team, at, count in connection.execute(query):
        teams.setdefault(team, {})[int(at)] = int(count)
    return {team: percentiles(counts, 1000) for team, counts in sorted(teams.items())}


def percentiles(counts: Mapping[int, int], step_ms: int) -> Percentiles:
    """Of lengths counted by the step (of ``step_ms``) in which they lie."""
    total = sum(counts.values())
    if not total:
        return Percentiles()

    def at(share: float) -> float:
        seen = 0
        for step in sorted(counts):
            seen += counts[step]
            if seen >= share * total:
                return (step + 1) * step_ms / 1000
        raise AssertionError("the shares end at 1")

    return Percentiles(total, at(0.5), at(0.95), at(1.0))


def as_json(found: Insights) -> dict[str, Any]:
    """The form that ``asterisk-agent stats --json`` prints."""
    plain = {key: getattr(found, key) for key in ("since", "until", "calls", "outcomes")}
    for key in ("by_hour", "by_day", "by_channel", "by_reason"):
        counters: Mapping[Any, Counter[str]] = getattr(found, key)
        plain[key] = {name: dict(counters[name]) for name in sorted(counters)}
    plain["answer_delay"] = asdict(found.answer_delay)
    plain["team_wait"] = {team: asdict(waited) for team, waited in found.team_wait.items()}
    return plain
