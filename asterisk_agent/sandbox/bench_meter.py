"""What whole process trees cost, CPU seconds and memory, and what the rest of the machine does."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import psutil

SAMPLE_S = 2.0
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds used so far: the service, Asterisk, the load generator, the whole machine."""

    service: float
    asterisk: float
    generator: float
    machine: float

    def since(self, before: Usage) -> Usage:
        """The difference."""
        return Usage(
            self.service - before.service,
            self.asterisk - before.asterisk,
            self.generator - before.generator,
            self.machine - before.machine,
        )

    @property
    def others(self) -> float:
        """What other programs used: where it is much, the figures say little."""
        return max(0.0, self.machine - self.service - self.asterisk - self.generator)


@dataclass(frozen=True, slots=True)
class Size:
    """How much a process tree holds at a moment."""

    rss_mb: float
    pss_mb: float
    threads: int
    files: int


@dataclass(slots=True)
class Meter:
    """Watches while its context lasts. ``service`` and ``asterisk`` are process ids."""

    service: int
    asterisk: int
    sizes: list[Size] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None

    def usage(self) -> Usage:
        """CPU seconds so far. Exact for the generator only while it runs no phones."""
        return Usage(
            service=tree_cpu_s(self.service),
            asterisk=tree_cpu_s(self.asterisk),
            generator=own_cpu_s(),
            machine=machine_cpu_s(),
        )

    def size(self) -> Size:
        """What the service holds now."""
        return tree_size(self.service)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._sample(), name="meter")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _sample(self) -> None:
        while True:
            self.sizes.append(await asyncio.to_thread(self.size))
            await asyncio.sleep(SAMPLE_S)


def tree(pid: int) -> list[psutil.Process]:
    """A process and all its descendants; empty where it has ended."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def tree_cpu_s(pid: int) -> float:
    """CPU seconds of a tree, of its members that have ended as well."""
    total = 0.0
    for process in tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def own_cpu_s() -> float:
    """CPU seconds of this process, and of those children that have ended: the phones."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def machine_cpu_s() -> float:
    """CPU seconds that all cores were busy since the machine started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - _guest(times))


def tree_size(pid: int) -> Size:
    """Memory, threads and open files of a tree."""
    rss = pss = threads = files = 0
    for process in tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            memory = process.memory_full_info()
            rss, pss = rss + memory.rss, pss + getattr(memory, "pss", memory.rss)
            threads, files = threads + process.num_threads(), files + process.num_fds()
    return Size(round(rss / MIB, 1), round(pss / MIB, 1), threads, files)


def _guest(times: object) -> float:
    """Linux counts a guest's time in the user's already."""
    return float(getattr(times, "guest", 0.0)) + float(getattr(times, "guest_nice", 0.0))
