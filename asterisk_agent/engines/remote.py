"""One engine process, seen from the service: start it, ask it, notice that it is gone.

Whoever asks gets an answer, an EngineError at once when the process dies, or an EngineError
after a deadline. A process that has answered nothing of a kind for that long is hung: it is
killed, because its callers are better off with a person now than with an answer some day.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from asterisk_agent.engines.messages import (
    BEAT,
    CANCEL,
    DONE,
    FAILED,
    LOAD,
    LOG,
    RECOGNISE,
    SPEAK,
    THINK,
    Decoder,
    Message,
    encode,
    error_of,
)
from asterisk_agent.errors import EngineError, ProtocolError
from asterisk_agent.redaction import ORDINARY

if TYPE_CHECKING:  # so that a child starts before the service has read its own modules
    from asterisk_agent.config.schema import Config

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-P", "-m", "asterisk_agent.engine_process")
DEADLINE_S = 20.0
"""For an answer to a caller, or the next piece of one."""
SLOW_DEADLINE_S = 300.0
"""For loading models, and for reading documents: thousands of pages are embedded once."""
SUSPECT_S = 5.0
"""A process that owes answers and has given none of that kind for so long may be hung."""
SILENT_S = 3.0
"""A process that shows no sign of life for so long is frozen, whatever it owes."""
END_LIMIT_S = 2.0
MAX_UNSENT_BYTES = 1 << 26
_BUFFER_BYTES = 1 << 20
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""NumPy's helpers would spin for work that is too small for them, on a core that a call needs."""
LATE_S = 1.5
"""Work for a caller that is not done after this: no new callers for now."""
_FOR_CALLERS = (RECOGNISE, THINK, SPEAK)


