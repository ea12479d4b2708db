"""How sure it is that a passage answers a question: a small logistic model over plain evidence.

What each piece of it is worth was fitted, for each embedder: see ``scale``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from asterisk_agent.brain.documents import Passage
from asterisk_agent.brain.knowledge import Hit, Index
from asterisk_agent.brain.question import Question, others_deed

ANSWER = 0.40
"""From here on the passage is spoken. On the scale of a fit that counts wrong ones three times.
From 0.30 on 3 of 100 more would be answered at once; but of 308 questions whose own passages were
taken away 14 instead of 10, and of 320 trick questions 9 would be answered wrong instead of 6."""
ASK_BACK_OVER_TEAM = 0.10
"""From here on the caller is asked back about what is told in words with which callers want a team
("my invoice is wrong"); about anything else, from the scale's ``ask_back`` on."""
OFFER, OFFER_SHARE = 0.005, 0.1
"""From here on a second passage is offered beside the first, where it is so likely beside it."""
HARD_DOUBT = 0.08
"""What is left of the confidence where a passage cannot hold the answer."""
DOUBTED = ANSWER - 0.01
"""Good for a question back, at most."""
ALL_WORDS = 0.95
"""Share of a question's words from which a passage has all of them."""
RIVAL, RIVAL_SHARE = 0.15, 0.3
"""From here on, and from this share of the first one's, a passage so close counts, too: "what does
a visit cost" is answered by the call-out fee, and what an emergency's costs is another thing."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The best passage (None without any) and the probability, 0 to 1, that it answers.

    ``others`` are the next ones, the likeliest first, with theirs; ``too_close`` is the scale's.
    """

    hit: Hit | None
    confidence: float
    others: tuple[tuple[Hit, float], ...] = ()
    too_close: float = field(kw_only=True)

    @property
    def torn(self) -> bool:
        """Whether two passages answer about equally well, and a caller is better asked which."""
        if self.hit is None or not self.others:
            return False
        other, sure = self.others[0]
        if self.hit.overlap >= ALL_WORDS > other.overlap and other.missing:
            return False  # the words decide
        if self.hit.score - other.score >= self.too_close:
            return False
        return sure >= max(RIVAL, RIVAL_SHARE * self.confidence)


def judge(question: Question, index: Index, told: Passage | None = None) -> Judgement:
    """Find the passage that answers the question best, but for one. Raises EngineError."""
    hits = [hit for hit in index.search(question, limit=5) if hit.passage != told]
    if not hits:
        return Judgement(None, 0.0, too_close=index.scale.too_close)
    likely = [(hit, confidence(question, hit, index)) for hit in hits]
    likely.sort(key=lambda pair: -pair[1])
    (best, sure), *others = likely
    if not _is_near(best, index) or (
        sure < index.scale.without_a_word and _lacks_a_word(best, index)
    ):
        sure = min(sure, DOUBTED)  # and the next one is no better for it
    return Judgement(best, sure, tuple(others), too_close=index.scale.too_close)


def confidence(question: Question, hit: Hit, index: Index) -> float:
    """The probability that ``hit`` answers ``question``."""
    lexicon = index.language.lexicon
    lacking = {
        term: (1 - share) * index.weight(term) / index.rarest
        for term, share in hit.met.items()
        if not lexicon.is_light(term)
    }
    asks_of_a_thing = any(want.general for want in question.wants)
    weights = index.scale.weights
    evidence = (
        weights.bias
        + weights.standing_out * (hit.standing_out - 0.08)
        + weights.overlap * (hit.overlap - 0.6)
        + weights.ahead * max(min(hit.ahead, 0.15), -0.02)
        + weights.subject_lacking * next(reversed(lacking.values()), 0.0)
        + weights.thing_lacking * asks_of_a_thing * max(lacking.values(), default=0.0)
        + weights.which_missing * _asks_for_another_thing(question, hit, index)
    )
    sure = 1 / (1 + math.exp(-evidence))
    by_us = others_deed(question, hit.passage.text, index.language)
    cannot = question.own_case or not hit.states or not hit.overlap or by_us
    return sure * (HARD_DOUBT if cannot else 1.0)


def _is_near(hit: Hit, index: Index) -> bool:
    """Whether the meaning is near enough for an answer: words alone are not."""
    scale = index.scale
    if hit.nearer > scale.lead:
        return False
    return hit.meaning >= scale.floor or hit.overlap >= ALL_WORDS


def _lacks_a_word(hit: Hit, index: Index) -> bool:
    """Whether a word of the question that says something is nowhere in the passage."""
    return any(not index.language.lexicon.is_light(term) for term in hit.missing)


def _asks_for_another_thing(question: Question, hit: Hit, index: Index) -> bool:
    """ "Which brand …?" is not answered where brands are no more than mentioned."""
    asked = index.known(index.language.lexicon.terms(question.which))
    return bool(asked) and asked[0] not in index.terms_of_titles(hit.passage)
