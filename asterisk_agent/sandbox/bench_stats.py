"""Percentiles, and the word error rate."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

WORDS_OF_NUMBERS = {
    "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six",
    "7": "seven", "8": "eight", "9": "nine", "10": "ten", "12": "twelve",
}  # fmt: skip
"""Recognisers write small numbers either way."""


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: a value that was really measured. ``share`` is 0 to 1."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summary(values: Iterable[float]) -> dict[str, float | int | None]:
    """Median, 95th percentile, largest, and how many; to the millisecond where in seconds."""
    measured = list(values)
    if not measured:
        return {"p50": None, "p95": None, "max": None, "n": 0}
    return {
        "p50": round(percentile(measured, 0.5), 3),
        "p95": round(percentile(measured, 0.95), 3),
        "max": round(max(measured), 3),
        "n": len(measured),
    }


def words(text: str) -> list[str]:
    """A text's words as they are compared: lower case, no punctuation, small numbers in letters."""
    joined = re.sub(r"(?<=\d),(?=\d{3})|['\u2019]", "", text.lower().replace("e-mail", "email"))
    return [WORDS_OF_NUMBERS.get(word, word) for word in re.findall(r"[^\W_]+", joined)]


def word_errors(said: Sequence[str], understood: Sequence[str]) -> int:
    """How many words have to be replaced, left out or put in (Levenshtein's distance)."""
    row = list(range(len(understood) + 1))
    for index, word in enumerate(said, 1):
        above, row = row, [index]
        for column, other in enumerate(understood):
            replaced = above[column] + (word != other)
            row.append(min(replaced, above[column + 1] + 1, row[column] + 1))
    return row[-1]


def word_error_rate(pairs: Iterable[tuple[str, str]]) -> float | None:
    """Over pairs of what was said and what was understood; None where nothing was said."""
    errors = count = 0
    for said, understood in pairs:
        expected = words(said)
        errors += word_errors(expected, words(understood))
        count += len(expected)
    return round(errors / count, 4) if count else None


def slope(points: Sequence[tuple[float, float]]) -> float:
    """By how much y grows for each x, by least squares; 0 for fewer than two points."""
    if len(points) < 2 or not any(first[0] != second[0] for first, second in pairwise(points)):
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