class Child:
    """A process just started: Python gets ready in it while the service does other things.

    Raises EngineError where no process can be started.
    """

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        with theirs:
            try:
                # What a library prints goes where our log goes: standard output is not ours.
                self.process = subprocess.Popen(
                    [*command, str(theirs.fileno()), str(os.getpid())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=2,
                    env=os.environ | ONE_THREAD,
                )
            except OSError as error:
                ours.close()
                raise EngineError(f"the engine process cannot be started: {error}") from error
        self.pipe = ours
        self._working = False

    def begin(self, config: Config, *, calls: bool = False) -> None:
        """Let it load what ``config`` names, warm up, and then wait for work.

        ``calls``: there are calls under way, so it shall take its time.
        """
        self._working = True
        data = encode(Message(0, LOAD, {"calls": calls}, pickle.dumps(config)))
        with suppress(ConnectionError):  # it is gone: whoever waits for it to load will learn
            self.pipe.sendall(data)

    def close(self) -> None:
        """End it: politely by the pipe's end, then by SIGKILL. Blocks up to two seconds."""
        self.pipe.close()
        if not self._working:
            self.process.kill()
        try:
            self.process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass(slots=True)
class _Question:
    number: int
    kind: str
    since: float
    answers: asyncio.Queue[Message | EngineError] = field(default_factory=asyncio.Queue)


class EngineProcess(asyncio.Protocol):
    """The connection to one ``Child``. Made on the event loop by ``connect``."""

    def __init__(self, child: Child) -> None:
        self.gone = asyncio.Event()
        """Set when it no longer answers, whatever the reason."""
        self.why = "it ended"
        self.turn_cpu_s = 0.0
        """CPU seconds that a turn of a call costs, once ``loaded``."""
        self._child = child
        self._decoder = Decoder()
        self._numbers = count(1)
        self._load = _Question(0, LOAD, time.monotonic())
        self._questions = {0: self._load}
        self._answered: dict[str, float] = {}
        """When a question of each kind was last answered."""
        self._transport: asyncio.Transport | None = None
        self._beat = self._excused = time.monotonic()
        self._loaded = False

    @classmethod
    async def connect(cls, child: Child) -> EngineProcess:
        """Take over a child that was told to ``begin``."""
        loop = asyncio.get_running_loop()
        child.pipe.setblocking(False)
        _, process = await loop.create_connection(lambda: cls(child), sock=child.pipe)
        return process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.process.pid

    @property
    def waiting(self) -> int:
        """How many questions are not answered yet."""
        return len(self._questions)

    @property
    def stuck(self) -> bool:
        """Whether it owes callers something and seems not to work at it."""
        now = time.monotonic()
        return any(now - since > SUSPECT_S for _, since in self._owed())

    def pending(self, kind: str) -> int:
        """How much work of a kind is begun or waits."""
        return sum(question.kind == kind for question in self._questions.values())

    @property
    def late(self) -> bool:
        """Whether a caller waits for it longer than callers should: it has enough to do."""
        now = time.monotonic()
        return any(
            now - question.since > LATE_S
            for question in self._questions.values()
            if question.kind in _FOR_CALLERS
        )

    async def loaded(self, deadline_s: float = SLOW_DEADLINE_S) -> None:
        """Wait for the engines. Raises EngineError for what cannot be loaded."""
        async with aclosing(self._answers(self._load, deadline_s)) as answers:
            async for message in answers:
                self.turn_cpu_s = float(message.fields.get("turn_cpu_s", 0.0))
        self._beat, self._loaded = time.monotonic(), True

    async def ask(
        self,
        kind: str,
        fields: Mapping[str, Any],
        body: bytes = b"",
        deadline_s: float = DEADLINE_S,
    ) -> Mapping[str, Any]:
        """One question, one answer. Raises EngineError (ConfigError for documents)."""
        async with aclosing(self.stream(kind, fields, body, deadline_s)) as answers:
            return [message async for message in answers][-1].fields

    async def stream(
        self,
        kind: str,
        fields: Mapping[str, Any],
        body: bytes = b"",
        deadline_s: float = DEADLINE_S,
    ) -> AsyncGenerator[Message, None]:
        """One question, an answer in pieces; the last is ``DONE``. Closing it cancels the work."""
        question = self._put(kind, fields, body)
        async with aclosing(self._answers(question, deadline_s)) as answers:
            async for message in answers:
                yield message

    def tell(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Ask without waiting for the answer."""
        self._put(kind, fields, b"")

    def kill(self, why: str) -> None:
        """End it now: SIGKILL. Who waits for an answer gets an EngineError."""
        if not self.gone.is_set():
            self.why = why
            self._child.process.send_signal(signal.SIGKILL)
            self._give_up()

    def judge(self, *, excused: bool = False) -> None:
        """Kill it if it is frozen; ``excused``: its silence so far does not count.

        Before it has loaded its libraries may hold it up for long. Callers who are owed an answer
        do not wait until it is certain that none comes; it is seen here, and not by them.
        """
        now = time.monotonic()
        if excused:
            self._beat = self._excused = now
        if not self._loaded:
            return
        if now - self._beat > SILENT_S:
            self.kill(f"no sign of life for {now - self._beat:.1f} s")
        for kind, since in list(self._owed()):
            silent_s = now - max(since, self._excused)
            if silent_s > DEADLINE_S:
                self.kill(f"no answer to {kind} in {silent_s:.0f} s")

    def _owed(self) -> Iterator[tuple[str, float]]:
        """The kind of each question that a caller waits for, and since when nothing came of it."""
        for question in self._questions.values():
            if question.kind in _FOR_CALLERS:
                yield question.kind, max(question.since, self._answered.get(question.kind, 0.0))

    async def close(self) -> None:
        """End it, and see it gone."""
        if not self.gone.is_set():
            self.why = "it was stopped"
            self._give_up()
        await asyncio.to_thread(self._child.close)
        code = self._child.process.returncode
        log.info("engines: process ended", extra={"pid": self.pid, "code": code})

    def _put(self, kind: str, fields: Mapping[str, Any], body: bytes) -> _Question:
        question = _Question(next(self._numbers), kind, time.monotonic())
        data = encode(Message(question.number, kind, fields, body))
        self._questions[question.number] = question
        self._write(data)
        return question

    async def _answers(
        self, question: _Question, deadline_s: float
    ) -> AsyncGenerator[Message, None]:
        done = False
        try:
            while not done:
                since = time.monotonic()
                try:
                    async with asyncio.timeout(deadline_s):
                        message = await question.answers.get()
                except TimeoutError:
                    self._too_late(question, since, deadline_s)
                    raise EngineError(f"{question.kind}: no answer in {deadline_s:.0f} s") from None
                if isinstance(message, EngineError):
                    done = True
                    raise message
                done = message.kind in (DONE, FAILED)
                if message.kind == FAILED:
                    raise error_of(message.fields)
                yield message
        finally:
            if not done:
                self._write(encode(Message(question.number, CANCEL)))

    def _too_late(self, question: _Question, since: float, deadline_s: float) -> None:
        """Overloaded, or hung? If nothing of its kind was answered meanwhile, hung."""
        if self._answered.get(question.kind, 0.0) < since:
            self.kill(f"no answer to {question.kind} in {deadline_s:.0f} s")

    def _write(self, data: bytes) -> None:
        transport = self._transport
        assert transport is not None, "made by connect only"
        if self.gone.is_set():
            self._give_up()  # whoever has just asked learns it, too
        elif transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.kill("it stopped reading")
        else:
            transport.write(data)

    # --- asyncio.Protocol -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The pipe is ours to write to."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Pass what it says to who asked."""
        try:
            for message in self._decoder.feed(data):
                self._pass_on(message)
        except ProtocolError as error:
            self.kill(str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended, or its end of the pipe has."""
        self._give_up()

    def _pass_on(self, message: Message) -> None:
        self._beat = time.monotonic()
        if message.kind == BEAT:
            return
        if message.kind == LOG:
            _log(log_record(message.fields))
            return
        question = self._questions.get(message.number)
        if question is None:
            raise ProtocolError(f"answer {message.number} to a question that nobody asked")
        self._answered[question.kind] = time.monotonic()
        question.answers.put_nowait(message)
        if message.kind in (DONE, FAILED):
            del self._questions[message.number]

    def _give_up(self) -> None:
        self.gone.set()
        if self._transport is not None:
            self._transport.abort()
        for question in self._questions.values():
            question.answers.put_nowait(EngineError(f"the engine process is gone: {self.why}"))
        self._questions.clear()


def log_record(fields: Mapping[str, Any]) -> logging.LogRecord:
    """A line of the process's log. Raises ProtocolError where it is none."""
    try:
        given = {"name": str(fields["name"]), "msg": str(fields["text"])}
        level = int(fields["level"])
        extra = {key: value for key, value in fields["extra"].items() if key not in ORDINARY}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ProtocolError("engine message is no log line") from error
    level = min(max(level, logging.DEBUG), logging.CRITICAL)
    names = {"levelno": level, "levelname": logging.getLevelName(level)}
    return logging.makeLogRecord({**extra, **given, **names})


def _log(record: logging.LogRecord) -> None:
    """A line of its log, among ours."""
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        logger.handle(record)
