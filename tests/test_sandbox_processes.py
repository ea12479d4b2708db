import os
import signal
import socket
import sys
import time

import pytest

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.processes import (
    AUDIO_NICENESS,
    FIRST_PORT,
    LAST_PORT,
    Child,
    ProcessId,
    free_port,
    owned_ports,
    package_environment,
    spawn,
)

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def python(code: str, log, **options) -> Child:
    return spawn([sys.executable, "-c", code], log=log, leashed=True, **options)


def wait_for_line(log) -> str:
    deadline = time.monotonic() + 10
    while not (text := log.read_text()).endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return text.strip()


def test_stops_a_process_with_its_children(tmp_path):
    child = python(PARENT, tmp_path / "log")
    grandchild = ProcessId.of(int(wait_for_line(tmp_path / "log")))
    child.stop()
    assert not child.alive
    assert grandchild.gone_by(time.monotonic() + 2)


def test_kills_what_does_not_listen(tmp_path):
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); "
    child = python(stubborn + "time.sleep(60)", tmp_path / "log")
    wait_for_line(tmp_path / "log")
    child.stop(grace_s=0.2)
    assert not child.alive


def test_stops_what_is_frozen(tmp_path):
    child = python("print(1, flush=True); import time; time.sleep(60)", tmp_path / "log")
    wait_for_line(tmp_path / "log")
    os.kill(child.pid, signal.SIGSTOP)
    began = time.monotonic()
    child.stop(grace_s=10)
    assert time.monotonic() - began < 5


def test_stopping_twice_is_nothing(tmp_path):
    child = python("pass", tmp_path / "log")
    child.stop()
    child.stop()
    child.identity.stop()


def test_a_leashed_process_dies_with_its_parent(tmp_path):
    code = (
        "import pathlib, sys, time\n"
        "from asterisk_agent.sandbox.processes import spawn\n"
        "sleeper = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "child = spawn(sleeper, log=pathlib.Path('inner'), leashed=True)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = python(code, tmp_path / "log", cwd=tmp_path, env=package_environment())
    leashed = ProcessId.of(int(wait_for_line(tmp_path / "log")))
    # A shell's prctl may come a moment after its pid.
    time.sleep(0.2)
    os.kill(parent.pid, signal.SIGKILL)
    assert leashed.gone_by(time.monotonic() + 5)
    parent.stop()


def test_a_reused_pid_is_not_ours():
    us = ProcessId.of(os.getpid())
    assert us.alive
    assert not ProcessId(us.pid, us.began - 60).alive


def test_no_identity_without_a_process(tmp_path):
    child = python("pass", tmp_path / "log")
    child.stop()
    with pytest.raises(SandboxError, match="has already ended"):
        ProcessId.of(child.pid)


def test_free_ports_can_be_bound():
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        port = free_port(kind)
        assert FIRST_PORT <= port <= LAST_PORT
        with socket.socket(socket.AF_INET, kind) as bound:
            bound.bind(("127.0.0.1", port))


def test_finds_who_holds_a_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert owned_ports(os.getpid())[server.getsockname()[1]] == os.getpid()


def test_a_process_that_ended_holds_no_ports(tmp_path):
    child = python("pass", tmp_path / "log")
    child.stop()
    assert owned_ports(child.pid) == {}


def test_what_carries_audio_runs_first_where_that_is_allowed(tmp_path):
    child = spawn(["sleep", "60"], log=tmp_path / "log", leashed=True, urgent=True)
    try:
        here = os.getpriority(os.PRIO_PROCESS, 0)
        niceness = os.getpriority(os.PRIO_PROCESS, child.pid)
        assert niceness == (AUDIO_NICENESS if os.geteuid() == 0 else here)
    finally:
        child.kill()
