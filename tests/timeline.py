"""Whole conversations on a virtual clock: the real ``Call``, turn-taking and pacer; a scripted
caller on one side and engines that take a known time on the other. Nothing ever sleeps.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from asterisk_agent.brain.phrases import phrases_for
from asterisk_agent.call import Call
from asterisk_agent.config.load import load
from asterisk_agent.engines.base import RECOGNISER_RATE_HZ
from asterisk_agent.events import Action, Reply, Transcript
from asterisk_agent.records import Story
from asterisk_agent.steady import OUTAGE, Outage
from asterisk_agent.wire import audiosocket

CONFIG = load(Path(__file__).parent.parent / "etc")
PHRASES = phrases_for("en")
GREETING = CONFIG.agent.greeting
FRAME_S, RATE_HZ = 0.02, 8_000
PACE_S = 0.05
"""How long the voice speaks a character."""
RECOGNISE_S, THINK_S, VOICE_S = 0.15, 0.01, 0.05
STEP = 400
"""Sounds are told apart by their level, in these steps."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer as soon as nothing is left to do."""

    def __init__(self) -> None:
        self.now = 1000.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self.now


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found:
            assert timeout is not None, "nothing will ever happen again"
            self._loop.now += max(0.0, timeout)
        return found


def run_virtually(story: Callable[[VirtualLoop], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine to its end in virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(story(loop))
    finally:
        loop.close()


@dataclass(frozen=True)
class Spoken:
    """A sentence as it was heard: seconds since the call began, and how much of it."""

    text: str
    start: float
    end: float

    @property
    def whole(self) -> bool:
        """Whether it was heard to its end."""
        return self.end - self.start >= len(self.text) * PACE_S - 0.021


@dataclass
class Script:
    """What the caller does, by the second: ``says``, ``presses``, ``hangs_up``."""

    speech: list[tuple[float, float, str]] = field(default_factory=list)
    noise: list[tuple[float, float]] = field(default_factory=list)
    keys: list[tuple[float, str]] = field(default_factory=list)
    end: float | None = None
    holds: list[tuple[float, float]] = field(default_factory=list)
    flood: float | None = None
    """When ten seconds of audio come at once."""

    def says(self, at: float, text: str, seconds: float | None = None) -> Script:
        """Speak from ``at``; a word takes 0.3 s unless told."""
        length = seconds if seconds is not None else 0.3 * len(text.split())
        self.speech.append((at, at + length, text))
        return self

    def coughs(self, at: float, seconds: float) -> Script:
        """Make a sound that is taken for speech while it lasts, and means nothing."""
        self.noise.append((at, at + seconds))
        return self

    def presses(self, at: float, digit: str) -> Script:
        """Press a key."""
        self.keys.append((at, digit))
        return self

    def holds_the_line(self, start: float, end: float) -> Script:
        """Send nothing at all: the caller has put us on hold."""
        self.holds.append((start, end))
        return self

    def hangs_up(self, at: float) -> Script:
        """End the call."""
        self.end = at
        return self


class FakeLine:
    """The caller's line."""

    def __init__(self, script: Script, clock: Callable[[], float]) -> None:
        self._script, self._clock, self._began = script, clock, clock()
        self.sent: list[tuple[float, int]] = []
        self.ended_at: float | None = None
        self.dropped = False

    async def events(self) -> Any:
        keys = sorted(self._script.keys)
        frame = 0
        while True:
            frame += 1
            await asyncio.sleep(max(0.0, self._began + frame * FRAME_S - self._clock()))
            at = (frame - 1) * FRAME_S
            if self._script.end is not None and at >= self._script.end:
                return
            while keys and keys[0][0] <= at:
                yield audiosocket.Digit(keys.pop(0)[1])
            if self._script.flood is not None and at >= self._script.flood:
                for _ in range(500):
                    yield audiosocket.Audio(self._frame(at), RATE_HZ)
            if not any(start <= at < end for start, end in self._script.holds):
                yield audiosocket.Audio(self._frame(at), RATE_HZ)

    def _frame(self, at: float) -> bytes:
        level = 0
        for index, (start, end, _) in enumerate(self._script.speech):
            if start <= at < end:
                level = STEP * (index + 2)
        if any(start <= at < end for start, end in self._script.noise):
            level = STEP
        return np.full(round(RATE_HZ * FRAME_S), level, "<i2").tobytes()

    def send(self, pcm: bytes) -> None:
        level = int(np.max(np.frombuffer(pcm, "<i2")))
        self.sent.append((self._clock() - self._began, level))

    def drop(self) -> None:
        self.dropped = True

    async def end(self) -> None:
        self.ended_at = self._clock() - self._began


class FakeEngines:
    """Engines that take a known time. A sentence is a constant level of its own."""

    def __init__(self, script: Script, replies: dict[str, Reply]) -> None:
        self._script, self._replies = script, replies
        self.sentences: list[str] = []
        self.recognised: list[str] = []
        self.thought: list[str] = []
        self.fail_at: str = ""
        self.mute = ""
        """The sentence that begins so is never spoken: the voice does not return."""
        self.recognise_s = RECOGNISE_S
        self.think_s: dict[str, float] = {}
        """What takes longer to think about than everything else."""
        self.careful = ""
        """What a second, careful hearing understands instead."""
        self.careful_s = RECOGNISE_S
        self.confidence = 0.9
        self.busy = False

    def listen(self) -> Any:
        return None

    async def detect(self, _: Any, frames: Any) -> list[float]:
        return [1.0 if np.max(np.frombuffer(pcm, "<i2")) > STEP / 2 else 0.0 for pcm in frames]

    async def recognise(self, _: Any, pcm: bytes, *, careful: bool = False) -> Transcript:
        await asyncio.sleep(self.careful_s if careful else self.recognise_s)
        if careful and self.careful:
            return Transcript(self.careful, 0.9, len(pcm) / 32000, RECOGNISE_S)
        levels = np.round(np.frombuffer(pcm, "<i2") / STEP).astype(int)
        words = []
        for index, (start, end, text) in enumerate(self._script.speech):
            share = np.count_nonzero(levels == index + 2) / RECOGNISER_RATE_HZ / (end - start)
            known = text.split()
            words += known[: round(min(1.0, share + 0.05) * len(known))] if share > 0.05 else []
        self.recognised.append(" ".join(words))
        confidence = self.confidence if words else 0.0
        return Transcript(" ".join(words), confidence, len(pcm) / 32000, RECOGNISE_S)

    async def think(self, reply: Any, utterance: str, history: Any) -> Reply:
        await asyncio.sleep(self.think_s.get(utterance, THINK_S))
        if self.fail_at and self.fail_at in utterance:
            raise RuntimeError("the brain broke")
        self.thought.append(utterance)
        return self._replies.get(utterance, Reply(f"You said {utterance}.", Action.ANSWER))

    async def speak(self, sentence: str, *, slow: bool = False) -> bytes:
        return b"".join([piece async for piece in self.voice(sentence, slow=slow)])

    async def voice(self, sentence: str, *, slow: bool = False) -> Any:
        await asyncio.sleep(VOICE_S)
        if self.mute and sentence.startswith(self.mute):
            await asyncio.sleep(600)
        sentence += " (slowly)" * slow
        if sentence not in self.sentences:
            self.sentences.append(sentence)
        level = self.sentences.index(sentence) + 1
        yield np.full(round(len(sentence) * PACE_S * RATE_HZ), level, "<i2").tobytes()


class FakeDetector:
    frame_samples = 256

    def probability(self, pcm: bytes) -> float:
        raise AssertionError("the pool asks it")

    def reset(self) -> None: ...


@dataclass
class Result:
    """What came of a conversation."""

    outcome: str
    story: Story
    heard: list[Spoken]
    seconds: float
    engines: FakeEngines
    line: FakeLine
    briefs: list[bytes]
    signs: list[tuple[float, float | None]]
    """Ten times a second: the moment, and when a frame was last sent."""

    def said(self, text: str) -> Spoken:
        """The only time that this sentence was heard."""
        (found,) = [spoken for spoken in self.heard if spoken.text == text]
        return found

    @property
    def texts(self) -> list[str]:
        """The sentences heard, in order."""
        return [spoken.text for spoken in self.heard]


def converse(
    script: Script,
    replies: dict[str, Reply] | None = None,
    *,
    state: str = "open",
    purpose: str = "",
    leave_at: float | None = None,
    on_hold: bool | Callable[[float], bool] | None = None,
    phone_sends: float | None = None,
    others_died_at: float | None = None,
    tune: Callable[[FakeEngines], None] = lambda _: None,
    limit_s: float = 900.0,
    brief_s: float = 0.0,
) -> Result:
    """Hold a whole conversation and tell what was heard of it, and when."""

    async def story(loop: VirtualLoop) -> Result:
        line = FakeLine(script, loop.time)
        engines = FakeEngines(script, replies or {})
        tune(engines)
        briefs: list[bytes] = []

        outage, began = Outage(), loop.time()

        async def sent() -> int | None:
            return None if phone_sends is None else round(loop.time() * phone_sends)

        async def brief(pcm: bytes) -> None:
            await asyncio.sleep(brief_s)
            briefs.append(pcm)

        call = Call(
            line=line,
            channel=CONFIG.channels["support"],
            config=CONFIG,
            reply=lambda *_: Reply("", Action.CLARIFY),
            phrases=PHRASES,
            engines=engines,
            detector=FakeDetector(),
            story=Story("support", "+1555", state, datetime(2026, 3, 2, tzinfo=UTC)),
            keep_brief=brief,
            purpose=purpose,
            on_hold=lambda: on_hold(loop.time() - began) if callable(on_hold) else on_hold,
            phone_sent=sent,
            outage=outage,
            clock=loop.time,
        )
        for _ in range(0 if others_died_at is None else OUTAGE):
            loop.call_at(loop.now + (others_died_at or 0.0), lambda: outage.died(loop.time()))
        signs: list[tuple[float, float | None]] = []

        def look() -> None:
            signs.append((loop.time(), call.last_sent))
            loop.call_later(0.1, look)

        look()
        if leave_at is not None:
            loop.call_at(loop.now + leave_at, call.leave)
        async with asyncio.timeout(limit_s):
            outcome = await call.run()
        assert line.ended_at is not None, "the line was not given back"
        heard = _sentences(line.sent, engines.sentences)
        return Result(outcome, call.story, heard, line.ended_at, engines, line, briefs, signs)

    return run_virtually(story)


def _sentences(sent: list[tuple[float, int]], sentences: list[str]) -> list[Spoken]:
    """Frames → sentences. A frame is played when the ones before it were: on a beat of 20 ms."""
    heard: list[Spoken] = []
    previous = 0
    played = 0.0
    for at, level in sent:
        played = max(at, played)
        if level and level == previous:
            heard[-1] = Spoken(heard[-1].text, heard[-1].start, played + FRAME_S)
        elif level:
            heard.append(Spoken(sentences[level - 1], played, played + FRAME_S))
        previous = level
        played += FRAME_S
    return heard
