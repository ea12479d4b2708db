"""Intents by likeness: what is said in no words that a rule has, but much like an example.

Only where neither a rule nor a document answers. Emergencies are left to the rules: what is only
like one must not end a conversation.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from asterisk_agent.brain.intent import Intent, phrases_of
from asterisk_agent.brain.language import Language
from asterisk_agent.brain.scale import scale_of
from asterisk_agent.brain.vectors import VectorStore
from asterisk_agent.brain.words import normalise
from asterisk_agent.config.schema import Intents, Team
from asterisk_agent.engines.base import Embedder
from asterisk_agent.events import Action

APART = 0.01
"""By so much the next intent must be further away."""
LEAST_WORDS = 3
"""Shorter phrases are near to everything."""


class Examples:
    """The examples of a language and of a configuration. Safe to share."""

    def __init__(
        self,
        embedder: Embedder,
        language: Language,
        intents: Intents,
        teams: Mapping[str, Team],
        cache: Path | None = None,
    ) -> None:
        """Raises EngineError where embedding fails."""
        self._embedder = embedder
        self._alike = scale_of(embedder.name).like_example
        known: dict[str, Intent] = {}
        for action, texts in language.examples.items():
            known.update(dict.fromkeys(texts, Intent(action)))
        for action, texts in phrases_of(intents).items():
            if action is not Action.EMERGENCY:
                known.update(dict.fromkeys(texts, Intent(action)))
        for team in teams.values():
            known.update(dict.fromkeys(team.asks, Intent(Action.HANDOFF, team.id)))
        long = {
            text: of for text, of in known.items() if len(normalise(text).split()) >= LEAST_WORDS
        }
        self._intents = tuple(long.values())
        self._vectors = VectorStore(embedder, cache).queries(list(long)) if long else None

    def read(self, utterance: str) -> Intent | None:
        """The intent whose example is nearest, where it is near enough. Raises EngineError."""
        if self._vectors is None or not _long(utterance):
            return None
        near = self._vectors @ self._embedder.query(utterance)
        best = int(near.argmax())
        intent, nearest = self._intents[best], float(near[best])
        others = [float(c) for c, of in zip(near, self._intents, strict=True) if of != intent]
        if nearest < self._alike or nearest - max(others, default=0.0) < APART:
            return None
        return intent


def _long(text: str) -> bool:
    return len(normalise(text).split()) >= LEAST_WORDS
