"""Processes that die, freeze, or run out of something."""

from __future__ import annotations

import asyncio
import errno
import signal
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import psutil

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.chaos_fault import Fault, World

SPARE_BYTES = 256 * 1024
"""What a process still gets that has run out of memory."""
SPARE_FILES = 0
ORPHAN_S = 20.0
"""So soon a service without its supervisor has ended, whose callers have gone."""
MINDED_S = 2.0
BALLAST = "ballast"
BLOCK = bytes(1 << 16)


class ServiceKilled(Fault):
    name, about = "service-killed", "SIGKILL to the service"

    async def inject(self, world: World) -> None:
        world.service.kill()

    async def lift(self, world: World) -> None:
        await world.back()


class ServiceFrozen(ServiceKilled):
    name, about = "service-frozen", "SIGSTOP to the service"

    async def inject(self, world: World) -> None:
        world.service.suspend()


class ServiceTerminated(ServiceKilled):
    name, about = "service-terminated", "SIGTERM to the service alone"

    async def inject(self, world: World) -> None:
        world.service.terminate()


class ServiceStopped(Fault):
    name, about = "service-stopped", "SIGTERM to the supervisor: the operator stops the service"

    async def inject(self, world: World) -> None:
        world.supervisor.terminate()

    async def lift(self, world: World) -> None:
        await world.stop_service()
        await world.start_service()


class SupervisorKilled(Fault):
    name, about = "supervisor-killed", "SIGKILL to the supervisor alone"

    async def inject(self, world: World) -> None:
        self.orphan = world.service
        world.supervisor.kill()

    async def lift(self, world: World) -> None:
        """The service has to end by itself; then it is started, as systemd starts it.

        Raises SandboxError where it goes on.
        """
        _, still_there = await asyncio.to_thread(psutil.wait_procs, [self.orphan], ORPHAN_S)
        for one in still_there:
            one.kill()
        world.pbx.kill_service()
        await world.start_service()
        if still_there:
            raise SandboxError("a service without its supervisor does not end")


class SupervisorFrozen(Fault):
    name, about = "supervisor-frozen", "SIGSTOP to the supervisor alone"

    async def inject(self, world: World) -> None:
        self.minded = world.service
        world.supervisor.suspend()

    async def lift(self, world: World) -> None:
        """A supervisor that goes on kills no service that is well. Raises SandboxError."""
        world.supervisor.resume()
        await asyncio.sleep(MINDED_S)
        if not self.minded.is_running():
            raise SandboxError("the supervisor killed a service that was well")


class AllKilled(Fault):
    name, about = "all-killed", "SIGKILL to supervisor, service, engines and console at once"

    async def inject(self, world: World) -> None:
        world.pbx.kill_service()

    async def lift(self, world: World) -> None:
        await world.start_service()


class EnginesKilled(Fault):
    name, about = "engines-killed", "SIGKILL to the engine process"
    number: ClassVar[signal.Signals] = signal.SIGKILL

    async def inject(self, world: World) -> None:
        self.struck = world.engines
        self.struck.send_signal(self.number)

    async def lift(self, world: World) -> None:
        with suppress(psutil.NoSuchProcess):
            self.struck.send_signal(signal.SIGCONT)


class EnginesFrozen(EnginesKilled):
    name, about = "engines-frozen", "SIGSTOP to the engine process"
    number = signal.SIGSTOP


class EnginesTerminated(EnginesKilled):
    name, about = "engines-terminated", "SIGTERM to the engine process"
    number = signal.SIGTERM


class ConsoleKilled(Fault):
    name, about = "console-killed", "SIGKILL to the console"

    async def inject(self, world: World) -> None:
        world.console.kill()


class ConsoleFrozen(Fault):
    name, about = "console-frozen", "SIGSTOP to the console"

    async def inject(self, world: World) -> None:
        self.struck = world.console
        self.struck.suspend()

    async def lift(self, world: World) -> None:
        with suppress(psutil.NoSuchProcess):
            self.struck.resume()


class Limited(Fault):
    """A resource limit of a running process is lowered, as by ``prlimit``."""

    resource: ClassVar[int]

    def struck_by(self, world: World) -> psutil.Process:
        """Who it is."""
        return world.service

    def limit(self, process: psutil.Process) -> int:
        """The new limit."""
        raise NotImplementedError

    async def inject(self, world: World) -> None:
        self.struck = self.struck_by(world)
        self.before = self.struck.rlimit(self.resource)
        self.struck.rlimit(self.resource, (self.limit(self.struck), self.before[1]))

    async def lift(self, world: World) -> None:
        with suppress(psutil.NoSuchProcess):
            self.struck.rlimit(self.resource, self.before)
        await world.back()


class ServiceMemory(Limited):
    name, about = "service-memory", "no more memory for the service (RLIMIT_AS)"
    resource = psutil.RLIMIT_AS

    def limit(self, process: psutil.Process) -> int:
        return int(process.memory_info().vms) + SPARE_BYTES


class EnginesMemory(ServiceMemory):
    name, about = "engines-memory", "no more memory for the engines (RLIMIT_AS)"
    turns = 2

    def struck_by(self, world: World) -> psutil.Process:
        return world.engines


class ServiceFiles(Limited):
    name, about = "service-files", "the service has used up its file descriptors (RLIMIT_NOFILE)"
    resource = psutil.RLIMIT_NOFILE

    def limit(self, process: psutil.Process) -> int:
        numbers = [int(entry.name) for entry in Path(f"/proc/{process.pid}/fd").iterdir()]
        free = set(range(max(numbers))) - set(numbers)
        # The lowest free number is what the next open file gets.
        return min(free, default=max(numbers) + 1) + SPARE_FILES


class DiskFull(Fault):
    name, about = "disk-full", "the disk is full on which the service keeps its data"

    def disk(self, world: World) -> Path:
        """Where there is no more room."""
        return world.data

    def check(self, world: World) -> None:
        if not self.disk(world).is_mount():
            raise SandboxError("this user may mount no small disk, and the large one is not filled")

    async def inject(self, world: World) -> None:
        await asyncio.to_thread(fill, self.disk(world) / BALLAST)

    async def lift(self, world: World) -> None:
        (self.disk(world) / BALLAST).unlink(missing_ok=True)


class SpoolFull(DiskFull):
    name, about = "spool-full", "the disk is full on which Asterisk keeps voicemail"
    key = "*"
    no_mailbox = True

    def disk(self, world: World) -> Path:
        return world.spool


def fill(path: Path) -> None:
    """Write until there is no room left."""
    with path.open("wb", buffering=0) as file:
        block = BLOCK
        while block:
            try:
                file.write(block)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                block = block[: len(block) // 2]


FAULTS: tuple[type[Fault], ...] = (
    ServiceKilled,
    ServiceFrozen,
    ServiceTerminated,
    ServiceStopped,
    SupervisorKilled,
    SupervisorFrozen,
    AllKilled,
    EnginesKilled,
    EnginesFrozen,
    EnginesTerminated,
    ConsoleKilled,
    ConsoleFrozen,
    ServiceMemory,
    EnginesMemory,
    ServiceFiles,
    DiskFull,
    SpoolFull,
)
