"""``scripts/pbx``, with a real Asterisk and without the service."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from asterisk_agent.sandbox.processes import package_environment

pytestmark = pytest.mark.asterisk

EXAMPLE = Path(__file__).parent.parent / "etc"


class Result:
    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.exit_code = done.returncode
        self.output = done.stdout + done.stderr


@pytest.fixture
def run(tmp_path):
    """Run a subcommand; everything that it started is stopped behind the test."""
    environment = {**package_environment(), "XDG_STATE_HOME": str(tmp_path)}

    def invoke(*arguments: str) -> Result:
        command = [sys.executable, "-m", "asterisk_agent.sandbox.pbx_cli", *arguments]
        return Result(
            subprocess.run(
                command, capture_output=True, text=True, env=environment, check=False, timeout=60
            )
        )

    yield invoke
    assert invoke("down", "--all").exit_code == 0


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def up(run, *arguments: str) -> dict:
    result = run("up", "--no-service", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_up_status_cli_down(run):
    info = up(run)
    assert runs(info["asterisk_pid"])
    status = json.loads(run("status", "--json").output)
    assert status["up"]
    assert status["sip_port"] == info["sip_port"]
    assert "System uptime" in run("cli", "core show uptime").output
    assert "System uptime" in run("cli", "core", "show", "uptime").output
    assert run("down").exit_code == 0
    assert not runs(info["asterisk_pid"])
    down = run("status")
    assert (down.exit_code, down.output) == (1, "PBX default is down.\n")
    assert "is not up" in run("cli", "core show uptime").output


def test_up_again_is_the_same_one(run):
    assert up(run) == up(run)


def test_up_says_how_to_call(run):
    result = run("up", "--no-service")
    assert "call        sip:+15551230100@127.0.0.1:" in result.output
    assert "register    101@127.0.0.1:" in result.output
    assert "asterisk runs" in run("status").output


def test_side_by_side_by_name(run):
    first, second = up(run, "--name", "one"), up(run, "--name", "two")
    assert first["asterisk_pid"] != second["asterisk_pid"]
    run("down", "--name", "one")
    assert not runs(first["asterisk_pid"])
    assert json.loads(run("status", "--name", "two", "--json").output)["up"]


def test_another_configuration_is_not_silently_ignored(run, tmp_path):
    up(run)
    other = tmp_path / "other"
    other.symlink_to(EXAMPLE)
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in EXAMPLE.glob("*.yaml"):
        (copy / path.name).write_text(path.read_text())
    (copy / "knowledge").symlink_to(EXAMPLE / "knowledge")
    result = run("up", "--no-service", "--config", str(copy))
    assert result.exit_code == 1
    assert "is up with another configuration" in result.output
    assert run("up", "--no-service", "--config", str(other)).exit_code == 0


def test_starts_anew_after_a_crash(run):
    first = up(run)
    os.kill(first["asterisk_pid"], signal.SIGKILL)
    while runs(first["asterisk_pid"]):
        time.sleep(0.01)
    status = run("status")
    assert status.exit_code == 1
    assert "asterisk does not run" in status.output
    assert up(run)["asterisk_pid"] != first["asterisk_pid"]


def test_a_broken_configuration_is_named(run, tmp_path):
    result = run("up", "--config", str(tmp_path / "none"))
    assert result.exit_code == 1
    assert "no such directory" in result.output
