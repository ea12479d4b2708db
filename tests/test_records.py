"""The call log: what goes in comes out, and a bad database says so."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from uuid import UUID

import pytest

from asterisk_agent.errors import AgentError
from asterisk_agent.records import CallLog, Delays, Step, Story, TurnRecord

BEGAN = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)


def story(number=1):
    return Story(
        "support", "+1555", "open", BEGAN.replace(minute=number), "1.1", UUID(int=number << 64)
    )


@pytest.fixture
def log(tmp_path):
    log = CallLog(f"sqlite:///{tmp_path}/deep/calls.db")
    yield log
    log.close()


def test_a_story_comes_back_as_it_was(log):
    told = story()
    told.turns.append(TurnRecord("agent", "It's $89.", 1.5, 2.0, delay_ms=Delays(total=800)))
    told.path.append(Step("team:support", 4.0, "asked"))
    log.write(told.as_json())
    assert log.show(str(told.id)) == told.as_json()
    assert told.as_json()["turns"][0]["delay_ms"]["total"] == 800


def test_writing_again_replaces(log):
    told = story()
    log.write(told.as_json())
    told.outcome = "resolved"
    log.write(told.as_json())
    assert [call["outcome"] for call in log.latest()] == ["resolved"]


def test_the_newest_come_first(log):
    for number in (1, 3, 2):
        log.write(story(number).as_json())
    minutes = [call["started"][14:16] for call in log.latest(2)]
    assert minutes == ["03", "02"]


@pytest.mark.parametrize("wanted", ["", "%", "no-such"])
def test_only_one_clear_beginning_finds_a_call(log, wanted):
    log.write(story(1).as_json())
    log.write(story(2).as_json())
    assert log.show(wanted) is None


@pytest.mark.parametrize("url", ["sqlite:////proc/none/calls.db", "nothing://x"])
def test_a_database_that_cannot_be_opened_is_named(url):
    with pytest.raises(AgentError, match="cannot be opened"):
        CallLog(url)


def test_a_database_that_cannot_be_written_raises_our_error(log, tmp_path):
    with closing(sqlite3.connect(tmp_path / "deep/calls.db")) as other:
        other.execute("DROP TABLE calls")
    with pytest.raises(AgentError, match="could not be written"):
        log.write(story().as_json())
