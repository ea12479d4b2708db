"""Two embedders as one: what both find alike is likelier to be alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from asterisk_agent.engines.base import Embedder, Vector

WORTH: Mapping[str, float] = {"mpnet": 0.3, "minilm": 0.2}
"""What a cosine of the second counts beside one of multilingual-e5's, by the second's name. Those
of multilingual-e5 lie between 0.75 and 0.95, those of the others between 0 and 0.9, so that a fifth
is about an equal say. MPNet finds more, and has the greater one."""
MOST_REMEMBERED = 8
"""Texts whose vectors are kept: one utterance is looked at as a question, then as a wish."""


class TogetherEmbedder:
    """An ``Embedder`` whose cosines are the weighted mean of two embedders' cosines.

    Its vectors are theirs, one behind the other. Raises what they raise.
    """

    def __init__(self, first: Embedder, second: Embedder, worth: float) -> None:
        self._first, self._second = first, second
        self._shares = np.sqrt(np.array([1, worth], np.float32) / np.float32(1 + worth))
        self.name = f"{first.name}+{second.name}"
        self._lately = lru_cache(MOST_REMEMBERED)(self._query)

    def passages(self, texts: Sequence[str]) -> Vector:
        """Shape (len(texts), dimensions of both)."""
        return self._joined(self._first.passages(texts), self._second.passages(texts))

    def query(self, text: str) -> Vector:
        """Shape (dimensions of both,)."""
        return self._lately(text)

    def _query(self, text: str) -> Vector:
        found = self._joined(self._first.query(text), self._second.query(text))
        found.flags.writeable = False
        return found

    def _joined(self, first: Vector, second: Vector) -> Vector:
        joined: Vector = np.concatenate(
            [self._shares[0] * first, self._shares[1] * second], axis=-1, dtype=np.float32
        )
        return joined
