"""What was said before counts: follow-up questions, choices, the rest of a long answer, spelling.

The brain has no memory of its own: all of this is read from the history of the call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from asterisk_agent.brain.documents import Passage
from asterisk_agent.brain.language import Language
from asterisk_agent.brain.question import Question
from asterisk_agent.brain.words import normalise, tokens
from asterisk_agent.events import Action, Exchange

MOST_OWN_WORDS = 3
"""Words with a meaning of their own up to which "and …?" leans on the question before."""
SHORT = 6
"""Words up to which "and …" does not stand alone."""
_SPELT = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b(?:https?://|www\.)\S+?(?=[.,;]?(?:\s|$))"
    r"|\+?\d[\d ()./-]{4,}\d"
)
_NAME = re.compile(r"\b[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)+|(?<!^)(?<![.!?]\s)\b[A-Z][\w'-]+")
_SIGNS = {"@": "at", ".": "dot", "-": "dash", "_": "underscore", "+": "plus", "/": "slash"}


class Choice(Enum):
    """A choice that is none of the offers."""

    NEITHER = auto()


@dataclass(frozen=True, slots=True)
class Before:
    """The last answer: what it was asked by, and where it stands."""

    question: str
    passage: Passage | None
    text: str


def last_of_agent(history: Sequence[Exchange]) -> Exchange | None:
    """The agent's last turn with words in it."""
    return next((turn for turn in reversed(history) if turn.who == "agent" and turn.text), None)


def before(history: Sequence[Exchange], passages: Iterable[Passage]) -> Before | None:
    """The last answer in the conversation, or None before the first."""
    for at in range(len(history) - 1, -1, -1):
        turn = history[at]
        if turn.who == "agent" and turn.action is Action.ANSWER and turn.source is not None:
            held = [
                p
                for p in passages
                if (p.file, p.heading) == (turn.source.file, turn.source.heading)
            ]
            said = [p for p in held if _said_of(p, turn.text)]
            passage = next(iter([*said, *held]), None)
            return Before(_question_of(history[:at], passage), passage, turn.text)
    return None


def _question_of(history: Sequence[Exchange], passage: Passage | None) -> str:
    """What the caller had asked; to who said "yes" to an offer, what had been offered."""
    said = [at for at, turn in enumerate(history) if turn.who == "caller"]
    if not said:
        return ""
    offer = history[said[-1] - 1] if said[-1] else None
    heading = passage.heading.rstrip("?!. ") if passage is not None else ""
    if offer is not None and offer.action is Action.CLARIFY and heading and heading in offer.text:
        return heading
    return history[said[-1]].text


def _said_of(passage: Passage, text: str) -> bool:
    return any(part and part in text for part in re.split(r"(?<=[.!?])\s+", passage.text))


def in_context(
    utterance: str, last: Before, language: Language
) -> list[tuple[Question, Passage | None]]:
    """The questions that ``utterance`` may mean after the last answer; none if it stands alone.

    Each comes with a passage that cannot be meant: that one was just told.
    """
    question = Question.read(utterance, language)
    rules, lexicon = language.dialogue, language.lexicon
    own = own_terms(question, language)
    follows = rules.follows.match(question.plain) or rules.follows.match(normalise(utterance))
    points = rules.points.search(question.plain)
    if last.passage is None or not (follows or points) or len(own) > MOST_OWN_WORDS:
        return []
    heading = Question.read(last.passage.heading, language)
    topic = tuple(t for t in heading.terms if not lexicon.is_light(t) or len(heading.terms) == 1)
    if not own:
        subject = tuple(t for t in topic if t not in _asked_by(heading, language))
        core = f"{question.core} {last.passage.heading}"
        terms = tuple(dict.fromkeys((*question.terms, *subject)))
        told = last.passage
        plainly = [w.plainly or w.stated for w in question.wants]
        again = all(pattern.search(told.text) for pattern in plainly)
        return [
            (replace(question, core=core, terms=terms, own_case=False), None if again else told)
        ]
    if not follows:
        return []
    earlier = Question.read(last.question, language)
    wants = question.wants or earlier.wants
    frame = " ".join(
        word
        for word in earlier.plain.split()
        if lexicon.term(word) not in own_terms(earlier, language)
    )
    bare = re.sub(rules.follows.pattern, "", question.plain).strip() or question.plain
    asked = tuple(t for t in earlier.terms if t in _asked_by(earlier, language))
    framed = replace(
        question,
        core=f"{frame} {bare}",
        terms=tuple(dict.fromkeys((*asked, *question.terms))),
        wants=wants,
    )
    joined = replace(
        question,
        core=f"{earlier.core} {bare}",
        terms=tuple(dict.fromkeys((*earlier.terms, *question.terms))),
        wants=wants,
    )
    stands_there = set(own) <= set(lexicon.terms(last.passage.text))
    gone = None if stands_there else last.passage  # "and a double": in the same sentence
    return [(framed, gone), (joined, gone)]


