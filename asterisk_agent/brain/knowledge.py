"""What the documents say, found by meaning and by word.

The embedder knows that "how much do you take for coming over" is about the call-out fee; it does
not know that a question about refrigerators is not answered by a passage about taps. The words
know that. ``Index.search`` joins the two and says how sure it is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from asterisk_agent.brain.documents import Passage, load_passages
from asterisk_agent.brain.language import Language
from asterisk_agent.brain.languages import language as language_of
from asterisk_agent.brain.likeness import Likeness
from asterisk_agent.brain.question import Question, states
from asterisk_agent.brain.scale import scale_of
from asterisk_agent.brain.vectors import VectorStore
from asterisk_agent.brain.words import nearest
from asterisk_agent.engines.base import Embedder, Vector
from asterisk_agent.speech import sentences

__all__ = ["Hit", "Index", "Passage", "load_passages"]

HEADING_WORTH, TEXT_WORTH, TOPIC_WORTH = 1.0, 0.85, 0.4
"""How much of a question's word is met when it stands there."""
LIKE_WORTH = 0.9
"""How much of that where only a word of the same meaning does."""
HARDLY_MET = 0.25
"""A word that is only so much like one of the passage's is missing all the same: a tap in the
kitchen is not a washing machine's."""
LIGHT_WORTH = 0.3
WRONG_KIND = 0.06
"""Taken off a passage that states no price when a price is asked, and so on."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that may answer, and why.

    ``score`` orders the hits of one question. ``meaning`` is the mean of two cosines: with the
    passage, and with its heading or its nearest sentence, whichever is nearer; ``met`` tells of
    each of the question's words how far (0 to 1) it stands in the passage, ``overlap`` is its mean,
    ``missing`` the words that hardly do; ``unknown`` is how many of these stand in no document,
    and ``states`` whether it holds a fact of the kind that is asked for. ``standing_out`` is
    ``meaning`` less its mean over all passages, ``ahead`` the distance in score to the next passage
    that says something else, ``nearer`` how much nearer in meaning the nearest passage is (0: none
    is).
    """

    passage: Passage
    score: float
    meaning: float
    overlap: float
    met: Mapping[str, float]
    missing: tuple[str, ...]
    unknown: int
    states: bool
    standing_out: float = 0.0
    ahead: float = 0.0
    nearer: float = 0.0


