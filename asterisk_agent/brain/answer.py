"""From a passage to what is spoken: the author's own sentences, or a model's under the gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from asterisk_agent.brain import prompts
from asterisk_agent.brain.documents import Passage
from asterisk_agent.brain.gate import Gate
from asterisk_agent.brain.language import Language
from asterisk_agent.brain.question import Question
from asterisk_agent.engines.base import LanguageModel, Message
from asterisk_agent.errors import EngineError
from asterisk_agent.speech import sentences

MOST_WORDS = 45
"""About 17 seconds of speech; nobody keeps more in mind."""
MOST_SENTENCES = 3
CLEARLY_BETTER = 1.0
"""Words by which a later sentence must meet a question better for what stands before it to be left
out. Who asks for a price or a time gets the sentence that has it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say, and how long a model took over it in milliseconds (0 where none did)."""

    text: str
    model_ms: float = 0.0


def compose(
    question: Question,
    passage: Passage,
    language: Language,
    model: LanguageModel | None,
    clock: Callable[[], float],
) -> Answer:
    """Answer from ``passage``. Without ``model``, or where its words fail the gate, verbatim."""
    if model is None:
        return Answer(extract(question, passage, language))
    began = clock()
    gate = Gate(passage, language)
    text = _worded(prompts.answer(question.core, passage), model, gate)
    took_ms = (clock() - began) * 1000
    if _too_long(text) or not gate.passes(text):
        text = extract(question, passage, language)
    return Answer(text, took_ms)


def _worded(messages: Sequence[Message], model: LanguageModel, gate: Gate) -> str:
    """What the model says, broken off where it can no longer come through the gate.

    A small model goes astray within a few words, mostly, and a caller waits for each of them.
    """
    said = ""

    def astray() -> bool:
        text = " ".join(said.split())
        return _too_long(text) or not gate.may_pass(text)

    try:
        for piece in model.generate(messages, max_tokens=prompts.MOST_TOKENS, cancelled=astray):
            said += piece
    except EngineError:
        return ""  # the author's words need no model
    return " ".join(said.split())


def _too_long(text: str) -> bool:
    return len(text.split()) > MOST_WORDS


def extract(question: Question, passage: Passage, language: Language) -> str:
    """The passage, or the sentences in a row that answer best where it is too long to be spoken."""
    written = sentences(passage.text)
    if len(written) <= MOST_SENTENCES and _words(written) <= MOST_WORDS:
        return " ".join(written)
    worth = [_worth(question, sentence, language) for sentence in written]
    best = worth.index(max(worth))
    start = best if question.wants or worth[best] > worth[0] + CLEARLY_BETTER else 0
    while start and language.dialogue.leaning.match(written[start]):
        start -= 1  # "After that …" means nothing without what it comes after
    return " ".join(_part(written[start:]))


def rest(said: str, passage: Passage) -> str:
    """The next part of a passage after what was ``said`` of it; "" where that was the end."""
    written = sentences(passage.text)
    told = [at for at, sentence in enumerate(written) if sentence in said]
    if not told:
        return ""
    return " ".join(_part(written[told[-1] + 1 :]))


def _part(written: list[str]) -> list[str]:
    """The first sentences, as many as can be spoken at once."""
    end = min(1, len(written))
    while end < min(len(written), MOST_SENTENCES) and _words(written[: end + 1]) <= MOST_WORDS:
        end += 1
    return written[:end]


def _words(written: list[str]) -> int:
    return sum(len(sentence.split()) for sentence in written)


def _worth(question: Question, sentence: str, language: Language) -> float:
    """How many of the question's words the sentence has; facts of the kind asked for count two."""
    terms = set(language.lexicon.terms(sentence))
    met = sum(0.3 if language.lexicon.is_light(t) else 1.0 for t in question.terms if t in terms)
    return met + 2 * sum(want.stated.search(sentence) is not None for want in question.wants)
