"""The container's first program, with programs in place of Asterisk and the service."""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "docs" / "docker"
LIMIT_S = 30

ASTERISK = """\
#!/bin/bash
# -rx fails until it was asked often enough; -f runs until it is told to stop.
echo "asterisk $*" >> "$FAKE/said"
if [[ $1 == -rx ]]; then
    asked=$(grep -c -- "-rx" "$FAKE/said")
    if ((asked <= ${BOOTED_AFTER:-0})); then
        echo "Unable to connect to remote asterisk (does /var/run/asterisk.ctl exist?)"
        exit 1
    fi
    echo "Asterisk has fully booted."
    exit 0
fi
trap 'echo "asterisk told to stop" >> "$FAKE/said"; exit 0' TERM
if [[ -n ${ASTERISK_ENDS:-} ]]; then echo "bad asterisk.conf" >&2; exit "$ASTERISK_ENDS"; fi
while :; do sleep 0.05; done
"""
AGENT = """\
#!/bin/bash
echo "agent $* as ${WHO:-} in $HOME" >> "$FAKE/said"
case $1 in
dialplan) exit "${DIALPLAN:-0}" ;;
check) exit "${CHECK:-0}" ;;
run)
    trap 'sleep 0.3; echo "agent handed over" >> "$FAKE/said"; exit 0' TERM
    if [[ -n ${SERVICE_ENDS:-} ]]; then exit "$SERVICE_ENDS"; fi
    while :; do sleep 0.05; done
    ;;
esac
"""
SETPRIV = """\
#!/bin/bash
WHO=${1#--reuid=}; export WHO
while [[ $1 == --* ]]; do shift; done
exec "$@"
"""
AS_SERVICE = "as asterisk-agent in /var/lib/asterisk-agent"


@pytest.fixture
def container(tmp_path):
    """Starts the script; what the programs in it were told is in ``said``."""
    programs, started = tmp_path / "bin", []
    programs.mkdir()
    for name, text in (("asterisk", ASTERISK), ("asterisk-agent", AGENT), ("setpriv", SETPRIV)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)

    def start(**environment: object) -> subprocess.Popen[str]:
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        given = {name: str(value) for name, value in environment.items()}
        process = subprocess.Popen(
            ["bash", str(FOLDER / "start")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PATH": path, "FAKE": str(tmp_path), **given},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def said(tmp_path: Path) -> list[str]:
    file = tmp_path / "said"
    return file.read_text().splitlines() if file.exists() else []


def wait_until_said(tmp_path: Path, line: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while line not in said(tmp_path):
        assert time.monotonic() < deadline, said(tmp_path)
        time.sleep(0.02)


def test_it_waits_for_a_control_socket_that_is_not_there_yet(container, tmp_path):
    process = container(BOOTED_AFTER=3)
    wait_until_said(tmp_path, f"agent run --supervise {AS_SERVICE}")
    assert process.poll() is None
    order = said(tmp_path)
    assert order[0] == f"agent dialplan write {AS_SERVICE}"
    assert order.count("asterisk -rx core waitfullybooted") == 4
    assert order[-2:] == [f"agent check {AS_SERVICE}", f"agent run --supervise {AS_SERVICE}"]
    assert "asterisk -f -U asterisk -G asterisk" in order[1:3]


def test_told_to_stop_the_service_hands_over_before_asterisk_ends(container, tmp_path):
    process = container()
    wait_until_said(tmp_path, f"agent run --supervise {AS_SERVICE}")
    process.terminate()
    _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0
    assert errors.splitlines()[-1] == "start: told to stop"
    assert said(tmp_path)[-2:] == ["agent handed over", "asterisk told to stop"]


def test_an_asterisk_that_ends_at_its_start_is_named(container, tmp_path):
    process = container(BOOTED_AFTER=1000, ASTERISK_ENDS=7)
    _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1
    assert "bad asterisk.conf" in errors
    assert "start: Asterisk ended while it started, with status 7" in errors
    assert not any(line.startswith("agent run") for line in said(tmp_path))


def test_an_asterisk_that_never_answers_is_given_up(container, tmp_path):
    process = container(BOOTED_AFTER=1000, START_LIMIT_S=1)
    _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1
    assert "start: Asterisk is not ready after 1 s, and says: Unable to connect" in errors
    assert said(tmp_path)[-1] == "asterisk told to stop"


def test_what_the_agent_lacks_is_said_and_does_not_keep_it_from_starting(container, tmp_path):
    process = container(CHECK=1, DIALPLAN=1)
    wait_until_said(tmp_path, f"agent run --supervise {AS_SERVICE}")
    process.terminate()
    _, errors = process.communicate(timeout=LIMIT_S)
    assert errors.splitlines()[:2] == [
        "start: the dialplan was not written, see above; Asterisk takes the one that is there",
        "start: check found problems, see above; the service is started all the same",
    ]


@pytest.mark.parametrize(("status", "expected"), [(3, 3), (0, 1)])
def test_a_service_that_ends_takes_the_container_along(container, tmp_path, status, expected):
    process = container(SERVICE_ENDS=status)
    _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == expected
    last = errors.splitlines()[-1]
    assert last == f"start: the service ended with status {status}, and so does the container"
    assert said(tmp_path)[-1] == "asterisk told to stop"


def test_the_image_is_not_built_where_a_step_of_it_failed():
    """No command's failure is passed over; the option says what may not be known yet."""
    dockerfile = (FOLDER / "Dockerfile").read_text()
    assert "||" not in dockerfile
    assert "venv --clear" in dockerfile  # the clone that is copied may have one
    (install,) = re.findall(r"^RUN asterisk-agent install (.*)$", dockerfile, re.M)
    assert "--no-check" in install.split()
    assert 'ENTRYPOINT ["tini", "--", "start"]' in dockerfile
