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
from pathlib import Path
from uuid import UUID

from asterisk_agent import audio, routing
from asterisk_agent.brain.brain import Brain, build
from asterisk_agent.brain.phrases import Phrases, phrases_for
from asterisk_agent.call import Call
from asterisk_agent.config.paths import data_directory
from asterisk_agent.config.schema import Channel, Config
from asterisk_agent.engines.loader import Engines
from asterisk_agent.engines.pool import EnginePool
from asterisk_agent.engines.worker import Worker
from asterisk_agent.errors import AgentError, AsteriskError, ProtocolError
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
    tried: list[str] = field(default_factory=list)


class Service:
    """Answers the dialplan. ``run`` until ``stop`` is called."""

    def __init__(self, config: Config, engines: Engines) -> None:
        self._config = config
        self._engines = engines
        self._pool = EnginePool(engines)
        self._writer = Worker("records")
        self._log = CallLog(config.records.database)
        self._phrases = phrases_for(config.agent.language)
        self._brains: dict[str, Brain] = {}
        self._visits: dict[UUID, Visit] = {}
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
                chores = [group.create_task(self._sweep()), group.create_task(self._follow())]
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
        calls = [visit.call for visit in self._visits.values() if _talking(visit)]
        log.info("service: stopping", extra={"calls": len(calls)})
        for call in calls:
            assert call is not None
            call.leave()
        try:
            async with asyncio.timeout(STOP_LIMIT_S):
                while any(_talking(visit) for visit in self._visits.values()):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            log.warning("service: calls were still talking after %.0f s", STOP_LIMIT_S)
        await asyncio.sleep(LAST_QUESTIONS_S if calls else 0)
        await self._fastagi.stop()
        await self._media.stop()
        if self._manager is not None:
            await self._manager.stop()
        for visit in list(self._visits.values()):
            await self._finish(visit, "unknown: the service stopped")

    async def _sweep(self) -> None:
        """Prepare sentences while nobody waits; write down calls whose end nobody told us."""
        await self._pool.prepare(
            [part for text in self._phrases.all_sentences() for part in sentences(text)]
        )
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
            visit.story.path[-1].result = facts.outcome or "" if facts.stage is Stage.AGENT else status
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
                reply=brain.reply,
                phrases=self._phrases,
                engines=self._pool,
                detector=self._engines.new_detector(),
                story=visit.story,
                brief=self._keep_brief,
            )
            outcome = await visit.call.run()
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
        if (visit := self._visits.get(story.id)) is not None:
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
            visit = self._visits.get(_uuid(event.get("calluuid", "")))
            if visit is not None:
                self._ends.put_nowait((visit, event))

    async def _follow(self) -> None:
        """Write down the calls that Asterisk says are over."""
        while True:
            visit, event = await self._ends.get()
            facts = Facts(
                _member(Stage, event.get("stage", "")) or Stage.AGENT,
                queue_status=event.get("queuestatus", ""),
            )
            await self._finish(visit, _final(visit, facts))

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
