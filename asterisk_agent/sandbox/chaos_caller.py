"""A caller of the chaos suite: what they do before the fault, and how they go on behind it.

People who call a company want somebody; these keep talking to whoever is there, and hang up by
themselves after they reached a person, left a message, or got their answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle

from asterisk_agent.audio import LINE_RATE_HZ
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.bench_line import LineCaller
from asterisk_agent.sandbox.chaos_judge import End, Span, has_tone, tone
from asterisk_agent.sandbox.chaos_members import Members
from asterisk_agent.sandbox.chaos_tracker import Tracker, Trail
from asterisk_agent.sandbox.listening import Recording

POLL_S = 0.04
LIMIT_S = 75.0
"""A caller who reached nobody after so long never will."""
ANSWERED_S = 1.5
"""So much sound is more than "one moment"."""
PAUSE_S = 0.9
"""When the agent was silent for so long, the caller speaks."""
STEP_BACK_S = 1.0
"""From the beginning of VoiceMail() to its tone."""
MESSAGE_S = 2.0
NOBODY, TOLD_S = "no-message-taken", 1.0
"""The recorded sentence of a caller for whom nothing is left, and so much sound of it is heard."""
HUM_S = 12.0
TALK_S = 1.2
WITH_PERSON_S = 3.0
"""Whoever is connected when the fault strikes stays at least so long behind it."""


@dataclass(slots=True)
class Lines:
    """What callers say: PCM at telephone rate, in whole frames."""

    questions: Sequence[bytes]
    long: bytes


@dataclass
class Caller:
    """One caller, one call. ``hz`` is a tone that nobody else makes."""

    number: str
    hz: float
    lines: Lines
    tracker: Tracker
    members: Members
    chance: random.Random
    line: LineCaller = field(init=False)
    said: list[Span] = field(default_factory=list)
    dialled: float = 0.0
    struck: float = 0.0
    """The moment of the fault, or of the call where that came later."""
    end: End = End.NOWHERE
    place: str = ""
    why: str = ""
    ended: float = 0.0
    pressed: bool = False

    def __post_init__(self) -> None:
        self.line = LineCaller(self.number)
        questions = list(self.lines.questions)
        self.chance.shuffle(questions)
        self._questions = cycle(questions)
        self._speaking: asyncio.Task[None] | None = None
        self._humming = False
        self._patience_s = LIMIT_S
        self._asked: float | None = None
        self._answers = 0
        self.tracker.trail(self.number)

    @property
    def trail(self) -> Trail:
        """Where Asterisk has the call."""
        return self.tracker.trail(self.number)

    @property
    def speaking(self) -> bool:
        """Whether the caller says something at this moment."""
        return self._speaking is not None and not self._speaking.done()

    async def dial(self, uri: str) -> None:
        """Call; returns when something was answered, or raises SandboxError."""
        self.dialled = time.monotonic()
        await self.line.dial(uri, self.number)

    def press(self, key: str) -> None:
        """Press a key: the caller wants somebody else."""
        self.pressed = True
        self.line.press(key)

    def say(self, pcm: bytes) -> None:
        """Begin to say something."""
        self._speaking = asyncio.create_task(self._say(pcm), name=f"{self.number} speaks")

    def ask(self) -> float:
        """Begin to say the next question; for how long."""
        pcm = self.next_question()
        self._humming = False
        self.say(pcm)
        return seconds_of(pcm)

    def next_question(self) -> bytes:
        """Something to ask."""
        return next(self._questions)

    def hum(self) -> None:
        """Make a tone for as long as this is called; what was being said before is broken off."""
        if not self.speaking:
            self._humming = True
            self.say(tone(self.hz, HUM_S))
        elif not self._humming:
            self.line.hush()

    async def _say(self, pcm: bytes) -> None:
        began = time.monotonic()
        with contextlib.suppress(SandboxError):  # the call ended meanwhile: that is seen elsewhere
            said = await self.line.speak(pcm)
            self.said.append((said.began, said.ended))
            return
        self.said.append((began, time.monotonic()))

    def _hush(self) -> None:
        if self.speaking:
            self.line.hush()

    # --- behind the fault -------------------------------------------------------------------

    async def live_on(self, struck: float, turns: int, *, no_mailbox: bool = False) -> None:
        """Go on until an end; ``turns`` answers of the agent are one.

        ``no_mailbox``: no message can be taken, so that to be told is an end as well.
        """
        self.struck = struck
        try:
            while self.end is End.NOWHERE:
                now = time.monotonic()
                if self.line.ended_at is not None:
                    told = no_mailbox and was_told(self.trail, self.line.recording)
                    self.end = End.TOLD if told else End.DROPPED
                    self.ended = self.line.ended_at
                elif now > struck + self._patience_s:
                    self.why = self.why or f"reached nobody; at last: {self.trail.step}"
                    self.ended = now
                    return
                else:
                    await self._look(now, turns)
                await asyncio.sleep(POLL_S)
        finally:
            self.ended = self.ended or time.monotonic()
            await self.close()

    async def _look(self, now: float, turns: int) -> None:
        trail = self.trail
        if trail.person:
            await self._with_person(trail, now)
        elif trail.step == "VoiceMail":
            await self._at_mailbox(trail, now)
        elif trail.step == "AudioSocket":
            self._with_agent(now, turns)
        else:
            self._asked = None

    async def _with_person(self, trail: Trail, now: float) -> None:
        """Each has to hear the other; then that was it."""
        member = self.members[trail.person]
        began = max(trail.person_since, self.struck)
        self.hum()
        heard = has_tone(self.line.recording, member.hz, began)
        understood = has_tone(member.phone.recording, self.hz, began)
        stayed = now - trail.person_since > TALK_S and now - self.struck > WITH_PERSON_S
        if heard and understood and stayed:
            self.end, self.place, self.ended = End.PERSON, trail.person, now
        elif now - began > 10.0:
            self.why = f"connected to {trail.person}, and one does not hear the other"
            self._patience_s = 0.0

    async def _at_mailbox(self, trail: Trail, now: float) -> None:
        began = trail.since + STEP_BACK_S
        if now < began:
            return
        self.hum()
        if now - max(began, self.struck) > MESSAGE_S:
            self.end, self.place, self.ended = End.MAILBOX, trail.mailbox, now

    def _with_agent(self, now: float, turns: int) -> None:
        """Ask, listen to the answer, ask again."""
        quiet = self.line.recording.quiet_since()
        if self.speaking:
            return
        if self._asked is None:
            idle = quiet is not None and now - quiet > PAUSE_S
            if idle and now - self._last_said() > PAUSE_S and now > self.struck:
                self._asked = now + self.ask()
            return
        heard = [
            min(one.end, now) - max(one.start, self._asked)
            for one in self.line.recording.segments("heard")
            if one.end > self._asked
        ]
        if sum(heard) < ANSWERED_S or quiet is None or now - quiet < PAUSE_S:
            return
        self._answers += 1
        self._asked = None
        if self._answers >= turns:
            self.end, self.place, self.ended = End.AGENT, "agent", now

    def _last_said(self) -> float:
        return self.said[-1][1] if self.said else 0.0

    async def close(self) -> None:
        """Hang up."""
        self._hush()
        if self._speaking is not None:
            await self._speaking
        await self.line.close()


def was_told(trail: Trail, recording: Recording) -> bool:
    """Whether a caller heard, last of all, that nobody can take a message."""
    heard_s = sum(
        max(0.0, one.end - max(one.start, trail.prompt_since))
        for one in recording.segments("heard")
    )
    return trail.prompt == NOBODY and heard_s > TOLD_S


def seconds_of(pcm: bytes) -> float:
    """How long PCM at telephone rate lasts."""
    return len(pcm) / 2 / LINE_RATE_HZ
