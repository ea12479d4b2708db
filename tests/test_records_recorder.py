"""The way into the call log: locked, read-only, full or gone, nothing is lost that can be kept."""

import errno
import json
import os
import resource
import sqlite3
from contextlib import closing, contextmanager
from uuid import UUID

import pytest
from test_records import story

from asterisk_agent.errors import AgentError
from asterisk_agent.records import WAITING_ROOM, Recorder, database, recorder

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


@contextmanager
def unusable(monkeypatch, error=errno.EROFS):
    """The waiting file cannot be opened for writing."""
    real = os.open

    def refuses(path, *more, **kept):
        if str(path).endswith(("/waiting.jsonl", WAITING_ROOM)):
            raise OSError(error, os.strerror(error))
        return real(path, *more, **kept)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuses)
        yield


def test_a_waiting_file_that_cannot_be_used_holds_up_no_new_call(desk, tmp_path, monkeypatch):
    told = story(1)
    with locked_from_the_start(desk, tmp_path):
        desk.put(told.as_json())
        put(desk, 2)
        desk.flush()
    told.outcome = "resolved"
    with unusable(monkeypatch):
        desk.put(told.as_json())
        put(desk, 3)
        desk.flush()
        assert ids(desk) == [1, 3]
        assert "Read-only file system; 2 calls wait in a file" in str(desk.health)
    desk.flush()
    assert (ids(desk), str(desk.health)) == ([1, 2, 3], "ok")
    assert desk.open().story(str(told.id))["outcome"] == "resolved"  # not its earlier form


@contextmanager
def locked_from_the_start(desk, tmp_path):
    desk.open()
    with locked(tmp_path / "log/calls.db"):
        yield


def test_calls_that_can_be_kept_nowhere_are_told_of_at_the_end(desk, tmp_path, monkeypatch, caplog):
    with locked_from_the_start(desk, tmp_path), unusable(monkeypatch):
        put(desk, 1, 2)
        desk.close()
    assert desk.health.lost == 2
    assert "2 calls could not be kept" in caplog.text


def test_a_call_that_is_put_twice_waits_once(desk, tmp_path, monkeypatch):
    told = story(1)
    with locked_from_the_start(desk, tmp_path):
        for outcome in (None, "resolved"):
            told.outcome = outcome
            desk.put(told.as_json())
            assert desk.health.waiting == 1
            desk.flush()
            assert str(desk.health).endswith("locked; 1 call waits in a file")
        with unusable(monkeypatch):
            put(desk, 1, 2)
            desk.flush()
            assert str(desk.health).endswith("locked; 2 calls wait in memory")
    desk.flush()
    assert ids(desk) == [1, 2]


def test_what_is_put_aside_outlives_the_process(desk, url, tmp_path):
    put(desk, 1)
    desk.put_aside()
    assert (desk.health.waiting, desk.health.filed) == (0, 1)
    with closing(Recorder(url, tmp_path / "wait" / "waiting.jsonl")) as next_:
        next_.flush()
        assert ids(next_) == [1]


def test_what_the_service_before_us_left_is_counted_while_the_log_is_away(desk, url, tmp_path):
    put(desk, 1, 2)
    desk.put_aside()
    (tmp_path / "log").write_text("in the way")
    with closing(Recorder(url, tmp_path / "wait" / "waiting.jsonl")) as next_:
        next_.flush()
        assert next_.health.filed == 2


def test_a_read_only_log_is_noticed_before_a_call_ends(desk, tmp_path):
    desk.flush()
    assert str(desk.health) == "ok"
    desk.open().close()
    with read_only(tmp_path / "log"):
        desk.flush()
        assert "readonly" in str(desk.health)
    desk.flush()
    assert str(desk.health) == "ok"


def test_a_full_disk_is_called_that(desk, tmp_path, monkeypatch):
    put(desk, 1)
    desk.flush()
    monkeypatch.setattr(database, "FULL_BYTES", float("inf"))
    with full(100):
        put(desk, 2)
        desk.flush()
    room = f"the disk is full, make room on it: {tmp_path / 'log'}; 1 call waits in memory"
    assert str(desk.health) == f"the call log could not be written: {room}"
    with locked(tmp_path / "log/calls.db"):
        desk.flush()
        assert "locked" in str(desk.health)


DAMAGED = ('{"id": "x"}', '{"id": "y", "turns": 5}', '{"id": "z", "a": ' + "[" * 100_000)


def test_a_line_that_is_no_story_keeps_nobody_waiting(desk, tmp_path, caplog):
    put(desk, 1)
    waiting = tmp_path / "wait" / "waiting.jsonl"
    waiting.parent.mkdir()
    good = json.dumps(story(2).as_json(), default=str)
    waiting.write_text("\n".join([*DAMAGED, good, "not JSON"]) + "\n", encoding="utf-8")
    desk.flush()
    assert (ids(desk), desk.unwritten, desk.health.lost) == ([1, 2], False, 2)
    assert "is no story" in caplog.text
