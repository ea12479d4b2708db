"""Whether a caller has finished, told by the words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_agent.events import Action, Reply, Source
from asterisk_agent.finished import CONFIDENT, LONG_S, finish, is_back_channel, weigh
from asterisk_agent.turn import Finish

COMPLETE = """
What are your opening hours?
how much is the call out fee
do you take cash
I was wondering whether you give a discount to seniors
I would like to know if you are open on Saturday.
Hello, can you tell me how long it takes to install a water heater?
where are you located
how much is it
how many are there
on Saturday?
on saturday
billing please
who can I speak to?
what is it for
can you turn it on
stop
where do I have to sign
tell me how old they are
and what about that
"""
OPEN = """
I would like to
I would like to know
I would like to know if...
Hello,
Hello.
Good morning
um
so
What does it cost when
and the drain in the
My kitchen tap is dripping and
how much is the
can you tell me
do you
Can I
If I cancel my visit.
when the plumber comes
because the water is everywhere
my number is five five five
555
my number is 555 12
the order number is seven two nine
I live at twenty four
the address is 24 Cedar
m i l l
My name is spelled M-I-L
my name is
I need an
I have a question
well I was wondering
I want to talk to my
tell me how
yes but
the thing is
could you please put me through
Tuesday, Wednesday,
"""
UNSURE = """
My kitchen tap is dripping.
my sink is blocked
I need an appointment on Tuesday.
My name is Patricia Miller.
"""


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("text", lines(COMPLETE))
def test_whole_questions_and_requests_are_complete(text: str) -> None:
    assert finish(text, "en") is Finish.COMPLETE


@pytest.mark.parametrize("text", lines(OPEN))
def test_what_leads_on_is_open(text: str) -> None:
    assert finish(text, "en-US") is Finish.OPEN


@pytest.mark.parametrize("text", lines(UNSURE))
def test_statements_may_be_over_or_not(text: str) -> None:
    assert finish(text, "en") is Finish.UNSURE


@pytest.mark.parametrize("text", ["", " ", "...", "?"])
def test_without_words_there_is_nothing(text: str) -> None:
    assert finish(text, "en") is Finish.NOTHING
    assert finish(text, "de") is Finish.NOTHING


@pytest.mark.parametrize("text", ["yes", "No, thank you.", "yes please", "that's right"])
def test_yes_and_no_are_whole_answers_to_a_question(text: str) -> None:
    asked = "You're welcome. Is there anything else I can help you with?"
    assert finish(text, "en", asked) is Finish.COMPLETE
    assert finish(text, "en", "How can I help you?") is Finish.DOUBTFUL
    assert finish(text, "en") is Finish.DOUBTFUL


def test_behind_no_comes_what_is_right() -> None:
    assert finish("No.", "en", "I have 0 1 4 2. Is that right?") is Finish.UNSURE
    assert finish("No.", "en", "How can I help you?") is Finish.DOUBTFUL


def test_other_languages_have_their_punctuation() -> None:
    assert finish("Haben Sie am Samstag offen?", "de") is Finish.COMPLETE
    assert finish("Ich möchte gern", "de") is Finish.UNSURE
    assert finish("Ich möchte gern...", "de") is Finish.OPEN
    assert not is_back_channel("mm-hm", "de")


WHOLE, HALF = Finish.COMPLETE, Finish.UNSURE


@pytest.mark.parametrize(
    ("words", "reply", "together"),
    [
        (WHOLE, Reply("", Action.ANSWER, confidence=CONFIDENT), WHOLE),
        (WHOLE, Reply("", Action.ANSWER, confidence=CONFIDENT - 0.01), HALF),
        (HALF, Reply("", Action.ANSWER), HALF),
        (WHOLE, Reply("", Action.CLARIFY), Finish.DOUBTFUL),
        (WHOLE, Reply("", Action.HANDOFF, unanswered=True), Finish.DOUBTFUL),
        (WHOLE, Reply("", Action.HANDOFF, team="billing", unanswered=True), Finish.DOUBTFUL),
        (WHOLE, Reply("", Action.HANDOFF), Finish.DOUBTFUL),
        (HALF, Reply("", Action.HANDOFF, team="billing"), WHOLE),
        (HALF, Reply("", Action.EMERGENCY), WHOLE),
        (HALF, Reply("", Action.GOODBYE), WHOLE),
        (HALF, Reply("", Action.SMALLTALK), HALF),
        (Finish.OPEN, Reply("", Action.ANSWER), Finish.OPEN),
        (Finish.OPEN, Reply("", Action.GOODBYE), Finish.OPEN),
        (Finish.DOUBTFUL, Reply("", Action.ANSWER), Finish.DOUBTFUL),
    ],
)
def test_the_reply_has_a_say(words: Finish, reply: Reply, together: Finish) -> None:
    assert weigh(words, reply) is together


@pytest.mark.parametrize(
    "text",
    [
        "How much does it cost?",
        "What would it take",
        "Okay, and how long does it take?",
        "Is it possible?",
        "Is there a charge?",
        "Do I have to pay extra?",
    ],
)
def test_a_question_that_mostly_goes_on_is_given_time(text: str) -> None:
    assert finish(text, "en") is Finish.UNSURE
    assert finish(f"{text.rstrip('?')} for a visit?", "en") is Finish.COMPLETE


def test_a_question_behind_a_preamble_is_over_sooner_where_it_is_asked_back_about() -> None:
    options = Reply("", Action.CLARIFY, options=(Source("a.md", "A"),))
    assert weigh(Finish.COMPLETE, options, LONG_S) is Finish.ASKED
    assert weigh(Finish.COMPLETE, options, LONG_S - 0.1) is Finish.DOUBTFUL
    assert weigh(Finish.UNSURE, options, LONG_S) is Finish.DOUBTFUL
    assert weigh(Finish.COMPLETE, Reply("", Action.CLARIFY), LONG_S) is Finish.DOUBTFUL


@pytest.mark.parametrize(
    "text",
    [
        "mm-hm",
        "Mhm.",
        "uh-huh",
        "M-M-H-M",
        "A-ha",
        "yes",
        "Okay.",
        "I see",
        "yeah, right",
        "ok ok",
        "Oh, I see.",
    ],
)
def test_murmurs_ask_the_agent_to_go_on(text: str) -> None:
    assert is_back_channel(text, "en")


@pytest.mark.parametrize(
    "text", ["no", "stop", "wait", "yes but", "and on Friday?", "thank you", ""]
)
def test_anything_else_interrupts(text: str) -> None:
    assert not is_back_channel(text, "en")


@pytest.mark.parametrize(
    "text", ["thank you", "Thanks.", "okay, thank you very much", "thanks bye"]
)
def test_thanks_do_not_stop_a_parting_sentence(text: str) -> None:
    assert is_back_channel(text, "en", parting=True)


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    assert finish(text, "en", text) in Finish
    is_back_channel(text, "en")


def test_long_text_is_judged_quickly() -> None:
    for text in ("yes " * 250, "one " * 250, "mm " * 300, "when the " * 120, "a " * 500):
        assert finish(text, "en") in Finish