class Index:
    """The passages of a channel, ready to be searched. Blocking; safe to share between threads."""

    def __init__(
        self,
        passages: Sequence[Passage],
        embedder: Embedder,
        language: Language | None = None,
        cache: Path | None = None,
    ) -> None:
        self.passages = tuple(passages)
        self.language = language or language_of("en")
        self._embedder = embedder
        self.scale = scale_of(embedder.name)
        """What its cosines mean."""
        terms = self.language.lexicon.terms
        self._heading = [frozenset(terms(" ".join(p.titles))) for p in self.passages]
        self._text = [frozenset(terms(p.text)) for p in self.passages]
        self._topic = [frozenset(terms(p.topic)) for p in self.passages]
        seen = Counter(
            term
            for at in zip(self._heading, self._text, self._topic, strict=True)
            for term in set().union(*at)
        )
        self.rarest: float = math.log(1 + len(self.passages))
        self._weight = {t: math.log(1 + len(self.passages) / n) for t, n in seen.items()}
        self._joined = {
            a + b: (a, b)
            for p in self.passages
            for a, b in pairwise(terms(f"{' '.join(p.titles)} {p.text}"))
        }
        store = VectorStore(embedder, cache)
        self._embed(store)
        self._likeness = Likeness(
            [" ".join(p.titles) for p in self.passages],
            [f"{p.text} {p.topic}" for p in self.passages],
            store,
            self.language.lexicon,
        )

    def _embed(self, store: VectorStore) -> None:
        titles = [(at, title) for at, p in enumerate(self.passages) for title in p.titles]
        parts = [(at, s) for at, p in enumerate(self.passages) for s in sentences(p.text)]
        self._whole: Vector = store.passages(
            [f"{' '.join(p.titles)}\n{p.text}".strip() for p in self.passages]
        )
        self._titles: Vector = store.queries([title for _, title in titles])
        self._title_of = np.array([at for at, _ in titles], dtype=np.intp)
        self._parts: Vector = store.passages(
            [f"{self.passages[at].heading}\n{part}".strip() for at, part in parts]
        )
        self._part_of = np.array([at for at, _ in parts], dtype=np.intp)

    def known(self, terms: Sequence[str]) -> tuple[str, ...]:
        """Terms as the documents write them: slips mended, compounds cut, each once."""
        found: dict[str, None] = {}
        for term in terms:
            if term in self._weight:
                found[term] = None
            elif term in self._joined:
                found.update(dict.fromkeys(self._joined[term]))
            else:
                found[nearest(term, self._weight) or term] = None
        return tuple(found)

    def weight(self, term: str) -> float:
        """What a term is worth: rare ones more, words that say little less."""
        worth = LIGHT_WORTH if self.language.lexicon.is_light(term) else 1.0
        return worth * self._weight.get(term, self.rarest)

    def search(self, question: str | Question, limit: int = 5) -> list[Hit]:
        """The passages nearest to the question, best first. Raises EngineError."""
        if isinstance(question, str):
            question = Question.read(question, self.language)
        if not self.passages:
            return []
        meaning = self._meaning(question.core)
        met = self._met(self.known(question.terms), question)
        hits = [
            self._hit(at, float(meaning[at]), {t: float(m[at]) for t, m in met.items()}, question)
            for at in range(len(self.passages))
        ]
        order = sorted(range(len(hits)), key=lambda at: -hits[at].score)
        mean, highest = float(meaning.mean()), float(meaning.max())
        return [
            replace(
                hits[at],
                standing_out=hits[at].meaning - mean,
                ahead=hits[at].score - self._rival(at, order, hits),
                nearer=highest - float(meaning[at]),
            )
            for at in order[:limit]
        ]

    def terms_of_titles(self, passage: Passage) -> frozenset[str]:
        """The terms of a passage's headings."""
        return self._heading[self.passages.index(passage)]

    def alike(self, one: Passage, other: Passage) -> bool:
        """Whether two passages say much the same."""
        a, b = self.passages.index(one), self.passages.index(other)
        return bool(self._whole[a] @ self._whole[b] >= self.scale.same_thing)

    def pairs_alike(self, at_least: float) -> list[tuple[Passage, Passage, float]]:
        """Passages whose meaning is as near as that, the nearest first."""
        cosines: Vector = self._whole @ self._whole.T
        found = [
            (self.passages[a], self.passages[b], float(cosines[a, b]))
            for a, b in zip(*np.nonzero(np.triu(cosines, 1) >= at_least), strict=True)
        ]
        return sorted(found, key=lambda pair: -pair[2])

    def _rival(self, at: int, order: Sequence[int], hits: Sequence[Hit]) -> float:
        """The score of the best passage that says something else than passage ``at``."""
        alike: Vector = self._whole @ self._whole[at]
        others = (hits[i].score for i in order if i != at and alike[i] < self.scale.same_thing)
        return next(others, hits[at].score - 0.2)

    def _meaning(self, text: str) -> Vector:
        """The mean of two cosines: with the whole, and with its nearest title or sentence."""
        vector = self._embedder.query(text)
        whole: Vector = self._whole @ vector
        nearest = np.full(len(self.passages), -1.0, dtype=np.float32)
        np.maximum.at(nearest, self._title_of, self._titles @ vector)
        np.maximum.at(nearest, self._part_of, self._parts @ vector)
        mean: Vector = (whole + np.where(nearest < 0, whole, nearest)) / np.float32(2)
        return mean

    def _met(self, terms: Sequence[str], question: Question) -> dict[str, Vector]:
        """For each term, how far it stands in each passage."""
        said = {self.language.lexicon.term(word): word for word in reversed(question.words)}
        named = self._named(question)
        met: dict[str, Vector] = {}
        for term in terms:
            found = np.array(
                [
                    HEADING_WORTH
                    if term in self._heading[at]
                    else TEXT_WORTH
                    if term in self._text[at]
                    else TOPIC_WORTH
                    if term in self._topic[at]
                    else 0.0
                    for at in range(len(self.passages))
                ],
                dtype=np.float32,
            )
            if term in said and not self.language.lexicon.is_light(term):
                in_title, in_text = self._likeness.of(said[term], self._embedder)
                like = LIKE_WORTH * np.maximum(in_title, TEXT_WORTH * in_text)
                found = np.maximum(found, like)
            if term in named:
                found = np.maximum(found, named[term])
            met[term] = found
        return met

    def _named(self, question: Question) -> dict[str, Vector]:
        """For the name of each kind of fact asked for, what it is worth where one is stated."""
        return {
            self.language.lexicon.term(want.word): np.array(
                [TEXT_WORTH * bool(want.plainly.search(p.text)) for p in self.passages], np.float32
            )
            for want in question.wants
            if want.word and want.plainly is not None
        }

    def _hit(self, at: int, meaning: float, met: Mapping[str, float], question: Question) -> Hit:
        total = sum(map(self.weight, met)) or 1.0
        overlap = sum(self.weight(term) * share for term, share in met.items()) / total
        missing = tuple(term for term, share in met.items() if share < HARDLY_MET)
        right_kind = states(question, self.passages[at].text, self.language.lexicon)
        return Hit(
            passage=self.passages[at],
            score=meaning + self.scale.word_share * overlap - (0.0 if right_kind else WRONG_KIND),
            meaning=meaning,
            overlap=overlap,
            met=met,
            missing=missing,
            unknown=sum(
                t not in self._weight and not self.language.lexicon.is_light(t) for t in missing
            ),
            states=right_kind,
        )
