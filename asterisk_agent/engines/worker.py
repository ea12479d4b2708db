"""Blocking work on threads: awaited on the event loop, or together.

A caller that gives up (``asyncio.timeout``, a hang-up) gets its cancellation at once; the thread
finishes what it had begun, its result is thrown away, and work that had not begun never does.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

from asterisk_agent.errors import EngineError

P = ParamSpec("P")
T = TypeVar("T")

NICENESS = 10
"""How much nicer than its process a thread of ours is."""


def utc_now() -> datetime:
    """The current instant, for those that may not read a clock."""
    return datetime.now(UTC)


def now_s() -> float:
    """Seconds on a clock that only goes forward, for measuring how long work took."""
    return time.perf_counter()


def cpu_s() -> float:
    """CPU seconds that this process has used so far, on all cores."""
    return time.process_time()


def give_memory_back() -> None:
    """Give the system what was freed. It takes some milliseconds, from whatever thread."""
    with suppress(OSError, AttributeError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)


def tidy_memory(every_s: float) -> None:
    """Give memory back every so often, on a thread of its own, for as long as the process lives."""

    def tidy() -> None:
        give_way()
        while True:
            time.sleep(every_s)
            give_memory_back()

    threading.Thread(target=tidy, name="tidy", daemon=True).start()


def give_way() -> None:
    """Let this thread, and those it starts, give way to the service's process.

    A frame of audio that is late is heard; an answer that is 10 ms later is not.
    """
    _give_way(threading.get_native_id())


def all_give_way() -> None:
    """The same for every thread that this process has by now, except its first."""
    for thread in os.listdir("/proc/self/task"):
        if int(thread) != os.getpid():
            _give_way(int(thread))


def _give_way(thread: int) -> None:
    with suppress(OSError):
        own = os.getpriority(os.PRIO_PROCESS, os.getpid())
        os.setpriority(os.PRIO_PROCESS, thread, own + NICENESS)


class Worker:
    """``threads`` threads with a queue. For one kind of work, so that kinds don't wait for
    each other.

    They do not give way: they share Python's lock with the event loop, and one that holds it
    while it waits for a processor holds up the audio.
    """

    def __init__(self, name: str, threads: int = 1) -> None:
        self.name = name
        self._executor = ThreadPoolExecutor(threads, name)
        self._pending = 0
        self._count = threading.Lock()

    @property
    def pending(self) -> int:
        """Jobs begun or waiting, also those whose caller has gone."""
        return self._pending

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call ``function`` on a thread and return what it returns or raise what it raises.

        Raises EngineError once the worker is closed.
        """
        return await asyncio.wrap_future(self._submit(lambda: function(*args, **kwargs)))

    def close(self) -> None:
        """Take no more work, drop what waits, and wait for what is running."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _submit(self, job: Callable[[], T]) -> Future[T]:
        try:
            future = self._executor.submit(job)
        except RuntimeError as error:  # what a closed executor raises
            raise EngineError(f"the {self.name} worker is closed") from error
        with self._count:
            self._pending += 1
        future.add_done_callback(self._done)
        return future

    def _done(self, _: Future[T]) -> None:
        with self._count:
            self._pending -= 1


class Together:
    """Blocking functions that run at the same time, each on a thread, while the context lasts.

    Leaving it waits for all of them.
    """

    def __enter__(self) -> Together:
        self._executor = ThreadPoolExecutor(16, "together")
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=True)

    def start(self, function: Callable[[], T]) -> Callable[[], T]:
        """Begin; what comes back returns the function's result, or raises its error."""
        return self._executor.submit(function).result
