"""A private Asterisk: its own folder, its own ports, started and stopped with the test or demo."""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from asterisk_agent.audio import write_wav
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import asterisk_conf
from asterisk_agent.sandbox.clock import Clock
from asterisk_agent.sandbox.distribution import Distribution, require
from asterisk_agent.sandbox.processes import (
    Child,
    ProcessId,
    free_port,
    owned_ports,
    spawn,
)

LONGEST_SOCKET_PATH = 100
"""A Unix socket's path is limited to 108 bytes by the kernel."""
START_ATTEMPTS = 3


class PrivateAsterisk:
    """One Asterisk in ``state_dir``.

    ``members`` are the user parts of phones that may register (each gets a password, see
    ``passwords``). ``generated`` is a directory of dialplan, queues and voicemail to include;
    ``files`` replaces or adds configuration files by name. ``faketime`` is the time of day at
    which its clock starts. A leashed Asterisk dies with the thread that started it.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        members: Iterable[str] = (),
        generated: Path | None = None,
        files: Mapping[str, str] | None = None,
        faketime: datetime | str | None = None,
        leashed: bool = True,
        distribution: Distribution | None = None,
    ) -> None:
        self.state_dir = state_dir
        self.distribution = distribution or require()
        self.generated = generated
        self.files = dict(files or {})
        self.clock = None if faketime is None else Clock(state_dir / "clock", faketime)
        self.leashed = leashed
        self.host = asterisk_conf.HOST
        self.sip_port = 0
        self.ami_port = 0
        self.ami_username = asterisk_conf.AMI_USERNAME
        self.ami_secret = secrets.token_urlsafe(18)
        self.passwords = {member: secrets.token_urlsafe(9) for member in members}
        self._child: Child | None = None
        self.directories = _directories(state_dir)

    @property
    def pid(self) -> int:
        """Its process id. Raises SandboxError where it was not started."""
        return self.identity.pid

    @property
    def identity(self) -> ProcessId:
        """Its process. Raises SandboxError where it was not started."""
        if self._child is None:
            raise SandboxError("the private Asterisk is not running")
        return self._child.identity

    @property
    def log(self) -> Path:
        """Everything it says, verbose 3."""
        return self.directories.log / "full"

    @property
    def console_log(self) -> Path:
        """Its standard output and error."""
        return self.directories.log / "console"

    @property
    def spool(self) -> Path:
        """``astspooldir``: voicemail is under ``voicemail/CONTEXT/MAILBOX/INBOX``."""
        return self.directories.spool

    @property
    def sounds(self) -> Path:
        """Where a sound may be put that the dialplan plays by name."""
        return self.directories.data / "sounds" / "en"

    def start(self, timeout_s: float = 30.0) -> None:
        """Start it and wait until it takes calls. Raises SandboxError with its last words."""
        for _ in range(START_ATTEMPTS):
            self.sip_port = free_port(socket.SOCK_DGRAM)
            self.ami_port = free_port()
            self._write()
            self._launch()
            self._wait_until_ready(timeout_s)
            if {self.sip_port, self.ami_port} <= owned_ports(self.pid).keys():
                return
            self.stop()
        raise SandboxError(f"Asterisk could not bind its ports: {self._last_words()}")

    def stop(self) -> None:
        """End it, for certain, and remove its socket. May be called twice."""
        if self._child is not None:
            self._child.stop()
            self._child = None
        if self.directories.run.parent != self.state_dir / "asterisk":
            shutil.rmtree(self.directories.run, ignore_errors=True)

    def cli(self, command: str, timeout_s: float = 10.0) -> str:
        """What Asterisk's console answers. Raises SandboxError if it does not answer."""
        return console(self.distribution, self.directories.etc, command, timeout_s)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _write(self) -> None:
        for directory in self.directories.all():
            directory.mkdir(parents=True, exist_ok=True)
        (self.directories.lib / "agi-bin").mkdir(exist_ok=True)
        _furnish(self.directories.data, self.distribution.data)
        plan = asterisk_conf.Plan(
            directories=self.directories,
            modules=self.distribution.modules,
            sip_port=self.sip_port,
            ami_port=self.ami_port,
            ami_secret=self.ami_secret,
            members=self.passwords,
            generated=self.generated,
            moving_clock=self.clock is not None,
        )
        for name, text in {**asterisk_conf.files(plan), **self.files}.items():
            path = self.directories.etc / name
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")

    def _launch(self) -> None:
        environment = dict(os.environ)
        if self.clock is not None:
            environment |= self.clock.environment()
        configuration = str(self.directories.etc / "asterisk.conf")
        self._child = spawn(
            [*self.distribution.command, "-C", configuration, "-f", "-n"],
            log=self.console_log,
            leashed=self.leashed,
            env=environment,
            urgent=True,
        )

    def _wait_until_ready(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while self._child is not None and self._child.alive:
            with contextlib.suppress(SandboxError):
                if "fully booted" in self.cli("core waitfullybooted", timeout_s):
                    return
            if time.monotonic() > deadline:
                self.stop()
                raise SandboxError(f"Asterisk is not ready after {timeout_s:.0f} s")
            time.sleep(0.05)
        self.stop()
        raise SandboxError(f"Asterisk ended while starting: {self._last_words()}")

    def _last_words(self) -> str:
        errors = [line for line in _lines(self.log) if "ERROR[" in line]
        return " / ".join(errors[-3:] or _lines(self.console_log)[-5:]) or "it wrote nothing"


def console(distribution: Distribution, etc: Path, command: str, timeout_s: float = 10.0) -> str:
    """Run one console command in the Asterisk whose configuration is in ``etc``."""
    try:
        done = subprocess.run(
            [*distribution.command, "-C", str(etc / "asterisk.conf"), "-rx", command],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SandboxError(f"Asterisk did not answer within {timeout_s:.0f} s: {command}") from None
    if done.returncode != 0:
        raise SandboxError(f"Asterisk's console: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def _directories(state_dir: Path) -> asterisk_conf.Directories:
    base = state_dir.resolve() / "asterisk"
    run = base / "run"
    if len(str(run / "asterisk.ctl")) > LONGEST_SOCKET_PATH:
        run = Path(tempfile.mkdtemp(prefix="asterisk-"))
    return asterisk_conf.Directories(
        etc=base / "etc",
        data=base / "data",
        lib=base / "lib",
        spool=base / "spool",
        run=run,
        log=base / "log",
    )


def _furnish(data: Path, original: Path) -> None:
    """Make ``data`` look like Asterisk's own, by links, with room for sounds of ours."""
    for folder in (data / "sounds" / "en", data / "moh"):
        folder.mkdir(parents=True, exist_ok=True)
    documentation = data / "documentation"
    if not documentation.exists():
        documentation.symlink_to(original / "documentation")
    for sound in (original / "sounds" / "en").glob("*"):
        link = data / "sounds" / "en" / sound.name
        if not link.exists():
            link.symlink_to(sound)
    write_wav(data / "moh" / "waiting.wav", _waiting_tone(), 8000)


def _waiting_tone() -> bytes:
    """Four seconds for those who wait: two soft notes, then quiet."""
    rate_hz, samples = 8000, bytearray()
    for index in range(4 * rate_hz):
        second = index / rate_hz
        note_hz, begins = (523.25, 0.0) if second < 0.6 else (659.25, 0.6)
        level = 2500 * math.exp(-4 * (second - begins)) if second < 1.6 else 0.0
        samples += struct.pack("<h", round(level * math.sin(2 * math.pi * note_hz * second)))
    return bytes(samples)


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.exists() else []
