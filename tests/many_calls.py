"""A call log with many synthetic calls, made in seconds: what a year of a busy number leaves."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sql

from asterisk_agent.records import CallLog, schema
from asterisk_agent.records.writing import (
    call_row,
    part_rows,
    words_of,
    words_statement,
)

LAST = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
CHANNELS = ("support", "sales", "billing", "after-hours", "spare-parts")
TEAMS = ("support", "billing", "workshop")
ENDS = (
    ("resolved", "resolved", 55),
    ("answered", "person", 20),
    ("answered", "unanswered", 8),
    ("voicemail", "voicemail", 7),
    ("abandoned", "hangup", 8),
    ("no_input", "no_input", 2),
)
WORDS = """boiler leak invoice opening hours price visit plumber heating repair Monday cold
water drain pipe kitchen bathroom appointment engineer emergency warranty radiator"""
WORDS = WORDS.split()


def told(random_, began):
    """One call's story, in its JSON form."""
    (outcome, reason, _), *_ = random_.choices(ENDS, [share for *_, share in ENDS])
    turns, at_s = [], 0.0
    for index in range(random_.randint(1, 3)):
        asked = "what about the " + " ".join(random_.sample(WORDS, 4))
        turns.append({"who": "caller", "text": asked, "at_s": at_s, "heard_s": 2.0})
        delay = random_.lognormvariate(6.9, 0.4)
        turns.append(
            {
                "who": "agent",
                "text": "We look after every " + " ".join(random_.sample(WORDS, 8)) + ".",
                "at_s": at_s + 3,
                "heard_s": 4.5,
                "source": {"file": "company.md", "heading": random_.choice(WORDS)},
                "action": "answer",
                "delay_ms": {"end_of_turn": 500.0, "model": 80.0, "total": delay},
                "unanswered": reason == "unanswered" and index == 0,
            }
        )
        at_s += 8
    attempts = []
    if outcome in ("answered", "abandoned"):
        waited_s = random_.uniform(2, 60)
        team = random_.choice(TEAMS)
        attempts = [
            {
                "team": team,
                "at_s": at_s,
                "waited_s": waited_s,
                "result": "CONTINUE" if outcome == "answered" else "",
                "picked_up_by": "PJSIP/101" if outcome == "answered" else None,
            }
        ]
    ended = began + timedelta(seconds=at_s + 10)
    return {
        "id": str(UUID(int=random_.getrandbits(128))),
        "channel": random_.choice(CHANNELS),
        "caller": f"+1555{random_.randrange(20_000):07d}",
        "state": "open",
        "started": began.isoformat(),
        "answered": began.isoformat(),
        "ended": ended.isoformat(),
        "outcome": outcome,
        "reason": reason,
        "team": attempts[0]["team"] if attempts else None,
        "picked_up_by": attempts[0]["picked_up_by"] if attempts else None,
        "turns": turns,
        "path": [{"to": "agent", "at_s": 0.1, "because": "open", "result": reason}],
        "attempts": attempts,
        "events": [],
        "message": None,
        "tasks": ["call_back"] if outcome == "abandoned" else [],
        "agent_s": at_s,
        "tokens": 90,
        "brief": None,
        "recording": None,
    }


def fill(log: CallLog, count: int, *, days: int = 90, seed: int = 1) -> None:
    """Put ``count`` calls of the days before ``LAST`` into an empty log."""
    random_ = random.Random(seed)
    step = timedelta(days=days) / count
    with log.database.writing() as connection:
        for first in range(0, count, 5000):
            numbers = range(first + 1, min(first + 5000, count) + 1)
            stories = {n: told(random_, LAST - step * (count - n)) for n in numbers}
            rows = [{"n": n, **call_row(story)} for n, story in stories.items()]
            connection.execute(sql.insert(schema.calls), rows)
            for table in schema.PARTS:
                parts = [
                    row
                    for n, story in stories.items()
                    for of, found in part_rows(n, story)
                    if of is table
                    for row in found
                ]
                if parts:
                    connection.execute(sql.insert(table), parts)
            words = [{"n": n, "said": words_of(story)} for n, story in stories.items()]
            connection.execute(words_statement(connection), words)
