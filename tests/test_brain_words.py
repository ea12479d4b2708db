from __future__ import annotations

import pytest

from asterisk_agent.brain.languages import language
from asterisk_agent.brain.words import nearest, normalise, tokens

LEXICON = language("en").lexicon


def test_tokens_and_normal_form() -> None:
    assert tokens("Call-out at 8:30, $1,450.50!") == ["call", "out", "at", "8:30", "1,450.50"]
    assert (
        normalise("I don\N{RIGHT SINGLE QUOTATION MARK}t want   THAT e-mail.")
        == "i dont want that email"
    )
    assert normalise("?!") == ""


@pytest.mark.parametrize(
    "words",
    [
        "repair repairs repaired repairing fix",
        "price prices cost fee",
        "dripping drips leaks leaking",
        "service services serviced servicing",
        "company companies",
        "visit visits visited appointment",
        "frozen froze freeze",
    ],
)
def test_words_that_are_compared_as_one(words: str) -> None:
    assert len({LEXICON.term(word) for word in words.split()}) == 1


def test_words_that_are_not() -> None:
    assert LEXICON.term("gas") != LEXICON.term("ga")
    assert LEXICON.term("busy") != LEXICON.term("business")
    assert LEXICON.stem("glass") == "glass"


def test_terms_leave_out_what_says_nothing_and_join_phrases() -> None:
    assert LEXICON.terms("What is your e-mail address, please?") == LEXICON.terms("email")
    assert LEXICON.terms("where are you located") == LEXICON.terms("Where is your office?")
    assert LEXICON.terms("how much is it") == ["pric"]
    assert LEXICON.is_light(LEXICON.term("coming"))
    assert not LEXICON.is_light(LEXICON.term("boiler"))


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("warrenty", "warranty"),
        ("boilr", "boiler"),
        ("bolier", "boiler"),  # neighbours swapped: one slip
        ("tap", None),  # too short to be sure
        ("toiler", None),  # another first letter
        ("12345", None),
        ("waranti", None),  # two slips in seven letters may be another word
    ],
)
def test_nearest_mends_slips(word: str, meant: str | None) -> None:
    assert nearest(word, ["warranty", "boiler", "top", "12346"]) == meant


def test_unknown_languages_fall_back_to_english() -> None:
    assert language("en-GB").code == "en"
    assert language("nb").code == "en"
