import fcntl
import json
import os
import sys
from pathlib import Path

import pytest

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.pbx_state import (
    STATE_FILE,
    Standing,
    base_directory,
    clear,
    exclusive,
    recall,
    state_directory,
    strays,
)
from asterisk_agent.sandbox.processes import Child, ProcessId, spawn

SLEEP = "import time; time.sleep(60)"


def sleeper(tmp_path: Path, *arguments: str) -> Child:
    command = [sys.executable, "-c", SLEEP, *arguments]
    return spawn(command, log=tmp_path / "log", leashed=True)


def write(tmp_path: Path, *processes: ProcessId) -> None:
    written = [{"pid": process.pid, "began": process.began} for process in processes]
    info = {"asterisk_pid": processes[-1].pid, "service_pid": None}
    (tmp_path / STATE_FILE).write_text(json.dumps({"info": info, "processes": written}))


def test_where_pbxs_are(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert base_directory() == tmp_path / "asterisk-agent/pbx"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert state_directory("default") == tmp_path / "asterisk-agent/pbx/default"


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b"])
def test_a_name_is_a_plain_word(name):
    with pytest.raises(SandboxError, match="not a name for a PBX"):
        state_directory(name)


def test_tells_the_living_from_the_dead(tmp_path):
    child = sleeper(tmp_path)
    write(tmp_path, ProcessId.of(os.getpid()), child.identity)
    assert recall(tmp_path).is_up
    child.stop()
    standing = recall(tmp_path)
    assert not standing.is_up
    assert not standing.status()["asterisk_running"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"info": {}}', '{"processes": [{}], "info": 1}'])
def test_unreadable_state_is_no_state(tmp_path, text):
    (tmp_path / STATE_FILE).write_text(text)
    assert recall(tmp_path) is None


def test_no_state_is_not_up(tmp_path):
    assert recall(tmp_path) is None
    assert not Standing({"asterisk_pid": 1, "service_pid": None}, []).is_up


def test_clears_what_was_written_down_and_what_was_not(tmp_path):
    known = sleeper(tmp_path)
    unknown = sleeper(tmp_path, "-C", str(tmp_path / "asterisk/etc/asterisk.conf"))
    other = sleeper(tmp_path, "-C", str(tmp_path / "asterisk/etc/other.conf"))
    write(tmp_path, known.identity)
    # The leash replaces itself with the command a moment after it started.
    while not (found := strays(tmp_path)):
        pass
    assert found == [unknown.identity]
    clear(tmp_path, grace_s=2)
    assert (known.alive, unknown.alive, other.alive) == (False, False, True)
    assert recall(tmp_path) is None
    known.stop()
    unknown.stop()
    other.stop()


def test_one_at_a_time(tmp_path):
    with (
        exclusive(tmp_path),
        (tmp_path / ".lock").open("w") as second,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (tmp_path / ".lock").open("w") as second:
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