def leans(utterance: str, language: Language) -> bool:
    """Whether an utterance is no more than an addition to the question before: "and on Monday"."""
    plain, rules = normalise(utterance), language.dialogue
    follows = rules.follows.match(plain) and not rules.whole.match(plain)
    return bool(follows) and len(plain.split()) <= SHORT


def own_terms(question: Question, language: Language) -> list[str]:
    """The question's terms that name a thing: neither light, nor the kind of fact asked for."""
    asked = _asked_by(question, language)
    return [t for t in question.terms if not language.lexicon.is_light(t) and t not in asked]


def _asked_by(question: Question, language: Language) -> set[str]:
    """Terms that say no more than which kind of fact is asked for: "price"."""
    found = {language.lexicon.term(want.name) for want in question.wants if want.general}
    for want in question.wants:
        matched = want.asked.search(question.plain)
        if matched is not None and want.general:
            found.update(language.lexicon.term(word) for word in matched[0].split()[:4])
    return found


def choice(
    utterance: str, offers: Sequence[Passage], earlier: str, language: Language
) -> Passage | Choice | None:
    """Which offer is taken: one, none of them, or None where something else was said."""
    plain = normalise(utterance)
    rules, intents = language.dialogue, language.intents
    if rules.neither.match(plain) or intents.no.search(plain):
        return Choice.NEITHER
    if len(offers) == 1:
        return offers[0] if intents.yes.search(plain) else None
    if rules.first.match(plain):
        return offers[0]
    if rules.second.match(plain):
        return offers[1]
    if plain == normalise(earlier):
        return None
    terms = language.lexicon.terms
    said = set(terms(plain))
    titles = [set(terms(offer.heading)) for offer in offers]
    only = [
        offer
        for offer, own, other in zip(offers, titles, reversed(titles), strict=True)
        if said and said <= own and not said <= other
    ]
    return only[0] if len(only) == 1 else None


def offered(text: str, passages: Iterable[Passage]) -> list[Passage]:
    """The passages that a question of the agent's names by their headings, in its order."""
    at = {passage: text.find(f'"{heading(passage)}"') for passage in passages if passage.heading}
    found = sorted((where, passage.heading, passage) for passage, where in at.items() if where >= 0)
    by_heading = {name: passage for _, name, passage in reversed(found)}
    return [by_heading[name] for name in dict.fromkeys(name for _, name, _ in found)]


def heading(passage: Passage) -> str:
    """A heading as it is named in a question."""
    return passage.heading.rstrip("?.! ")


def spelled(text: str) -> str:
    """What callers want spelled of an answer: addresses, numbers, else names; or ""."""
    found = _SPELT.findall(text) or _NAME.findall(text)
    return " ".join(f"{', '.join(_letters(word))}." for word in dict.fromkeys(found))


def _letters(word: str) -> list[str]:
    return [_SIGNS.get(sign, sign.upper()) for sign in word if sign.isalnum() or sign in _SIGNS]


def words_of(text: str) -> set[str]:
    """The words of a text, to compare it with another."""
    return set(tokens(text))
