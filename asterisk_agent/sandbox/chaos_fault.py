"""What a fault of the chaos suite is, and the world that it strikes."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

import psutil

from asterisk_agent.console import COMMAND as CONSOLE
from asterisk_agent.engines.remote import COMMAND as ENGINES
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.chaos_engines import Switch
from asterisk_agent.sandbox.chaos_relay import Relay
from asterisk_agent.sandbox.chaos_server import ModelServer
from asterisk_agent.sandbox.clock import Clock
from asterisk_agent.sandbox.pbx import Pbx

READY_S = 20.0
POLL_S = 0.05
DISK_MB, SPOOL_MB = 48, 128


class Setting(StrEnum):
    """How the service is started for a fault."""

    PLAIN = "plain"
    CLOCK = "clock"
    """With a clock of its own."""
    WORDED = "worded"
    """With the language model of the configuration, which words every answer."""
    SERVER = "server"
    """With a language model on another server, which words every answer."""


@dataclass(slots=True)
class World:
    """What a fault can reach."""

    pbx: Pbx
    fastagi: Relay
    media: Relay
    manager: Relay
    switch: Switch
    server: Relay
    model_server: ModelServer
    """Behind that relay."""
    data: Path
    spool: Path
    """Where Asterisk writes voicemail. Both are small disks of their own, if this user may mount
    some."""
    starter: Executor
    """The thread that starts the service: it dies with whoever started it, so this one stays."""
    clock: Clock | None = None

    async def start_service(self) -> None:
        """Start the service, and wait until it takes calls. Raises SandboxError."""
        await asyncio.get_running_loop().run_in_executor(self.starter, self.pbx.start_service)

    async def stop_service(self) -> None:
        """Let the service end in its own way."""
        await asyncio.get_running_loop().run_in_executor(self.starter, self.pbx.stop_service)

    @property
    def service(self) -> psutil.Process:
        """The process that holds the calls. Raises SandboxError where there is none."""
        pid = self.pbx.service_pid
        if pid is None:
            raise SandboxError("the service is not running")
        return psutil.Process(pid)

    @property
    def supervisor(self) -> psutil.Process:
        """The service's parent."""
        return psutil.Process(self.pbx.processes()[0].pid)

    @property
    def engines(self) -> psutil.Process:
        """The service's engine process."""
        return self._child(ENGINES[-1])

    @property
    def console(self) -> psutil.Process:
        """The service's console."""
        return self._child(CONSOLE[-1])

    def _child(self, module: str) -> psutil.Process:
        for child in self.service.children():
            with suppress(psutil.Error):
                if module in child.cmdline():
                    return child
        raise SandboxError(f"the service runs no {module}")

    def route(self, fastagi: int, media: int) -> None:
        """Let Asterisk find the service at these ports, for the calls that come from now on."""
        host = self.pbx.asterisk.host
        for name, port in (("AGENT_FASTAGI", fastagi), ("AGENT_MEDIA", media)):
            self.pbx.cli(f"dialplan set global {name} {host}:{port}")

    def straight(self) -> None:
        """The service's own ports."""
        self.route(self.pbx.fastagi_port, self.pbx.media_port)

    async def back(self) -> None:
        """Wait for a service that takes calls; start one where its supervisor does not.

        Raises SandboxError.
        """
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if self.pbx.service_pid is not None:
                return
            await asyncio.sleep(POLL_S)
        self.pbx.kill_service()
        await self.start_service()


class Fault:
    """Something that breaks. ``inject`` and ``lift`` it once; a fault has no other life."""

    name: ClassVar[str]
    about: ClassVar[str]
    setting: ClassVar[Setting] = Setting.PLAIN
    turns: ClassVar[int] = 1
    """So many answers, and the agent goes on with the conversation."""
    key: ClassVar[str] = "0"
    """What callers press who want somebody else: 0 for a person, * for the mailbox."""
    no_mailbox: ClassVar[bool] = False
    """Whether no message can be taken: then it is an end to be told so, and to be called back."""
    routed: ClassVar[bool] = False
    """Whether calls have to go through the relays of FastAGI and AudioSocket."""

    def check(self, world: World) -> None:
        """Raises SandboxError where it cannot be done."""

    async def inject(self, world: World) -> None:
        """Break it, at once."""
        raise NotImplementedError

    async def lift(self, world: World) -> None:
        """Mend it. The callers have all gone."""


def mount(path: Path, size_mb: int = DISK_MB) -> bool:
    """Make a folder a small disk of its own; False where this user may not."""
    path.mkdir(parents=True, exist_ok=True)
    if shutil.which("mount") is None:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "none", str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def unmount(path: Path) -> None:
    """Undo ``mount``."""
    subprocess.run(["umount", "-l", str(path)], capture_output=True, check=False)
