"""The service's side of being watched."""

import asyncio
import contextlib
import os
import signal
import socket

import pytest

from asterisk_agent import watched
from asterisk_agent.notify import Notifier
from asterisk_agent.watched import Supervised, Systemd, Watcher, show_life, watcher_of
from asterisk_agent.wire.lifeline import Beat, Losses, Word, decode, encode_losses

LOSSES = Losses(2, "2026-11-23T20:00:00.000+00:00", "killed by SIGSEGV")


@pytest.fixture
def supervisor():
    """A supervisor's end of the socket, and the service's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.send(encode_losses(LOSSES))
    ours.setblocking(False)
    watcher = watcher_of(theirs.detach())
    yield ours, watcher
    ours.close()
    watcher._socket.close()


def said(supervisor):
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(decode(supervisor.recv(4096)))
    return found


def test_a_supervisor_is_told_everything_but_what_it_began_itself(supervisor):
    ours, watcher = supervisor
    assert isinstance(watcher, Supervised)
    assert (watcher.name, watcher.losses) == ("supervisor", LOSSES)
    watcher.ready()
    assert watcher.beat(Beat(0.02, None))
    watcher.reloading()
    watcher.reloaded()
    watcher.stopping()
    watcher.quiet()
    assert said(ours) == [Word.READY, Beat(0.02, None), Word.RELOADED, Word.QUIET]


def test_a_supervisor_that_does_not_read_delays_nobody_and_one_that_is_gone_is_noticed(supervisor):
    ours, watcher = supervisor
    for _ in range(20_000):
        assert watcher.beat(Beat())
    ours.close()
    assert not watcher.beat(Beat())


def test_where_each_thread_stands_is_told_on_demand(supervisor, capfd):
    os.kill(os.getpid(), signal.SIGUSR1)
    assert "test_where_each_thread_stands" in capfd.readouterr().err


async def test_the_beat_goes_on_until_the_watcher_is_gone(supervisor, monkeypatch, caplog):
    monkeypatch.setattr(watched, "BEAT_S", 0.001)
    ours, watcher = supervisor
    gone = asyncio.Event()
    beating = asyncio.create_task(show_life(watcher, lambda: Beat(0.5, 1.0), gone.set))
    async with asyncio.timeout(5):
        while len(heard := said(ours)) < 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert heard[0] == Beat(0.5, 1.0)
        ours.close()
        await gone.wait()
        await beating
    assert "the supervisor is gone" in caplog.text


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "notify"))
        server.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "2000000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        yield server


def test_without_a_deadline_systemd_is_told_but_watches_nothing(systemd, monkeypatch):
    monkeypatch.delenv("WATCHDOG_USEC")
    watcher = watcher_of(None)
    assert watcher.name == ""
    watcher.ready()
    assert systemd.recv(100).startswith(b"READY=1\n")
    watcher._notifier.close()


def test_systemd_is_told_by_the_service_itself_where_nobody_else_watches(systemd):
    watcher = watcher_of(None)
    assert (watcher.name, watcher.losses) == ("systemd", Losses())
    watcher.ready()
    assert systemd.recv(100).startswith(b"READY=1\n")
    assert watcher.beat(Beat(0.02, 0.4))
    assert systemd.recv(100) == b"WATCHDOG=1"
    watcher.reloading()
    watcher.reloaded()
    assert systemd.recv(100).startswith(b"RELOADING=1\n")
    assert systemd.recv(100).startswith(b"READY=1\n")
    watcher.stopping()
    assert systemd.recv(100).startswith(b"STOPPING=1\n")
    watcher._notifier.close()


@pytest.mark.parametrize("beat", [Beat(1.6, None), Beat(None, 15.1)])
def test_systemd_hears_no_beat_while_a_part_stands_still(systemd, beat, caplog):
    watcher = watcher_of(None)
    watcher.beat(beat)
    with pytest.raises(BlockingIOError):
        systemd.recv(100)
    assert caplog.records[0].levelname == "ERROR"
    watcher._notifier.close()


def test_by_itself_nobody_is_told(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    watcher = watcher_of(None)
    assert type(watcher) is Watcher
    assert watcher.beat(Beat())
    assert watcher.name == ""
    assert not isinstance(watcher, Systemd)
    assert not Notifier("").asked
