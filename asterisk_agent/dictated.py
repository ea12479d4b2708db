"""A telephone number as it is dictated: "five double five, oh one, no, oh two".

``numbers_in`` finds the numbers of an utterance, in figures or in words; ``mended`` works a
correction into a number that was understood before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from asterisk_agent.message_english import MessageRules

MOST_DIGITS = 15
"""The longest telephone number in the world (E.164)."""
LEAST_DIGITS = 5
"""Fewer are an extension, a year, a price: a telephone number only where one was asked for."""
SURELY = 7
"""So many digits in a row are a telephone number also where nothing says so."""
_TOKEN = re.compile(r"\+?\d[\d().\-/ ]*\d(?!\w)|\+?\d+(?!\w)|[^\W\d_]+(?:'[^\W\d_]+)*|[%$€£]")


@dataclass(frozen=True, slots=True)
class Dictated:
    """Digits, perhaps with a "+" before them, and where in the text they stand.

    ``mends``: a word of correction stands before them, so they may be only a part.
    """

    start: int
    end: int
    digits: str
    mends: bool = False


@dataclass(slots=True)
class _Run:
    """A number in the making."""

    start: int
    end: int
    digits: str = ""
    kept: str = ""
    """What stood before a word of correction."""
    mends: bool = False
    times: int = 1
    tens: bool = False
    """The last word was "fifty": a unit may follow in its last place."""

    def add(self, digits: str, end: int) -> None:
        if self.tens and len(digits) == 1 and digits != "0":
            self.digits = self.digits[:-1]
        self.tens = False
        self.digits += digits[0] * (self.times - 1) + digits if digits[0] != "+" else digits
        self.times, self.end = 1, end

    def take_back(self) -> None:
        """A word of correction: what follows replaces the end of what was said."""
        self.kept = self._joined() if self.kept else self.digits
        self.digits, self.times, self.tens = "", 1, False

    def whole(self) -> Dictated:
        digits = self._joined() if self.kept else self.digits
        return Dictated(self.start, self.end, digits, self.mends)

    def _joined(self) -> str:
        size = len(self.digits)
        whole = self.digits.startswith("+") or size >= min(len(self.kept.lstrip("+")), SURELY)
        return self.digits if whole else self.kept[: len(self.kept) - size] + self.digits


def numbers_in(text: str, rules: MessageRules) -> list[Dictated]:
    """Every run of digits in ``text``, in order, corrections within it worked in."""
    return [run.whole() for run in _runs(text, rules) if any(map(str.isdecimal, run.digits))]


def _runs(text: str, rules: MessageRules) -> Iterator[_Run]:
    tokens = list(_TOKEN.finditer(text))
    mends = {at for match in rules.mends.finditer(text) for at in range(match.start(), match.end())}
    run: _Run | None = None
    corrected = False
    for index, token in enumerate(tokens):
        word = token[0].lower()
        if token.start() in mends:
            corrected = True
            if run is not None and run.digits:
                run.take_back()
            continue
        digits = _digits(word, rules, run, tokens[index + 1 : index + 2])
        if digits is not None or word in rules.times:
            if run is None:
                run = _Run(token.start(), token.end(), mends=corrected)
            if digits is None:
                run.times = rules.times[word]
            else:
                run.add(digits, token.end())
                run.tens = word in rules.tens
        elif run is not None and not (word in rules.joins or corrected):
            yield _ended(run)
            run = None
        if digits is not None:
            corrected = False
    if run is not None:
        yield _ended(run)


def _ended(run: _Run) -> _Run:
    """A run whose correction said nothing keeps what it had."""
    if run.kept and not run.digits:
        run.digits, run.kept = run.kept, ""
    return run


def _digits(
    word: str, rules: MessageRules, run: _Run | None, following: list[re.Match[str]]
) -> str | None:
    """The digits that a token means; None where it is no part of a number."""
    figures = re.sub(r"[^\d+]", "", word)
    if figures:
        return figures
    if word in rules.digits:
        return rules.digits[word]
    if word in rules.tens:
        return rules.tens[word] + "0"
    running = run is not None and bool(run.digits or run.kept)
    if word in rules.zeros and running:
        return rules.zeros[word]
    if word == "plus" and not running:
        return "+"
    if word in rules.unclear:
        after = following[0][0].lower() if following else ""
        counts = after[:1].isdigit() or after in rules.digits or after in rules.unclear
        zero = rules.unclear[word] == "0"
        if (running and (counts or zero)) or (zero and counts):
            return rules.unclear[word]
    return None


def mended(number: str, said: str) -> str:
    """``number`` with the correction ``said`` in it.

    A whole number replaces it. A part replaces the place that it resembles most, the later one
    where two are alike: "no, 0143" makes 555 0142 into 555 0143.
    """
    known = number.lstrip("+")
    if said.startswith("+") or len(said) >= min(len(known), SURELY):
        return said
    size = len(said)
    places = range(len(known) - size + 1)
    at = min(places, key=lambda place: (_differ(known[place : place + size], said), -place))
    sign = number[: len(number) - len(known)]
    return sign + known[:at] + said + known[at + size :]


def resembles(number: str, said: str) -> bool:
    """Whether a short ``said`` is a part of ``number`` said again, at most a digit of it other."""
    known, size = number.lstrip("+"), len(said)
    places = range(len(known) - size + 1)
    return size >= 2 and any(_differ(known[at : at + size], said) <= 1 for at in places)


def _differ(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def groups_of(number: str) -> list[str]:
    """A number cut as it is read aloud: 5550142 → 555, 0142."""
    digits = number.lstrip("+")
    if len(digits) == 11 and digits[0] == "1":
        return [digits[0], digits[1:4], digits[4:7], digits[7:]]
    tail = 4 if len(digits) % 3 == 1 and len(digits) > 1 else len(digits) % 3 or 3
    head = digits[: len(digits) - tail]
    return [*(head[i : i + 3] for i in range(0, len(head), 3)), digits[len(head) :]]


def digit_by_digit(number: str) -> str:
    """A number for the voice: "5 5 5, 0 1 4 2". A figure by itself is read as a digit."""
    sign = "+ " if number.startswith("+") else ""
    return sign + ", ".join(" ".join(group) for group in groups_of(number) if group)
