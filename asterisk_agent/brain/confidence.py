"""How sure it is that a passage answers a question: a small logistic model over plain evidence.

The weights were fitted on the questions to four companies of four trades (the example, and the
library, the clinic and the hotel under ``tests/data``; each also predicted by the other three),
where an answer to what a passage does not answer counted three times a lost one, and rounded.
Negatives were what the documents do not say, and every question again with the passages that answer
it taken away. They know nothing of any trade: only how near the meaning is, and which words are
missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from asterisk_agent.brain.documents import Passage
from asterisk_agent.brain.knowledge import Hit, Index
from asterisk_agent.brain.question import Question

ANSWER = 0.30
"""From here on the passage is spoken. On the scale of a fit that counts wrong ones three times.
Each company predicted by the other three: from 0.40 down to 0.30 the answers at once rise by a
tenth and none of them is wrong; below 0.25 wrong ones begin."""
ASK_BACK = 0.05
"""From here on the caller is asked whether that is meant; below, a person knows better. Of
what the documents do not answer, one in four is asked about first; of what they do, nine in ten
are found."""
ASK_BACK_OVER_TEAM = 0.10
"""The same for what is told in words with which callers want a team ("my invoice is wrong")."""
OFFER = 0.02
"""From here on a second passage is offered beside the first, where it is a quarter as likely."""
HARD_DOUBT = 0.08
"""What is left of the confidence where a passage cannot hold the answer."""
TOO_CLOSE = 0.004
"""Distance in score below which two passages answer equally well."""

_BIAS = -1.55
_MEANING = 9.3  # per unit of cosine above 0.88
_STANDING_OUT = 20.0  # per unit of cosine above the question's mean over all passages
_OVERLAP = 2.7
_AHEAD = 21.0
_SUBJECT_LACKING = -0.3
_THING_LACKING = -1.2
_WHICH_MISSING = -1.8


@dataclass(frozen=True, slots=True)
class Judgement:
    """The best passage (None without any) and the probability, 0 to 1, that it answers.

    ``other`` is the next passage that says something else, with its own probability.
    """

    hit: Hit | None
    confidence: float
    other: Hit | None = None
    other_confidence: float = 0.0

    @property
    def torn(self) -> bool:
        """Whether two passages answer equally well."""
        return (
            self.hit is not None and self.other_confidence >= ANSWER and self.hit.ahead < TOO_CLOSE
        )


def judge(question: Question, index: Index, told: Passage | None = None) -> Judgement:
    """Find the passage that answers the question best, but for one. Raises EngineError."""
    hits = [hit for hit in index.search(question, limit=5) if hit.passage != told]
    if not hits:
        return Judgement(None, 0.0)
    best = hits[0]
    other = next((h for h in hits[1:] if not index.alike(h.passage, best.passage)), None)
    return Judgement(
        best,
        confidence(question, best, index),
        other,
        confidence(question, other, index) if other is not None else 0.0,
    )


def confidence(question: Question, hit: Hit, index: Index) -> float:
    """The probability that ``hit`` answers ``question``."""
    lexicon = index.language.lexicon
    lacking = {
        term: (1 - share) * index.weight(term) / index.rarest
        for term, share in hit.met.items()
        if not lexicon.is_light(term)
    }
    asks_of_a_thing = any(want.general for want in question.wants)
    evidence = (
        _BIAS
        + _MEANING * (hit.meaning - 0.88)
        + _STANDING_OUT * (hit.standing_out - 0.08)
        + _OVERLAP * (hit.overlap - 0.6)
        + _AHEAD * max(min(hit.ahead, 0.15), -0.02)
        + _SUBJECT_LACKING * next(reversed(lacking.values()), 0.0)
        + _THING_LACKING * asks_of_a_thing * max(lacking.values(), default=0.0)
        + _WHICH_MISSING * _asks_for_another_thing(question, hit, index)
    )
    sure = 1 / (1 + math.exp(-evidence))
    cannot = question.own_case or not hit.states or not hit.overlap
    return sure * (HARD_DOUBT if cannot else 1.0)


def _asks_for_another_thing(question: Question, hit: Hit, index: Index) -> bool:
    """ "Which brand …?" is not answered where brands are no more than mentioned."""
    asked = index.known(index.language.lexicon.terms(question.which))
    return bool(asked) and asked[0] not in index.terms_of_titles(hit.passage)
