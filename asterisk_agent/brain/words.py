"""Words as the brain compares them: without endings, synonyms as one, slips of the pen forgiven."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+", re.UNICODE)
_APOSTROPHES = str.maketrans(
    {"\N{RIGHT SINGLE QUOTATION MARK}": "'", "`": "'", "\N{ACUTE ACCENT}": "'"}
)


def normalise(text: str) -> str:
    """Lower case, no punctuation, no apostrophes ("don't" → "dont"), single spaces.

    Recognisers differ in punctuation and capitals; rules are written for this form.
    """
    return " ".join(tokens(text))


def tokens(text: str) -> list[str]:
    """The words and numbers of ``text`` in lower case: "call-out at 8:30" → call, out, at, 8:30."""
    text = text.lower().translate(_APOSTROPHES)
    text = re.sub(r"(?<=\w)'(?=\w)", "", text)
    text = re.sub(r"\be-mail", "email", text)
    return _TOKEN.findall(text)


@dataclass(frozen=True)
class Lexicon:
    """What a language's words are worth when a question is compared with a passage.

    ``stop``: words that say nothing about the subject. ``light``: words that say little.
    ``synonyms``: groups of words that callers use for the same thing; each word stands in one.
    ``contrasts``: words on one side of such a group are used as those on its other sides are, and
    mean something else.
    ``phrases``: (words, what they mean in one word), replaced before anything else.
    ``suffixes``: (ending, replacement, least length of what remains), tried in order.
    """

    stop: frozenset[str] = frozenset()
    light: frozenset[str] = frozenset()
    synonyms: tuple[tuple[str, ...], ...] = ()
    contrasts: tuple[tuple[tuple[str, ...], ...], ...] = ()
    phrases: tuple[tuple[str, str], ...] = ()
    suffixes: tuple[tuple[str, str, int], ...] = ()
    _same: Mapping[str, str] = field(init=False, repr=False, compare=False)
    _light: frozenset[str] = field(init=False, repr=False, compare=False)
    _sides: Mapping[str, tuple[int, int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        same = {self.stem(word): self.stem(group[0]) for group in self.synonyms for word in group}
        object.__setattr__(self, "_same", same)
        object.__setattr__(self, "_light", frozenset(self.term(word) for word in self.light))
        sides = {
            self.stem(word): (group, side)
            for group, sides in enumerate(self.contrasts)
            for side, words in enumerate(sides)
            for word in words
        }
        object.__setattr__(self, "_sides", sides)

    def stem(self, word: str) -> str:
        """``word`` without the ending that grammar gave it."""
        for suffix, replacement, least in self.suffixes:
            if word.endswith(suffix) and len(word) - len(suffix) >= least:
                word = word[: len(word) - len(suffix)] + replacement
                if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls":
                    word = word[:-1]
                break
        return word[:-1] if word.endswith("e") and len(word) > 3 else word

    def term(self, word: str) -> str:
        """What ``word`` is compared by: its stem, or its group's."""
        stem = self.stem(word)
        return self._same.get(stem, stem)

    def terms(self, text: str) -> list[str]:
        """The terms of ``text`` that say something, in order."""
        plain = normalise(text)
        for phrase, meaning in self.phrases:
            plain = re.sub(rf"\b{phrase}\b", meaning, plain)
        return [self.term(word) for word in plain.split() if word not in self.stop]

    def is_light(self, term: str) -> bool:
        """Whether ``term`` says little about the subject ("come", "time")."""
        return term in self._light

    def side(self, word: str) -> tuple[int, int] | None:
        """The contrast in which ``word`` stands and its side there; None where in none."""
        return self._sides.get(self.stem(word))


def opposite(a: tuple[int, int] | None, b: tuple[int, int] | None) -> bool:
    """Whether two sides (``Lexicon.side``) are of one contrast, and not the same."""
    return a is not None and b is not None and a[0] == b[0] and a[1] != b[1]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The word of ``known`` that ``word`` most likely misspells, or None.

    One slip in words of five letters and more, two from eight; the first letter must agree.
    """
    allowed = 0 if len(word) < 5 or not word.isalpha() else 1 if len(word) < 8 else 2
    best: str | None = None
    for other in known:
        if other[:1] == word[:1] and abs(len(other) - len(word)) <= allowed:
            distance = _slips(word, other, allowed)
            if distance <= allowed:
                best, allowed = other, distance - 1
    return best


def _slips(a: str, b: str, limit: int) -> int:
    """Edit distance with neighbours swapped counted once; anything above ``limit`` is the same."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, last, row = row, before, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
