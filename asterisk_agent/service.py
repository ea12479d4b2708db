"""The service: engines loaded once, calls admitted, and the answers to the dialplan's questions."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from asterisk_agent import audio, routing
from asterisk_agent.brain.brain import Brain, build
from asterisk_agent.brain.phrases import all_sentences, phrases_for
from asterisk_agent.call import Call
from asterisk_agent.config.paths import data_directory
from asterisk_agent.config.schema import Channel, Config
from asterisk_agent.engines.loader import Engines
from asterisk_agent.engines.pool import EnginePool
from asterisk_agent.engines.worker import Worker
from asterisk_agent.errors import AgentError, AsteriskError, ConfigError, ProtocolError
from asterisk_agent.net.ami import AsteriskManager, Headers
from asterisk_agent.net.fastagi import FastAgiServer
from asterisk_agent.net.media import Line, MediaServer
from asterisk_agent.net.ports import cannot_listen
from asterisk_agent.records import CallLog, Step, Story
from asterisk_agent.routing import AgentHealth, Decision, Facts, Kind, Outcome, Stage, State
from asterisk_agent.speech import sentences
from asterisk_agent.wire import agi

log = logging.getLogger(__name__)

CLAIM_LIMIT_S = 10.0
"""How long an issued call id may wait for its audio connection."""
STOP_LIMIT_S = 20.0
"""How long running calls get to say their last sentence when the service stops."""
LAST_QUESTIONS_S = 1.0
"""After the last conversation: time for the dialplan to ask where its caller goes."""
FORGET_AFTER = timedelta(hours=3)
"""A call whose end nobody told us is written down as it is after this long."""
SWEEP_S = 60.0
QUIET_CHECK_S = 0.5
"""How often the preparation of sentences looks whether a conversation is over."""
CALLS_A_CORE = 4


@dataclass(slots=True)
class Visit:
    """A call from its first question to its end."""

    story: Story
    channel: Channel
    announced: float
    call: Call | None = None
    claimed: bool = False
    brief: Path | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the conversation has ended."""


