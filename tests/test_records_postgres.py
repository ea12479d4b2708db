"""The same call log in a real PostgreSQL, run from a folder as nobody in particular."""

import os
import secrets
import shutil
import subprocess
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
import test_records
from many_calls import LAST, fill
from test_records import BEGAN, FILTERS, full_story, story

from asterisk_agent.records import CallFilter, CallLog, Kept, Recorder
from asterisk_agent.sandbox.processes import free_port
from asterisk_agent.sandbox.system import postgres_programs


@pytest.fixture(scope="module")
def server():
    """The URL of a database in a server that lives as long as these tests."""
    programs = postgres_programs()
    assert programs is not None, "no PostgreSQL on this machine; scripts/setup installs it"
    folder = Path(tempfile.mkdtemp(prefix="calls-"))
    who = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
    if who:
        shutil.chown(folder, **who)
    data, port, password = folder / "data", free_port(), secrets.token_hex(8)
    (folder / "password").write_text(password)

    def run(*words):
        done = subprocess.run(
            words, capture_output=True, text=True, cwd=folder, timeout=60, check=False, **who
        )
        assert done.returncode == 0, done.stderr

    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    try:
        (folder / "password").chmod(0o644)
        run(
            *(programs / "initdb", "-D", data, "-U", "calls", "-E", "UTF8", "--locale=C"),
            *("-A", "scram-sha-256", "--pwfile", folder / "password"),
        )
        control = (programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w")
        run(*control, "-o", options, "start")
        try:
            yield f"postgresql://calls:{password}@127.0.0.1:{port}/postgres"
        finally:
            run(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


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
