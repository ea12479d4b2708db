"""The engine process's side of the pipe: one thread reads, and each kind of work has its own.

The service is our parent. When it is gone, whatever the way, this process ends: the pipe's end
is noticed while Python runs, the kernel's signal (prctl) also while a library does not return.
"""

from __future__ import annotations

import ctypes
import logging
import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import MappingProxyType
from typing import Any, TypeAlias

from asterisk_agent.engines.messages import (
    BEAT,
    CANCEL,
    DONE,
    FAILED,
    LOAD,
    LOG,
    PIECE,
    Decoder,
    Message,
    encode,
    failure,
)
from asterisk_agent.engines.worker import give_way, now_s
from asterisk_agent.errors import AgentError, EngineError
from asterisk_agent.logs import values_of

log = logging.getLogger(__name__)

READ_BYTES = 1 << 18
BEAT_S = 0.5
"""How often the service is told that we are alive."""
_PR_SET_PDEATHSIG = 1
_at_work = threading.local()


class Job:
    """One question being worked on."""

    def __init__(self, message: Message, send: Callable[[Message], None]) -> None:
        self.kind = message.kind
        self.fields = message.fields
        self.body = message.body
        self.given_up = False
        """Nobody waits for the answer any more."""
        self._number = message.number
        self._send = send

    def piece(self, body: bytes) -> None:
        """Send a part of the answer."""
        self._send(Message(self._number, PIECE, body=body))

    def answer(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Send the answer, or its end."""
        self._send(Message(self._number, kind, fields))


Handler: TypeAlias = Callable[[Job], Mapping[str, Any]]
"""Does one kind of work, blocking, and returns the answer's fields. Raises AgentError."""


def given_up() -> bool:
    """Whether nobody waits any more for what this thread is doing."""
    job: Job | None = getattr(_at_work, "job", None)
    return job is not None and job.given_up


class Server:
    """Answers what comes through ``pipe``; ``handlers`` by kind, each on a thread of its own.

    ``at_once``: how many threads a kind has instead.
    """

    def __init__(
        self,
        pipe: socket.socket,
        handlers: Mapping[str, Handler],
        at_once: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._pipe = pipe
        self._handlers = handlers
        self._lanes = {kind: _lane(kind, at_once.get(kind, 1)) for kind in handlers}
        self._jobs: dict[int, Job] = {}
        self._writing = threading.Lock()

    def run(self) -> None:
        """Work until the other end is closed. Raises ProtocolError on nonsense."""
        decoder = Decoder()
        due = now_s()
        with suppress(ConnectionError):
            while True:
                if now_s() >= due:
                    self.send(Message(0, BEAT))
                    due = now_s() + BEAT_S
                if not select.select([self._pipe], [], [], max(0.0, due - now_s()))[0]:
                    continue
                if not (data := self._pipe.recv(READ_BYTES)):
                    return
                for message in decoder.feed(data):
                    self._take(message)

    def send(self, message: Message) -> None:
        """Send from any thread. A parent that is gone hears nothing."""
        data = encode(message)
        with suppress(ConnectionError), self._writing:
            self._pipe.sendall(data)

    def _take(self, message: Message) -> None:
        if message.kind == CANCEL:
            job = self._jobs.get(message.number)
            if job is not None:
                job.given_up = True
            return
        job = self._jobs[message.number] = Job(message, self.send)
        self._lanes[message.kind].submit(self._work, message.number, job)

    def _work(self, number: int, job: Job) -> None:
        """On a lane's thread. Every question gets exactly one end of an answer."""
        _at_work.job = job
        try:
            answer = {} if job.given_up else self._handlers[job.kind](job)
            job.answer(DONE, answer)
        except AgentError as error:
            job.answer(FAILED, failure(error))
        except Exception as error:
            # A fault of ours in one job must not take the other calls' engines away.
            log.exception("engines: a fault while at work")
            problem = EngineError(f"{job.kind} failed: {type(error).__name__}")
            job.answer(FAILED, failure(problem))
        finally:
            _at_work.job = None
            del self._jobs[number]


def _lane(kind: str, threads: int) -> ThreadPoolExecutor:
    """Threads that give way to the service's; loading decides for itself."""
    return ThreadPoolExecutor(threads, kind, initializer=None if kind == LOAD else give_way)


class LogToParent(logging.Handler):
    """Our log lines belong among the service's."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        super().__init__()
        self._send_message = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send one line; what a logger was given beside it as text."""
        extra = {key: str(value) for key, value in values_of(record).items()}
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        fields = {"name": record.name, "level": record.levelno, "text": text, "extra": extra}
        self._send_message(Message(0, LOG, fields))


def settle_in(parent: int) -> None:
    """End with the service, and leave its signals to it.

    ``parent`` is the service's process id. A terminal's Ctrl-C and systemd's SIGTERM reach every
    process, but it is the service that says goodbye, and it needs the voice for that.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before we could ask to be told
        os._exit(1)
