"""Blocking work on threads, awaited on the event loop. The only module that starts threads.

A caller that gives up (``asyncio.timeout``, a hang-up) gets its cancellation at once; the thread
finishes what it had begun, its result is thrown away, and work that had not begun never does.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, ParamSpec, TypeVar

from asterisk_agent.errors import EngineError

P = ParamSpec("P")
T = TypeVar("T")

STREAM_DEPTH = 8
"""Items that a stream makes ahead of its consumer."""
NICENESS = 10
_POLL_S = 0.1
"""How soon a producer whose queue is full notices that nobody listens any more."""


def now_s() -> float:
    """Seconds on a clock that only goes forward, for measuring how long work took."""
    return time.perf_counter()


def give_way() -> None:
    """Let this thread, and those it starts, give way to the event loop: a frame of audio that is
    late is heard, an answer that is 10 ms later is not.
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


class Worker:
    """``threads`` threads with a queue. For one kind of work, so that kinds don't wait for
    each other.
    """

    def __init__(self, name: str, threads: int = 1) -> None:
        self.name = name
        self._executor = ThreadPoolExecutor(threads, name, initializer=give_way)
        self._stopping = threading.Event()
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

    async def stream(self, make_iterator: Callable[[], Iterator[T]]) -> AsyncGenerator[T, None]:
        """Iterate on a thread; at most ``STREAM_DEPTH`` items wait for the consumer.

        Closing the generator (``aclose``, or cancellation) stops the thread before its next item.
        """
        channel: _Channel[T] = _Channel(asyncio.get_running_loop(), self._stopping)
        job = self._submit(lambda: channel.produce(make_iterator))
        try:
            while (item := await channel.get()) is not None:
                yield item[0]
            await asyncio.wrap_future(job)  # raises what the iterator raised
        finally:
            channel.abandon()
            job.cancel()

    def close(self) -> None:
        """Take no more work, drop what waits, stop streams, and wait for what is running."""
        self._stopping.set()
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


class _Channel(Generic[T]):
    """Items from one thread to one task. An item travels as ``(item,)``; None is the end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stopping: threading.Event) -> None:
        self._loop = loop
        self._items: queue.SimpleQueue[tuple[T] | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(STREAM_DEPTH)
        self._ready = asyncio.Event()
        self._worker_stopping = stopping
        self._abandoned = threading.Event()

    def produce(self, make_iterator: Callable[[], Iterator[T]]) -> None:
        """On the thread: hand over every item, then the end, also after an error."""
        try:
            if self._abandoned.is_set():
                return
            for item in make_iterator():
                if not self._wait_for_room():
                    break
                self._put((item,))
        finally:
            self._put(None)
        if self._worker_stopping.is_set() and not self._abandoned.is_set():
            raise EngineError("the worker was closed in the middle of a stream")

    async def get(self) -> tuple[T] | None:
        """On the loop: the next item."""
        while True:
            self._ready.clear()  # before looking: what comes after sets it again
            try:
                item = self._items.get_nowait()
            except queue.Empty:
                await self._ready.wait()
            else:
                self._room.release()
                return item

    def abandon(self) -> None:
        """Nobody will ask for more."""
        self._abandoned.set()

    def _wait_for_room(self) -> bool:
        """False once nobody wants more items."""
        while not (self._abandoned.is_set() or self._worker_stopping.is_set()):
            if self._room.acquire(timeout=_POLL_S):
                return True
        return False

    def _put(self, item: tuple[T] | None) -> None:
        self._items.put(item)
        with suppress(RuntimeError):  # the loop has closed: nobody is waiting
            self._loop.call_soon_threadsafe(self._ready.set)


class Together:
    """Blocking functions that run at the same time, each on a thread, while the context lasts.

    Leaving it waits for all of them.
    """

    def __enter__(self) -> Together:
        self._executor = ThreadPoolExecutor(16, "together", initializer=give_way)
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=True)

    def start(self, function: Callable[[], T]) -> Callable[[], T]:
        """Begin; what comes back returns the function's result, or raises its error."""
        return self._executor.submit(function).result
