"""Percentiles, word errors, slopes: the arithmetic of the benchmark."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_agent.sandbox.bench_stats import (
    percentile,
    slope,
    summary,
    word_error_rate,
    word_errors,
    words,
)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([3.0], 0.95, 3.0),
        ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0),
        (list(range(1, 101)), 0.95, 95),
        (list(range(1, 41)), 0.95, 38),
        ([5.0, 1.0], 0.0, 1.0),
        ([5.0, 1.0], 1.0, 5.0),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(values, share, expected):
    assert percentile(values, share) == expected


def test_no_values_have_no_percentile():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_summary_says_how_many_there_were():
    assert summary([0.4, 0.2, 0.31234]) == {"p50": 0.312, "p95": 0.4, "max": 0.4, "n": 3}
    assert summary([]) == {"p50": None, "p95": None, "max": None, "n": 0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Do you come at 8, on Friday?", ["do", "you", "come", "at", "eight", "on", "friday"]),
        ("It\u2019s $1,450.", ["its", "1450"]),
        ("your e-mail", ["your", "email"]),
        ("...", []),
    ],
)
def test_only_words_are_compared(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("said", "understood", "errors"),
    [
        ("a b c", "a b c", 0),
        ("a b c", "a x c", 1),
        ("a b c", "a c", 1),
        ("a b", "a x b", 1),
        ("a b c", "", 3),
        ("", "a", 1),
    ],
)
def test_word_errors(said, understood, errors):
    assert word_errors(said.split(), understood.split()) == errors


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_word_errors_are_a_distance(first, second):
    errors = word_errors(first, second)
    assert errors == word_errors(second, first)
    assert abs(len(first) - len(second)) <= errors <= max(len(first), len(second))
    assert (errors == 0) == (first == second)


def test_the_word_error_rate_weighs_long_questions_more():
    pairs = [("one two three four", "one two three four"), ("five", "nine")]
    assert word_error_rate(pairs) == 0.2
    assert word_error_rate([("", "")]) is None


def test_the_slope_of_a_line():
    assert slope([(0, 1), (1, 3), (2, 5)]) == pytest.approx(2)
    assert slope([(0, 1), (1, 1)]) == 0
    assert slope([(0, 1)]) == 0
    assert slope([(2, 1), (2, 5)]) == 0
