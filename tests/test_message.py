"""Taking a message, in words: what is asked, what is not asked again, and what is left."""

import pytest

from asterisk_agent.brain.phrases import phrases_for
from asterisk_agent.message import (
    DIGITS_S,
    KEYS_S,
    MOST_CHECKS,
    OPENING_S,
    REASON_S,
    Declined,
    Done,
    Left,
    MessageTaker,
    Say,
    ToVoicemail,
    Wait,
)

PHRASES = phrases_for("en")
OWN = "+1 (555) 987-6543"
QUIET = None


def asks(phrase, **fields):
    return Say(getattr(PHRASES, phrase).format(**fields))


def thanks(phrase, **fields):
    return Say(f"{PHRASES.message_thanks} {asks(phrase, **fields).text}")


NAME, NUMBER, AGAIN = asks("message_name"), asks("message_number"), asks("message_number_again")
REASON = thanks("message_reason")
CHECK = asks("message_check", digits="5 5 5, 0 1 4 2")


def take(*turns, caller=""):
    """Hold the conversation: (what happens, what the agent does) … → what was left."""
    taker = MessageTaker(PHRASES, "en", caller)
    assert taker.offer == asks("offer_message")
    for said, expected in turns:
        if said is QUIET:
            step = taker.quiet()
        elif said.startswith("keys "):
            for key in said[5:]:
                step = taker.pressed(key)
        else:
            step = taker.heard(said)
        assert step == expected, said
    return taker.left


def test_all_in_one_breath_is_not_asked_again():
    left = take(
        ("this is Ann Smith, my number is 555 0142, please call me about the invoice", CHECK),
        ("Yes.", Done()),
    )
    assert left == Left(
        "Ann Smith",
        "5550142",
        True,
        "please call me about the invoice",
        "this is Ann Smith, my number is 555 0142, please call me about the invoice Yes.",
    )


def test_one_thing_after_the_other():
    left = take(
        ("Hello?", Wait(OPENING_S)),
        (QUIET, NAME),
        ("Ann Smith", NUMBER),
        ("five five five", Wait(DIGITS_S)),
        ("oh one four two", CHECK),
        ("that's right", REASON),
        ("The tap drips.", Wait(REASON_S)),
        ("And the boiler is cold.", Wait(REASON_S)),
        (QUIET, Done()),
    )
    assert (left.name, left.number, left.confirmed) == ("Ann Smith", "5550142", True)
    assert left.reason == "The tap drips. And the boiler is cold."


def test_the_callers_own_number_is_offered():
    own = thanks("message_own", digits="6 5 4 3")
    opening = ("this is Pat, my boiler is cold", Wait(OPENING_S))
    yes = take(opening, (QUIET, own), ("yes please", Done()), caller=OWN)
    assert (yes.number, yes.confirmed) == ("+15559876543", True)
    other = take(opening, (QUIET, own), ("no", NUMBER), ("555 0142", CHECK), caller=OWN)
    assert (other.number, other.confirmed) == ("5550142", False)
    at_once = take(opening, (QUIET, own), ("No, on 555 0142.", CHECK), caller=OWN)
    assert at_once.number == "5550142"
    none = take(opening, (QUIET, own), ("please don't call me", Done()), caller=OWN)
    assert none.number == ""


@pytest.mark.parametrize("caller", ["", "anonymous", "102", "sip:pat@example.com", "1" * 16])
def test_a_caller_without_a_usable_number_is_asked_for_one(caller):
    take(("this is Pat, my boiler is cold", Wait(OPENING_S)), (QUIET, NUMBER), caller=caller)


@pytest.mark.parametrize("correction", ["no, 0143", "No. 555 0143.", "three not two, so 0143"])
def test_a_number_is_corrected_and_read_back_again(correction):
    left = take(
        ("This is Pat. My number is 555 0142. My boiler is cold.", CHECK),
        (correction, asks("message_check", digits="5 5 5, 0 1 4 3")),
        ("correct", Done()),
    )
    assert (left.number, left.confirmed) == ("5550143", True)


def test_a_number_that_was_cut_off_is_completed():
    take(
        ("This is Pat. My number is 555 0142. My boiler is cold.", CHECK),
        ("789", asks("message_check", digits="5 5 5, 0 1 4, 2 7 8 9")),
    )


def test_a_wrong_number_is_asked_for_again_and_after_some_times_noted_as_it_is():
    opening = "This is Pat. My number is 555 0142. My boiler is cold."
    turns = [(opening, CHECK)]
    for _ in range(MOST_CHECKS - 1):
        turns += [("no", AGAIN), ("555 0142", CHECK)]
    left = take(*turns, ("no, 555 0142", Done()))
    assert (left.number, left.confirmed) == ("5550142", False)


