"""One call of the demo, from dialling to hanging up, judged by what the phones heard."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from asterisk_agent.audio import resample
from asterisk_agent.engines.base import RECOGNISER_RATE_HZ, Recognizer
from asterisk_agent.engines.worker import Worker
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.demo_screen import Heard, Screen
from asterisk_agent.sandbox.demo_script import CallScript, Fact, Line, Talk, missing
from asterisk_agent.sandbox.listening import Segment
from asterisk_agent.sandbox.phone import Phone

PAUSE_S = 1.5
"""Whoever is silent for so long has finished, even on a machine that is busy with other work."""
MARGIN_S = 0.1
"""What is listened to around a sound, so that no consonant is cut off."""
ANSWER_LIMIT_S = 15.0
RING_LIMIT_S = 30.0
ON_THE_LINE_S = 0.4
"""What the far end hears of a clip comes so much later at most: packets, jitter buffers."""


HEARINGS_S = (0.0, 0.2, 0.5)
"""The silence put around a sound at the first hearing, the second, and the last."""


class StepFailed(SandboxError):
    """Something was not heard as it should have been; says in which step."""


class Ear:
    """Turns what a phone heard into words, on a thread of its own."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._worker = Worker("ear")

    async def words(
        self, phone: Phone, start: float, end: float, facts: Sequence[Fact] = ()
    ) -> str:
        """What the phone heard between two moments.

        A recogniser gets a word in a hundred wrong that any person understands. So where one of
        the facts is missing it listens again, with a little more silence around the same sound.
        """
        line = phone.heard(start, end)
        pcm = resample(line, phone.rate_hz, RECOGNISER_RATE_HZ)
        first = ""
        for margin_s in HEARINGS_S:
            silence = bytes(2 * int(margin_s * RECOGNISER_RATE_HZ))
            text = await self._worker.run(self._understand, silence + pcm + silence)
            if not missing(facts, text):
                return text
            first = first or text
        return first

    def close(self) -> None:
        """End the thread."""
        self._worker.close()

    def _understand(self, pcm: bytes) -> str:
        session = self._recognizer.session()
        session.feed(pcm)
        return session.result().text


