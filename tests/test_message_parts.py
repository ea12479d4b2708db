"""What one utterance holds of a message."""

import pytest

from asterisk_agent.message_english import ENGLISH
from asterisk_agent.message_parts import LONGEST, parts_of, plain


def found(text, asked=""):
    parts = parts_of(text, ENGLISH, asked=asked)
    return parts.name, parts.number.digits if parts.number else "", parts.reason


@pytest.mark.parametrize(
    ("text", "name", "number", "reason"),
    [
        (
            "This is Ann Smith. My number is 555-0142. Please call me about the invoice.",
            "Ann Smith",
            "5550142",
            "Please call me about the invoice.",
        ),
        (
            "hello this is ann smith from the library my number is five five five zero one four "
            "two and i'm calling about a leaking tap",
            "Ann Smith from the library",
            "5550142",
            "i'm calling about a leaking tap",
        ),
        ("This is Dr. Lee, my tap drips. 555 0142.", "Dr. Lee", "5550142", "my tap drips."),
        ("I'm Ann and my boiler is broken", "Ann", "", "my boiler is broken"),
        ("My name's O\N{RIGHT SINGLE QUOTATION MARK}Brien.", "O'Brien", "", ""),
        ("Call me on 555 123 4567, it's Jean-Luc.", "Jean-Luc", "5551234567", ""),
        ("Ann Smith here, please ring me back", "Ann Smith", "", ""),
        ("This is Pat. Please call me back.", "Pat", "", ""),
        ("it's my invoice number 2041532", "", "", "it's my invoice number 2041532"),
        ("I'm calling about the tap", "", "", "I'm calling about the tap"),
        ("i'm waiting for my boiler", "", "", "i'm waiting for my boiler"),
        ("It costs $5550142", "", "", "It costs $5550142"),
        ("hello", "", "", ""),
        ("yes", "", "", ""),
        ("", "", "", ""),
    ],
)
def test_what_is_said_at_once(text, name, number, reason):
    assert found(text) == (name, number, reason)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ann Smith", "Ann Smith"),
        ("ann smith", "Ann Smith"),
        ("Sure, Ann Smith, thank you.", "Ann Smith"),
        ("Yes, it's Smith.", "Smith"),
        ("Mr. Smith", "Mr. Smith"),
        ("John A. Smith", "John A. Smith"),
        ("Will Grant.", "Will Grant"),
        ("My name is Kowalsky, K-O-W-A-L-S-K-I.", "Kowalski"),
        ("K O W A L S K I", "Kowalski"),
        ("Kowalsky, that's K as in kilo, O W A L S K I", "Kowalski"),
        ("Ann, A double N", "Ann"),
        ("Ann Smyth, S M I T H", "Ann Smith"),
        ("why do you need my name", ""),
        ("it's about my invoice", ""),
        ("my invoice", ""),
    ],
)
def test_the_answer_to_the_question_for_a_name(text, name):
    assert found(text, "name")[0] == name


@pytest.mark.parametrize(
    ("text", "number"),
    [("555", "555"), ("five", "5"), ("No, 0143", "0143"), ("I have one question", "")],
)
def test_a_part_of_a_number_counts_where_one_was_asked_for(text, number):
    assert found(text, "number")[1] == number


def test_the_beginning_of_a_number_counts_where_it_is_announced():
    assert found("my number is 555")[1] == "555"
    assert found("call me at 530")[1] == ""


def test_nonsense_is_bearable():
    assert plain("a\x00b\u202e  c|d") == "a b c d"
    assert len(plain("9" * 100_000)) == LONGEST
    assert found("7" * 40) == ("", "", "")
    assert found("a " * 5_000, "name")[1:] == ("", "")
