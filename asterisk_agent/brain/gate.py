"""The gate between a language model and the voice: nothing passes that the passage doesn't say.

Every number, price, time, weekday, name and negation of a sentence must stand in one sentence of
the passage, and so must every other word that says something. A model that only rewords passes;
one that adds, swaps or drops a fact does not, and then the author's own sentence is spoken.
"""

from __future__ import annotations

import re
from collections.abc import Set

from asterisk_agent.brain.documents import Passage
from asterisk_agent.brain.language import Language
from asterisk_agent.brain.words import tokens
from asterisk_agent.speech import sentences

_NAME = re.compile(r"\b[A-Z][\w'-]*")
_SIGNS = {"$": "dollar", "€": "euro", "£": "pound", "%": "percent", "@": "at"}


def grounded(text: str, passage: Passage, language: Language) -> bool:
    """Whether each sentence of ``text`` says no more, and nothing else, than one of the passage."""
    spoken = sentences(text)
    written = sentences(passage.text)
    return bool(spoken) and all(
        any(_says_the_same(said, source, passage, language) for source in written)
        for said in spoken
    )


def _says_the_same(said: str, source: str, passage: Passage, language: Language) -> bool:
    here, there = _facts(said, language), _facts(source, language)
    if not here <= there or _negations(said, language) != _negations(source, language):
        return False
    if not _bound(said, source, language) or (here and _drops_a_qualifier(said, source, language)):
        return False
    known = set(language.lexicon.terms(f"{source} {passage.heading} {passage.topic}"))
    said_terms = {
        language.lexicon.term(word)
        for word in tokens(said)
        if word not in language.lexicon.stop and not _fact(word, language)
    }
    names = {language.lexicon.term(word) for name in _names(said) for word in tokens(name)}
    return said_terms <= known | _weightless(language) and names <= known | _weightless(language)


def _facts(text: str, language: Language) -> frozenset[str]:
    """Numbers, days, months, currencies, units, as one writing for each."""
    return frozenset(filter(None, (_fact(word, language) for word in tokens(_spelled(text)))))


def _fact(word: str, language: Language) -> str:
    """The fact that a word is, in its one writing: "30", "friday", "dollar"; or ""."""
    if word[0].isdigit():
        return re.sub(r":00$|\.0+$", "", word.replace(",", "")).lstrip("0") or "0"
    if word in language.numbers:
        return language.numbers[word]
    if word not in language.fact_words:
        return ""
    return word[:-1] if word.endswith("s") and word[:-1] in language.fact_words else word


def _spelled(text: str) -> str:
    text = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", text, flags=re.IGNORECASE)
    for sign, word in _SIGNS.items():
        text = text.replace(sign, f" {word} ")
    return text


def _negations(text: str, language: Language) -> int:
    return sum(word in language.negations for word in tokens(text))


def _bound(said: str, source: str, language: Language) -> bool:
    """Whether every number keeps the company it has in the source: "4 p.m.", "30 minutes"."""
    theirs = _company(source, language)
    return all(any(o <= other for other in theirs.get(n, ())) for n, o in _pairs(said, language))


def _pairs(text: str, language: Language) -> list[tuple[str, Set[str]]]:
    facts = [_fact(word, language) for word in tokens(_spelled(text))]
    return [
        (fact, {*facts[max(0, at - 1) : at], *facts[at + 1 : at + 2]} - {""})
        for at, fact in enumerate(facts)
        if fact[:1].isdigit()
    ]


def _drops_a_qualifier(said: str, source: str, language: Language) -> bool:
    return not set(tokens(source)) & language.qualifiers <= set(tokens(said))


def _company(text: str, language: Language) -> dict[str, list[Set[str]]]:
    company: dict[str, list[Set[str]]] = {}
    for number, beside in _pairs(text, language):
        company.setdefault(number, []).append(beside)
    return company


def _names(text: str) -> list[str]:
    """Words with a capital letter, the first of the sentence only if it is no common word."""
    return [found[0] for found in _NAME.finditer(text) if found.start() > 0 and found[0] != "I"]


def _weightless(language: Language) -> frozenset[str]:
    """Terms that may be added freely: they say nothing by themselves."""
    return frozenset(language.lexicon.term(word) for word in language.harmless)