def test_a_number_is_keyed_in():
    opening = ("this is Pat, my boiler is cold", Wait(OPENING_S))
    check = asks("message_check", digits="0 5 5, 5 0 1, 4 2")
    take(opening, (QUIET, NUMBER), ("keys 05550142#", check), ("keys #", Done()))
    take(opening, (QUIET, NUMBER), ("keys 0555", Wait(KEYS_S)), ("keys 0142", Wait(KEYS_S)),
         (QUIET, check))  # fmt: skip
    take(opening, ("keys 5550142#", CHECK), ("keys 5550142#", CHECK))
    take(opening, (QUIET, NUMBER), ("keys 1#", AGAIN))


def test_zero_and_star_lead_to_the_voicemail():
    for key in "0*":
        take((f"keys {key}", ToVoicemail()))
        take(("this is Pat", Wait(OPENING_S)), (f"keys {key}", ToVoicemail()))
    take(("this is Pat", Wait(OPENING_S)), (QUIET, NUMBER), ("keys 0#", ToVoicemail()))
    take((QUIET, ToVoicemail()))
    take(("keys #", ToVoicemail()))


def test_everything_may_be_refused():
    left = take(
        ("please call me back", Wait(OPENING_S)),
        (QUIET, NAME),
        ("I'd rather not say", NUMBER),
        ("no, I don't want to give it", REASON),
        ("that's private", Done()),
    )
    assert (left.name, left.number, left.reason) == ("", "", "")
    assert left.text.startswith("please call me back I'd rather")


def test_who_answers_something_else_is_asked_once_more_and_is_not_lost():
    left = take(
        ("this is Pat", Wait(OPENING_S)),
        (QUIET, NUMBER),
        ("the invoice for the boiler is wrong", AGAIN),
        ("and it came twice to our house", Done()),
    )
    assert left.reason == "the invoice for the boiler is wrong and it came twice to our house"


@pytest.mark.parametrize("goodbye", ["bye", "That's all, thank you.", "ok thanks, goodbye"])
def test_goodbye_ends_a_message(goodbye):
    take(("this is Pat, my boiler is cold", Wait(OPENING_S)), (goodbye, Done()))


@pytest.mark.parametrize("refusal", ["No.", "no thanks", "I don't want to leave a message."])
def test_who_wants_to_leave_none_is_let_go(refusal):
    left = take((refusal, Declined()))
    assert left == Left()


def test_what_only_sounds_like_a_refusal_is_the_reason():
    left = take(("I don't have hot water", Wait(OPENING_S)), (QUIET, NAME),
                ("we don't have any heating either", NAME))  # fmt: skip
    assert left.reason == "I don't have hot water we don't have any heating either"


@pytest.mark.parametrize(
    "same", ["call me on this number", "the number I'm calling from", "the same number please"]
)
def test_the_number_that_the_caller_calls_from_by_their_own_words(same):
    left = take((f"this is Pat, my boiler is cold, {same}", Wait(OPENING_S)), caller="")
    assert left.number == ""
    left = take((f"this is Pat, my boiler is cold, {same}", Done()), caller=OWN)
    assert (left.number, left.confirmed) == ("+15559876543", True)


def test_silence_after_something_was_said_keeps_it():
    """The question is asked once more: who looks a number up is silent, too."""
    left = take(("this is Pat", Wait(OPENING_S)), (QUIET, NUMBER), (QUIET, NUMBER), (QUIET, Done()))
    assert left.name == "Pat"


def test_a_cough_changes_nothing():
    take(("", Wait(None)), ("this is Pat", Wait(OPENING_S)), ("", Wait(OPENING_S)))


def test_a_question_is_repeated():
    taker = MessageTaker(PHRASES, "en", "")
    assert taker.again() == taker.offer
    taker.heard("this is Pat")
    taker.quiet()
    assert taker.again(slow=True) == Say(NUMBER.text, slow=True)


def test_a_number_half_said_is_left_all_the_same():
    taker = MessageTaker(PHRASES, "en", "")
    taker.heard("my number is 555")
    assert taker.left.number == "555"
    taker.pressed("7")
    assert (taker.left.number, taker.begun) == ("7", True)


def test_a_number_of_any_length_is_bearable():
    taker = MessageTaker(PHRASES, "en", "")
    for _ in range(300):
        taker.pressed("7")
        taker.heard("five five five five five five five five five")
    assert len(taker.left.number) <= 16
