"""Keeps an engine process running: starts it, and starts it again when it is lost.

Whoever asks meanwhile gets an EngineError, so that their caller goes to a person.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count

from asterisk_agent.config.schema import Config
from asterisk_agent.engines.messages import BUILD, FORGET, LIKELY, THINK, history_fields, reply_of
from asterisk_agent.engines.remote import SLOW_DEADLINE_S, Child, EngineProcess
from asterisk_agent.errors import AgentError, ConfigError, EngineError
from asterisk_agent.events import Exchange, Reply

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
"""Between two attempts to start a process that does not stay; the first is made at once."""
STEADY_S = 60.0
"""A process that has lived so long stayed."""
LOOK_S = 0.5
"""How often the process is looked after."""
STOOD_STILL_S = 1.0
"""Who looks so much later than it wanted was held up itself."""


class Keeper:
    """The engine process, whichever it is at the moment.

    ``start`` it, let somebody own the task that ``watch`` is, and ``close`` it.
    """

    def __init__(self, config: Config, start: Callable[[], Child] = Child) -> None:
        self._config = config
        self._start = start
        self._process: EngineProcess | None = None
        self._there = asyncio.Event()
        self._generations: dict[int, Config] = {}
        self._numbers = count(1)
        self.looked: float | None = None
        """When the process was last looked after, on the monotonic clock; None while it is started
        again, which has deadlines of its own."""

    @property
    def ready(self) -> bool:
        """Whether the engines are loaded and at work: False while callers need people instead."""
        process = self._process
        return process is not None and not process.gone.is_set() and not process.stuck

    @property
    def waiting(self) -> int:
        """How many questions to the process are not answered yet."""
        return 0 if self._process is None else self._process.waiting

    @property
    def late(self) -> bool:
        """Whether the engines have more to do than they should."""
        return self._process is not None and self._process.late

    def pending(self, kind: str) -> int:
        """How much work of a kind is begun or waits."""
        return 0 if self._process is None else self._process.pending(kind)

    @property
    def process(self) -> EngineProcess:
        """The process to ask. Raises EngineError while there is none."""
        if self._process is None:
            raise EngineError("the engines are being started again")
        return self._process

    async def start(self, first: Child | None = None) -> None:
        """Load the engines; ``first`` is a child that was told to ``begin`` already.

        Raises EngineError for a model that is missing or broken.
        """
        self._take(await self._open(first or self._begun(calls=False)))

    async def available(self) -> None:
        """Wait until there is a process to ask."""
        await self._there.wait()

    async def close(self) -> None:
        """End the process."""
        if self._process is not None:
            await self._process.close()

    async def brains(self, config: Config) -> Mapping[str, RemoteBrain]:
        """A brain for each channel of ``config``, over there; forgotten when nobody has them.

        Raises ConfigError for documents that cannot be read.
        """
        generation = Generation(next(self._numbers))
        await self._build(self.process, generation.number, config)
        self._generations[generation.number] = config
        loop = asyncio.get_running_loop()
        end = weakref.finalize(generation, self._forgotten, loop, generation.number)
        end.atexit = False
        return {name: RemoteBrain(self, generation, name) for name in config.channels}

    async def watch(self) -> None:
        """Replace the process whenever it is gone; never returns.

        Where it breaks it may be called again: it goes on where it was.
        """
        pause_s = 0.0
        while True:
            if self._process is not None:
                lasted_s = await self._lose(self._process)
                pause_s = 0.0 if lasted_s > STEADY_S else pause_s
            while self._process is None:
                await asyncio.sleep(pause_s)
                pause_s = min(LONGEST_PAUSE_S, 2 * pause_s or FIRST_PAUSE_S)
                await self._replace()

    async def _lose(self, process: EngineProcess) -> float:
        """Wait until the process is gone, and clear up; how long it lasted."""
        began = time.monotonic()
        await self._until_gone(process)
        self._process = self.looked = None
        self._there.clear()
        log.error(
            "engines: process lost; calls that need it go to people",
            extra={"pid": process.pid, "why": process.why},
        )
        await process.close()
        return time.monotonic() - began

    async def _until_gone(self, process: EngineProcess) -> None:
        """Wait until the process is gone; one that shows no sign of life is killed."""
        while not process.gone.is_set():
            now, before = time.monotonic(), self.looked
            self.looked = now
            stood_still = before is not None and now - before > LOOK_S + STOOD_STILL_S
            process.judge(excused=stood_still)  # what it said meanwhile was perhaps not read yet
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await process.gone.wait()

    def _take(self, process: EngineProcess) -> None:
        self._process = process
        self._there.set()

    def _begun(self, *, calls: bool) -> Child:
        child = self._start()
        child.begin(self._config, calls=calls)
        return child

    async def _open(self, child: Child) -> EngineProcess:
        """A process with everything that calls need."""
        process = await EngineProcess.connect(child)
        try:
            await process.loaded()
            for number, config in list(self._generations.items()):
                await self._rebuild(process, number, config)
        except BaseException:
            await process.close()
            raise
        return process

    async def _rebuild(self, process: EngineProcess, number: int, config: Config) -> None:
        """Read the documents again. Only calls that are nearly over still use the older ones."""
        try:
            await self._build(process, number, config)
        except ConfigError as error:
            if number == max(self._generations):
                raise
            log.warning("engines: documents of an earlier configuration are lost: %s", error)

    async def _build(self, process: EngineProcess, number: int, config: Config) -> None:
        await process.ask(BUILD, {"generation": number}, pickle.dumps(config), SLOW_DEADLINE_S)

    async def _replace(self) -> None:
        began = time.monotonic()
        try:
            process = await self._open(self._begun(calls=True))
        except AgentError as error:
            log.error("engines: cannot be started again: %s", error)
            return
        self._take(process)
        took_s = round(time.monotonic() - began, 2)
        log.info("engines: ready again", extra={"pid": process.pid, "took_s": took_s})

    def _forgotten(self, loop: asyncio.AbstractEventLoop, number: int) -> None:
        """The last brain of a generation was let go, on whatever thread."""
        with suppress(RuntimeError):  # the loop has closed: the process is gone, too
            loop.call_soon_threadsafe(self._forget, number)

    def _forget(self, number: int) -> None:
        del self._generations[number]
        if self._process is not None:
            self._process.tell(FORGET, {"generation": number})


class Generation:
    """A configuration's brains in the engine process; alive while any of them is in use here."""

    def __init__(self, number: int) -> None:
        self.number = number


class RemoteBrain:
    """A channel's ``Brain``, as the service sees it."""

    def __init__(self, keeper: Keeper, generation: Generation, channel: str) -> None:
        self._keeper = keeper
        self._generation = generation
        self._channel = channel

    async def likely(self) -> list[str]:
        """The sentences that its answers will probably be made of. Raises EngineError."""
        fields = {"generation": self._generation.number, "channel": self._channel}
        answer = await self._keeper.process.ask(LIKELY, fields)
        return [str(sentence) for sentence in answer["sentences"]]

    async def reply(
        self, utterance: str, history: Sequence[Exchange] = (), *, staffed: bool = True
    ) -> Reply:
        """Reply to ``utterance``; see ``Brain.reply``. Raises EngineError."""
        fields = {
            "generation": self._generation.number,
            "channel": self._channel,
            "utterance": utterance,
            "history": history_fields(tuple(history)),
            "staffed": staffed,
        }
        return reply_of(await self._keeper.process.ask(THINK, fields))
