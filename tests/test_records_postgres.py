"""The same call log in a real PostgreSQL, run from a folder as nobody in particular."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import postgres
import pytest
import test_records
import test_records_joining
from many_calls import LAST, fill
from test_records import BEGAN, FILTERS, full_story, story

from asterisk_agent.records import CallFilter, CallLog, Kept, Recorder
from asterisk_agent.sandbox.processes import free_port


@pytest.fixture(scope="module")
def server():
    """The URL of a database in a server that lives as long as these tests."""
    with postgres.running() as url:
        yield url


@pytest.fixture
def log(server):
    log = CallLog(server, timezone="America/New_York")
    with log.database.writing() as connection:
        connection.exec_driver_sql("TRUNCATE calls, turns, steps, attempts, events, words, usage")
    yield log
    log.close()


@pytest.mark.parametrize(
    "test",
    [
        test_records.test_a_story_comes_back_as_it_was,
        test_records.test_what_has_no_column_comes_back_too,
        test_records.test_writing_again_replaces,
        test_records.test_the_newest_come_first,
        test_records.test_calls_are_counted_by_local_time_channel_and_reason,
        test_records.test_what_the_documents_do_not_say_is_listed,
    ],
)
def test_what_sqlite_does(test, log):
    test(log)


def test_calls_are_found_by_what_is_asked(log):
    log.write(full_story().as_json())
    found = [log.search(CallFilter(**wanted)).total == count for wanted, count in FILTERS]
    assert found == [True] * len(FILTERS)


def test_old_calls_are_forgotten(log):
    told = full_story()
    told.recording = None
    log.write(told.as_json())
    done = log.sweep(BEGAN + timedelta(days=2), Kept(timedelta(days=1), timedelta(days=9), None))
    assert (done.transcripts, done.calls) == (1, 0)
    assert log.search(CallFilter(search="visit")).total == 0
    assert log.story(str(told.id))["turns"][0]["text"] == ""
    done = log.sweep(BEGAN + timedelta(days=10), Kept(timedelta(days=1), timedelta(days=9), None))
    assert (done.calls, log.search().total) == (1, 0)
    assert log.usage("support", "2026-03").calls == 1


def test_many_calls_are_written_and_one_is_erased(log):
    fill(log, 300)
    caller = log.search().rows[0].caller
    known = len(log.export(caller))
    assert log.erase(caller) == known > 0
    assert log.export(caller) == []
    found = log.insights(LAST - timedelta(days=91), LAST + timedelta(days=1))
    assert found.calls == log.search().total == 300 - known


def test_a_server_that_only_reads_is_noticed_before_a_call_ends(server, tmp_path):
    for more, health in (
        ("", "ok"),
        ("?options=-c%20default_transaction_read_only=on", "read-only"),
    ):
        desk = Recorder(server + more, tmp_path / "waiting.jsonl")
        desk.flush()
        assert health in str(desk.health)
        desk.close()


def test_a_server_that_is_gone_leaves_calls_waiting(server, tmp_path):
    away = server.rpartition("@")[0] + f"@127.0.0.1:{free_port()}/postgres"
    desk = Recorder(away, tmp_path / "waiting.jsonl")
    desk.put(story(1).as_json())
    desk.flush()
    assert "cannot be opened" in desk.health.problem
    assert "calls:" not in desk.health.problem  # no password
    assert desk.health.in_file > 0
    desk.close()


def test_two_services_may_tell_one_call_at_the_same_moment(server, log):
    tellers = (test_records_joining.first, test_records_joining.then)
    logs = [CallLog(server), CallLog(server)]
    with ThreadPoolExecutor(2) as threads:
        for _ in range(20):
            told = zip(logs, tellers, strict=True)
            list(threads.map(lambda one: one[0].write(one[1]().as_json()), told))
            (call,) = log.latest()
            assert (call["node"], len(call["turns"]), len(call["path"])) == ("a, b", 2, 3)
            with log.database.writing() as connection:
                connection.exec_driver_sql("TRUNCATE calls, turns, steps, attempts, events, words")
    for one in logs:
        one.close()
