"""One round: callers at every stage, one fault, and what became of each of them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asterisk_agent import routing
from asterisk_agent.audio import read_wav
from asterisk_agent.config.compiling import plan_for
from asterisk_agent.errors import AgentError, SandboxError
from asterisk_agent.facts import CALL_BACK
from asterisk_agent.sandbox.bench_log import read_stories
from asterisk_agent.sandbox.bench_soak import channels
from asterisk_agent.sandbox.chaos_caller import Caller, Lines
from asterisk_agent.sandbox.chaos_fault import Fault, World
from asterisk_agent.sandbox.chaos_judge import End, Verdict, judge, longest_silence_s, sounds_of
from asterisk_agent.sandbox.chaos_members import Members
from asterisk_agent.sandbox.chaos_stages import (
    ALL,
    LEAD_S,
    MEMBERS_LEAVE_IT_S,
    SPEAKERS,
    Stage,
    approach,
    until,
)
from asterisk_agent.sandbox.chaos_tracker import Tracker
from asterisk_agent.sandbox.pbx import Pbx

FIRST_HZ, STEP_HZ = 1400.0, 50.0
ON_DISK_S = 6.0
AGAIN_S = 45.0
"""How soon the next caller has to get the agent again."""
ANOTHER_S = 1.5
TRY_S = 6.0
EMPTY_S = 8.0
POLL_S = 0.1
LATER_S = (0.3, 2.5)
"""How long behind the fault somebody calls who knows nothing of it."""


@dataclass(slots=True)
class RoundResult:
    """What came of one fault."""

    fault: str
    about: str
    callers: list[Verdict]
    again_s: float | None = None
    """From the repair until a new caller had the agent; None where that was in vain."""
    left: int = 0
    """Channels that Asterisk still had when all callers had gone."""
    seconds: float = 0.0
    troubles: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether everybody was rescued, and the agent came back."""
        return self.again_s is not None and all(one.rescued for one in self.callers)


@dataclass(slots=True)
class Round:
    """Holds rounds, one after the other. ``number`` is the one that the questions are for."""

    world: World
    tracker: Tracker
    members: Members
    lines: Lines
    number: str
    chance: random.Random
    serial: Iterator[int]
    out: Path
    note: Callable[[str], None] = lambda line: None

    async def hold(self, fault: Fault, callers: int) -> RoundResult:
        """Let them call, break it, see them off, mend it."""
        began = time.monotonic()
        world = self.world
        if fault.routed:
            world.route(world.fastagi.port, world.media.port)
        await self.members.pick_up()
        moment = time.monotonic() + LEAD_S
        stages = self._stages(callers)
        try:
            async with asyncio.TaskGroup() as group:
                lives = [
                    group.create_task(self._live(stage, moment, fault, index))
                    for index, stage in enumerate(stages)
                ]
                group.create_task(self._strike(fault, moment, lives))
        finally:
            await fault.lift(world)
        verdicts = [await life for life in lives]
        result = RoundResult(fault.name, fault.about, [one for _, one in verdicts])
        await self.members.hang_up()
        if fault.routed:
            world.straight()
        result.again_s = await self._again()
        result.left = await self._left()
        result.seconds = round(time.monotonic() - began, 1)
        return result

    def _stages(self, callers: int) -> Sequence[Stage]:
        """Each stage once, then others by chance; and one who calls later."""
        more = self.chance.choices(ALL, k=max(0, callers - 1 - len(ALL)))
        chosen = [*ALL, *more][: max(1, callers - 1)]
        return [*chosen, Stage.LATER]

    async def _strike(
        self, fault: Fault, moment: float, lives: Sequence[asyncio.Task[_Life]]
    ) -> None:
        await until(moment - MEMBERS_LEAVE_IT_S)
        await self.members.leave_it()
        await until(moment)
        self.note(f"{fault.name}: {fault.about}")
        await fault.inject(self.world)
        await self.members.pick_up()

    async def _live(self, stage: Stage, moment: float, fault: Fault, index: int) -> _Life:
        """One caller, from the first ring to the verdict."""
        if stage is Stage.LATER:
            moment += self.chance.uniform(*LATER_S)
        caller = self._caller(index)
        dialled = self.number if stage in SPEAKERS else self._any_number(index)
        verdict = Verdict(caller.number, stage, expected=expected(self.world.pbx, dialled))
        try:
            await approach(stage, caller, self.world.pbx.uri(dialled), moment, fault.key)
            verdict.seen_at = seen(caller)
            await caller.live_on(moment, fault.turns, no_mailbox=fault.no_mailbox)
        except SandboxError as error:
            caller.why, caller.ended = str(error), time.monotonic()
            await caller.close()
        await self._settle(caller, verdict, moment)
        if not verdict.rescued and caller.line.recording.frames:
            path = self.out / f"{fault.name}-{caller.number}.wav"
            await asyncio.to_thread(caller.line.recording.save_stereo, path)
            verdict.recording = str(path)
        return caller, verdict

    async def _settle(self, caller: Caller, verdict: Verdict, moment: float) -> None:
        sounds = sounds_of(caller.line.recording, caller.said)
        start = max(moment, caller.dialled)
        verdict.silence_s = round(longest_silence_s(sounds, start, caller.ended), 2)
        verdict.took_s = round(caller.ended - moment, 1)
        verdict.end, verdict.place, verdict.why = caller.end, caller.place, caller.why
        if caller.end is End.MAILBOX:
            verdict.place = await message_of(self.world.pbx, caller.number)
            if not verdict.place:
                verdict.end, verdict.why = End.NOWHERE, "the message is not on disk"
        if caller.end is End.TOLD and not await is_to_be_called_back(self.world.pbx, caller.number):
            verdict.end, verdict.why = End.NOWHERE, "nobody is asked to call back"
        judge(verdict)
        if not verdict.rescued:
            ways = (f"{at - moment:+.1f} {step}" for at, step in caller.trail.ways)
            verdict.why = f"{verdict.why} [{', '.join(ways)}]".strip()

    def _caller(self, index: int) -> Caller:
        return Caller(
            f"+1555{next(self.serial):07d}",
            FIRST_HZ + STEP_HZ * index,
            self.lines,
            self.tracker,
            self.members,
            random.Random(self.chance.random()),  # noqa: S311 - when people do what
        )

    def _any_number(self, index: int) -> str:
        every = [channel.number[0] for channel in self.world.pbx.config.channels.values()]
        return every[index % len(every)]

    # --- behind the fault -------------------------------------------------------------------

    async def _again(self) -> float | None:
        """How long until a new caller has the agent."""
        began = time.monotonic()
        index = 0
        while time.monotonic() < began + AGAIN_S:
            caller = self._caller(index % 8)
            index += 1
            with contextlib.suppress(SandboxError):
                await caller.dial(self.world.pbx.uri(self.number))
                if await self._has_agent(caller):
                    await caller.close()
                    return round(time.monotonic() - began, 1)
            await caller.close()
            await asyncio.sleep(ANOTHER_S)
        return None

    async def _has_agent(self, caller: Caller) -> bool:
        until_s = time.monotonic() + TRY_S
        while time.monotonic() < until_s and caller.line.ended_at is None:
            trail, recording = caller.trail, caller.line.recording
            if trail.step in ("Queue", "VoiceMail"):
                return False
            heard = recording.sound_after(trail.since) if trail.step == "AudioSocket" else None
            if heard is not None and time.monotonic() - heard > 1.0:
                return True
            await asyncio.sleep(POLL_S)
        return False

    async def _left(self) -> int:
        """Channels that are still there when everybody has gone, and some time for them to go."""
        deadline = time.monotonic() + EMPTY_S
        while True:
            left = channels(await asyncio.to_thread(self.world.pbx.cli, "core show channels count"))
            if left == 0 or time.monotonic() > deadline:
                return left
            await asyncio.sleep(POLL_S)


