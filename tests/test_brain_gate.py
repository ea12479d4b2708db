from __future__ import annotations

from pathlib import Path

import pytest

from asterisk_agent.brain.documents import Passage, load_passages
from asterisk_agent.brain.gate import Gate, grounded
from asterisk_agent.brain.languages import language
from asterisk_agent.config.load import load

EN = language("en")
DATA = Path(__file__).parent / "data"
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
    gate = Gate(PRICES, EN)
    assert gate.passes(said)
    assert all(gate.may_pass(said[:end]) for end in range(len(said) + 1))


def test_every_beginning_of_what_the_documents_say_may_pass() -> None:
    examined = 0
    for folder in (DATA.parent.parent / "etc", DATA / "hotel", DATA / "letting"):
        config = load(folder)
        for channel in config.channels.values():
            for passage in load_passages(config.knowledge_directory, channel.knowledge):
                gate, text = Gate(passage, EN), " ".join(passage.text.split())
                assert gate.passes(text), text
                for end in range(0, len(text) + 1, 3):
                    assert gate.may_pass(text[:end]), text[:end]
                    examined += 1
    assert examined > 5_000


def test_what_goes_astray_is_noticed_before_its_end() -> None:
    gate = Gate(PRICES, EN)
    assert gate.may_pass("A visit")
    assert gate.may_pass("A visit fro")
    assert not gate.may_pass("A visit from us")
    assert gate.may_pass("A visit costs $98 and")  # a figure is judged when the sentence is there
    assert not gate.may_pass("We don't work in New Jersey. I am")
    assert not gate.may_pass("We work in New Jersey. On")
    assert not gate.may_pass("A visit costs $98. We")


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
