"""How sure it is that a passage answers a question: a small logistic model over plain evidence.

The weights were fitted on the questions under ``tests/data`` (three trades; each also predicted by
the other two), where a wrong answer counted three times a lost one, and rounded. They know nothing
of any trade: only how near the meaning is, and which of the question's words are missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from asterisk_agent.brain.knowledge import Hit, Index
from asterisk_agent.brain.question import Question

ANSWER = 0.60
"""From here on the passage is spoken."""
ASK_BACK = 0.45
"""From here on the caller is asked to say it in other words; below, a person knows better."""
HARD_DOUBT = 0.2
"""What is left of the confidence where a passage cannot hold the answer."""
RARE = 0.45
"""Share of the rarest word's weight from which a missing word counts as the subject."""

_BIAS = -0.3
_MEANING = 8.0  # per unit of cosine above 0.88
_STANDING_OUT = 15.0  # per unit of cosine above the question's mean over all passages
_OVERLAP = 2.75
_AHEAD = 22.0
_UNKNOWN = -1.0
_SUBJECT_MISSING = -1.2
_PRICED_THING_MISSING = -0.6
_WHICH_MISSING = -2.5


@dataclass(frozen=True, slots=True)
class Judgement:
    """The best passage (None without any) and the probability, 0 to 1, that it answers."""

    hit: Hit | None
    confidence: float


def judge(question: Question, index: Index) -> Judgement:
    """Find the passage that answers the question best. Raises EngineError."""
    hits = index.search(question, limit=1)
    if not hits:
        return Judgement(None, 0.0)
    return Judgement(hits[0], confidence(question, hits[0], index))


def confidence(question: Question, hit: Hit, index: Index) -> float:
    """The probability that ``hit`` answers ``question``."""
    lexicon = index.language.lexicon
    subject = [term for term in index.known(question.terms) if not lexicon.is_light(term)]
    rare = {t for t in hit.missing if t in subject and index.weight(t) > RARE * index.rarest}
    evidence = (
        _BIAS
        + _MEANING * (hit.meaning - 0.88)
        + _STANDING_OUT * (hit.standing_out - 0.08)
        + _OVERLAP * (hit.overlap - 0.6)
        + _AHEAD * min(hit.ahead, 0.15)
        + _UNKNOWN * min(hit.unknown, 2)
        + _SUBJECT_MISSING * (bool(subject) and subject[-1] in rare)
        + _PRICED_THING_MISSING * (bool(rare) and question.wants_a("price"))
        + _WHICH_MISSING * _asks_for_another_thing(question, hit, index)
    )
    sure = 1 / (1 + math.exp(-evidence))
    return sure * (1.0 if hit.states and not question.own_case else HARD_DOUBT)


def _asks_for_another_thing(question: Question, hit: Hit, index: Index) -> bool:
    """ "Which brand …?" is not answered where brands are no more than mentioned."""
    asked = index.known(index.language.lexicon.terms(question.which))
    return bool(asked) and asked[0] not in index.terms_of_titles(hit.passage)
