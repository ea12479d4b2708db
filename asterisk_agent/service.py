"""The service's life: engines loaded once, ports, Asterisk's events, reload, and the end.

What the dialplan asks is answered in ``reception``, the conversation is told in ``call``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from asterisk_agent import audio, overrides
from asterisk_agent.call import Call
from asterisk_agent.ceilings import UNKNOWN, is_spent
from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Channel, Config
from asterisk_agent.console import Console
from asterisk_agent.control import Control
from asterisk_agent.dialplan.features import LAMP
from asterisk_agent.engines.pool import EnginePool
from asterisk_agent.engines.worker import Worker
from asterisk_agent.errors import AgentError, AsteriskError, ConfigError
from asterisk_agent.metrics import Metrics, Now
from asterisk_agent.neighbours import Neighbours
from asterisk_agent.net.ami import AsteriskManager, Headers
from asterisk_agent.net.control import ControlServer
from asterisk_agent.net.door import Door
from asterisk_agent.net.fastagi import FastAgiServer
from asterisk_agent.net.media import Line, MediaServer
from asterisk_agent.net.ping import answers
from asterisk_agent.net.ports import cannot_listen
from asterisk_agent.reception import Reception, final_outcome, id_of, member
from asterisk_agent.recording import SETTLE_S, Tape, WavFile
from asterisk_agent.records import WAITING_ROOM, Kept, Recorder, Story, Usage
from asterisk_agent.recovery import GONE, catch_up, place_before
from asterisk_agent.rehearsal import Rehearsal, quiet
from asterisk_agent.reindex import Changes, documents_of
from asterisk_agent.routing import AgentHealth, Facts, Stage
from asterisk_agent.site import Site, site_of
from asterisk_agent.status import Status, restart_needed
from asterisk_agent.steady import Outage
from asterisk_agent.survivors import STOPPED, Survivors
from asterisk_agent.visits import Visit, Visits
from asterisk_agent.watched import Watcher
from asterisk_agent.wire.lifeline import Beat

log = logging.getLogger(__name__)

STOP_LIMIT_S = 20.0
"""How long running calls get to say their last sentence when the service stops."""
LAST_QUESTIONS_S = 1.0
"""After the last conversation: time for the dialplan to ask where its caller goes."""
FORGET_AFTER_MIN = 180
"""A call whose end nobody told us is written down as it is after so many minutes."""
NOTICE_LIMIT_S = 3.0
"""How long a conversation may take to notice that its caller has gone."""
SWEEP_S = 60.0
LOOK_S = 3.0
"""How often the documents are looked at for changes."""
QUIET_LIMIT_S = 60.0
"""Changed documents are read while nobody talks, if that comes within so long."""
LAMP_S = 5.0
"""How often the night switch's files are looked at, for its lamp."""
LAG_S = 0.5
"""How often the event loop's own lateness is measured."""
CHORE_AGAIN_S = 5.0
"""A chore that broke rests for so long."""
SAVE_EVERY_S = 1.0
"""How often the sound of a recorded call is written."""
RECORD_AGAIN_S = 5.0
"""How soon the call log is tried again that could not be written."""
FORGET_EVERY_S = 24 * 3600.0
"""How often the call log is swept of what is too old."""
KEEP_S = 0.5
"""How often what is new of the calls under way is kept for the service after us."""
SETTLE_AGAIN_S = 2.0
"""How soon Asterisk is asked again for a call that was between two places."""
LAST_RECORDS_S = 10.0
"""How long the call log may take when the service stops; what is left waits in a file."""
PACKETS, MOST_DIGITS = "CHANNEL(rtcp,rxcount)", 18
"""What the channel of a SIP phone has received."""
RELOADED_MODULES = ("pbx_config", "app_queue", "app_voicemail")


