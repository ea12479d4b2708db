"""A call that two services tell becomes one in the log, in whatever order they tell it."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest

from asterisk_agent.records import CallFilter, CallLog, Story, TurnRecord
from asterisk_agent.records.joining import PART
from asterisk_agent.records.restoring import story_of

BEGAN = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
CALL = UUID(int=7)


def first():
    """The service that had the conversation, and was lost while the caller was in a queue."""
    told = Story("support", "+1555", "open", BEGAN, id=CALL, node="a")
    told.answered = BEGAN + timedelta(seconds=1)
    told.went("agent", "open", BEGAN)
    told.turns += [
        TurnRecord("agent", "Hello.", 1.0),
        TurnRecord("caller", "My boiler leaks.", 4.0),
    ]
    told.reason, told.team, told.agent_s, told.brief = "person", "support", 12.5, "My boiler leaks."
    told.left("person", BEGAN + timedelta(seconds=14))
    told.went("team:support", "asked", BEGAN + timedelta(seconds=14))
    return told


def then():
    """The one that was asked what is next, a minute later."""
    joined = BEGAN + timedelta(seconds=60)
    told = Story("support", "+1555", "open", joined, id=CALL, node="b", continues=True)
    told.went("team:backoffice", "nobody took the call", joined)
    told.picked_up("PJSIP/103", joined + timedelta(seconds=5))
    told.over("answered", joined + timedelta(seconds=40))
    return told


@pytest.fixture
def log(tmp_path):
    log = CallLog(f"sqlite:///{tmp_path}/calls.db")
    yield log
    log.close()


def late():
    """The first one again, started anew: it closes the call as it thinks right."""
    told = first()
    told.went("team:backoffice", "found there", BEGAN + timedelta(seconds=70))
    told.over("unknown", BEGAN + timedelta(seconds=90))
    return told


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_log_has_one_call_in_whatever_order(log, order):
    tellers = (first, then, late)
    for number in order:
        log.write(tellers[number]().as_json())
        log.write(tellers[number]().as_json())  # telling again changes nothing
    (told,) = log.latest()
    assert [turn["text"] for turn in told["turns"]] == ["Hello.", "My boiler leaks."]
    ways = [(step["to"], step["at_s"]) for step in told["path"]]
    assert ways == [("agent", 0.0), ("team:support", 14.0), ("team:backoffice", 60.0)]
    assert [attempt["team"] for attempt in told["attempts"]] == ["support", "backoffice"]
    assert told["started"] == first().as_json()["started"]
    assert (told["outcome"], told["picked_up_by"], told["reason"]) == (
        "answered",
        "PJSIP/103",
        "person",
    )
    assert (told["agent_s"], told["node"], told["brief"]) == (12.5, "a, b", "My boiler leaks.")
    assert log.search(CallFilter(search="boiler")).total == 1


def test_who_has_read_both_tells_both(log):
    for told in (first(), then()):
        log.write(told.as_json())
    (read,) = log.latest()
    again = story_of(read, "1.1")
    again.went("voicemail:support", "nobody there", BEGAN + timedelta(seconds=120))
    log.write(again.as_json())
    assert log.latest() == [again.as_json()]
    assert [step.to for step in again.path][2:] == ["team:backoffice", "voicemail:support"]


def test_minutes_of_both_count_once(log):
    log.write(first().as_json())
    for agent_s in (10.0, 20.0):
        told = then()
        told.agent_s, told.tokens = agent_s, 5
        log.write(told.as_json())
    assert log.usage("support", "2026-03").minutes == pytest.approx(32.5 / 60)
    assert log.latest()[0]["tokens"] == 5


def test_a_call_of_one_service_is_written_as_it_is_told(log):
    log.write(then().as_json())
    assert log.latest() == [then().as_json()]
    log.write(first().as_json() | {"id": str(UUID(int=8))})
    assert all(PART not in told for told in log.latest())
