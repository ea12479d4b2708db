"""What the rest of the product asks of an engine. Small protocols; plain blocking calls.

Every method may block for as long as its work takes, so nobody calls one on the event loop:
``engines.worker`` runs them on threads. PCM is always signed 16-bit little-endian mono.
Engines raise ``errors.EngineError`` and nothing else on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol, TypedDict

import numpy as np
import numpy.typing as npt

from asterisk_agent.events import Transcript

RECOGNISER_RATE_HZ = 16_000
"""The rate at which recognisers take audio."""

Vector = npt.NDArray[np.float32]


class Message(TypedDict):
    """One message to a language model."""

    role: Literal["system", "user", "assistant"]
    content: str


class VoiceDetector(Protocol):
    """Tells speech from everything else. One instance per call: it has memory."""

    frame_samples: int
    """Samples at the line's 8 kHz that one call of ``probability`` takes, exactly."""

    def probability(self, pcm: bytes) -> float:
        """Probability, 0 to 1, that this frame holds speech."""

    def reset(self) -> None:
        """Forget what was heard before."""


class RecognizerSession(Protocol):
    """One caller's ear. Used by one thread at a time."""

    def feed(self, pcm: bytes) -> str:
        """Take 16 kHz audio; return the words understood so far, or "" if not streaming."""

    def result(
        self, cancelled: Callable[[], bool] = lambda: False, *, careful: bool = False
    ) -> Transcript:
        """What was said since the last ``reset``. May be asked again after feeding more.

        Stops early, with part of it or nothing, when ``cancelled()`` turns true. ``careful``: what
        was understood makes no sense, so take more time, where that helps.
        """

    def reset(self) -> None:
        """Forget the audio fed so far: a new turn begins."""


class Recognizer(Protocol):
    """Speech to text. Shared by all calls; each call opens a session of its own."""

    name: str

    def session(self) -> RecognizerSession:
        """Begin to listen."""


class LanguageModel(Protocol):
    """Words an answer."""

    name: str
    parameters: int
    """Number of weights, or 0 where nobody says: a hint at what the model may be trusted with."""

    @property
    def tokens(self) -> int:
        """Tokens read and written since it was loaded, as far as it tells."""

    def generate(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[str]:
        """Yield the answer piece by piece; stop early when ``cancelled()`` turns true."""


class Embedder(Protocol):
    """Text to vectors of length 1, so that a dot product is a cosine."""

    name: str

    def passages(self, texts: Sequence[str]) -> Vector:
        """Shape (len(texts), dimensions)."""

    def query(self, text: str) -> Vector:
        """Shape (dimensions,)."""


class Synthesizer(Protocol):
    """Text to speech."""

    name: str
    rate_hz: int

    def synthesize(self, text: str, *, pace: float = 1.0) -> Iterator[bytes]:
        """Yield PCM at ``rate_hz``, a sentence at a time; ``pace`` 0.5 takes twice as long."""
