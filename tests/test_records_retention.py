"""Forgetting: by age and by caller, until nothing is left in the files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from test_records import BEGAN, story

from asterisk_agent.errors import AgentError
from asterisk_agent.records import CallFilter, CallLog, Event, Kept, TurnRecord

SECRET = "xylophonist"
NUMBER = "+4721987654"
KEPT = Kept(timedelta(days=90), timedelta(days=365), timedelta(days=30))


@pytest.fixture
def log(tmp_path):
    log = CallLog(f"sqlite:///{tmp_path}/calls.db", timezone="Europe/Oslo")
    yield log
    log.close()


def write(log, number=1, *, caller=NUMBER, age_days=0, said=SECRET, recording=None):
    told = story(number)
    told.caller, told.started = caller, BEGAN - timedelta(days=age_days)
    told.outcome, told.agent_s, told.tokens = "resolved", 90.0, 7
    told.message = f"{said} calls back"
    told.turns.append(TurnRecord("caller", f"I am a {said}", 1.0))
    told.events.append(Event("key", 2.0, "5"))
    told.recording = recording
    log.write(told.as_json())
    return str(told.id)


def bytes_of(tmp_path: Path) -> bytes:
    return b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name != "kept")


def test_old_words_are_gone_from_the_files_and_the_call_stays(log, tmp_path):
    old = write(log, 1, age_days=91)
    new = write(log, 2, caller="+1777", said="organist")
    assert SECRET.encode() in bytes_of(tmp_path)
    done = log.sweep(BEGAN, KEPT)
    assert (done.transcripts, done.recordings, done.calls) == (1, 0, 0)
    left = log.story(old)
    assert (left["caller"], left["message"], left["outcome"]) == ("", None, "resolved")
    assert [turn["text"] for turn in left["turns"]] == [""]
    assert log.story(new)["turns"][0]["text"] == "I am a organist"
    assert log.search(CallFilter(search=SECRET)).total == 0
    assert log.search(CallFilter(search="organist")).total == 1
    for trace in (SECRET, NUMBER, NUMBER[1:]):
        assert trace.encode() not in bytes_of(tmp_path)
    assert not log.sweep(BEGAN, KEPT)


def test_recordings_have_a_time_of_their_own(log, tmp_path):
    file = tmp_path / "kept"
    file.write_bytes(b"sound")
    call = write(log, age_days=31, recording=str(file))
    assert log.sweep(BEGAN, KEPT).recordings == 1
    assert not file.exists()
    assert log.story(call)["recording"] is None
    assert log.story(call)["turns"][0]["text"]


def test_recordings_go_at_once_when_none_are_to_be_kept(log, tmp_path):
    write(log, recording=str(tmp_path / "was never there"))
    assert log.sweep(BEGAN, Kept(KEPT.transcripts, KEPT.calls, None)).recordings == 1


def test_a_call_that_is_gone_still_counts_in_its_month(log):
    call = write(log, age_days=366)
    month = log.month(BEGAN - timedelta(days=366))
    before = log.usage("support", month)
    assert (before.calls, before.minutes, before.tokens) == (1, 1.5, 7)
    assert log.sweep(BEGAN, KEPT).calls == 1
    assert log.story(call) is None
    assert log.usage("support", month) == before


def test_one_caller_is_exported_and_erased(log, tmp_path):
    file = tmp_path / "kept"
    file.write_bytes(b"sound")
    write(log, 1, recording=str(file))
    write(log, 2, age_days=3)
    other = write(log, 3, caller="+47219876540", said="organist")
    exported = log.export(NUMBER)
    assert [call["turns"][0]["text"] for call in exported] == [f"I am a {SECRET}"] * 2
    assert exported[0]["started"] < exported[1]["started"]
    assert log.erase("47 21 98 76 54") == 2
    assert log.export(NUMBER) == []
    assert log.erase(NUMBER) == 0
    assert not file.exists()
    assert log.story(other) is not None
    assert SECRET.encode() not in bytes_of(tmp_path)
    assert log.usage("support", "2026-03").calls + log.usage("support", "2026-02").calls == 3


@pytest.mark.parametrize("caller", ["", "anonymous", "%"])
def test_nobody_is_erased_by_no_number(log, caller):
    write(log, caller="")
    with pytest.raises(AgentError, match="no number"):
        log.erase(caller)
    with pytest.raises(AgentError, match="no number"):
        log.export(caller)


def test_the_month_is_the_zones(log):
    assert log.month(datetime(2026, 2, 28, 23, 30, tzinfo=UTC)) == "2026-03"
