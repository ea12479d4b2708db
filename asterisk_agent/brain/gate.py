"""The gate between a model and the caller: only what the passage itself says comes through.

A sentence may be spoken if it is one sentence of the passage, or a clause of it, word for word in
the passage's own order, once both are written the way they are said. Only words that carry no fact
may differ: articles, pronouns, forms of "be". So no number, day, name, unit, "not" or promise can
be altered, added, exchanged or dropped, whatever the model; a sentence that is refused is replaced
by the author's own. What a model is left to do is to choose and to shorten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from asterisk_agent.brain.documents import Passage
from asterisk_agent.brain.language import Language
from asterisk_agent.brain.words import tokens
from asterisk_agent.speech import sentences, speakable

_CLAUSE = re.compile(r"\s*[,;:()\N{EN DASH}\N{EM DASH}]+\s*")
_FIGURE = re.compile(r"\S*\d")
_BREAK = "\0"
"""Stands between two clauses."""


class Gate:
    """Holds what a model says against one passage."""

    def __init__(self, passage: Passage, language: Language) -> None:
        self._language = language
        self._written = [_Source(_clauses(text, language)) for text in sentences(passage.text)]

    def passes(self, text: str) -> bool:
        """Whether each sentence of ``text`` says no more, and nothing else, than one of it."""
        spoken = sentences(text)
        return bool(spoken) and all(
            any(source.holds(said, self._language) for source in self._written)
            for said in map(self._said, spoken)
        )

    def may_pass(self, beginning: str) -> bool:
        """Whether what begins so can still pass; so a model need not be heard to its end.

        Of the sentence that is not whole yet the words before its first figure are judged, since
        how a figure is said depends on what follows it, and not the last one, which may be half.
        """
        *whole, last = sentences(beginning) or [""]
        if whole and not self.passes(" ".join(whole)):
            return False
        figure = _FIGURE.search(last)
        said = self._said(" ".join((last[: figure.start()] if figure else last).split()[:-1]))
        return any(source.begins(said) for source in self._written)

    def _said(self, sentence: str) -> list[str]:
        return _flat(_clauses(sentence, self._language))


def grounded(text: str, passage: Passage, language: Language) -> bool:
    """Whether each sentence of ``text`` says no more, and nothing else, than one of the passage."""
    return Gate(passage, language).passes(text)


class _Source:
    """A sentence of the passage: its words, and where clauses begin and end among them."""

    def __init__(self, clauses: Sequence[str]) -> None:
        self._words = _flat(clauses)
        self._starts, self._ends = [0], {len(self._words)}
        at = 0
        for word in clauses:
            if word == _BREAK:
                self._starts.append(at)
                self._ends.add(at)
            else:
                at += 1

    def holds(self, said: Sequence[str], language: Language) -> bool:
        """Whether ``said`` is it from the beginning of one clause to the end of another."""
        if not said:
            return False
        for start in self._at(said):
            end = start + len(said)
            if end in self._ends:
                dropped = [*self._words[:start], *self._words[end:]]
                return not any(word in language.binding for word in dropped)
        return False

    def begins(self, said: Sequence[str]) -> bool:
        """Whether it goes on with ``said`` from the beginning of a clause."""
        return any(True for _ in self._at(said))

    def _at(self, said: Sequence[str]) -> Iterator[int]:
        """Where clauses begin from which on it says this."""
        words = list(said)
        return (at for at in self._starts if self._words[at : at + len(words)] == words)


def _flat(clauses: Sequence[str]) -> list[str]:
    return [word for word in clauses if word != _BREAK]


def _clauses(sentence: str, language: Language) -> list[str]:
    """The words that carry a sentence's facts, as they are said, with the clauses' borders."""
    found: list[str] = []
    for clause in _split(speakable(sentence, language.code), language):
        words = [
            language.lexicon.stem(word)
            for token in tokens(clause)
            for word in language.contractions.get(token, token).split()
            if word not in language.weightless
        ]
        found += [*words, _BREAK]
    return found[:-1]


def _split(spoken: str, language: Language) -> list[str]:
    """Clauses: at commas and the like, and before the words that add another one."""
    parts = [part for part in _CLAUSE.split(spoken) if part]
    return [half for part in parts for half in language.joins.split(part) if half]
