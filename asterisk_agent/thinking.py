"""What a caller's words mean, found out while it is still open whether they have finished.

At each pause a guess is made: the words, the reply to them, and its first sentence as audio. The
guess is dropped when the caller goes on; when the turn is over, it is the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from asterisk_agent.audio import without_lead
from asterisk_agent.engines.base import RECOGNISER_RATE_HZ
from asterisk_agent.events import Action, Reply, Transcript
from asterisk_agent.finished import finish, is_back_channel, weigh
from asterisk_agent.hearing import TurnAudio, is_better, is_doubtful
from asterisk_agent.speaking import Speaker
from asterisk_agent.speech import sentences
from asterisk_agent.turn import Finish, TurnTaker

LAST_WORDS_S = 0.5
"""A "yes" this close to the end of what the agent says is meant as an answer, not a murmur."""
QUESTION_S = 2.5
"""The same where what the agent says ends with a question."""
MURMUR_S = 0.7
"""What is shorter, and has no answer, does not take the floor from the agent."""
MUMBLE_S = 1.5
"""The same for what the recogniser itself hardly believes to be words."""
CLEAR = 0.5
"""Confidence from which words were understood."""
AGAIN_BY_S = {Finish.DOUBTFUL: 0.85, Finish.ASKED: 0.65}
AGAIN_LEAST_S = 0.3
"""Who can be asked back is asked so long after the pause was noticed: a second hearing has to be
over by then, and is not begun where too little of that is left."""


class Minds(Protocol):
    """What recognises words and speaks sentences."""

    @property
    def busy(self) -> bool:
        """Whether the recogniser has enough to do, so that more work makes callers wait."""

    async def recognise(self, ear: object, pcm: bytes, *, careful: bool = False) -> Transcript:
        """What a whole turn's 16 kHz audio says; ``careful``: with more time."""

    async def speak(self, sentence: str, *, slow: bool = False) -> bytes:
        """A sentence as audio, whole."""


@dataclass(frozen=True, slots=True)
class Thought:
    """What was made of an utterance: perhaps only a guess, if the caller goes on speaking."""

    transcript: Transcript
    reply: Reply
    first_sentence: bytes
    voice_ms: float
    ready: float
    unheard: bool = False
    """The caller spoke, and no word of it was understood."""


