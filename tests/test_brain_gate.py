from __future__ import annotations

import pytest

from asterisk_agent.brain.documents import Passage
from asterisk_agent.brain.gate import grounded
from asterisk_agent.brain.languages import language

EN = language("en")
PRICES = Passage(
    "A visit costs $89 and includes the first 30 minutes. After that we charge $120 per hour. "
    "We don't work in New Jersey. On Friday we close at 4:00 p.m. "
    "A repair usually takes up to two days.",
    "Prices",
    "p.md",
)


@pytest.mark.parametrize(
    "said",
    [
        "A visit costs $89 and includes the first 30 minutes.",
        "The visit costs 89 dollars and includes the first thirty minutes.",
        "After that, we charge $120 per hour.",
        "On Friday, we close at 4 p.m.",
        "We don't work in New Jersey.",
        "A repair usually takes up to two days.",
        "A visit costs $89. We don't work in New Jersey.",
    ],
)
def test_what_only_rewords_passes(said: str) -> None:
    assert grounded(said, PRICES, EN)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "A visit costs $98 and includes the first 30 minutes.",
        "A visit costs $89 and includes the first 120 minutes.",
        "A visit costs $120.",
        "A visit costs 89 euros.",
        "A visit does not cost $89.",
        "We work in New Jersey.",
        "We never work in New York.",
        "On Friday we close at 4:00 a.m.",
        "On Friday we close at 4:30 p.m.",
        "On Monday we close at 4:00 p.m.",
        "After that we charge $120 per minute.",
        "After that we charge $120.",
        "A repair takes two days.",
        "A repair usually takes up to three days.",
        "A repair usually takes two days.",
        "Yes, a visit costs $89.",
        "A visit costs $89 and Peter includes the first 30 minutes.",
        "A visit costs $89 and includes the first 30 minutes and a free coffee.",
        "A visit costs $89. We guarantee it.",
        "UNKNOWN",
    ],
)
def test_what_alters_a_fact_does_not(said: str) -> None:
    assert not grounded(said, PRICES, EN)
