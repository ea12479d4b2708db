"""Child processes of the sandbox: started on a leash, recognised later, stopped for certain."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from asterisk_agent.errors import SandboxError

FIRST_PORT, LAST_PORT = 20_000, 31_999
"""Where sandbox ports come from: below the range that the kernel hands to clients, so that a
connection made meanwhile cannot take a port between our choosing and our binding it."""


AUDIO_NICENESS = -10


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A pid with the moment its process began, so that a reused number is not mistaken for ours."""

    pid: int
    began: float

    @classmethod
    def of(cls, pid: int) -> ProcessId:
        """The identity of a running process. Raises SandboxError if there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            raise SandboxError(f"process {pid} has already ended") from None

    @property
    def alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        return self._process() is not None

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return process if abs(process.create_time() - self.began) < 1.0 else None
        except psutil.NoSuchProcess:
            return None

    def stop(self, grace_s: float = 5.0) -> None:
        """Ask its process group to end, and kill what remains of it after ``grace_s``."""
        family = self._family()
        self._signal_group(signal.SIGTERM)
        # A stopped process hears SIGTERM only when it goes on.
        self._signal_group(signal.SIGCONT)
        deadline = time.monotonic() + grace_s
        stubborn = [one for one in family if not one.gone_by(deadline)]
        if stubborn:
            self._signal_group(signal.SIGKILL)
        for one in stubborn:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)
            one.gone_by(time.monotonic() + grace_s)

    def kill(self) -> None:
        """SIGKILL to its group and to every process that it started, itself first."""
        family = self._family()
        self._signal_group(signal.SIGKILL)
        for one in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)

    def gone_by(self, deadline: float) -> bool:
        """Wait for its end until this monotonic time; whether it ended."""
        while self.alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _family(self) -> list[ProcessId]:
        process = self._process()
        if process is None:
            return []
        members = [self]
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in process.children(recursive=True):
                with contextlib.suppress(SandboxError):
                    members.append(ProcessId.of(child.pid))
        return members

    def _signal_group(self, number: signal.Signals) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)


class Child:
    """A process that we started and have to wait for."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self.pid = popen.pid
        self.identity = ProcessId.of(popen.pid)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._popen.poll() is None

    def stop(self, grace_s: float = 5.0) -> None:
        """End it and all of its group, for certain."""
        self.identity.stop(grace_s)
        self._popen.wait()

    def kill(self) -> None:
        """SIGKILL to all of its group, and to all that it started, at once."""
        self.identity.kill()
        self._popen.wait()


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    leashed: bool,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    urgent: bool = False,
) -> Child:
    """Start ``command`` in a process group of its own, its output appended to ``log``.

    ``urgent`` ones carry audio: they run before other work, where this user may ask for that.

    A leashed process is ended by the kernel when the thread that started it ends, even by
    SIGKILL, so a test run that dies leaves nothing behind.
    """
    if leashed and shutil.which("setpriv"):
        command = ["setpriv", "--pdeathsig", "KILL", *command]
    with log.open("ab") as output:
        popen = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=cwd,
            env=dict(env) if env is not None else None,
        )
    if urgent:
        put_first(popen.pid)
    return Child(popen)


def put_first(pid: int) -> None:
    """Let a process run before ordinary ones, as a telephone system's do; root alone may."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, AUDIO_NICENESS)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, host: str = "127.0.0.1") -> int:
    """A port on loopback that nobody uses at this moment."""
    for _ in range(200):
        port = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT + 1)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise SandboxError(
        f"no free port between {FIRST_PORT} and {LAST_PORT}",
        hint="stop other sandboxes: scripts/pbx status, scripts/pbx down",
    )


def owned_ports(pid: int) -> dict[int, int]:
    """Local ports that ``pid`` or a child of it listens on, each with the pid that holds it."""
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return {}
    held: dict[int, int] = {}
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            for connection in process.net_connections(kind="inet"):
                listening = connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
                if listening and connection.laddr:
                    held[connection.laddr.port] = process.pid
    return held


def package_environment() -> dict[str, str]:
    """Environment in which another Python finds this very package, installed or not."""
    here = str(Path(__file__).resolve().parents[2])
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{path}" if path else here}