class Service:
    """Answers the dialplan. ``run`` until ``stop`` is called."""

    def __init__(self, config: Config, pool: EnginePool, watcher: Watcher | None = None) -> None:
        self._pool = pool
        self._watcher = watcher or Watcher()
        self._first = config
        self._site: Site | None = None
        self._writer = Worker("files")
        self._clerk = Worker("records")
        self.recorder = Recorder(
            config.records.database,
            config.state_directory / WAITING_ROOM,
            timezone=config.timezone,
        )
        self._told = asyncio.Event()
        self._used: Mapping[str, Usage] = UNKNOWN
        self._visits = Visits()
        self._outage = Outage()
        self._survivors = Survivors(
            self._visits,
            self.recorder,
            config.state_directory,
            files=self._writer,
            clerk=self._clerk,
            action=self._action,
            now=_now,
        )
        self._ends: asyncio.Queue[tuple[Visit, Headers]] = asyncio.Queue()
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self._stopping = False
        self._media = MediaServer(self._claim, Door("media", config.listen.allow))
        self._reception = Reception(
            self._visits,
            self._current,
            self._health,
            self._finish,
            now=_now,
            clock=time.monotonic,
        )
        self._fastagi = FastAgiServer(
            {
                "start": self._reception.start,
                "next": self._reception.next,
                "ping": self._reception.ping,
            },
            Door("fastagi", config.listen.allow),
        )
        self._manager = _manager(config, self._on_event)
        self._neighbours = Neighbours(
            lambda: self._current().config.nodes,
            config.node,
            self._action,
            answers,
            clock=time.monotonic,
        )
        self._status = Status(
            config.state_directory,
            config.directory,
            _now,
            watched=self._watcher.name,
            losses=self._watcher.losses,
        )
        self._rehearsal = Rehearsal(pool, self._current, self._visits)
        self._metrics = Metrics(config.state_directory, self._look)
        control = Control(
            self._visits,
            lambda: self._current().config,
            self._action,
            now=_now,
            health=self._as_shown,
            figures=self._metrics.text,
        )
        self._control = ControlServer(config.control_socket, control.answers)
        self._console = Console(config.directory)

    def stop(self) -> None:
        """Begin the graceful stop; ``run`` returns when it is done."""
        self._stop.set()

    def reload(self) -> None:
        """Read the configuration again, for new calls; a broken one changes nothing."""
        self._reload.set()

    def signs(self) -> Beat:
        """What goes on beside the event loop, for whoever watches us."""
        now = time.monotonic()
        calls = [visit.call for visit in self._visits if visit.call is not None]
        sent = [call.last_sent for call in calls if call.last_sent is not None]
        looked = self._pool.looked
        return Beat(now - min(sent) if sent else None, None if looked is None else now - looked)

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Warm up, open the ports, serve, and leave nobody behind. Raises AgentError."""
        async with AsyncExitStack() as stack:
            stack.callback(self._clerk.close)
            stack.push_async_callback(self._close_records)
            stack.callback(self._writer.close)
            self._site = await self._make_site(self._first)
            await self._rehearsal.greetings(self._first)
            await self._survivors.adopt(self._site, self._watcher.losses)
            await self._open_ports()
            if self._manager is not None:
                await self._manager.start()
            async with asyncio.TaskGroup() as group:
                chores = [
                    group.create_task(self._keep_at(chore), name=chore.__name__)
                    for chore in (
                        self._pool.watch,
                        self._rehearsal.keep,
                        self._sweep,
                        self._follow,
                        self._keep,
                        self._reread,
                        self._reload_when_asked,
                        self._follow_documents,
                        self._show_switch,
                        self._console.watch,
                        self._neighbours.watch,
                        self._measure_lag,
                        self._record,
                        self._forget,
                    )
                ]
                self._status.started()
                ready()
                await self._stop.wait()
                await self._leave()
                for chore in chores:
                    chore.cancel()
            self._status.stopped()

    # --- life cycle -------------------------------------------------------------------------

    async def _keep_at(self, chore: Callable[[], Awaitable[object]]) -> None:
        """Do a chore for ever. One that breaks is begun again: no call shall pay for it."""
        while True:
            try:
                await chore()
            except Exception:
                log.exception("service: %s broke, and begins again", chore.__name__.strip("_"))
                await asyncio.sleep(CHORE_AGAIN_S)
            else:
                return

    async def _make_site(self, config: Config) -> Site:
        """Read the documents and compile the rest; raises AgentError."""
        documents = await self._writer.run(documents_of, config)
        return site_of(config, await self._pool.brains(config), _now().date(), documents)

    def _current(self) -> Site:
        assert self._site is not None, "no question is asked before the ports are open"
        return self._site

    async def _open_ports(self) -> None:
        servers: list[tuple[str, MediaServer | FastAgiServer]] = [
            ("media", self._media),
            ("fastagi", self._fastagi),  # last: it is what brings the calls
        ]
        for key, server in servers:
            address = getattr(self._first.listen, key)
            try:
                await server.start(address)
            except OSError as error:
                raise cannot_listen(key, address, error) from error
        try:
            await self._control.start()
        except OSError as error:  # calls do not depend on it
            log.error("control: cannot listen: %s", error)

    async def _leave(self) -> None:
        """No new calls; every running one gets a sentence and its queue; then out."""
        self._stopping = True
        self._watcher.stopping()
        talking = [visit for visit in self._visits if visit.talking]
        coming = any(visit.expected(time.monotonic()) for visit in self._visits)
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
        await asyncio.sleep(LAST_QUESTIONS_S if talking or coming else 0)
        await self._fastagi.stop()
        await self._media.stop()
        await self._control.stop()
        if self._manager is not None:
            await self._manager.stop()
        await self._survivors.keep()
        for visit in self._visits:
            await self._finish(visit, STOPPED)
        self._watcher.quiet()

    async def _sweep(self) -> None:
        """Write down calls whose end nobody told us."""
        while True:
            await asyncio.sleep(SWEEP_S)
            for visit in self._visits:
                visit.minutes += 1
                if visit.minutes > FORGET_AFTER_MIN and not visit.talking:
                    await self._finish(visit, "unknown")

    async def _show_switch(self) -> None:
        """Keep the night switch's lamp true, also behind the command and when its time is over."""
        shown: bool | None = None
        while self._manager is not None:
            closed = self._closed_by_hand()
            if closed is not shown and self._manager.connected:
                value = "INUSE" if closed else "NOT_INUSE"
                try:
                    await self._manager.action(
                        "Setvar", Variable=f"DEVICE_STATE({LAMP})", Value=value
                    )
                    shown = closed
                except AsteriskError as error:
                    log.warning("ami: the night switch's lamp: %s", error)
            await asyncio.sleep(LAMP_S)

    def _closed_by_hand(self) -> bool:
        """Whether every channel is switched to closed."""
        config = self._current().config
        for channel_id in config.channels:
            switched = overrides.current(config.overrides_directory, channel_id, _now())
            if switched is None or switched.state is not overrides.OverrideState.CLOSED:
                return False
        return True

    # --- reload -------------------------------------------------------------------------------

    async def _reload_when_asked(self) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            self._watcher.reloading()
            try:
                await self._take_over(await self._writer.run(load, self._first.directory))
            except ConfigError as error:
                _log_mistakes("the configuration is not taken over: it has mistakes", error)
                self._status.refused(error.problems)
            except AgentError as error:
                log.error("service: the configuration is not taken over: %s", error)
                self._status.refused([str(error)])
            finally:
                self._watcher.reloaded()

    async def _take_over(self, config: Config) -> None:
        site = await self._make_site(config)
        later = restart_needed(self._current().config, config)
        await self._rehearsal.greetings(config)
        self._site = site
        self._rehearsal.renew()
        asterisk = await self._reload_asterisk()
        log.info("service: configuration reloaded", extra={"asterisk": asterisk})
        for key in later:
            log.warning("service: %s changes only with a restart", key)
        self._status.taken_over(later, asterisk)

    async def _follow_documents(self) -> None:
        """Read the documents again when they have changed; calls under way keep the old ones."""
        changes = Changes()
        while True:
            await asyncio.sleep(LOOK_S)
            site = self._current()
            seen = await self._writer.run(documents_of, site.config)
            if seen == site.documents:
                self._status.unreadable(())
            if not changes.due(site.documents, seen):
                continue
            with suppress(TimeoutError):  # reading takes the processor from calls, within reason
                async with asyncio.timeout(QUIET_LIMIT_S):
                    await quiet(self._visits)
            try:
                brains = await self._pool.brains(site.config)
            except ConfigError as error:
                changes.refused(seen)
                _log_mistakes("changed documents cannot be read, those before stay in use", error)
                self._status.unreadable(error.problems)
            except AgentError as error:
                log.warning("service: changed documents are read later: %s", error)
            else:
                self._take_documents(site, replace(site, brains=brains, documents=seen))

    def _take_documents(self, old: Site, new: Site) -> None:
        """New calls are served from what was read, unless a reload was quicker."""
        if self._site is old:
            self._site = new
            self._rehearsal.renew()
            self._status.read_again()
            log.info("service: documents read again", extra={"documents": len(new.documents)})

    async def _reload_asterisk(self) -> str:
        """Let Asterisk read its dialplan, queues and mailboxes again: ``ok``, or why not."""
        if self._manager is None:
            return "not connected to Asterisk's manager interface"
        try:
            for module in RELOADED_MODULES:
                await self._manager.action("Reload", Module=module)
        except AsteriskError as error:
            return str(error)
        return "ok"

    # --- calls --------------------------------------------------------------------------------

    def _health(self, channel: Channel) -> AgentHealth:
        state = self._state()
        if state is AgentHealth.DOWN:
            return state
        now = _now()
        running = (
            (now - visit.talking_since).total_seconds()
            for visit in self._visits
            if visit.channel.id == channel.id and visit.talking_since is not None
        )
        if is_spent(channel, self._used, running):
            return AgentHealth.SPENT
        return state

    def _state(self) -> AgentHealth:
        """Whether the agent can take one call more, whatever its channel has used."""
        if self._stopping or not self._pool.ready:
            return AgentHealth.DOWN
        busy = self._visits.busy(time.monotonic())
        # With nobody on the line the engines are late for nobody: they only speak in advance.
        full = busy >= self._most() or (busy > 0 and self._pool.late)
        return AgentHealth.FULL if full else AgentHealth.UP

    def _most(self) -> int:
        """How many conversations at once."""
        limit = self._current().config.limits.calls
        if limit != "auto":
            return limit
        return self._pool.calls if self._pool.ready else 0

    def _claim(self, uuid: UUID) -> Callable[[Line], Awaitable[None]] | None:
        """The story of a conversation that was announced a moment ago and has not begun yet."""
        if self._stopping:  # to people at once, not from the middle of a greeting
            return None
        visit = self._visits.claim(uuid, time.monotonic())
        return None if visit is None else partial(self._converse, visit)

    async def _converse(self, visit: Visit, line: Line) -> None:
        visit.talking_since, visit.followed = _now(), self._connected
        visit.story.answered = visit.story.answered or visit.talking_since
        site = visit.site
        tape = self._tape(visit)
        visit.call = Call(
            line=line,
            channel=visit.channel,
            config=site.config,
            reply=partial(site.brains[visit.channel.id].reply, staffed=visit.staffed),
            phrases=site.phrases,
            engines=self._pool,
            detector=self._pool.new_detector(),
            story=visit.story,
            keep_brief=partial(self._keep_brief, visit),
            purpose=visit.purpose,
            begins_s=visit.story.seconds(visit.talking_since),
            tape=tape,
            on_hold=lambda: visit.on_hold(connected=self._connected),
            phone_sent=partial(self._phone_sent, visit),
            outage=self._outage,
        )
        saving = None if tape is None else asyncio.create_task(self._save(visit, tape))
        try:
            reason = await visit.call.run()
            visit.story.reason = "taken_over" if visit.taken_by else reason
        finally:
            visit.story.agent_s += (_now() - visit.talking_since).total_seconds()
            visit.talking_since = None
            self._write(visit.story)
            visit.over.set()
        if saving is not None:
            await saving

    async def _phone_sent(self, visit: Visit) -> int | None:
        """How many packets of audio Asterisk has had from a SIP phone; None for any other."""
        if visit.uncounted:
            return None
        try:
            told = await self._action("Getvar", Channel=visit.story.unique_id, Variable=PACKETS)
        except AsteriskError:
            return None
        count = told[0].get("value", "") if told else ""
        visit.uncounted = not count
        return int(count) if count.isdecimal() and len(count) <= MOST_DIGITS else None

    def _tape(self, visit: Visit) -> Tape | None:
        """Where the call is recorded, if it is; the record names the file."""
        config = visit.site.config
        if not config.records_calls:
            return None
        visit.story.recording = str(config.recordings_directory / f"{visit.story.id}.wav")
        return Tape(audio.LINE_RATE_HZ, visit.story.seconds(_now()))

    async def _save(self, visit: Visit, tape: Tape) -> None:
        """Write a conversation's sound while it lasts. A disk that is full ends that alone."""
        story, call = visit.story, visit.call
        assert story.recording is not None
        assert call is not None, "it is recorded while it lasts"
        file = WavFile(Path(story.recording), tape.rate_hz)
        starts_s: float | None = tape.starts_s
        try:
            while not visit.over.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(SAVE_EVERY_S):
                        await visit.over.wait()
                late_s = 0 if visit.over.is_set() else SETTLE_S
                pcm = tape.take(call.now_s - late_s)
                await self._writer.run(file.write, pcm, starts_s)
                starts_s = None
        except OSError as error:
            log.error("call: its recording ended: %s", error, extra={"call": str(story.id)})
            story.happened("error", story.seconds(_now()), "the recording could not be written")
            if not file.exists:
                story.recording = None

    async def _keep_brief(self, visit: Visit, pcm: bytes) -> None:
        """Put the spoken brief where Asterisk can play it to whoever picks up."""
        path = visit.site.config.state_directory / "briefs" / f"{visit.story.id}.wav"

        def write() -> None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            path.touch(mode=0o640)  # it tells what a caller wants
            audio.write_wav(path, pcm, audio.LINE_RATE_HZ)

        try:
            await self._writer.run(write)
        except OSError as error:
            log.warning("call: no brief for the person who picks up: %s", error)
            return
        visit.brief = path

    async def _finish(self, visit: Visit, outcome: str, at: datetime | None = None) -> None:
        if not self._visits.remove(visit):
            return
        story = visit.story
        if story.node and outcome == GONE and story.answered is None and not story.attempts:
            return  # we were asked, and too late: another service had the call, and tells of it
        visit.story.over(outcome, at or _now())
        if outcome == "abandoned":
            visit.story.add_tasks(["call_back"])
        self._metrics.finished(visit.story)
        self._write(visit.story)
        if visit.brief is not None:
            visit.brief.unlink(missing_ok=True)

    # --- records ------------------------------------------------------------------------------

    def _write(self, story: Story) -> None:
        """Have a story written soon; what the database does meanwhile is no call's business."""
        self.recorder.put(story.as_json())
        self._told.set()

    async def _record(self) -> None:
        """Write what calls have told, and keep what cannot be written until it can."""
        while True:
            self._told.clear()
            await self._clerk.run(self.recorder.flush)
            self._status.recorded(str(self.recorder.health))
            with suppress(AgentError):
                self._used = await self._clerk.run(self._usage_now)
            with suppress(TimeoutError):
                await self._wait_for_more()

    async def _wait_for_more(self) -> None:
        """Return when there is something to write; in a fault put it aside, till TimeoutError."""
        if not self.recorder.health.problem:
            async with asyncio.timeout(RECORD_AGAIN_S if self.recorder.unwritten else SWEEP_S):
                await self._told.wait()
            return
        async with asyncio.timeout(RECORD_AGAIN_S):
            while True:
                await self._told.wait()
                self._told.clear()
                await self._clerk.run(self.recorder.put_aside)
                self._status.recorded(str(self.recorder.health))
                if self.recorder.health.waiting:  # perhaps it is the file alone that fails
                    return

    def _usage_now(self) -> Mapping[str, Usage]:
        """What each channel has used of its ceiling, if any has one. Blocks."""
        if all(channel.ceiling is None for channel in self._current().config.channels.values()):
            return UNKNOWN
        call_log = self.recorder.open()
        return call_log.usages(call_log.month(_now()))

    async def _forget(self) -> None:
        """Delete, once a day, what is older than it may be."""
        while True:
            records = self._current().config.records
            kept = Kept(records.transcripts, records.calls, records.audio)
            try:
                done = await self._clerk.run(self.recorder.sweep, _now(), kept)
            except AgentError as error:
                log.error("records: what is too old could not be deleted: %s", error)
                await asyncio.sleep(FORGET_EVERY_S / 24)
                continue
            if done:
                log.info("records: too old, deleted", extra=asdict(done))
            await asyncio.sleep(FORGET_EVERY_S)

    async def _close_records(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_RECORDS_S):
                await self._clerk.run(self.recorder.close)

    # --- what the console sees ----------------------------------------------------------------

    @property
    def _connected(self) -> bool:
        """Whether Asterisk tells us what happens."""
        return self._manager is not None and self._manager.connected

    def _look(self) -> Now:
        return Now(
            calls=sum(1 for _ in self._visits),
            talking=sum(visit.talking for visit in self._visits),
            most=self._most(),
            ready=self._pool.ready,
            connected=self._connected,
            waiting=self._pool.waiting,
            unwritten=self.recorder.health.unwritten,
            lost=self.recorder.health.lost,
            losses=self._watcher.losses.count,
        )

    def _as_shown(self) -> Mapping[str, object]:
        return asdict(self._look()) | {
            "state": self._state(),
            "stopping": self._stopping,
            "lag_ms": round(self._metrics.worst_lag_s * 1000, 1),
            "records": str(self.recorder.health),
            "node": self._first.node,
            "nodes": list(self._current().config.nodes),
            "silent": list(self._neighbours.silent),
            "watched": self._watcher.name,
            "lost_at": self._watcher.losses.at,
            "lost_because": self._watcher.losses.why,
        }

    async def _action(self, name: str, **headers: str) -> list[Headers]:
        if self._manager is None:
            raise AsteriskError(
                "not connected to Asterisk's manager interface",
                hint="check asterisk.ami in agent.yaml and manager.conf",
            )
        return await self._manager.action(name, **headers)

    async def _measure_lag(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(LAG_S)
            self._metrics.lagged(time.monotonic() - began - LAG_S)

    # --- what Asterisk tells ------------------------------------------------------------------

    def _on_event(self, event: Headers) -> None:
        """Pick-ups and ends, from the manager interface."""
        name = event.get("event", "")
        if name == "AgentConnect":
            visit = self._visits.by_asterisk(event.get("uniqueid", ""))
            if visit is not None:
                visit.story.picked_up(event.get("interface", ""), _now())
        elif name in ("Hold", "Unhold"):
            visit = self._visits.by_asterisk(event.get("uniqueid", ""))
            if visit is not None:
                visit.held = name == "Hold"
        elif name == "DialEnd" and event.get("dialstatus") == "ANSWER":
            visit = self._visits.by_asterisk(event.get("uniqueid", ""))
            if visit is not None and visit.taken_by:
                visit.story.picked_up(event.get("destchannel", "").rpartition("-")[0], _now())
        elif name == "UserEvent" and event.get("userevent") == "AgentEnded":
            call_id, unique_id = id_of(event.get("calluuid", "")), event.get("uniqueid", "")
            alike = self._visits.by_asterisk(unique_id)
            ended = self._visits.end_of(call_id, unique_id)
            theirs = ended is alike and self._first.node and call_id.int
            if ended is not None and (ended.story.id == call_id or not theirs):
                self._ends.put_nowait((ended, event))
                if alike is ended:
                    return
            if alike is not None:
                self._visits.remove(alike)  # another service had the call: it writes it down

    async def _follow(self) -> None:
        """Write down the calls that Asterisk says are over."""
        async with asyncio.TaskGroup() as group:
            while True:
                visit, event = await self._ends.get()
                group.create_task(self._ended(visit, event))

    async def _ended(self, visit: Visit, event: Headers) -> None:
        """The caller has gone; the conversation may be a moment behind in noticing."""
        if visit.talking:
            with suppress(TimeoutError):
                async with asyncio.timeout(NOTICE_LIMIT_S):
                    await visit.over.wait()
        stage = member(Stage, event.get("stage", "")) or Stage.AGENT
        if visit.lost_at is not None:
            catch_up(visit.story, place_before(stage, visit.channel.id, ()), "", _now())
        status = event.get("status" if stage is Stage.ON_CALL else "queuestatus", "")
        await self._finish(visit, final_outcome(visit, Facts(stage, status=status)))

    async def _keep(self) -> None:
        """Keep the calls under way on disk, for the service after us if we are lost."""
        while True:
            await asyncio.sleep(KEEP_S)
            await self._survivors.keep()

    async def _reread(self) -> None:
        """At each login, ask which calls are still there: events missed meanwhile never come."""
        if self._manager is None:
            return
        async for _ in self._manager.sessions():
            log.info("ami: logged in")
            while not await self._settled() and self._manager.connected:  # noqa: ASYNC110
                await asyncio.sleep(SETTLE_AGAIN_S)

    async def _settled(self) -> bool:
        """Ask Asterisk where the calls are; whether all is known that can be."""
        try:
            return await self._survivors.settle(self._current(), self._finish, self._write)
        except AsteriskError as error:
            log.warning("ami: %s", error)
            return False


def _log_mistakes(what: str, error: ConfigError) -> None:
    for line in (what, *error.problems):
        log.error("service: %s", line)


def _manager(config: Config, on_event: Callable[[Headers], None]) -> AsteriskManager | None:
    """The manager interface, or None where its secret cannot be read: calls go on without it."""
    ami = config.asterisk.ami
    try:
        secret = config.ami_secret()
    except ConfigError as error:
        log.warning("ami: not used: %s", error)
        return None
    return AsteriskManager(ami.host, ami.port, ami.username, secret, on_event)


def _now() -> datetime:
    return datetime.now(UTC)
