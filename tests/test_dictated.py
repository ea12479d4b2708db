"""Telephone numbers as they are dictated, and as they are read back."""

import pytest

from asterisk_agent.dictated import digit_by_digit, groups_of, mended, numbers_in, resembles
from asterisk_agent.message_english import ENGLISH
from asterisk_agent.speech import speakable


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("My number is 555-0142, please call.", "5550142"),
        ("five five five oh one four two", "5550142"),
        ("double five five zero one four two", "5550142"),
        ("five double five nought one four two", "5550142"),
        ("triple five, um, zero one, four two", "5550142"),
        ("one eight hundred five five five zero one four two", "18005550142"),
        ("one eight hundred double five five zero one four two", "18005550142"),
        ("fifty five fifty two twelve thirteen", "55521213"),
        ("fifty five fifty fifty", "555050"),
        ("plus four seven two one zero zero zero zero zero zero", "+4721000000"),
        ("+1 (555) 123-4567.", "+15551234567"),
        ("5 5 5. 0 1 4 2.", "5550142"),
        ("five five to four nine", "55249"),
        # Corrections while it is said: what follows replaces the end of what was said.
        ("555 0142, no sorry, 0143", "5550143"),
        ("five five five zero one four two no five six", "5550156"),
        ("five five no five six", "56"),
        ("555 0142. No. 555 0153", "5550153"),
        ("555 0142 I mean 3", "5550143"),
        ("555 0142, wait, that's it", "5550142"),
        ("555 0142 no +47 210000", "+47210000"),
    ],
)
def test_a_dictated_number(text, digits):
    (number,) = numbers_in(text, ENGLISH)
    assert number.digits == digits


def test_what_is_no_number():
    assert not numbers_in("oh hi there, no, I want to talk to you for a while", ENGLISH)
    assert not numbers_in("a hundred thanks, plus some", ENGLISH)


def test_where_it_stands():
    text = "it's five five, no, five six then"
    (number,) = numbers_in(text, ENGLISH)
    assert text[number.start : number.end] == "five five, no, five six"


def test_a_correction_by_itself():
    (number,) = numbers_in("No, five six.", ENGLISH)
    assert (number.digits, number.mends) == ("56", True)
    first, second = numbers_in("I have two boilers and 3 taps", ENGLISH)
    assert not first.mends
    assert (first.digits, second.digits) == ("2", "3")


@pytest.mark.parametrize(
    ("number", "said", "whole"),
    [
        ("5550142", "0143", "5550143"),
        ("5550142", "3", "5550143"),
        ("+4721000000", "22", "+4722000000"),
        ("5550142", "5550999", "5550999"),
        ("55", "5550999", "5550999"),
        ("5550142", "+4721", "+4721"),
    ],
)
def test_a_correction_of_what_was_read_back(number, said, whole):
    assert mended(number, said) == whole


def test_a_part_said_again_is_told_from_the_rest_of_the_number():
    assert resembles("5550142", "0143")
    assert not resembles("5550142", "789")
    assert not resembles("5550142", "5")
    assert not resembles("55", "5551")


@pytest.mark.parametrize(
    ("number", "spoken"),
    [
        ("5550142", "five five five, zero one four two"),
        ("15551234567", "one, five five five, one two three, four five six seven"),
        ("4567", "four five six seven"),
        ("12", "one two"),
        ("55501428", "five five five, zero one four, two eight"),
    ],
)
def test_a_number_is_read_back_digit_by_digit(number, spoken):
    assert speakable(f"I have {digit_by_digit(number)}.", "en") == f"I have {spoken}."
    assert "".join(groups_of(number)) == number
