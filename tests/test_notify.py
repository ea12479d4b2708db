"""systemd is told what sd_notify(3) says, where it asks, and nobody else is."""

import os
import socket

import pytest

from asterisk_agent.config.paths import environment_of_child
from asterisk_agent.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def systemd(request, tmp_path, monkeypatch):
    """systemd's end of the socket; the environment names it."""
    address = str(tmp_path / "notify") if request.param == "path" else f"\0{tmp_path}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(address)
        server.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", address.replace("\0", "@"))
        monkeypatch.setenv("WATCHDOG_USEC", "10000000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        yield server


@pytest.fixture
def notifier():
    notifiers = []

    def make():
        notifiers.append(Notifier.of_environment())
        return notifiers[-1]

    yield make
    for notifier in notifiers:
        notifier.close()


def test_each_state_is_a_datagram(systemd, notifier):
    told = notifier()
    assert (told.asked, told.watchdog) == (True, 10.0)
    told.ready("taking calls")
    assert systemd.recv(4096) == b"READY=1\nSTATUS=taking calls"
    told.alive()
    assert systemd.recv(4096) == b"WATCHDOG=1"
    told.reloading()
    reloading, moment = systemd.recv(4096).split(b"\n")
    assert reloading == b"RELOADING=1"
    assert moment.startswith(b"MONOTONIC_USEC=")
    assert moment.partition(b"=")[2].isdigit()
    told.stopping()
    assert systemd.recv(4096).startswith(b"STOPPING=1\n")
    told.status("calls go to people")
    assert systemd.recv(4096) == b"STATUS=calls go to people"


def test_a_socket_that_is_gone_disturbs_nobody(systemd, notifier):
    told = notifier()
    systemd.close()
    told.alive()


def test_nobody_is_told_where_nobody_asks(monkeypatch, notifier):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    told = notifier()
    assert (told.asked, told.watchdog) == (False, None)
    told.ready("taking calls")


@pytest.mark.parametrize(("pid", "usec"), [("1", "10000000"), ("", "0"), ("", "soon"), ("", "-1")])
def test_the_watchdog_of_another_process_is_not_ours(monkeypatch, notifier, pid, usec):
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", pid or str(os.getpid()))
    assert notifier().watchdog is None


def test_children_are_not_told_of_it(systemd):
    environment = environment_of_child()
    assert environment["PATH"] == os.environ["PATH"]
    assert not environment.keys() & {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}
