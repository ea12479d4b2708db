"""Intents by the operator's own phrases, and by likeness to examples."""

from __future__ import annotations

from pathlib import Path

import pytest
from brain_fakes import EXAMPLE, WordEmbedder, small_config

from asterisk_agent.brain.brain import Brain, build
from asterisk_agent.brain.examples import Examples
from asterisk_agent.brain.intent import Intent, IntentReader
from asterisk_agent.brain.knowledge import Index, Passage
from asterisk_agent.brain.languages import language
from asterisk_agent.cli.ask import minds
from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Config, Intents, Team
from asterisk_agent.events import Action

ENGLISH = language("en")
OWN = Intents(
    person=("the gaffer",),
    voicemail=("the old tape",),
    repeat=("once more from the top",),
    goodbye=("toodle pip",),
    emergency=("the boiler is hissing",),
)
BILLING = Team(id="billing", extension="610", members=("PJSIP/1",), asks=("my bill is wrong",))


@pytest.mark.parametrize(
    ("said", "action"),
    [
        ("is The Gaffer about?", Action.HANDOFF),
        ("it's the old tape for me then", Action.VOICEMAIL),
        ("once more from the top please", Action.REPEAT),
        ("right, toodle-pip", Action.GOODBYE),
        ("the gaffer says the boiler is hissing", Action.EMERGENCY),
    ],
)
def test_phrases_of_the_operator_count_word_for_word(said: str, action: Action) -> None:
    assert IntentReader(ENGLISH, {}).read(said) is None
    found = IntentReader(ENGLISH, {}, OWN).read(said)
    assert found is not None
    assert found.action is action


def test_a_phrase_for_a_person_finds_the_team() -> None:
    reader = IntentReader(ENGLISH, {"billing": BILLING}, OWN)
    found = reader.read("fetch the gaffer, my bill is wrong")
    assert found == Intent(Action.HANDOFF, "billing")


def examples(intents: Intents = OWN) -> Examples:
    return Examples(WordEmbedder(), ENGLISH, intents, {"billing": BILLING})


def test_what_is_like_an_example_of_a_team_goes_there() -> None:
    assert examples().read("bill wrong") is None  # too short to be like anything
    assert examples().read("wrong, my bill") == Intent(Action.HANDOFF, "billing")
    assert examples().read("the colour of the sea in spring") is None


def test_an_emergency_is_never_told_by_likeness() -> None:
    found = examples().read("boiler hissing, the boiler")
    assert found is None or found.action is not Action.EMERGENCY


def test_examples_come_behind_the_documents() -> None:
    """A document that answers is told; where none does, the example decides."""
    config = small_config(Path("/nowhere"))
    for text, action in (
        ("A wrong bill is corrected within a week.", Action.ANSWER),
        ("We open at noon.", Action.HANDOFF),
    ):
        passage = Passage(text, "Is my bill wrong?" if action is Action.ANSWER else "", "a.md")
        index = Index([passage, Passage("Cats are welcome.", "Pets", "b.md")], WordEmbedder())
        brain = Brain(config, config.channels["main"], index, None, examples=examples())
        assert brain.reply("my wrong bill").action is action


@pytest.mark.models
def test_words_that_no_rule_knows() -> None:
    """With the real embedder: an example of the language's, and one of the operator's."""
    loaded = load(EXAMPLE)
    config = Config.model_validate(
        {**dict(loaded), "intents": {"voicemail": ["let me talk to the tape"]}}
    )
    brain = build(config, config.channels["support"], minds(config))
    for said, action in (
        ("I'd rather discuss that with somebody face to face", Action.HANDOFF),
        ("can a member of your team take this call", Action.HANDOFF),
        ("just let me speak to that tape", Action.VOICEMAIL),
    ):
        assert brain.reply(said).action is action, said
    reply = brain.reply("no I don't want the machine, my invoice is wrong")
    assert (reply.action, reply.team) == (Action.HANDOFF, "billing")