class Service:
    """Answers the dialplan. ``run`` until ``stop`` is called."""

    def __init__(self, config: Config, engines: Engines) -> None:
        self._config = config
        self._engines = engines
        self._pool = EnginePool(engines, config.agent.language)
        self._writer = Worker("records")
        self._log = CallLog(config.records.database)
        self._phrases = phrases_for(config.agent.language)
        self._brains: dict[str, Brain] = {}
        self._visits: dict[UUID, Visit] = {}
        self._ends: asyncio.Queue[tuple[Visit, Headers]] = asyncio.Queue()
        self._stop = asyncio.Event()
        self._stopping = False
        self._media = MediaServer(self._claim)
        self._fastagi = FastAgiServer({"start": self._start_request, "next": self._next_request})
        self._manager = _manager(config, self._on_event)
        self._briefs = data_directory() / "briefs"
        self._most_calls = most_calls(config)

    def stop(self) -> None:
        """Begin the graceful stop; ``run`` returns when it is done."""
        self._stop.set()

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Warm up, open the ports, serve, and leave nobody behind. Raises AgentError."""
        async with AsyncExitStack() as stack:
            stack.callback(self._log.close)
            stack.callback(self._writer.close)
            stack.callback(self._pool.close)
            await self._warm()
            await self._open_ports()
            if self._manager is not None:
                await self._manager.start()
            async with asyncio.TaskGroup() as group:
                chores = [
                    group.create_task(self._prepare()),
                    group.create_task(self._sweep()),
                    group.create_task(self._follow()),
                    group.create_task(self._reread()),
                ]
                ready()
                await self._stop.wait()
                await self._leave()
                for chore in chores:
                    chore.cancel()

    # --- life cycle -------------------------------------------------------------------------

    async def _warm(self) -> None:
        """Read the documents and make the sentences that are always needed."""
        for channel in self._config.channels.values():
            self._brains[channel.id] = await self._writer.run(
                build, self._config, channel, self._engines, time.perf_counter
            )
        await self._pool.prepare(sentences(self._config.agent.greeting))

    async def _open_ports(self) -> None:
        servers: list[tuple[str, MediaServer | FastAgiServer]] = [
            ("media", self._media),
            ("fastagi", self._fastagi),  # last: it is what brings the calls
        ]
        for key, server in servers:
            address = getattr(self._config.listen, key)
            try:
                await server.start(address)
            except OSError as error:
                raise cannot_listen(key, address, error) from error

    async def _leave(self) -> None:
        """No new calls; every running one gets a sentence and its queue; then out."""
        self._stopping = True
        talking = [visit for visit in self._visits.values() if _talking(visit)]
        log.info("service: stopping", extra={"calls": len(talking)})
        for visit in talking:
            assert visit.call is not None
            visit.call.leave()
        try:
            async with asyncio.timeout(STOP_LIMIT_S):
                for visit in talking:
                    await visit.over.wait()
        except TimeoutError:
            log.warning("service: calls were still talking after %.0f s", STOP_LIMIT_S)
        await asyncio.sleep(LAST_QUESTIONS_S if talking else 0)
        await self._fastagi.stop()
        await self._media.stop()
        if self._manager is not None:
            await self._manager.stop()
        for visit in list(self._visits.values()):
            await self._finish(visit, "unknown: the service stopped")

    async def _prepare(self) -> None:
        """Speak the fixed sentences into memory while nobody waits.

        A voice in the making takes the processor from the calls that are talking.
        """
        for channel in self._config.channels.values():
            for text in all_sentences(self._config, channel):
                for sentence in sentences(text):
                    while any(_talking(v) for v in self._visits.values()):  # noqa: ASYNC110
                        await asyncio.sleep(QUIET_CHECK_S)
                    await self._pool.prepare([sentence])

    async def _sweep(self) -> None:
        """Write down calls whose end nobody told us."""
        while True:
            await asyncio.sleep(SWEEP_S)
            for visit in list(self._visits.values()):
                if datetime.now(UTC) - visit.story.started > FORGET_AFTER:
                    await self._finish(visit, "unknown")

    # --- the dialplan's questions -------------------------------------------------------------

    async def _start_request(self, request: agi.Request) -> Mapping[str, str]:
        """``start,CHANNEL``: a call has arrived."""
        channel = self._channel(request)
        visit = Visit(
            Story(
                channel=channel.id,
                caller=request.variables.get("agi_callerid", ""),
                state="",
                started=datetime.now(UTC),
                unique_id=request.variables.get("agi_uniqueid", ""),
            ),
            channel,
            announced=time.monotonic(),
        )
        self._visits[visit.story.id] = visit
        facts = Facts(Stage.ARRIVAL, agent=self._health())
        decision = routing.decide(facts, channel, self._config, datetime.now(UTC))
        visit.story.state = decision.state
        prompt = "connecting" if facts.agent is not AgentHealth.UP else ""
        return {
            "AGENT_UUID": str(visit.story.id),
            "AGENT_STATE": decision.state,
            **self._answer(visit, decision, prompt),
        }

    async def _next_request(self, request: agi.Request) -> Mapping[str, str]:
        """``next,CHANNEL,UUID,STAGE,STATE,STATUS,TRIED``: a stage is over; where to now?"""
        channel = self._channel(request)
        _, uuid, stage, state, status, tried = _six(request.arguments)
        visit = self._visits.get(_uuid(uuid)) or self._stranger(request, channel, uuid)
        outcome = visit.call.outcome if visit.call is not None else None
        facts = Facts(
            stage=_member(Stage, stage) or Stage.AGENT,
            state=_member(State, state),
            agent=self._health(),
            outcome=outcome or Outcome.LOST,
            wanted_team=visit.story.team,
            tried=tuple(part for part in tried.split(".") if part),
            queue_status=status,
        )
        if visit.story.path:
            heard = facts.stage is Stage.AGENT
            visit.story.path[-1].result = str(facts.outcome) if heard else status
        decision = routing.decide(facts, channel, self._config, datetime.now(UTC))
        lost = facts.stage is Stage.AGENT and facts.outcome is Outcome.LOST
        answer = self._answer(visit, decision, "apology" if lost else "")
        if decision.kind is Kind.GOODBYE:
            await self._finish(visit, _final(visit, facts))
        return answer

    def _answer(self, visit: Visit, decision: Decision, prompt: str) -> dict[str, str]:
        visit.story.path.append(
            Step(
                f"{decision.kind}:{decision.target}" if decision.target else decision.kind,
                visit.story.seconds(datetime.now(UTC)),
                decision.because,
            )
        )
        log.info(
            "call: %s", decision.kind, extra={"call": str(visit.story.id), "to": decision.target}
        )
        brief = visit.brief
        return {
            "AGENT_ACTION": decision.kind,
            "AGENT_TARGET": decision.target,
            "AGENT_MESSAGE": decision.message,
            "AGENT_PROMPT": prompt,
            "AGENT_BRIEF": str(brief.with_suffix("")) if brief is not None else "",
        }

    def _channel(self, request: agi.Request) -> Channel:
        name = request.arguments[0] if request.arguments else ""
        channel = self._config.channels.get(name)
        if channel is None:
            raise ProtocolError(f"agi {request.path!r} asks for the unknown channel {name[:40]!r}")
        return channel

    def _stranger(self, request: agi.Request, channel: Channel, uuid: str) -> Visit:
        """A call that began before this service did: its record begins here."""
        story = Story(
            channel=channel.id,
            caller=request.variables.get("agi_callerid", ""),
            state="",
            started=datetime.now(UTC),
            unique_id=request.variables.get("agi_uniqueid", ""),
        )
        known = _uuid(uuid)
        if known.int:
            story.id = known
        visit = Visit(story, channel, announced=time.monotonic(), claimed=True)
        self._visits[story.id] = visit
        return visit

    def _health(self) -> AgentHealth:
        if self._stopping:
            return AgentHealth.DOWN
        now = time.monotonic()
        busy = sum(
            _talking(visit) or (not visit.claimed and now - visit.announced < CLAIM_LIMIT_S)
            for visit in self._visits.values()
        )
        return AgentHealth.UP if busy < self._most_calls else AgentHealth.FULL

    # --- the conversation's line --------------------------------------------------------------

    def _claim(self, uuid: UUID) -> Callable[[Line], Awaitable[None]] | None:
        """The story of an id that was issued a moment ago and not used yet."""
        visit = self._visits.get(uuid)
        if visit is None or visit.claimed:
            return None
        if time.monotonic() - visit.announced > CLAIM_LIMIT_S:
            return None
        visit.claimed = True

        async def converse(line: Line) -> None:
            visit.story.answered = datetime.now(UTC)
            brain = self._brains[visit.channel.id]
            visit.call = Call(
                line=line,
                channel=visit.channel,
                config=self._config,
                reply=partial(brain.reply, staffed=visit.story.state == State.OPEN),
                phrases=self._phrases,
                engines=self._pool,
                detector=self._engines.new_detector(),
                story=visit.story,
                brief=self._keep_brief,
            )
            outcome = await visit.call.run()
            visit.over.set()
            visit.story.reason = outcome
            await self._write(visit.story)

        return converse

    async def _keep_brief(self, story: Story, pcm: bytes) -> None:
        """Put the spoken brief where Asterisk can play it to whoever picks up."""
        path = self._briefs / f"{story.id}.wav"

        def write() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            audio.write_wav(path, pcm, audio.LINE_RATE_HZ)

        try:
            await self._writer.run(write)
        except OSError as error:
            log.warning("call: no brief for the person who picks up: %s", error)
            return
        visit = self._visits.get(story.id)
        if visit is not None:
            visit.brief = path

    # --- what Asterisk tells ------------------------------------------------------------------

    def _on_event(self, event: Headers) -> None:
        """Pick-ups and ends, from the manager interface."""
        name = event.get("event", "")
        if name == "AgentConnect":
            for visit in self._visits.values():
                if visit.story.unique_id == event.get("uniqueid"):
                    visit.story.picked_up_by = event.get("interface")
        elif name == "UserEvent" and event.get("userevent") == "AgentEnded":
            ended = self._visits.get(_uuid(event.get("calluuid", "")))
            if ended is not None:
                self._ends.put_nowait((ended, event))

    async def _follow(self) -> None:
        """Write down the calls that Asterisk says are over."""
        while True:
            visit, event = await self._ends.get()
            facts = Facts(
                _member(Stage, event.get("stage", "")) or Stage.AGENT,
                queue_status=event.get("queuestatus", ""),
            )
            await self._finish(visit, _final(visit, facts))

    async def _reread(self) -> None:
        """At each login, ask which calls are still there: events missed meanwhile never come."""
        if self._manager is None:
            return
        async for _ in self._manager.sessions():
            log.info("ami: logged in")
            try:
                shown = await self._manager.action("CoreShowChannels")
            except AsteriskError as error:
                log.warning("ami: %s", error)
                continue
            alive = {channel.get("uniqueid") for channel in shown}
            for visit in list(self._visits.values()):
                if visit.story.unique_id not in alive and not _talking(visit):
                    await self._finish(visit, "unknown")

    async def _finish(self, visit: Visit, outcome: str) -> None:
        if self._visits.pop(visit.story.id, None) is None:
            return
        visit.story.ended = datetime.now(UTC)
        visit.story.outcome = outcome
        await self._write(visit.story)
        if visit.brief is not None:
            visit.brief.unlink(missing_ok=True)

    async def _write(self, story: Story) -> None:
        try:
            await self._writer.run(self._log.write, story.as_json())
        except AgentError as error:
            log.error("records: %s", error)


def most_calls(config: Config) -> int:
    """How many conversations at once: ``limits.calls``, or what the cores suggest."""
    if config.limits.calls == "auto":
        return CALLS_A_CORE * (os.cpu_count() or 1)
    return config.limits.calls


def _manager(config: Config, on_event: Callable[[Headers], None]) -> AsteriskManager | None:
    """The manager interface, or None where its secret cannot be read: calls go on without it."""
    ami = config.asterisk.ami
    try:
        secret = config.ami_secret()
    except ConfigError as error:
        log.warning("ami: not used: %s", error)
        return None
    return AsteriskManager(ami.host, ami.port, ami.username, secret, on_event)


def _talking(visit: Visit) -> bool:
    return visit.call is not None and visit.call.outcome is None


def _final(visit: Visit, facts: Facts) -> str:
    """How a call ended, in one word for the log."""
    reason = visit.call.outcome if visit.call is not None else None
    if facts.stage is Stage.VOICEMAIL:
        return "voicemail"
    if facts.stage is Stage.TEAM:
        if visit.story.picked_up_by or facts.queue_status == "CONTINUE":
            return "answered"
        return "abandoned"
    if reason in (Outcome.RESOLVED, Outcome.NO_INPUT):
        return str(reason)
    return "abandoned"


def _six(arguments: tuple[str, ...]) -> tuple[str, str, str, str, str, str]:
    """The arguments of ``next``, empty where the dialplan gave none."""
    padded = [*arguments[:6], *[""] * 6]
    return padded[0], padded[1], padded[2], padded[3], padded[4], padded[5]


def _uuid(text: str) -> UUID:
    """A call's id, or the nil UUID where the text is none."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


M = TypeVar("M", bound=StrEnum)


def _member(kind: type[M], text: str) -> M | None:
    """The member of an enumeration with this value, or None."""
    return kind(text) if text in {member.value for member in kind} else None
