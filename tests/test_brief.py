"""What whoever picks up is told."""

import pytest

from asterisk_agent.brain.phrases import phrases_for
from asterisk_agent.brief import LONGEST, brief, matter, note, shortened
from asterisk_agent.events import Action, Exchange
from asterisk_agent.routing import Outcome

PRICE = "How much is a visit?"
PERSON = "Can I speak to a person?"


def caller(text):
    return Exchange("caller", text)


def agent(action):
    return Exchange("agent", "Some words.", action)


def told(history, outcome=Outcome.PERSON):
    return brief(history, outcome, "Support", phrases_for("en"), "en")


def test_who_says_nothing_is_announced_by_the_number_alone():
    assert told([agent(None)]) == "Call for Support."


def test_a_request_for_a_person_is_told_with_what_was_asked_before():
    history = [caller(PRICE), agent(Action.ANSWER), caller(PERSON)]
    assert told(history) == f"Call for Support. The caller said: {PRICE} They asked for a person."


def test_small_talk_is_no_matter():
    history = [caller(PRICE), agent(Action.ANSWER), caller("Hello."), agent(Action.SMALLTALK)]
    assert matter([*history, caller(PERSON)], Outcome.PERSON) == PRICE


def test_a_request_that_says_what_for_stands_for_itself():
    long = "I want somebody to come and look at my boiler."
    history = [caller(PRICE), agent(Action.ANSWER), caller(long)]
    assert matter(history, Outcome.PERSON) == long


def test_what_could_not_be_answered_is_the_matter():
    history = [caller(PRICE), agent(Action.ANSWER), caller("Do you sell pumps?")]
    assert told(history, Outcome.UNANSWERED).endswith(
        "The caller said: Do you sell pumps? The documents do not say."
    )


def test_long_words_are_cut_between_sentences():
    said = "It all began last year in March. " * 8 + "Now the tank does not hold its pressure."
    short = shortened(said, "en")
    assert short.endswith("does not hold its pressure.")
    assert short.startswith("It all began")
    assert len(short) <= LONGEST


def test_one_endless_sentence_is_cut_between_words():
    short = shortened("and then " * 60, "en")
    assert short in (f"{'and then ' * 17}and …", f"{'and then ' * 17}…")
    assert len(short) <= LONGEST + 2


@pytest.mark.parametrize(
    ("said", "noted"),
    [
        ("It's 5: ok? Yes!", "It's 5: ok? Yes!"),
        ('${SHELL(rm)} "x", a;b|c & \\ d\r\nE: f', "SHELL rm x a b c d E: f"),
        ("Blåbær 日本", "Blåbær 日本"),
        ("x" * 999, "x" * 250),
    ],
)
def test_nothing_in_a_note_means_anything_to_the_dialplan(said, noted):
    assert note(said) == noted
