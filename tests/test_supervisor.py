"""The supervisor with real processes and real signals; the service is a stand-in."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from asterisk_agent.supervisor import Service
from asterisk_agent.wire.lifeline import Losses

FAKE = Path(__file__).with_name("fake_service.py")
START = """
import logging, sys
from asterisk_agent.liveness import Limits
from asterisk_agent.notify import Notifier
from asterisk_agent.supervisor import Supervisor
logging.basicConfig(level=logging.INFO)
limits = Limits(**eval(sys.argv[1]))
sys.exit(Supervisor(sys.argv[2:], Notifier.of_environment(), limits).run())
"""
SOON_S = 10.0


class Supervised:
    """A supervisor over a fake service, and what the service has told."""

    def __init__(self, directory, mode="good", **limits):
        self.directory = directory
        self.mode(mode)
        self.log = directory / "log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, repr(limits), sys.executable, FAKE, directory],
                stderr=log,
                start_new_session=True,
            )

    def mode(self, mode):
        (self.directory / "mode").write_text(mode)

    def told(self, word):
        try:
            lines = (self.directory / "told").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [line.split()[1:] for line in lines if line.split()[0] == word]

    def wait(self, word, count=1):
        """What was told with a word, once that happened so often."""
        deadline = time.monotonic() + SOON_S
        while len(found := self.told(word)) < count:
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.01)
        return found

    def ready(self, count=1):
        """The process of the newest service, once so many have been ready."""
        return int(self.wait("ready", count)[-1][0])

    def end(self, timeout=SOON_S):
        return self.process.wait(timeout)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for _, group, *_ in self.told("start"):
            try:
                os.killpg(int(group), signal.SIGKILL)
            except ProcessLookupError:
                continue


@pytest.fixture
def supervised(tmp_path):
    started = []

    def start(*arguments, **limits):
        started.append(Supervised(tmp_path, *arguments, **limits))
        return started[-1]

    yield start
    for one in started:
        one.close()


def becomes(pid, status):
    """Wait until a process has a state; a signal takes effect when its target runs."""
    deadline = time.monotonic() + SOON_S
    while psutil.Process(pid).status() != status:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def gone(pid):
    """Wait until a process is gone."""
    deadline = time.monotonic() + SOON_S
    with contextlib.suppress(psutil.NoSuchProcess):
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_frozen_service_is_killed_with_its_group_and_started_again(supervised):
    one = supervised()
    pid = one.ready()
    time.sleep(0.3)
    began = time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    gone(pid)
    assert 1.2 < time.monotonic() - began < 2.5
    assert one.ready(2) != pid
    (_, group, child, *losses), (*_, count, reason) = [
        [*start[:3], start[3], " ".join(start[4:])] for start in one.told("start")
    ]
    assert int(group) == pid
    gone(int(child))
    assert losses == ["0", ""]
    assert count == "1"
    assert reason.startswith("no sign of life for 1.")
    assert "no sign of life" in one.log.read_text()


def test_a_silent_service_tells_where_it_stands_and_a_killed_one_is_started_again(supervised):
    one = supervised(loop_s=8.0, ask_s=0.3)
    pid = one.ready()
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.8)
    os.kill(pid, signal.SIGCONT)
    deadline = time.monotonic() + SOON_S
    while "fake_service.py" not in one.log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    assert one.ready(2) != pid
    assert one.told("start")[1][4:] == ["killed", "by", "SIGKILL"]


def test_crashes_over_and_over_back_off_and_a_stop_is_heard_meanwhile(supervised):
    one = supervised("crashes")
    began = time.monotonic()
    one.wait("ready", 3)
    assert time.monotonic() - began > 1.0
    one.wait("start", 3)
    time.sleep(0.4)
    one.process.terminate()
    assert one.end() == 0
    assert len(one.told("start")) == 3


def test_a_reload_ends_the_pause_before_the_next_start(supervised):
    one = supervised("crashes")
    one.wait("ready", 3)
    time.sleep(0.4)  # it has crashed, and waits for two seconds
    one.mode("good")
    began = time.monotonic()
    one.process.send_signal(signal.SIGHUP)
    one.wait("ready", 4)
    assert time.monotonic() - began < 1.5


def test_a_service_that_refuses_to_start_is_not_started_again(supervised):
    one = supervised("refuses")
    assert one.end() == 1
    assert len(one.told("start")) == 1


def test_one_that_refuses_later_is_tried_again(supervised):
    one = supervised()
    pid = one.ready()
    one.mode("refuses")
    os.kill(pid, signal.SIGKILL)
    one.wait("start", 2)
    one.mode("good")
    one.ready(2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_passed_on_and_waited_for(supervised, number):
    one = supervised()
    one.ready()
    one.process.send_signal(number)
    assert one.end() == 0
    assert one.told("ends") == [[]]


def test_one_that_does_not_stop_is_killed(supervised):
    one = supervised("does not stop", stop_s=0.5)
    pid = one.ready()
    one.process.terminate()
    assert one.end() == 1
    gone(pid)


def test_one_that_ends_by_itself_is_started_again(supervised):
    one = supervised()
    os.kill(one.ready(), signal.SIGTERM)
    one.ready(2)
    assert one.told("start")[1][4:] == ["ended", "with", "status", "0"]


def test_a_reload_reaches_a_service_that_is_still_starting(supervised):
    one = supervised("starts slowly")
    one.wait("start")
    one.process.send_signal(signal.SIGHUP)
    one.wait("hup")
    assert len(one.told("start")) == 1


def test_a_service_whose_supervisor_is_gone_ends(supervised):
    one = supervised()
    pid = one.ready()
    one.process.kill()
    one.process.wait()
    gone(pid)
    assert one.told("ends") == [[]]


def test_a_frozen_one_does_not_outlive_its_supervisor_either(supervised):
    one = supervised(loop_s=60.0)
    pid = one.ready()
    os.kill(pid, signal.SIGSTOP)
    becomes(pid, psutil.STATUS_STOPPED)
    one.process.kill()
    one.process.wait()
    gone(pid)


def test_it_sees_who_waits_for_a_processor_and_who_is_frozen():
    spin = [sys.executable, "-c", "while True: pass"]
    service, other = Service(spin, Losses()), subprocess.Popen(spin)
    try:
        here = {min(os.sched_getaffinity(0))}
        for pid in (service.pid, other.pid):
            os.sched_setaffinity(pid, here)
        service.starved_s()
        time.sleep(1.0)
        assert 0.2 < service.starved_s() < 1.2
        os.kill(service.pid, signal.SIGSTOP)
        becomes(service.pid, psutil.STATUS_STOPPED)
        service.starved_s()
        time.sleep(0.3)
        assert service.starved_s() == 0.0
    finally:
        service.bury()
        other.kill()
        other.wait()


def test_systemd_is_told_of_all_of_it(supervised, tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(SOON_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "400000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)

        def next_but_beats():
            while (said := systemd.recv(4096).decode()) == "WATCHDOG=1":
                beats.append(said)
            return said.splitlines()[0]

        beats = []
        one = supervised()
        assert next_but_beats() == "READY=1"
        os.kill(one.ready(), signal.SIGKILL)
        assert "killed by SIGKILL" in next_but_beats()
        assert next_but_beats() == "READY=1"
        one.process.send_signal(signal.SIGHUP)
        assert [next_but_beats(), next_but_beats()] == ["RELOADING=1", "READY=1"]
        one.process.terminate()
        assert next_but_beats() == "STOPPING=1"
        assert beats
        one.end()


def test_one_that_was_reaped_already_has_ended():
    service = Service([sys.executable, "-c", ""], Losses())
    service._process.wait()  # as its signal handling in Popen would have done
    assert service.ended
    service.send(signal.SIGHUP)  # no error
    assert service.bury() == 0


def test_it_imports_nothing_but_python_itself():
    shown = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; before = set(sys.modules); import asterisk_agent.supervisor\n"
            "print(*{m.partition('.')[0] for m in set(sys.modules) - before})\n"
            "print(open('/proc/self/status').read().partition('VmRSS:')[2].split()[0])",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    modules, resident_kb = shown.stdout.splitlines()
    assert set(modules.split()) - {"asterisk_agent"} <= set(sys.stdlib_module_names)
    assert int(resident_kb) < 40_000
