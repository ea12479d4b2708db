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

SAME_WORDS = 0.6
"""Share of words in common from which two passages are nearly the same."""
_AMOUNT = re.compile(r"([$£€])\s?(\d[\d.,]*\d|\d)|(\d[\d.,]*\d|\d)\s?(%|[A-Za-z]+)")
_TO_A_MACHINE = re.compile(
    r"\b(?:ignore|disregard|forget|override) (?:\w+ ){0,3}?(?:instructions?|rules|prompts?)\b"
    r"|\bsystem (?:prompt|message)\b|^\W*(?:system|assistant|developer)\s*:"
    r"|\byou are (?:now )?(?:an? |the )?(?:ai|assistant|chatbot|language model|unrestricted)\b"
    r"|\b(?:tell|transfer|connect|redirect) (?:every|all|each|any) callers?\b",
    re.IGNORECASE,
)
_ONE_TO_TWELVE = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_CLOCK = re.compile(rf"\b(?:{_ONE_TO_TWELVE})(?: [a-z-]+)? [ap]\.m\.")
"""A time as ``speakable`` writes it."""
_NUMBERS = {
    word: str(number) for number, word in enumerate(_ONE_TO_TWELVE.replace("|", " ").split(), 1)
}
_NUMBER = re.compile(rf"\b(?:{_ONE_TO_TWELVE})\b", re.IGNORECASE)
_HALVES = ("a", "p", "am", "pm")
"""What stands behind a time of day, and counts nothing."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing to look at. ``kind``: contradiction, hours, numbers, duplicate,
    instruction, long, hidden."""

    kind: str
    text: str
    passages: tuple[Passage, ...]


def doubts(index: Index, office: Office | None = None) -> Iterator[Doubt]:
    """Everything doubtful, the gravest first. Raises EngineError."""
    near = index.pairs_alike(index.scale.same_thing)
    pairs = [pair[:2] for pair in near]
    yield from _contradictions(index, pairs)
    if office is not None:
        yield from _other_hours(index, office)
    yield from _other_numbers(
        index, [(a, b) for a, b, cosine in near if cosine >= index.scale.one_question]
    )
    yield from _duplicates(index, pairs)
    yield from _instructions(index)
    yield from _too_long(index)
    yield from _hidden(index)


def _contradictions(index: Index, pairs: Sequence[tuple[Passage, Passage]]) -> Iterator[Doubt]:
    """Two passages on one question that count the same things differently, or one says "not"."""
    for a, b in pairs:
        if not _same_question(index, a, b):
            continue
        differ = _differ(index, a, b)
        if differ:
            yield Doubt("contradiction", f"may contradict each other: {differ}", (a, b))
        elif _denies(index, a) != _denies(index, b) and _common(index, a, b) > SAME_WORDS:
            yield Doubt("contradiction", "one of them says not", (a, b))


def _other_numbers(index: Index, pairs: Sequence[tuple[Passage, Passage]]) -> Iterator[Doubt]:
    """Numbers that differ where the headings do, too: perhaps one question in two wordings."""
    for a, b in pairs:
        apart = _own_words(index, a, b) and _own_words(index, b, a)
        differ = "" if apart or _same_question(index, a, b) else _differ(index, a, b)
        if differ:
            yield Doubt("numbers", f"say much the same, with other numbers: {differ}", (a, b))


def _differ(index: Index, a: Passage, b: Passage) -> str:
    """The first thing that two passages count, and count differently; or ""."""
    ours, theirs = _amounts(a.text, index), _amounts(b.text, index)
    for unit in sorted(ours.keys() & theirs.keys()):
        if not ours[unit] & theirs[unit]:
            return f"{_written(unit, ours[unit])}, and {_written(unit, theirs[unit])}"
    return ""


def _same_question(index: Index, a: Passage, b: Passage) -> bool:
    titles = [index.terms_of_titles(p) for p in (a, b)]
    if not all(titles):
        return _common(index, a, b) > SAME_WORDS
    if _own_words(index, a, b) and _own_words(index, b, a):
        return False
    return len(titles[0] & titles[1]) / len(titles[0] | titles[1]) >= 0.5


def _own_words(index: Index, one: Passage, other: Passage) -> frozenset[str]:
    """Words of a passage's headings that another one does not know: of "single", not "double"."""
    lexicon = index.language.lexicon
    known = index.terms_of_titles(other).union(lexicon.terms(other.text))
    return frozenset(t for t in index.terms_of_titles(one) - known if not lexicon.is_light(t))


def _amounts(text: str, index: Index) -> dict[str, set[str]]:
    """Numbers by their unit, and times: {"$": {"89"}, "minute": {"30"}, "": {"ten p.m."}}."""
    found: dict[str, set[str]] = {}
    text = _NUMBER.sub(lambda word: _NUMBERS[word[0].lower()], text)
    for sign, amount, number, unit in _AMOUNT.findall(text):
        if unit.lower() not in _HALVES:
            found.setdefault(sign or unit.lower().rstrip("s"), set()).add(amount or number)
    times = _clock_times(text, index)
    return {**found, "": times} if times else found


def _written(unit: str, amounts: set[str]) -> str:
    return ", ".join(
        amount
        if not unit
        else f"{unit}{amount}"
        if not unit[0].isalpha() and unit != "%"
        else f"{amount} {unit}"
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


def _instructions(index: Index) -> Iterator[Doubt]:
    """Sentences for a machine, not for a caller. They change nothing, and would be read out."""
    for passage in index.passages:
        for sentence in sentences(f"{passage.heading}. {passage.text}"):
            if _TO_A_MACHINE.search(sentence):
                text = f'would be read to a caller as it stands: "{sentence}"'
                yield Doubt("instruction", text, (passage,))
                break


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
