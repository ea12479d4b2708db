"""The way into the call log: locked, read-only, full or gone, nothing is lost that can be kept."""

import json
import os
import resource
import sqlite3
from contextlib import closing, contextmanager
from uuid import UUID

import pytest
from test_records import story

from asterisk_agent.errors import AgentError
from asterisk_agent.records import Recorder, recorder

NOBODY = 65534


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/log/calls.db"


@pytest.fixture
def desk(url, tmp_path):
    desk = Recorder(url, tmp_path / "wait" / "waiting.jsonl", busy_s=0.05)
    yield desk
    desk.close()


@contextmanager
def locked(file):
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(size):
    """No file may grow beyond so many bytes: to a program, a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def read_only(folder):
    """The folder and its files may be read, and nothing else; also where the tests run as root."""
    places = [*folder.parents[:2], folder, *folder.iterdir()]
    before = {place: place.stat().st_mode for place in places}
    folder.chmod(0o555)
    for place in folder.iterdir():
        place.chmod(0o444)
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and parent.name.startswith("pytest"):
            parent.chmod(0o755)
    folder.parent.chmod(0o755)
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        for place, mode in before.items():
            if place.exists():
                place.chmod(mode)


def put(desk, *numbers):
    for number in numbers:
        desk.put(story(number).as_json())


def ids(desk):
    return sorted(UUID(row.id).int >> 64 for row in desk.open().search().rows)


def test_what_is_put_is_written(desk):
    put(desk, 1, 2)
    assert (desk.health.waiting, desk.unwritten) == (2, True)
    desk.flush()
    assert (ids(desk), desk.unwritten, str(desk.health)) == ([1, 2], False, "ok")


def test_a_locked_log_gets_its_calls_when_the_lock_is_gone(desk, tmp_path, caplog):
    put(desk, 1)
    desk.flush()
    with locked(tmp_path / "log/calls.db"):
        for number in (2, 3):
            put(desk, number)
            desk.flush()
        health = desk.health
        assert (health.waiting, health.lost) == (0, 0)
        assert "locked" in health.problem
        assert health.in_file > 0
        (mode,) = {path.stat().st_mode & 0o777 for path in (tmp_path / "wait").iterdir()}
        assert mode == 0o600
    desk.flush()
    assert (ids(desk), desk.unwritten, str(desk.health)) == ([1, 2, 3], False, "ok")
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_later_form_of_a_call_wins_whatever_waited(desk, tmp_path):
    told = story(1)
    put(desk, 2)
    desk.flush()
    with locked(tmp_path / "log/calls.db"):
        desk.put(told.as_json())
        desk.flush()
        told.outcome = "resolved"
        desk.put(told.as_json())
    desk.flush()
    assert desk.open().story(str(told.id))["outcome"] == "resolved"


def test_a_full_disk_leaves_calls_in_the_file_and_then_in_memory(desk, tmp_path):
    put(desk, 1)
    desk.flush()
    room = len(json.dumps(story(2).as_json())) + 100
    with full(room):
        put(desk, 2, 3, 4)
        desk.flush()
        assert desk.health.problem
        assert desk.health.waiting == 2  # the file has room for one
        assert 0 < desk.health.in_file <= room
    desk.flush()
    assert (ids(desk), desk.unwritten) == ([1, 2, 3, 4], False)


def test_a_read_only_log_is_read_and_its_calls_wait(desk, url, tmp_path):
    put(desk, 1)
    desk.flush()
    desk.open().close()
    (tmp_path / "wait").mkdir()
    (tmp_path / "wait").chmod(0o777)
    with read_only(tmp_path / "log"):
        put(desk, 2)
        desk.flush()
        assert "readonly" in desk.health.problem
        assert (desk.health.waiting, desk.health.lost) == (0, 0)
        assert ids(desk) == [1]
    desk.open().close()
    desk.flush()
    assert ids(desk) == [1, 2]


def test_a_log_that_cannot_be_opened_yet_is_opened_when_it_can(tmp_path):
    (tmp_path / "log").write_text("in the way")
    desk = Recorder(f"sqlite:///{tmp_path}/log/calls.db", tmp_path / "waiting.jsonl")
    put(desk, 1)
    desk.flush()
    assert "cannot be opened" in desk.health.problem
    with pytest.raises(AgentError):
        desk.open()
    desk.close()
    again = Recorder(f"sqlite:///{tmp_path}/log/calls.db", tmp_path / "waiting.jsonl")
    (tmp_path / "log").unlink()
    again.flush()  # by the next service, too
    assert ids(again) == [1]
    again.close()


def test_memory_has_an_end(desk, monkeypatch):
    monkeypatch.setattr(recorder, "MOST_IN_MEMORY", 2)
    put(desk, 1, 2, 3)
    assert (desk.health.waiting, desk.health.lost) == (2, 1)
    desk.flush()
    assert ids(desk) == [2, 3]


def test_a_call_that_no_database_takes_keeps_no_other_waiting(desk, caplog):
    put(desk, 1)
    desk.put(story(2).as_json() | {"channel": None})
    put(desk, 3)
    desk.flush()
    assert (ids(desk), desk.health.lost, desk.unwritten) == ([1, 3], 1, False)
    assert "does not take" in caplog.text


def test_odd_characters_are_written(desk):
    told = story(1)
    told.caller = "+1\udce9\0"
    desk.put(told.as_json())
    desk.flush()
    assert desk.open().story(str(told.id))["caller"] == "+1?"


def test_half_a_line_in_the_file_is_left_out(desk, tmp_path):
    waiting = tmp_path / "wait" / "waiting.jsonl"
    recorder.append(waiting, story(1).as_json())
    with waiting.open("ab") as file:
        file.write(b'{"id": "torn off')
    desk.flush()
    assert (ids(desk), recorder.size_of(waiting)) == ([1], 0)
