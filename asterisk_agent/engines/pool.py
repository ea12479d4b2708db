"""The machine's engines as the calls share them: most of them in a process of their own.

What stays here is the voice detector: its verdicts are needed 31 times a second and call, and take
a tenth of a millisecond each. What a phrase sounds like is kept here too, so that the sentences
that are always needed can be spoken while the engine process is being started again.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from asterisk_agent.capacity import calls_carried
from asterisk_agent.config.paths import data_directory
from asterisk_agent.config.schema import Config
from asterisk_agent.engines.base import VoiceDetector
from asterisk_agent.engines.keeper import Keeper, RemoteBrain
from asterisk_agent.engines.loader import load_detector, recognised_at_once
from asterisk_agent.engines.messages import PIECE, RECOGNISE, SPEAK, transcript_of
from asterisk_agent.engines.remote import Child
from asterisk_agent.engines.spoken import SpokenStore
from asterisk_agent.engines.worker import Worker
from asterisk_agent.errors import EngineError
from asterisk_agent.events import Exchange, Reply, Transcript

log = logging.getLogger(__name__)

KEPT_PHRASES = 800
"""Spoken sentences kept in memory: about 40 MB at telephone rate."""
DETECTED_AT_ONCE = 8
"""Frames looked at before others get their turn on the event loop: about a millisecond."""
_SLOWLY = "\0slowly"
"""Behind a sentence: what it sounds like when it is said slowly."""


@dataclass(frozen=True, slots=True)
class Ear:
    """What a call has of the recogniser. Turns are heard as a whole, so it holds nothing."""


class EnginePool:
    """Every engine, for as many calls as there are. ``start`` it, and ``close`` it."""

    def __init__(
        self,
        config: Config,
        keeper: Keeper | None = None,
        store: SpokenStore | None = None,
    ) -> None:
        self._keeper = keeper or Keeper(config)
        self._language = config.agent.language
        self._phrases: OrderedDict[str, bytes] = OrderedDict()
        self._lasting: frozenset[str] = frozenset()
        tts = config.engines.tts
        voice = f"{tts.engine} {tts.voice} {tts.speed} {self._language}"
        self._store = store or SpokenStore(data_directory() / "spoken", voice)
        self._disk = Worker("spoken")

    @property
    def ready(self) -> bool:
        """Whether calls can be answered: False while the engines are lost or stuck."""
        return self._keeper.ready

    @property
    def waiting(self) -> int:
        """How many questions to the engines are not answered yet."""
        return self._keeper.waiting

    @property
    def late(self) -> bool:
        """Whether callers wait for each other: a new one should not come in now."""
        return self._keeper.late

    @property
    def looked(self) -> float | None:
        """When the engine process was last looked after, on the monotonic clock."""
        return self._keeper.looked

    @property
    def busy(self) -> bool:
        """Whether every core recognises a turn already."""
        return self._keeper.pending(RECOGNISE) >= recognised_at_once()

    @property
    def calls(self) -> int:
        """How many calls at once the engines carry on this machine, as measured at their start."""
        return calls_carried(self._keeper.process.turn_cpu_s, os.cpu_count() or 1)

    async def start(self, first: Child | None = None) -> None:
        """Load and warm everything. Raises EngineError for a model that is missing or broken."""
        load_detector()  # so that the first call does not pay for it; the others load meanwhile
        await self._keeper.start(first)

    async def watch(self) -> None:
        """Start the engines again whenever they are lost; never returns."""
        await self._keeper.watch()

    async def close(self) -> None:
        """End the engine process."""
        await self._keeper.close()
        await self._disk.run(self._store.tidy)
        self._disk.close()

    async def brains(self, config: Config) -> Mapping[str, RemoteBrain]:
        """A brain for each channel. Raises ConfigError for documents that cannot be read."""
        return await self._keeper.brains(config)

    def listen(self) -> Ear:
        """An ear for one call."""
        return Ear()

    def new_detector(self) -> VoiceDetector:
        """A voice detector for one call."""
        return load_detector()

    async def detect(self, detector: VoiceDetector, frames: Sequence[bytes]) -> list[float]:
        """The probability of speech in each frame."""
        found: list[float] = []
        for frame in frames:
            if found and len(found) % DETECTED_AT_ONCE == 0:
                await asyncio.sleep(0)
            found.append(detector.probability(frame))
        return found

    async def recognise(self, ear: object, pcm: bytes, *, careful: bool = False) -> Transcript:
        """What a whole turn's 16 kHz audio says. Raises EngineError.

        ``careful``: with more time, for what was understood makes no sense.
        """
        fields = {"careful": careful}
        return transcript_of(await self._keeper.process.ask(RECOGNISE, fields, pcm))

    async def think(
        self,
        reply: Callable[[str, Sequence[Exchange]], Awaitable[Reply]],
        utterance: str,
        history: Sequence[Exchange],
    ) -> Reply:
        """A brain's reply to what was said. Raises EngineError."""
        return await reply(utterance, tuple(history))

    async def speak(self, sentence: str, *, slow: bool = False) -> bytes:
        """A whole sentence at line rate, from memory where it was spoken before."""
        return b"".join([piece async for piece in self.voice(sentence, slow=slow)])

    async def voice(self, sentence: str, *, slow: bool = False) -> AsyncIterator[bytes]:
        """The sentence's audio at line rate, piece by piece as it is made. Raises EngineError.

        ``slow``: for a caller who asked for it to be said slowly.
        """
        key = f"{sentence}{_SLOWLY}" if slow else sentence
        kept = self._phrases.get(key)
        if kept is not None:
            self._phrases.move_to_end(key)
            yield kept
            return
        spoken = bytearray()
        fields = {"text": sentence, "language": self._language, "slow": slow}
        async with aclosing(self._keeper.process.stream(SPEAK, fields)) as pieces:
            async for piece in pieces:
                if piece.kind == PIECE:
                    spoken += piece.body
                    yield piece.body
        self._keep(key, bytes(spoken))

    async def remember(self, sentence: str) -> bool:
        """Take a sentence that was spoken before from the disk; False where it is not there."""
        if sentence in self._phrases:
            return True
        pcm = await self._disk.run(self._store.read, sentence)
        if pcm is not None:
            self._keep(sentence, pcm)
        return pcm is not None

    def keep_for_good(self, sentences: Iterable[str]) -> None:
        """What is always needed stays in memory once it was spoken, whatever else is said."""
        self._lasting = frozenset(sentences)

    async def prepare(self, sentences: Sequence[str]) -> None:
        """Speak sentences into memory, and onto the disk, before anyone needs them.

        What fails is logged, and spoken when it is needed.
        """
        for sentence in sentences:
            if await self.remember(sentence):
                continue
            await self._keeper.available()
            try:
                pcm = await self.speak(sentence)
                await self._disk.run(self._store.write, sentence, pcm)
            except EngineError as error:
                log.warning("engines: a sentence could not be prepared: %s", error)
            await asyncio.sleep(0)

    def _keep(self, sentence: str, pcm: bytes) -> None:
        self._phrases[sentence] = pcm
        while len(self._phrases) > KEPT_PHRASES + len(self._lasting):
            del self._phrases[next(kept for kept in self._phrases if kept not in self._lasting)]
