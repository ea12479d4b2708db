"""One call of a benchmark: the greeting, some questions, perhaps an interruption; then hang up.

What the caller's phone heard, and when, is all that is kept here; ``bench_log`` adds what the
agent wrote down about the same moments.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.bench_caller import Caller, Said, quiet_for, sound_after
from asterisk_agent.sandbox.bench_clips import Clip
from asterisk_agent.sandbox.bench_deck import Deck, Opening
from asterisk_agent.sandbox.bench_script import Kind
from asterisk_agent.sandbox.listening import Recording

RING_LIMIT_S = 30.0
"""A full machine lets a call ring for a while before it goes to a person."""
GREETING_LIMIT_S = 10.0
ANSWER_LIMIT_S = 12.0
"""An answer that takes longer is no answer."""
FINISHED_S = 1.2
"""Whoever is silent for so long has finished speaking."""
LONGEST_ANSWER_S = 40.0
INTO_THE_GREETING_S = 1.5
GOES_ON_S = 0.8
"""An agent that was silent during a sound, to hear what it is, goes on within so long after it."""
INTO_THE_ANSWER_S = 0.8
WITHIN_A_VOICE_S = 0.4
"""A shorter silence than this is part of what the agent says."""
CONSONANT_S = 0.1
"""What is heard so soon after a clip began was on its way already."""


@dataclass(slots=True)
class Turn:
    """A clip that was said, and what was heard of the agent. Monotonic seconds."""

    clip: Clip
    over: bool
    """Said while the agent was speaking."""
    said: Said
    early: float | None = None
    """When the agent was heard before the clip had ended."""
    answered: float | None = None
    stopped: float | None = None
    """When the agent fell silent that had been interrupted."""


@dataclass(slots=True)
class Greeting:
    """The greeting, and what was said into it."""

    opening: Opening
    began: float
    sound_s: float = 0.0
    """How much of it was heard, silences left out."""


@dataclass(slots=True)
class CallSeen:
    """A call as its caller's phone knows it."""

    number: str
    dialled: float
    answered: float | None = None
    ended: float = 0.0
    outcome: str = "talked"
    """``talked``, ``refused`` (the agent was full), or ``failed``."""
    why: str = ""
    greeting: Greeting | None = None
    turns: list[Turn] = field(default_factory=list)
    talked_until: float = 0.0
    """When the agent certainly still had the call."""
    longest_arrival_gap_s: float = 0.0
    """The longest wait between two packets of the conversation."""
    latest_frame_s: float = 0.0


class BenchCall:
    """Holds one call. ``talks_with_agent`` asks Asterisk whether a number's call still does."""

    cut_short = "failed"
    """The outcome of a call that went wrong before it had its last answer."""

    def __init__(
        self,
        caller: Caller,
        number: str,
        deck: Deck,
        talks_with_agent: Callable[[str], Awaitable[bool]],
        *,
        turns: int,
        chance: random.Random,
    ) -> None:
        self._caller = caller
        self._deck = deck
        self._talks_with_agent = talks_with_agent
        self._turns = turns
        self._chance = chance
        self.seen = CallSeen(number, time.monotonic())

    async def hold(self, uri: str) -> CallSeen:
        """Dial, talk, hang up. What goes wrong is in the result."""
        seen = self.seen
        try:
            await self._caller.dial(uri, seen.number)
            seen.answered = await self._caller.answered(RING_LIMIT_S)
            await self._talk(seen.answered)
        except SandboxError as error:
            # A call that the agent gave away ends as its queue does.
            if not seen.turns or seen.turns[-1].answered is None:
                seen.outcome, seen.why = self.cut_short, error.message
        finally:
            seen.ended = time.monotonic()
            await self._caller.close()
        if seen.greeting is not None:
            seen.longest_arrival_gap_s = longest_gap_s(
                self._caller.recording, seen.greeting.began, seen.talked_until
            )
        seen.latest_frame_s = self._caller.latest_frame_s
        return seen

    async def _talk(self, answered: float) -> None:
        if await self._greeting(answered):
            await self._questions()

    async def _is_with_agent(self) -> bool:
        """Whether the conversation goes on."""
        now = time.monotonic()
        if not await self._talks_with_agent(self.seen.number):
            return False
        self.seen.talked_until = now
        return True

    async def _greeting(self, answered: float) -> bool:
        """Hear the greeting, or speak into it; False where it is not the agent that answered."""
        began = await sound_after(self._caller, answered, GREETING_LIMIT_S)
        if began is None:
            raise SandboxError("no greeting")
        if not await self._is_with_agent():
            self.seen.outcome = "refused"
            return False
        opening = self._deck.opening()
        greeting = self.seen.greeting = Greeting(opening, began)
        if opening.clip is None:
            pass
        elif opening.clip.line.kind is Kind.DISTURBANCE:
            await asyncio.sleep(max(0.0, began + INTO_THE_GREETING_S - time.monotonic()))
            await self._caller.say(opening.clip)
            await asyncio.sleep(GOES_ON_S)
        else:
            await self._say_over(opening.clip, began + INTO_THE_GREETING_S)
        end = await quiet_for(self._caller, FINISHED_S, LONGEST_ANSWER_S)
        greeting.sound_s = heard_s(self._caller.recording, began, end)
        return True

    async def _questions(self) -> None:
        while len(self.seen.turns) < self._turns and not self._deck.finished:
            if not await self._is_with_agent():
                return
            await asyncio.sleep(self._chance.uniform(0.3, 0.9))
            turn = await self._ask(self._deck.clip())
            if turn.answered is not None and self._deck.interrupts():
                await self._say_over(self._deck.question(), turn.answered + INTO_THE_ANSWER_S)
            await quiet_for(self._caller, FINISHED_S, LONGEST_ANSWER_S)

    async def _ask(self, clip: Clip) -> Turn:
        """Say a clip into the silence, and wait for the answer."""
        turn = Turn(clip, False, await self._caller.say(clip))
        self.seen.turns.append(turn)
        early = self._caller.recording.sound_after(turn.said.began + CONSONANT_S)
        turn.early = early if early is not None and early < turn.said.ended else None
        turn.answered = await sound_after(self._caller, turn.said.ended, ANSWER_LIMIT_S)
        self._deck.said(clip)
        return turn

    async def _say_over(self, clip: Clip, moment: float) -> None:
        """Interrupt the agent at ``moment``, if it still speaks then."""
        await asyncio.sleep(max(0.0, moment - time.monotonic()))
        recording = self._caller.recording
        if recording.quiet_since() is not None:
            return
        turn = Turn(clip, True, await self._caller.say(clip))
        self.seen.turns.append(turn)
        turn.stopped = fell_silent(recording, turn.said.began)
        after = max(turn.said.ended, turn.stopped or 0.0)
        turn.answered = await sound_after(self._caller, after, ANSWER_LIMIT_S)


def fell_silent(recording: Recording, since: float) -> float | None:
    """When the voice ended that was speaking at ``since``; None where none was."""
    for segment in recording.segments("heard", pause_s=WITHIN_A_VOICE_S):
        if segment.start <= since <= segment.end:
            return segment.end
    return None


def heard_s(recording: Recording, start: float, end: float) -> float:
    """How much sound there was between two moments."""
    segments = recording.segments("heard", pause_s=0.03)
    return sum(max(0.0, min(one.end, end) - max(one.start, start)) for one in segments)


def longest_gap_s(recording: Recording, start: float, end: float) -> float:
    """The longest time without a new frame between two moments."""
    moments = [frame.at for frame in recording.frames if start <= frame.at <= end]
    return max((after - before for before, after in pairwise(moments)), default=0.0)