_Life = tuple[Caller, Verdict]


def seen(caller: Caller) -> str:
    """Where a caller really is at this moment."""
    trail = caller.trail
    if trail.person:
        return Stage.TALKING
    match trail.step:
        case "":
            return Stage.RINGING
        case "Queue" | "Dial":
            return Stage.WAITING
        case "VoiceMail":
            return Stage.VOICEMAIL
        case "AudioSocket":
            if caller.pressed:
                return Stage.TRANSFERRING
            if caller.speaking:
                return Stage.SPEAKING
            if caller.line.recording.quiet_since() is None:
                return Stage.AGENT if caller.said else Stage.GREETING
            return Stage.THINKING if caller.said else Stage.GREETING
    return Stage.TRANSFERRING if caller.pressed or caller.said else Stage.RINGING


def expected(pbx: Pbx, number: str) -> tuple[str, ...]:
    """The members and the mailbox that the configuration names for callers of this number."""
    config = pbx.config
    channel = next(one for one in config.channels.values() if number in one.number)
    plan = plan_for(config, pbx.today())
    way = plan.channels[channel.id]
    teams = [config.teams[id_] for id_ in routing.handoff_order(way, plan, None)]
    members = [member.removeprefix("PJSIP/") for team in teams for member in team.members]
    box = routing.mailbox_in(way, plan, routing.State.OPEN)
    voicemail = config.teams[box].voicemail if box is not None else None
    return (*dict.fromkeys(members), *([voicemail.mailbox] if voicemail is not None else []))


async def message_of(pbx: Pbx, number: str) -> str:
    """The mailbox that has a message of this number on disk, soon; "" where none has."""
    folder = pbx.asterisk.spool / "voicemail" / "agent"
    deadline = time.monotonic() + ON_DISK_S
    while time.monotonic() < deadline:
        for note in folder.glob("*/INBOX/*.txt"):
            with contextlib.suppress(AgentError, OSError, EOFError):  # it is still being written
                text = note.read_text(encoding="utf-8", errors="replace")
                if number in text and any(read_wav(note.with_suffix(".wav"))[0]):
                    return note.parent.parent.name
        await asyncio.sleep(POLL_S)
    return ""


async def is_to_be_called_back(pbx: Pbx, number: str) -> bool:
    """Whether the call log, soon, asks somebody to call this number back."""
    deadline = time.monotonic() + ON_DISK_S
    while time.monotonic() < deadline:
        stories = await asyncio.to_thread(read_stories, pbx.config.records.database, {number})
        if number in stories and CALL_BACK in stories[number]["tasks"]:
            return True
        await asyncio.sleep(POLL_S)
    return False
