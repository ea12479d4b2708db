"""The call log: what goes in comes out, is found and counted, and a bad database says so."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from asterisk_agent.errors import AgentError
from asterisk_agent.records import (
    Attempt,
    CallFilter,
    CallLog,
    Delays,
    Event,
    Step,
    Story,
    TurnRecord,
)
from asterisk_agent.records.insights import percentiles

BEGAN = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)


def story(number=1):
    return Story(
        "support", "+1555", "open", BEGAN.replace(minute=number), "1.1", UUID(int=number << 64)
    )


@pytest.fixture
def log(tmp_path):
    log = CallLog(f"sqlite:///{tmp_path}/deep/calls.db", timezone="America/New_York")
    yield log
    log.close()


def full_story():
    told = story()
    told.answered = told.ended = BEGAN + timedelta(minutes=5)
    told.outcome, told.reason, told.team, told.picked_up_by = "answered", "person", "b", "PJSIP/1"
    told.turns.append(TurnRecord("caller", "How much is a visit?", 1.0, 1.25, confidence=0.5))
    said = TurnRecord("agent", "It's $89.", 3.5, 2.0, {"file": "a.md", "heading": "Price"})
    said.action, said.delay_ms, said.interrupted = "answer", Delays(total=812.5), True
    told.turns.append(said)
    told.path.append(Step("team:b", 4.0, "asked", "CONTINUE"))
    told.attempts.append(Attempt("b", 4.0, 7.5, "CONTINUE", "PJSIP/1"))
    told.events += [Event("barge_in", 4.5), Event("key", 4.75, "0")]
    told.message, told.tasks, told.brief = "Call me", ["call_back"], "A visit's price."
    told.agent_s, told.tokens, told.recording = 61.5, 120, "/var/lib/x.wav"
    return told


def test_a_story_comes_back_as_it_was(log):
    told = full_story()
    log.write(told.as_json())
    assert log.show(str(told.id)) == told.as_json()
    assert log.story(str(told.id)) == told.as_json()
    assert log.latest() == [told.as_json()]


def test_what_has_no_column_comes_back_too(log):
    told = full_story().as_json() | {"message_name": "Ann", "later": [1, {"a": None}]}
    told["turns"][0]["language"] = "en"
    log.write(told)
    assert log.story(told["id"]) == told


def test_writing_again_replaces(log):
    told = full_story()
    log.write(told.as_json())
    told.outcome, told.turns[0].text, told.brief = "resolved", "What's open?", None
    log.write(told.as_json())
    assert log.latest() == [told.as_json()]
    assert log.search(CallFilter(search="visit")).total == 0
    assert log.search(CallFilter(search="open")).total == 1


def test_the_newest_come_first(log):
    for number in (1, 3, 2):
        log.write(story(number).as_json())
    minutes = [call["started"][14:16] for call in log.latest(2)]
    assert minutes == ["03", "02"]
    page = log.search(page=2, size=2)
    assert ([row.started[14:16] for row in page.rows], page.total, page.pages) == (["01"], 3, 2)


@pytest.mark.parametrize("wanted", ["", "%", "no-such"])
def test_only_one_clear_beginning_finds_a_call(log, wanted):
    log.write(story(1).as_json())
    log.write(story(2).as_json())
    assert log.show(wanted) is None


FILTERS = [
    ({"channel": "support"}, True),
    ({"channel": "sales"}, False),
    ({"outcome": "answered"}, True),
    ({"outcome": "resolved"}, False),
    ({"reason": "person", "team": "b"}, True),
    ({"team": "c"}, False),
    ({"caller": "1 555"}, True),
    ({"caller": "+155"}, False),
    ({"since": BEGAN + timedelta(minutes=1)}, True),
    ({"since": BEGAN + timedelta(minutes=2)}, False),
    ({"until": BEGAN + timedelta(minutes=1)}, False),
    ({"tasks": True, "recorded": True}, True),
    ({"search": "VISIT how"}, True),
    ({"search": "vis"}, True),
    ({"search": "visit resolved"}, False),
    ({"search": "call me"}, True),
    ({"search": "555"}, True),
    ({"search": "+1 (555)"}, True),
    ({"search": "556"}, False),
    ({"search": 'NOT "visit" OR * AND ('}, False),
    ({"search": "'; DROP TABLE calls; --"}, False),
    ({"search": "*%_"}, False),
]


@pytest.mark.parametrize(("wanted", "found"), FILTERS)
def test_calls_are_found_by_what_is_asked(log, wanted, found):
    log.write(full_story().as_json())
    assert log.search(CallFilter(**wanted)).total == found
    assert len(log.latest(filters=CallFilter(**wanted))) == found


def test_a_row_tells_the_whole_of_a_call_in_short(log):
    log.write(full_story().as_json())
    (row,) = log.search().rows
    assert (row.caller, row.seconds, row.turns, row.tasks) == ("+1555", 240.0, 2, ("call_back",))
    assert (row.team, row.picked_up_by, row.recorded) == ("b", "PJSIP/1", True)


def test_calls_are_counted_by_local_time_channel_and_reason(log):
    for number, outcome in ((1, "resolved"), (2, "answered"), (3, "abandoned"), (4, None)):
        told = full_story() if number == 1 else story(number)
        told.outcome = outcome
        log.write(told.as_json())
    early = story(5)
    early.started, early.channel = datetime(2026, 3, 2, 3, 0, tzinfo=UTC), "sales"
    log.write(early.as_json())
    seen = log.insights(BEGAN - timedelta(days=2), BEGAN + timedelta(days=1))
    assert seen.calls == 5
    assert seen.outcomes == {"resolved": 1, "handed over": 1, "abandoned": 1, "other": 2}
    assert {hour: counts.total() for hour, counts in seen.by_hour.items()} == {22: 1, 9: 4}
    assert {day: c.total() for day, c in seen.by_day.items()} == {"2026-03-01": 1, "2026-03-02": 4}
    assert seen.by_channel["sales"] == {"other": 1}
    assert seen.by_reason["person"] == {"resolved": 1}
    assert (seen.answer_delay.count, seen.answer_delay.p50) == (1, 0.82)
    assert seen.team_wait["b"].max == 8.0
    assert log.insights(BEGAN, BEGAN + timedelta(days=1), "sales").calls == 0


def test_hours_are_right_where_clocks_are_half_an_hour_off(tmp_path):
    log = CallLog(f"sqlite:///{tmp_path}/calls.db", timezone="Asia/Kolkata")
    log.write(story(1).as_json())  # 14:01 in UTC
    late = story(2)
    late.started = BEGAN + timedelta(minutes=45)
    log.write(late.as_json())
    seen = log.insights(BEGAN, BEGAN + timedelta(days=1))
    assert {hour: counts.total() for hour, counts in seen.by_hour.items()} == {19: 1, 20: 1}
    log.close()


def test_percentiles_are_the_upper_end_of_their_step():
    counts = {0: 50, 1: 45, 9: 5}
    found = percentiles(counts, 20)
    assert (found.count, found.p50, found.p95, found.max) == (100, 0.02, 0.04, 0.2)
    assert percentiles({}, 20).p50 is None


def test_what_the_documents_do_not_say_is_listed(log):
    told = full_story()
    told.turns[1].unanswered = True
    log.write(told.as_json())
    log.write(story(2).as_json())
    (question,) = log.unanswered(BEGAN)
    assert (question.text, question.id) == ("How much is a visit?", str(told.id))
    assert log.unanswered(BEGAN, "sales") == []
    assert log.unanswered(BEGAN + timedelta(hours=1)) == []


def test_the_state_of_the_log(log):
    assert (log.health().calls, log.health().oldest) == (0, None)
    log.write(story().as_json())
    state = log.health()
    assert (state.calls, state.oldest) == (1, "2026-03-02T14:01:00.000+00:00")
    assert state.bytes > 4096
    assert log.database.file.stat().st_mode & 0o777 == 0o640


def test_the_log_of_0_1_is_carried_over(tmp_path):
    told = full_story()
    early = story(2).as_json()
    for key in ("attempts", "events", "agent_s", "tokens", "brief", "recording"):
        del early[key]
    with closing(sqlite3.connect(tmp_path / "calls.db")) as old:
        old.execute(
            "CREATE TABLE calls (id VARCHAR(36) NOT NULL PRIMARY KEY, channel VARCHAR(64) NOT NULL,"
            " caller VARCHAR(128) NOT NULL, started VARCHAR(32) NOT NULL, ended VARCHAR(32),"
            " outcome VARCHAR(32), story TEXT NOT NULL)"
        )
        old.execute("CREATE INDEX ix_calls_channel ON calls (channel)")
        old.execute("CREATE INDEX ix_calls_started ON calls (started)")
        for number, kept in enumerate((told.as_json(), early)):
            row = (str(number), "support", "+1555", "", json.dumps(kept))
            old.execute("INSERT INTO calls VALUES (?, ?, ?, ?, NULL, NULL, ?)", row)
        old.commit()
    for _ in range(2):  # and once only
        log = CallLog(f"sqlite:///{tmp_path}/calls.db")
        assert log.search().total == 2
        assert log.show(str(told.id)) == told.as_json()
        assert log.search(CallFilter(search="visit")).total == 1
        log.close()


def test_a_log_of_a_newer_version_is_left_alone(log, tmp_path):
    with closing(sqlite3.connect(tmp_path / "deep/calls.db")) as other:
        other.execute("UPDATE log_version SET version = 99")
        other.commit()
    with pytest.raises(AgentError, match="newer version"):
        CallLog(f"sqlite:///{tmp_path}/deep/calls.db")


@pytest.mark.parametrize("url", ["sqlite:////proc/none/calls.db", "nothing://x"])
def test_a_database_that_cannot_be_opened_is_named(url):
    with pytest.raises(AgentError, match="cannot be opened"):
        CallLog(url)


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "calls.db").write_text("not a database" * 100)
    with pytest.raises(AgentError, match="cannot be opened: file is not a database"):
        CallLog(f"sqlite:///{tmp_path}/calls.db")


def test_a_database_that_cannot_be_written_raises_our_error(log, tmp_path):
    with closing(sqlite3.connect(tmp_path / "deep/calls.db")) as other:
        other.execute("DROP TABLE turns")
    with pytest.raises(AgentError, match="could not be written") as raised:
        log.write(full_story().as_json())
    assert "visit" not in str(raised.value)  # no words of a caller's in an error
