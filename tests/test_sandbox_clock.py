import os
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.clock import Clock, shift_to
from asterisk_agent.sandbox.processes import spawn

MOMENT = datetime(2031, 5, 6, 7, 8, tzinfo=UTC)


@pytest.fixture
def python(tmp_path):
    """Run code under a clock; each line it prints."""
    children = []

    def start(code, clock):
        environment = {**os.environ, **clock.python_environment()}
        log = tmp_path / "log"
        children.append(spawn([sys.executable, "-c", code], log=log, leashed=True, env=environment))

        def line(number):
            deadline = time.monotonic() + 10
            while len(lines := log.read_text().splitlines()) <= number:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            return lines[number]

        return line

    yield start
    for child in children:
        child.kill()


def test_moves_the_time_of_day_and_not_the_timers(tmp_path, python):
    code = (
        "import time\n"
        "began = time.monotonic()\n"
        "time.sleep(0.1)\n"
        "print(time.time(), began, time.monotonic() - began, flush=True)\n"
    )
    line = python(code, Clock(tmp_path / "clock", MOMENT))
    wall, monotonic, slept = map(float, line(0).split())
    assert wall == pytest.approx(MOMENT.timestamp(), abs=30)
    assert monotonic == pytest.approx(time.monotonic(), abs=30)
    assert 0.1 <= slept < 5


def test_is_put_forward_while_a_program_runs(tmp_path, python):
    code = (
        "import time\n"
        "first, steady = time.time(), time.monotonic()\n"
        "print(first, flush=True)\n"
        "while time.time() < first + 3600: time.sleep(0.01)\n"
        "print(time.time(), time.monotonic() - steady, flush=True)\n"
    )
    clock = Clock(tmp_path / "clock", MOMENT)
    line = python(code, clock)
    assert float(line(0)) == pytest.approx(MOMENT.timestamp(), abs=30)
    later = MOMENT + timedelta(days=200)
    clock.set(later)
    wall, passed = map(float, line(1).split())
    assert wall == pytest.approx(later.timestamp(), abs=30)
    assert passed < 30
    assert clock.now() == pytest.approx(later, abs=timedelta(seconds=30))


def test_programs_started_by_a_program_go_by_it_too(tmp_path, python):
    code = "import subprocess; subprocess.run(['date', '-u', '+%Y-%m-%d'])"
    assert python(code, Clock(tmp_path / "clock", MOMENT))(0) == "2031-05-06"


def test_cannot_go_back(tmp_path):
    clock = Clock(tmp_path / "clock", MOMENT)
    clock.set(MOMENT)
    with pytest.raises(SandboxError, match=r"shows 2031-05-06 07:08: it cannot go back"):
        clock.set(MOMENT - timedelta(minutes=1))


def test_shift_to_a_moment():
    soon = datetime.now(UTC) + timedelta(hours=2)
    assert shift_to(soon) == pytest.approx(7200, abs=5)
    assert shift_to(soon.isoformat()) == pytest.approx(7200, abs=5)
    with pytest.raises(SandboxError, match="not a time: tomorrow"):
        shift_to("tomorrow")
