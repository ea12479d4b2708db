"""What many calls say together, and what callers asked that the documents do not answer."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from asterisk_agent.errors import AgentError
from asterisk_agent.records import Insights, Question
from asterisk_agent.records.insights import GROUPS
from asterisk_agent.web import shown
from asterisk_agent.web.asked import Asked
from asterisk_agent.web.desk import Desk

PERIODS = {"7": "7 days", "30": "30 days", "90": "90 days"}
MOST_QUESTIONS = 400
MOST_GROUPS = 40
ALIKE = 0.5
SHORTEST_WORD, STEM = 4, 5


@dataclass(slots=True)
class Asking:
    """Questions that are probably one."""

    words: frozenset[str]
    questions: list[Question] = field(default_factory=list)


async def show(desk: Desk, asked: Asked) -> Response:
    """Figures, plots, and questions without an answer. Both are looked up at the same time."""
    period = asked.parameters.get("days", "")
    days = int(period if period in PERIODS else "30")
    labels = desk.labels()
    channel = asked.parameters.get("channel", "")
    channel = channel if channel in labels else ""
    until = desk.moment()
    since = _days_ago(until, days - 1, desk.zone)
    problem, found, asking = "", None, []
    try:
        log = await run_in_threadpool(desk.log)
        found, questions = await asyncio.gather(
            run_in_threadpool(log.insights, since, until, channel or None),
            run_in_threadpool(log.unanswered, since, channel or None, MOST_QUESTIONS),
        )
        asking = grouped(questions)[:MOST_GROUPS]
    except AgentError as error:
        problem = error.message
    return await run_in_threadpool(
        desk.page,
        asked, "insights.html", found=found, asking=asking, problem=problem, groups=GROUPS,
        periods=PERIODS, days=days, channel=channel, labels=labels,
        by_day=_by_day(found, since.date(), days) if found is not None else [],
        by_hour=_by_hour(found) if found is not None else [],
        named_channels=[(labels.get(name, name), counter) for name, counter in _most(
            found.by_channel)] if found is not None else [],
        named_reasons=[(shown.reason(name), counter) for name, counter in _most(
            found.by_reason)] if found is not None else [],
    )  # fmt: skip


def _days_ago(now: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The midnight with which that day began."""
    return datetime.combine(now.astimezone(zone).date() - timedelta(days=days), time(), zone)


def _by_day(found: Insights, first: date, days: int) -> list[tuple[str, dict[str, int]]]:
    dates = [first + timedelta(days=number) for number in range(days)]
    return [(f"{day.day} {day:%b}", dict(found.by_day.get(day.isoformat(), {}))) for day in dates]


def _by_hour(found: Insights) -> list[tuple[str, dict[str, int]]]:
    return [(f"{hour:02}", dict(found.by_hour.get(hour, {}))) for hour in range(24)]


def _most(counters: Mapping[str, Counter[str]]) -> list[tuple[str, Counter[str]]]:
    """The most frequent first."""
    return sorted(counters.items(), key=lambda item: -item[1].total())


def grouped(questions: Sequence[Question]) -> list[Asking]:
    """Questions that share half of their longer words belong together; most asked first."""
    groups: list[Asking] = []
    for question in questions:
        words = _words(question.text)
        best = max(groups, key=lambda group: _alike(group.words, words), default=None)
        if best is None or _alike(best.words, words) < ALIKE:
            groups.append(best := Asking(words))
        best.questions.append(question)
    return sorted(groups, key=lambda group: -len(group.questions))


def _words(text: str) -> frozenset[str]:
    found = [word[:STEM] for word in re.findall(r"\w+", text.lower())]
    longer = frozenset(word for word in found if len(word) >= SHORTEST_WORD)
    return longer or frozenset(found)


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 1.0
