"""A number of calls at once, for as long as it takes to ask so many questions."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from asterisk_agent.errors import AsteriskError, SandboxError
from asterisk_agent.net.ami import AsteriskManager
from asterisk_agent.sandbox.bench_call import BenchCall, CallSeen
from asterisk_agent.sandbox.bench_caller import Caller, PjsipCaller
from asterisk_agent.sandbox.bench_clips import Clip
from asterisk_agent.sandbox.bench_deck import Deck
from asterisk_agent.sandbox.bench_lag import lag_ms, loop_lags
from asterisk_agent.sandbox.bench_line import LineCaller
from asterisk_agent.sandbox.bench_log import Measured, ServiceLog, measure, read_stories
from asterisk_agent.sandbox.bench_meter import Meter, Size, Usage
from asterisk_agent.sandbox.bench_weather import Weather
from asterisk_agent.sandbox.pbx import Pbx

Phones = Literal["pjsip", "light"]
TURNS_A_CALL = 6
STAGGER_S = 0.7
"""Callers do not all dial in the same second."""
AFTER_REFUSAL_S = 5.0
WRITTEN_WITHIN_S = 2.0
"""How soon after a call its story is in the log."""
LOGIN_LIMIT_S = 5.0
REPORT_S = 0.5
FRUITLESS = 3
"""After so many calls in a row that nobody of ours answered, a line gives up."""


@dataclass(slots=True)
class RunResult:
    """Everything measured in one run."""

    calls: int
    phones: Phones
    seconds: float
    seen: list[CallSeen]
    turns: list[Measured]
    usage: Usage
    idle_size: Size
    sizes: list[Size]
    gaps_ms: list[float]
    loop_lag_ms: dict[str, float | int | None]
    """See :func:`~asterisk_agent.sandbox.bench_lag.lag_ms`."""
    weather: tuple[float, float] = (0.0, 0.0)
    overtaken: int = 0
    """Turns left out because the agent was parting or answering something else."""
    troubles: list[str] = field(default_factory=list)

    @property
    def talked_minutes(self) -> float:
        """How long agents and callers talked, all calls added up."""
        talked = (
            call for call in self.seen if call.answered is not None and call.outcome == "talked"
        )
        return sum(call.ended - (call.answered or 0.0) for call in talked) / 60


class Conversations:
    """Asks Asterisk which calls talk with the agent now."""

    def __init__(self, pbx: Pbx) -> None:
        asterisk = pbx.asterisk
        self._manager = AsteriskManager(
            asterisk.host, asterisk.ami_port, asterisk.ami_username, asterisk.ami_secret
        )

    async def __aenter__(self) -> Self:
        await self._manager.start()
        try:
            async with asyncio.timeout(LOGIN_LIMIT_S):
                async for _ in self._manager.sessions():
                    break
        except TimeoutError:
            raise SandboxError("Asterisk's manager interface does not answer") from None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._manager.stop()

    async def has(self, number: str) -> bool:
        """Whether this number's call is in the agent's hands. Raises SandboxError."""
        try:
            channels = await self._manager.action("CoreShowChannels")
        except AsteriskError as error:
            raise SandboxError(f"asking for the channels: {error}") from error
        return any(
            channel.get("calleridnum") == number and channel.get("application") == "AudioSocket"
            for channel in channels
        )


class Bench:
    """Holds runs against a PBX that is up. ``clips`` is all that callers can say."""

    def __init__(self, pbx: Pbx, number: str, clips: Sequence[Clip], out: Path) -> None:
        self._pbx = pbx
        self._uri = pbx.uri(number)
        self._clips = clips
        self._out = out
        self.weather = (0.0, 0.0)
        """What light phones lose of their packets, 0 to 1, and their jitter in seconds."""
        self._numbers = (f"+1555{serial:07d}" for serial in count(7_000_001))

    async def run(
        self,
        calls: int,
        turns: int,
        phones: Phones,
        progress: Callable[[int, int], None] = lambda done, total: None,
        seconds: float | None = None,
    ) -> RunResult:
        """So many calls at once until so many questions were asked, or for ``seconds``."""
        deck = Deck(self._clips, turns)
        service = self._pbx.processes()[0].pid
        meter = Meter(service, self._pbx.asterisk.pid)
        log = ServiceLog(self._pbx.service_log)
        lags = await loop_lags(self._pbx.config.control_socket)
        idle_size, before, began = meter.size(), meter.usage(), time.monotonic()
        until = began + seconds if seconds is not None else None
        seen: list[CallSeen] = []
        async with AsyncExitStack() as stack:
            conversations = await stack.enter_async_context(Conversations(self._pbx))
            await stack.enter_async_context(meter)
            reporter = asyncio.create_task(_report(deck, turns, progress), name="progress")
            stack.callback(reporter.cancel)
            lines = await stack.enter_async_context(asyncio.TaskGroup())
            for index in range(calls):
                lines.create_task(
                    self._line(index, deck, phones, conversations, seen=seen, until=until),
                    name=f"line {index}",
                )
        took, usage = time.monotonic() - began, meter.usage().since(before)
        await asyncio.sleep(WRITTEN_WITHIN_S)
        measured = await asyncio.to_thread(self._measure, seen)
        said = sum(len(call.turns) for call in seen if call.outcome != "refused")
        return RunResult(
            calls=calls,
            phones=phones,
            seconds=took,
            seen=seen,
            weather=self.weather,
            turns=measured,
            overtaken=said - len(measured),
            usage=usage,
            idle_size=idle_size,
            sizes=meter.sizes,
            gaps_ms=log.values("longest_gap_ms"),
            loop_lag_ms=lag_ms(lags, await loop_lags(self._pbx.config.control_socket)),
            troubles=log.troubles(),
        )

    async def _line(
        self,
        index: int,
        deck: Deck,
        phones: Phones,
        conversations: Conversations,
        *,
        seen: list[CallSeen],
        until: float | None,
    ) -> None:
        """One caller after the other until enough was asked."""
        chance = random.Random(index)  # noqa: S311 - how long people think
        await asyncio.sleep(index * STAGGER_S)
        fruitless = 0
        while not deck.finished and (until is None or time.monotonic() < until):
            if fruitless >= FRUITLESS:
                return
            number = next(self._numbers)
            caller = self._caller(phones, number)
            call = BenchCall(
                caller, number, deck, conversations.has, turns=TURNS_A_CALL, chance=chance
            )
            seen.append(await call.hold(self._uri))
            fruitless = 0 if seen[-1].outcome == "talked" else fruitless + 1
            if fruitless:
                await asyncio.to_thread(self._keep_recording, caller, number)
                await asyncio.sleep(AFTER_REFUSAL_S)

    def _caller(self, phones: Phones, number: str) -> Caller:
        if phones == "pjsip":
            return PjsipCaller(number)
        return LineCaller(number, Weather(*self.weather))

    def _keep_recording(self, caller: Caller, number: str) -> None:
        if caller.recording.frames:
            caller.recording.save_stereo(self._out / f"call{number}.wav")

    def _measure(self, seen: Sequence[CallSeen]) -> list[Measured]:
        database = self._pbx.config.records.database
        stories = read_stories(database, {call.number for call in seen})
        return [
            turn
            for call in seen
            if call.outcome != "refused"
            for turn in measure(call, stories.get(call.number))
        ]


async def _report(deck: Deck, turns: int, progress: Callable[[int, int], None]) -> None:
    """Tell how far the run is, until somebody cancels it."""
    while True:
        progress(turns - deck.left, turns)
        await asyncio.sleep(REPORT_S)
