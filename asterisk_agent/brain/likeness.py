"""Words of the same meaning: "remodel" in a question meets "renovate" in a document.

An embedder made for sentences places all single words close together. Once their common middle is
taken away, what remains tells synonyms (0.35 and more) from strangers (below 0.25), in every
language that the embedder knows. It does not tell "tenant" from "landlord", which are used alike;
the lexicon does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asterisk_agent.brain.vectors import VectorStore
from asterisk_agent.brain.words import Lexicon, opposite, tokens
from asterisk_agent.engines.base import Embedder, Vector

NOTHING, EVERYTHING = 0.28, 0.58
"""Cosines up to which a word is a stranger, and from which it is as good as the same."""
SHORTEST = 3
MOST_REMEMBERED = 2000


class Likeness:
    """How alike a word is to those of each passage's titles, and of its text."""

    def __init__(
        self, titles: Sequence[str], texts: Sequence[str], store: VectorStore, lexicon: Lexicon
    ) -> None:
        self._lexicon = lexicon
        in_titles = [frozenset(self._words(text)) for text in titles]
        in_texts = [frozenset(self._words(text)) for text in texts]
        words = sorted(frozenset().union(*in_titles, *in_texts))
        self._at = {word: at for at, word in enumerate(words)}
        self._sides = [lexicon.side(word) for word in words]
        self._title = _member(in_titles, words)
        self._text = _member(in_texts, words)
        common = sorted(lexicon.light)
        vectors = store.queries([*words, *common])
        self._middle: Vector = vectors.mean(axis=0) if len(vectors) else np.zeros(1, np.float32)
        self._vectors = _unit(vectors[: len(words)] - self._middle)
        self._remembered: dict[str, Vector] = {}

    def of(self, word: str, embedder: Embedder) -> tuple[Vector, Vector]:
        """For each passage, 0 to 1: in its titles, in its text. Raises EngineError."""
        if not self._at or len(word) < SHORTEST or not word.isalpha():
            none = np.zeros(len(self._title), dtype=np.float32)
            return none, none
        near = self._vectors @ self._vector(word, embedder)
        share = np.clip((near - NOTHING) / (EVERYTHING - NOTHING), 0.0, 1.0)
        side = self._lexicon.side(word)
        if side is not None:
            share[[opposite(side, other) for other in self._sides]] = 0.0
        return (
            np.where(self._title, share, 0.0).max(axis=1),
            np.where(self._text, share, 0.0).max(axis=1),
        )

    def _vector(self, word: str, embedder: Embedder) -> Vector:
        if word in self._at:
            known: Vector = self._vectors[self._at[word]]
            return known
        if word not in self._remembered:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[word] = _unit(embedder.query(word) - self._middle)
        return self._remembered[word]

    def _words(self, text: str) -> list[str]:
        return [
            word
            for word in tokens(text)
            if len(word) >= SHORTEST and word.isalpha() and word not in self._lexicon.stop
        ]


def _member(passages: Sequence[frozenset[str]], words: Sequence[str]) -> Vector:
    member: Vector = np.array([[word in held for word in words] for held in passages], dtype=bool)
    return member.reshape(len(passages), len(words))


def _unit(vectors: Vector) -> Vector:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Vector = (vectors / np.maximum(length, 1e-9)).astype(np.float32)
    return unit