class Thinker:
    """One call's thoughts about its caller's words. ``reply_to`` asks the brain."""

    def __init__(
        self,
        minds: Minds,
        clock: Callable[[], float],
        *,
        ear: object,
        language: str,
        turns: TurnTaker,
        speaker: Speaker,
        reply_to: Callable[[str], Awaitable[Reply]],
        on_finish: Callable[[Finish], None],
    ) -> None:
        self._minds = minds
        self._clock = clock
        self._ear = ear
        self._language = language
        self._turns = turns
        self._speaker = speaker
        self._reply_to = reply_to
        self._on_finish = on_finish
        self._audio = TurnAudio(RECOGNISER_RATE_HZ)
        self._guessed: asyncio.Task[Thought] | None = None
        self._guesses: set[asyncio.Task[Thought]] = set()
        self._hearing: tuple[asyncio.Task[Transcript], int, int] | None = None
        self._hearings: set[asyncio.Task[Transcript]] = set()
        self._piece: asyncio.Task[Transcript] | None = None
        self.words_only = False
        """A message is taken: what is said is not answered by what the brain thinks of it."""

    def keep(self, pcm: bytes) -> None:
        """Take 16 kHz audio from the caller."""
        self._audio.keep(pcm, speaking=self._turns.caller_speaking)

    def guess(self) -> None:
        """Think about what was said so far: if the turn is over, the answer is half ready."""
        self._guessed = asyncio.create_task(self._think())
        self._guesses.add(self._guessed)
        self._guessed.add_done_callback(self._guesses.discard)

    def take(self) -> asyncio.Task[Thought]:
        """The turn is over: what is made of it."""
        if self._guessed is None:
            self.guess()
        assert self._guessed is not None
        taken, self._guessed, self._hearing = self._guessed, None, None
        return taken

    def drop(self) -> None:
        """The caller goes on: what was made of the pause is void, but for long speech heard."""
        if self._guessed is None:
            return
        self._guessed.cancel()
        self._guessed = None
        if self._hearing is None:
            return
        (hearing, turn, size), self._hearing = self._hearing, None
        if not self._audio.is_piece(size):
            hearing.cancel()
        elif hearing.done():
            self._settle_piece(hearing, turn, size)
        else:
            self._piece = hearing
            hearing.add_done_callback(lambda done: self._settle_piece(done, turn, size))

    def close(self) -> None:
        """The call is over."""
        for task in (*self._guesses, *self._hearings):
            task.cancel()

    async def recognise(self) -> Transcript:
        """The words of the turn so far; of a long one, only its last part is still unknown."""
        if self._piece is not None:
            await asyncio.wait({self._piece})
            self._piece = None
        pcm, before = self._audio.pcm, self._audio.text
        hearing = asyncio.create_task(self._minds.recognise(self._ear, pcm))
        self._hearings.add(hearing)
        hearing.add_done_callback(self._hearings.discard)
        self._hearing = hearing, self._audio.turn, len(pcm)
        heard = await asyncio.shield(hearing)
        return replace(heard, text=f"{before} {heard.text}".strip()) if before else heard

    async def voiced(self, transcript: Transcript, reply: Reply) -> Thought:
        """A thought of this reply, with its first sentence as audio."""
        began = self._clock()
        spoken = sentences(reply.text)
        made = await self._minds.speak(spoken[0], slow=reply.slow) if spoken else b""
        now = self._clock()
        return Thought(transcript, reply, without_lead(made), (now - began) * 1000, now)

    async def _think(self) -> Thought:
        """Recognise, find the reply, and speak its first sentence into memory."""
        began = self._clock()
        transcript = await self.recognise()
        if not transcript.text:
            self._understood(Finish.NOTHING)
            return Thought(transcript, Reply("", Action.CLARIFY), b"", 0.0, self._clock())
        reply = await self._reply_to(transcript.text)
        finished = self._finish(transcript, reply)
        self._understood(finished)
        if self.words_only:
            return Thought(transcript, reply, b"", 0.0, self._clock())
        again_by_s = AGAIN_BY_S.get(finished)
        if again_by_s is not None and is_doubtful(reply) and not self._minds.busy:
            # Who would be put through for want of an answer had better wait; who is asked whether
            # this or that is meant shall not.
            left_s = again_by_s - (self._clock() - began) if reply.options else None
            if left_s is None or left_s >= AGAIN_LEAST_S:
                return await self._thought_twice(transcript, reply, left_s)
        return await self.voiced(transcript, reply)

    async def _thought_twice(
        self, first: Transcript, reply: Reply, limit_s: float | None
    ) -> Thought:
        """What was understood has no answer; there is time to listen to it once more.

        The reply to it gets its voice meanwhile: mostly it stays the reply.
        """
        voicing = asyncio.create_task(self.voiced(first, reply))
        try:
            async with asyncio.timeout(limit_s):
                again = await self._heard_again(first, reply)
            return await (voicing if again is None else self.voiced(*again))
        except TimeoutError:
            return await voicing
        finally:
            voicing.cancel()

    async def _heard_again(
        self, first: Transcript, reply: Reply
    ) -> tuple[Transcript, Reply] | None:
        """Other words than at first and their better reply; None where there are none."""
        pcm, before = self._audio.pcm, self._audio.text
        heard = await self._minds.recognise(self._ear, pcm, careful=True)
        text = f"{before} {heard.text}".strip()
        if not heard.text or text == first.text:
            return None
        other = await self._reply_to(text)
        if not is_better(other, reply):
            return None
        heard = replace(heard, text=text, compute_s=first.compute_s + heard.compute_s)
        self._understood(self._finish(heard, other))
        return heard, other

    def _finish(self, heard: Transcript, reply: Reply) -> Finish:
        """Whether the caller has finished, as far as the words and the reply tell."""
        speaker = self._speaker
        if not speaker.floor.is_set() and self._lets_go_on(heard, reply):
            asks = speaker.text.endswith("?")
            if not speaker.ends_within(QUESTION_S if asks else LAST_WORDS_S):
                return Finish.BACK_CHANNEL
        words = finish(heard.text, self._language, speaker.text)
        return words if self.words_only else weigh(words, reply, self._turns.speech_s)

    def _lets_go_on(self, heard: Transcript, reply: Reply) -> bool:
        """Whether a sound over the agent's voice leaves it the floor.

        "Mm-hm" does, and what was short and makes no sense as it was heard: a recogniser finds
        words in an "uh-huh", too, even "that's all right"; and who says goodbye while the agent
        speaks hangs up without its help.
        """
        if is_back_channel(heard.text, self._language, parting=self._speaker.parting):
            return True
        mumbled = heard.confidence < CLEAR
        nonsense = (
            reply.unanswered
            or (reply.action is Action.CLARIFY and (mumbled or not reply.options))
            or reply.action is Action.GOODBYE
        )
        return nonsense and self._turns.speech_s < (MUMBLE_S if mumbled else MURMUR_S)

    def _understood(self, finish: Finish) -> None:
        """Tell whose turn it is, if the pause that was guessed at still lasts."""
        if asyncio.current_task() is self._guessed:
            self._on_finish(finish)

    def _settle_piece(self, hearing: asyncio.Task[Transcript], turn: int, size: int) -> None:
        if not hearing.cancelled() and hearing.exception() is None:
            self._audio.settle(turn, size, hearing.result().text)
