"""The machine's engines with the threads they run on, as the calls share them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence

from asterisk_agent.audio import LINE_RATE_HZ, Resampler
from asterisk_agent.engines.base import RecognizerSession, VoiceDetector
from asterisk_agent.engines.loader import Engines
from asterisk_agent.engines.worker import Worker
from asterisk_agent.events import Exchange, Reply, Transcript
from asterisk_agent.speech import speakable

KEPT_PHRASES = 400
"""Spoken sentences kept in memory: about 30 MB at telephone rate."""


class EnginePool:
    """Every engine behind a worker of its own, so that none waits for another's work."""

    def __init__(self, engines: Engines, language: str) -> None:
        self.engines = engines
        self._language = language
        self._hearing = Worker("hearing")
        self._detecting = Worker("detecting")
        self._thinking = Worker("thinking")
        self._speaking = Worker("speaking")
        self._phrases: OrderedDict[str, bytes] = OrderedDict()

    def close(self) -> None:
        """Stop the threads."""
        for worker in (self._hearing, self._detecting, self._thinking, self._speaking):
            worker.close()

    def listen(self) -> RecognizerSession:
        """A recogniser session for one call."""
        return self.engines.recognizer.session()

    async def detect(self, detector: VoiceDetector, frames: Sequence[bytes]) -> list[float]:
        """The probability of speech in each frame."""
        return await self._detecting.run(_probabilities, detector, frames)

    async def recognise(self, session: RecognizerSession, pcm: bytes) -> Transcript:
        """What a whole turn's 16 kHz audio says."""
        return await self._hearing.run(_transcribe, session, pcm)

    async def think(
        self,
        reply: Callable[[str, Sequence[Exchange]], Reply],
        utterance: str,
        history: Sequence[Exchange],
    ) -> Reply:
        """A brain's reply to what was said."""
        return await self._thinking.run(reply, utterance, tuple(history))

    async def speak(self, sentence: str) -> bytes:
        """A whole sentence at line rate, from memory where it was spoken before."""
        return b"".join([piece async for piece in self.voice(sentence)])

    async def voice(self, sentence: str) -> AsyncIterator[bytes]:
        """The sentence's audio at line rate, piece by piece as it is made."""
        kept = self._phrases.get(sentence)
        if kept is not None:
            self._phrases.move_to_end(sentence)
            yield kept
            return
        resampler = Resampler(self.engines.synthesizer.rate_hz, LINE_RATE_HZ)
        spoken = bytearray()
        words = speakable(sentence, self._language)
        async for piece in self._speaking.stream(
            lambda: self.engines.synthesizer.synthesize(words)
        ):
            ready = resampler.feed(piece)
            spoken += ready
            yield ready
        rest = resampler.feed(b"", last=True)
        yield rest
        self._keep(sentence, bytes(spoken + rest))

    async def prepare(self, sentences: Sequence[str]) -> None:
        """Speak sentences into memory before anyone needs them."""
        for sentence in sentences:
            await self.speak(sentence)
            await asyncio.sleep(0)

    def _keep(self, sentence: str, pcm: bytes) -> None:
        self._phrases[sentence] = pcm
        while len(self._phrases) > KEPT_PHRASES:
            self._phrases.popitem(last=False)


def _probabilities(detector: VoiceDetector, frames: Sequence[bytes]) -> list[float]:
    return [detector.probability(frame) for frame in frames]


def _transcribe(session: RecognizerSession, pcm: bytes) -> Transcript:
    session.reset()
    session.feed(pcm)
    return session.result()
