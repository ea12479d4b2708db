"""What is doubtful in a company's documents, before a caller finds it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asterisk_agent.brain.answer import MOST_WORDS
from asterisk_agent.brain.confidence import ANSWER, judge
from asterisk_agent.brain.documents import Passage
from asterisk_agent.brain.knowledge import Index
from asterisk_agent.brain.office import Office
from asterisk_agent.brain.question import Question
from asterisk_agent.brain.words import normalise
from asterisk_agent.speech import sentences, speakable

ALIKE = 0.93
"""Cosine from which two passages may be about one question."""
SAME_WORDS = 0.6
"""Share of words in common from which two passages are nearly the same."""
_AMOUNT = re.compile(r"([$£€])\s?(\d[\d.,]*\d|\d)|(\d[\d.,]*\d|\d)\s?(%|[A-Za-z]+)")
_CLOCK = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)(?: [a-z-]+)? [ap]\.m\."
)
"""A time as ``speakable`` writes it."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing to look at. ``kind``: duplicate, contradiction, hours, long, hidden."""

    kind: str
    text: str
    passages: tuple[Passage, ...]


def doubts(index: Index, office: Office | None = None) -> Iterator[Doubt]:
    """Everything doubtful, the gravest first. Raises EngineError."""
    pairs = [pair[:2] for pair in index.pairs_alike(ALIKE)]
    yield from _contradictions(index, pairs)
    if office is not None:
        yield from _other_hours(index, office)
    yield from _duplicates(index, pairs)
    yield from _too_long(index)
    yield from _hidden(index)


def _contradictions(index: Index, pairs: Sequence[tuple[Passage, Passage]]) -> Iterator[Doubt]:
    """Two passages on one question that count the same things differently, or one says "not"."""
    for a, b in pairs:
        if not _same_question(index, a, b):
            continue
        ours, theirs = _amounts(a.text), _amounts(b.text)
        for unit in sorted(ours.keys() & theirs.keys()):
            if not ours[unit] & theirs[unit]:
                said = f"{_written(unit, ours[unit])}, and {_written(unit, theirs[unit])}"
                yield Doubt("contradiction", f"may contradict each other: {said}", (a, b))
                break
        else:
            if _denies(index, a) != _denies(index, b) and _common(index, a, b) > SAME_WORDS:
                yield Doubt("contradiction", "one of them says not", (a, b))


def _same_question(index: Index, a: Passage, b: Passage) -> bool:
    titles = [index.terms_of_titles(p) for p in (a, b)]
    if not all(titles):
        return _common(index, a, b) > SAME_WORDS
    return len(titles[0] & titles[1]) / len(titles[0] | titles[1]) >= 0.5


def _amounts(text: str) -> dict[str, set[str]]:
    """Numbers by their unit: {"$": {"89"}, "minutes": {"30"}}."""
    found: dict[str, set[str]] = {}
    for sign, amount, number, unit in _AMOUNT.findall(text):
        found.setdefault(sign or unit.lower().rstrip("s"), set()).add(amount or number)
    return found


def _written(unit: str, amounts: set[str]) -> str:
    return ", ".join(
        f"{unit}{amount}" if not unit[0].isalpha() and unit != "%" else f"{amount} {unit}"
        for amount in sorted(amounts)
    )


def _denies(index: Index, passage: Passage) -> bool:
    contractions = index.language.contractions
    words = normalise(passage.text).split()
    return any("not" in contractions.get(word, word).split() for word in words)


def _common(index: Index, a: Passage, b: Passage) -> float:
    terms = [set(index.language.lexicon.terms(p.text)) for p in (a, b)]
    return len(terms[0] & terms[1]) / (len(terms[0] | terms[1]) or 1)


def _other_hours(index: Index, office: Office) -> Iterator[Doubt]:
    """Passages on opening hours with times that the schedule does not have."""
    for passage in index.passages:
        for title in passage.titles:
            told = office.answer(title)
            if told is None:
                continue
            known = _clock_times(f"{told} {office.answer('when are you open') or ''}", index)
            extra = _clock_times(passage.text, index) - known
            if extra:
                text = f"says {', '.join(sorted(extra))}, and hours.yaml does not"
                yield Doubt("hours", text, (passage,))
            break


def _clock_times(text: str, index: Index) -> set[str]:
    return set(_CLOCK.findall(speakable(text, index.language.code)))


def _duplicates(index: Index, pairs: Sequence[tuple[Passage, Passage]]) -> Iterator[Doubt]:
    for a, b in pairs:
        if _common(index, a, b) >= SAME_WORDS:
            yield Doubt("duplicate", "say nearly the same: keep one", (a, b))


def _too_long(index: Index) -> Iterator[Doubt]:
    for passage in index.passages:
        longest = max((len(s.split()) for s in sentences(passage.text)), default=0)
        if longest > MOST_WORDS:
            text = f"a sentence of {longest} words: nobody can follow that on the telephone"
            yield Doubt("long", text, (passage,))


def _hidden(index: Index) -> Iterator[Doubt]:
    """Questions of the documents' own that another passage would answer."""
    for passage in index.passages:
        for title in passage.titles:
            if not title.endswith("?"):
                continue
            judgement = judge(Question.read(title, index.language), index)
            hit = judgement.hit
            if hit is None or hit.passage.titles == passage.titles:
                continue
            if judgement.confidence >= ANSWER:
                yield Doubt("hidden", f'"{title}" is answered by another', (passage, hit.passage))
