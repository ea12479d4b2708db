"""Stand-ins for engines, and a small configuration, for the brain's tests."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from asterisk_agent.brain.languages import language
from asterisk_agent.config.schema import Config
from asterisk_agent.engines.base import Message, Vector
from asterisk_agent.errors import EngineError

EXAMPLE = Path(__file__).parent.parent / "etc"
DATA = Path(__file__).parent / "data"


class WordEmbedder:
    """Texts that share words are near; cosines lie in the range of multilingual-e5."""

    name = "words"

    def __init__(self) -> None:
        self.embedded = 0

    def passages(self, texts: Sequence[str]) -> Vector:
        return np.stack([self._vector(text) for text in texts])

    def query(self, text: str) -> Vector:
        return self._vector(text)

    def _vector(self, text: str) -> Vector:
        self.embedded += 1
        vector = np.zeros(512, dtype=np.float32)
        for term in language("en").lexicon.terms(text):
            vector[1 + zlib.crc32(term.encode()) % 511] += 1
        vector /= max(float(np.linalg.norm(vector)), 1e-9)
        vector *= np.sqrt(0.25)
        vector[0] = np.sqrt(0.75)
        return vector / np.float32(np.linalg.norm(vector))


class BrokenEmbedder(WordEmbedder):
    """Works until it is told not to."""

    broken = False

    def query(self, text: str) -> Vector:
        if self.broken:
            raise EngineError("the embedder is gone", hint="start it")
        return super().query(text)


class ScriptedModel:
    """Says what it is told to say."""

    name = "scripted"
    tokens = 0

    def __init__(self, text: str, parameters: int = 7_000_000_000) -> None:
        self.text = text
        self.parameters = parameters
        self.asked: list[Sequence[Message]] = []
        self.said = ""

    def generate(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[str]:
        self.asked.append(messages)
        self.said = ""
        for piece in re.findall(r"\S+\s*", self.text):
            if cancelled():
                return
            self.said += piece
            yield piece


class BrokenModel(ScriptedModel):
    """Breaks when asked."""

    def generate(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[str]:
        raise EngineError("out of memory")


def small_config(directory: Path, answers: str = "auto") -> Config:
    """A company with one channel and three teams; its documents belong in ``knowledge/``."""
    voicemail = {"voicemail": "desk", "message": "later"}
    return Config.model_validate(
        {
            "directory": directory,
            "agent": {"name": "Robin", "greeting": "Hello, I am Robin."},
            "engines": {"llm": {"answers": answers}},
            "timezone": "Europe/Paris",
            "hours": {},
            "channels": {
                "main": {
                    "id": "main",
                    "number": "+33123",
                    "in_hours": {"handoff": ["desk", "accounts"], "unanswered": voicemail},
                    "after_hours": {"unanswered": voicemail},
                }
            },
            "teams": {
                "desk": {
                    "id": "desk",
                    "label": "Front desk",
                    "extension": "600",
                    "members": ["PJSIP/101"],
                    "voicemail": {"mailbox": "600"},
                },
                "accounts": {
                    "id": "accounts",
                    "label": "Accounts",
                    "extension": "610",
                    "members": ["PJSIP/102"],
                    "asks": ["invoice", "double charged"],
                },
                "night-shift": {
                    "id": "night-shift",
                    "extension": "620",
                    "members": ["PJSIP/103"],
                    "asks": ["not working", "leak"],
                },
            },
            "messages": {"later": {"text": "Please leave a message."}},
        }
    )
