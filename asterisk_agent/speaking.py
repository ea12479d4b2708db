"""The agent's side of the line: what it says, and how much of that was really heard.

A clip is what one ``say`` speaks. It may be held, when the caller makes a sound over it; then it
goes on, or the caller takes the floor and the rest of it is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Protocol

from asterisk_agent.audio import LINE_RATE_HZ, quiet_place_s
from asterisk_agent.errors import EngineError
from asterisk_agent.pacer import Finished, Pacer, Started
from asterisk_agent.speech import sentences

VOICE_LIMIT_S = 2.0
"""The longest pause in what the agent says because the voice is not made."""
PARTING_HOLD_S = 1.5
"""A caller who talks into the last sentence goes to a person after this at the latest."""
AGAIN_S = 0.6
"""What a murmur made the agent stop at is said again from a quiet place this far back at most."""


class Voices(Protocol):
    """What makes sentences audible."""

    def voice(self, sentence: str, *, slow: bool = False) -> AsyncIterator[bytes]:
        """A sentence as audio, piece by piece."""


class Speaker:
    """One call's voice. ``play`` must run all the time; times are seconds on ``clock``."""

    def __init__(
        self,
        voices: Voices,
        clock: Callable[[], float],
        *,
        send: Callable[[bytes], None],
        on_talked_over: Callable[[], None],
    ) -> None:
        self._voices = voices
        self._clock = clock
        self._send = send
        self._on_talked_over = on_talked_over
        self._pacer = Pacer(LINE_RATE_HZ, clock())
        self._waiting: dict[object, asyncio.Future[Finished]] = {}
        self._started_at: dict[object, float] = {}
        self.text = ""
        """What was said last, or is being said."""
        self.parting = False
        """These are the last words: they cannot be held for long."""
        self.interrupted = asyncio.Event()
        self.talked_over = False
        """Whether the caller's voice ended the clip that was said last."""
        self.floor = asyncio.Event()
        """Set while the caller makes no sound over the agent's voice."""
        self.floor.set()
        self._held_until: asyncio.TimerHandle | None = None
        self.last_sent: float | None = None
        """When a frame of audio was last sent, while one has to be every 20 ms."""

    @property
    def saying(self) -> str:
        """What is said at this moment; nothing while the agent listens."""
        return self.text if self._waiting else ""

    @property
    def longest_gap_s(self) -> float:
        """The worst lateness of a frame so far."""
        return self._pacer.longest_gap_s

    def ends_within(self, seconds: float) -> bool:
        """Whether what is said has begun to sound, and will be over so soon."""
        return self._pacer.speaking and self._pacer.left_s <= seconds

    async def say(
        self,
        text: str,
        said: Callable[[float, Finished], None],
        first_sentence: bytes | None = None,
        *,
        slow: bool = False,
    ) -> Finished:
        """Speak, sentence by sentence, until it was heard or the caller interrupts.

        ``first_sentence`` is its audio where that was made before. ``said`` is told when it began
        and what was heard of it, also where the caller hangs up meanwhile.
        """
        clip = object()
        heard: asyncio.Future[Finished] = asyncio.get_running_loop().create_future()
        self._waiting[clip] = heard
        self.interrupted.clear()
        self.talked_over = False
        self.text = text
        try:
            await self._speak(text, clip, first_sentence, slow=slow)
            if not self.interrupted.is_set():
                self._pacer.add(clip, b"", complete=True)
            elif not heard.done():
                heard.set_result(Finished(clip, 0.0, complete=False))
            finished = await asyncio.shield(heard)
        except asyncio.CancelledError:  # the caller has hung up in the middle of it
            self.interrupt()
            if heard.done() and heard.result().heard_s:
                said(self._began(clip), heard.result())
            raise
        del self._waiting[clip]
        said(self._began(clip), finished)
        return finished

    def put_in(self, pcm: bytes) -> None:
        """Say something short that nobody has to wait for, or remember."""
        self._pacer.add(object(), pcm, complete=True)

    def interrupt(self) -> None:
        """Stop at once; what was heard is accounted for."""
        self.interrupted.set()
        self._pacer.stop()
        self._free()
        self._settle()

    def hold(self) -> None:
        """Fall silent at once; whether the caller takes the floor is known when they pause."""
        self._pacer.hold()
        self.floor.clear()
        if self.parting:
            loop = asyncio.get_running_loop()
            self._held_until = loop.call_later(PARTING_HOLD_S, self.talk_over)

    def go_on(self) -> None:
        """It was no more than a murmur or a cough: go on, from a quiet place a little before."""
        self._pacer.go_on(quiet_place_s(self._pacer.played(AGAIN_S)))
        self._free()

    def talk_over(self) -> None:
        """The caller has the floor: drop what was held."""
        if not self.floor.is_set():
            self.talked_over = True
            self._on_talked_over()
            self.interrupt()

    def _free(self) -> None:
        """Nothing is held any more."""
        self.floor.set()
        if self._held_until is not None:
            self._held_until.cancel()
            self._held_until = None

    async def play(self) -> None:
        """Send a frame every 20 ms, for as long as the call lasts."""
        try:
            while True:
                for frame in self._pacer.frames(self._clock()):
                    self._send(frame)
                self.last_sent = self._clock()
                self._settle()
                await asyncio.sleep(max(0.001, self._pacer.next_due() - self._clock()))
        finally:
            self.last_sent = None

    async def _speak(
        self, text: str, clip: object, first_sentence: bytes | None, *, slow: bool
    ) -> None:
        for index, sentence in enumerate(sentences(text)):
            if self.interrupted.is_set():
                break
            if index == 0 and first_sentence is not None:
                self._pacer.add(clip, first_sentence)
                continue
            async for pcm in self._in_time(self._voices.voice(sentence, slow=slow)):
                if self.interrupted.is_set():
                    break
                self._pacer.add(clip, pcm)

    async def _in_time(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """A voice as it is made. Raises EngineError where the caller would wait in silence."""
        while True:
            try:
                async with asyncio.timeout(self._pacer.left_s + VOICE_LIMIT_S):
                    piece = await anext(pieces, None)
            except TimeoutError:
                raise EngineError(f"no voice in {VOICE_LIMIT_S} s") from None
            if piece is None:
                return
            yield piece

    def _began(self, clip: object) -> float:
        return self._started_at.pop(clip, self._clock())

    def _settle(self) -> None:
        """Tell whoever waits which clips have begun and ended."""
        now = self._clock()
        for event in self._pacer.events():
            match event:
                case Started(key):
                    self._started_at[key] = now
                case Finished(key):
                    with suppress(KeyError, asyncio.InvalidStateError):
                        self._waiting[key].set_result(event)
