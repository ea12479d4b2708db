"""What a service says about itself, and what reads it."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from asterisk_agent import status
from asterisk_agent.config.load import load
from asterisk_agent.status import FILE_NAME, Status, read, restart_needed


def utc_now():
    return datetime.now(UTC)


EXAMPLE = Path(__file__).parent.parent / "etc"


def test_each_attempt_is_told(tmp_path):
    service = Status(tmp_path / "state", EXAMPLE, utc_now)
    assert read(tmp_path / "state") is None
    service.started()
    first = read(tmp_path / "state")
    assert (first.pid, first.reloads, first.problems) == (os.getpid(), 0, [])
    service.refused(["hours.yaml:3: wrong"])
    second = read(tmp_path / "state")
    assert (second.reloads, second.problems) == (1, ["hours.yaml:3: wrong"])
    assert second.loaded == first.loaded
    service.taken_over(["listen"], "ok")
    third = read(tmp_path / "state")
    assert (third.reloads, third.problems, third.restart_for) == (2, [], ["listen"])
    assert third.loaded > first.loaded
    service.stopped()
    assert read(tmp_path / "state") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "nonsense": 2}'])
def test_a_damaged_file_is_no_service(tmp_path, text):
    (tmp_path / FILE_NAME).write_text(text)
    assert read(tmp_path) is None


def test_the_pid_of_another_process_is_no_service(tmp_path):
    Status(tmp_path, EXAMPLE, utc_now).started()
    path = tmp_path / FILE_NAME
    report = json.loads(path.read_text())
    path.write_text(json.dumps({**report, "pid": 2**22 - 3}))
    assert read(tmp_path) is None
    path.write_text(json.dumps({**report, "began": 1e9}))
    assert read(tmp_path) is None


def test_what_needs_a_restart_is_named():
    old = load(EXAMPLE)
    assert restart_needed(old, old) == []
    tts = old.engines.tts.model_copy(update={"speed": 1.2})
    new = old.model_copy(update={"engines": old.engines.model_copy(update={"tts": tts})})
    assert restart_needed(old, new) == ["engines"]
    hours = old.model_copy(update={"hours": {}})
    assert status.restart_needed(old, hours) == []