class DemoCall:
    """Plays ``script``; what was heard collects in ``heard``."""

    def __init__(
        self,
        index: int,
        script: CallScript,
        caller: Phone,
        member: Phone,
        *,
        clips: Path,
        agent: str,
        ear: Ear,
        screen: Screen,
        heard: list[Heard],
    ) -> None:
        self._index = index
        self._script = script
        self._caller = caller
        self._member = member
        self._clips = clips
        self._agent = agent
        self._ear = ear
        self._screen = screen
        self._heard = heard
        self._step = "dialling"

    async def play(self, uri: str) -> None:
        """Dial and go through the whole script. Raises StepFailed at the first thing amiss."""
        try:
            await self._dial(uri)
            for turn in self._script.turns[:-1]:
                await self._question(turn)
            await self._handoff(self._script.turns[-1])
            await self._brief()
            for line in self._script.talk:
                await self._talk(line)
            await self._hang_up()
        except StepFailed:
            raise
        except SandboxError as error:
            raise StepFailed(f"call {self._index}, {self._step}: {error}") from error

    async def _dial(self, uri: str) -> None:
        who = self._script.caller
        await self._caller.identify(who.number, name=who.name)
        await self._caller.dial(uri)
        self._screen.event(f"{who.name} calls {uri}")
        self._step = "greeting"
        answered = (await self._caller.wait_for("connected", ANSWER_LIMIT_S)).at
        began = await self._caller.wait_for_sound(ANSWER_LIMIT_S, after=answered)
        await self._agent_says(self._script.greeting, began, began - answered)

    async def _question(self, turn: Line) -> None:
        """Ask, and hear the answer to its end."""
        said, began = await self._ask(turn)
        await self._agent_says(turn.hears, began, began - said.end, is_answer=True)

    async def _handoff(self, turn: Line) -> None:
        """The last question: the sentence that follows ends where the member's phone rings."""
        said, began = await self._ask(turn)
        # Behind the sentence the caller hears ringing, perhaps without a pause.
        rang = await self._member.wait_for("incoming", RING_LIMIT_S)
        await self._agent_says(
            turn.hears, began, began - said.end, is_answer=True, end=rang.at + MARGIN_S
        )
        self._screen.event("the team member's phone rings")

    async def _brief(self) -> None:
        """The member picks up by itself, and is told first who is there."""
        self._step = "brief"
        picked_up = (await self._member.wait_for("connected", RING_LIMIT_S)).at
        self._screen.event("the team member picks up, and hears, before the caller is put through:")
        began = await self._member.wait_for_sound(ANSWER_LIMIT_S, after=picked_up)
        end = await self._member.wait_for_quiet(PAUSE_S)
        text = await self._ear.words(
            self._member, began - MARGIN_S, end + MARGIN_S, self._script.brief
        )
        self._note(Heard(self._index, self._step, "(brief)", text, began - picked_up), began)
        self._check(self._script.brief, text)

    async def _talk(self, line: Talk) -> None:
        """One of the two people speaks, the other one has to hear it."""
        by_member = line.speaker == "member"
        speaker, listener = (
            (self._member, self._caller) if by_member else (self._caller, self._member)
        )
        self._step = f"{line.speaker} says {line.says!r}"
        said = await speaker.play(self._clips / line.clip)
        # The listener's recording has to reach the end of what was said.
        await listener.wait_for_quiet(ON_THE_LINE_S)
        text = await self._ear.words(listener, said.start, said.end + ON_THE_LINE_S, line.hears)
        name = "member" if by_member else "caller"
        self._note(Heard(self._index, self._step, name, text), said.start)
        self._check(line.hears, text)

    async def _hang_up(self) -> None:
        """One side hangs up; the other one's call has to end by that."""
        self._step = f"{self._script.hangs_up} hangs up"
        first, second = self._caller, self._member
        if self._script.hangs_up == "member":
            first, second = second, first
        await first.hangup()
        await second.wait_for("disconnected")
        # Its own "disconnected" was handed out by hangup(), so both are ready for another call.
        self._screen.event(f"the {self._script.hangs_up} hangs up; the call is over on both sides")

    async def _ask(self, turn: Line) -> tuple[Segment, float]:
        """Say a clip; when it was said, and when the agent's answer began."""
        self._step = f"answer to {turn.says!r}"
        clip = await self._caller.queue(self._clips / turn.clip)
        said = await self._caller.spoken(clip)
        self._screen.said("caller", turn.says, said.start)
        began = await self._caller.wait_for_sound(ANSWER_LIMIT_S, after=said.start)
        if began < said.end:
            raise StepFailed(
                f"call {self._index}, {self._step}: it began before the question ended"
            )
        return said, began

    async def _agent_says(
        self,
        facts: Sequence[Fact],
        began: float,
        delay_s: float,
        *,
        is_answer: bool = False,
        end: float | None = None,
    ) -> None:
        """Hear the agent out, show it, and check that the facts are in it."""
        if end is None:
            end = await self._caller.wait_for_quiet(PAUSE_S) + MARGIN_S
        text = await self._ear.words(self._caller, began - MARGIN_S, end, facts)
        pause_s = _longest_pause_s(self._caller.spoken_segments(pause_s=0.1), began, end)
        heard = Heard(
            self._index, self._step, self._agent, text, round(delay_s, 3), is_answer, pause_s
        )
        self._note(heard, began)
        self._check(facts, text)

    def _note(self, heard: Heard, at: float) -> None:
        self._heard.append(heard)
        self._screen.heard(heard, at)

    def _check(self, facts: Sequence[Fact], text: str) -> None:
        if lacking := missing(facts, text):
            raise StepFailed(
                f"call {self._index}, {self._step}: not heard: {'; '.join(lacking)}. "
                f"Heard instead: {text!r}"
            )


def _longest_pause_s(segments: Sequence[Segment], start: float, end: float) -> float:
    """The longest silence between the sounds from ``start`` to ``end``."""
    inside = [segment for segment in segments if start <= segment.start < end]
    pauses = (later.start - earlier.end for earlier, later in pairwise(inside))
    return round(max(pauses, default=0.0), 3)
