import io
import sys
import time

import pytest

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import steps as steps_module
from asterisk_agent.sandbox.steps import Steps


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def log(tmp_path):
    return tmp_path / "logs" / "setup.log"


def test_plain_lines_without_a_terminal(log):
    stream = io.StringIO()
    with Steps(log, stream).step("compiling"):
        pass
    assert stream.getvalue() == "setup: compiling\nsetup: compiling: done in 0 s\n"


def test_reminds_without_a_terminal(log, monkeypatch):
    monkeypatch.setattr(steps_module, "REMINDER_S", 0.01)
    stream = io.StringIO()
    with Steps(log, stream).step("compiling"):
        while "so far" not in stream.getvalue():
            time.sleep(0.01)
    assert "setup: compiling: 0 s so far\n" in stream.getvalue()


def test_one_moving_line_on_a_terminal(log):
    stream = Terminal()
    steps = Steps(log, stream)
    steps.run([sys.executable, "-c", "print('[26/140] building')"])
    with steps.step("compiling"):
        while "[26/140]" not in stream.getvalue():
            time.sleep(0.01)
    shown = stream.getvalue()
    assert "\r\x1b[2Ksetup: compiling  0 s  [26/140] building" in shown
    assert shown.endswith("\r\x1b[2Ksetup: compiling: done in 0 s\n")


def test_a_step_that_fails_is_not_called_done(log):
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt), Steps(log, stream).step("compiling"):
        raise KeyboardInterrupt
    assert "done" not in stream.getvalue()


def test_a_failing_command_says_its_last_words(log):
    steps = Steps(log, io.StringIO())
    code = "print('first'); print('no space left\\n'); raise SystemExit(3)"
    with pytest.raises(SandboxError, match="no space left") as error:
        steps.run([sys.executable, "-c", code])
    assert error.value.hint == f"see {log}"
    assert "first" in log.read_text()


def test_commands_get_extra_environment_and_no_input(log):
    steps = Steps(log, io.StringIO())
    code = "import os, sys; print(os.environ['ANSWER'], repr(sys.stdin.read()))"
    steps.run([sys.executable, "-c", code], env={"ANSWER": "42"})
    assert steps.last_line() == "42 ''"


def test_no_log_has_no_last_line(log):
    assert Steps(log, io.StringIO()).last_line() == ""


def test_notes_are_for_the_log(log):
    stream = io.StringIO()
    steps = Steps(log, stream)
    steps.note("unpacking")
    assert (steps.last_line(), stream.getvalue()) == ("unpacking", "")
