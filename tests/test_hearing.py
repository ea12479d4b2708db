"""The audio of a turn, as it is kept and settled."""

from __future__ import annotations

import pytest

from asterisk_agent.events import Action, Reply
from asterisk_agent.hearing import PIECE_S, PREROLL_S, TurnAudio, is_better, is_doubtful

RATE_HZ = 16_000
SECOND = 2 * RATE_HZ


def speak(audio: TurnAudio, seconds: float, sign: bytes = b"\1") -> None:
    for _ in range(round(seconds * 50)):
        audio.keep(sign * (SECOND // 50), speaking=True)


def rest(audio: TurnAudio, seconds: float) -> None:
    for _ in range(round(seconds * 50)):
        audio.keep(bytes(SECOND // 50), speaking=False)


def test_a_little_is_kept_from_before_the_turn() -> None:
    audio = TurnAudio(RATE_HZ)
    rest(audio, 5)
    speak(audio, 1)
    assert len(audio.pcm) == round((PREROLL_S + 1) * SECOND)


def test_a_settled_piece_is_text_and_no_longer_audio() -> None:
    audio = TurnAudio(RATE_HZ)
    speak(audio, 7)
    size = len(audio.pcm)
    assert audio.is_piece(size)
    speak(audio, 1, b"\2")
    audio.settle(audio.turn, size, "good morning")
    assert audio.text == "good morning"
    assert audio.pcm == b"\2" * SECOND
    audio.settle(audio.turn, SECOND, "and so on")
    assert (audio.text, audio.pcm) == ("good morning and so on", b"")


def test_the_next_turn_has_nothing_of_the_one_before() -> None:
    audio = TurnAudio(RATE_HZ)
    speak(audio, 7)
    turn, size = audio.turn, len(audio.pcm)
    audio.settle(turn, size, "good morning")
    rest(audio, 1)
    assert audio.text == ""
    speak(audio, 1)
    before = audio.pcm
    audio.settle(turn, size, "too late")
    assert (audio.text, audio.pcm) == ("", before)


def test_short_speech_is_no_piece() -> None:
    audio = TurnAudio(RATE_HZ)
    assert not audio.is_piece(round((PIECE_S - 0.1) * SECOND))


ANSWER = Reply("At nine.", Action.ANSWER)
PERSON = Reply("I'll put you through.", Action.HANDOFF)
UNKNOWN = Reply("I don't know.", Action.HANDOFF, unanswered=True, confidence=0.1)
ASKED = Reply("Do you mean that?", Action.CLARIFY, confidence=0.3)
SURER = Reply("Do you mean this?", Action.CLARIFY, confidence=0.4)


@pytest.mark.parametrize(("reply", "doubtful"), [(UNKNOWN, True), (ASKED, True), (ANSWER, False)])
def test_what_has_no_answer_may_be_misheard(reply: Reply, doubtful: bool) -> None:
    assert is_doubtful(reply) is doubtful
    assert not is_doubtful(PERSON), "the caller asked for one"


@pytest.mark.parametrize(
    ("second", "first", "better"),
    [
        (ANSWER, UNKNOWN, True),
        (ANSWER, ASKED, True),
        (PERSON, UNKNOWN, True),
        (ASKED, UNKNOWN, True),
        (UNKNOWN, ASKED, False),
        (UNKNOWN, UNKNOWN, False),
        (SURER, ASKED, True),
        (ASKED, SURER, False),
    ],
)
def test_a_second_hearing_counts_where_it_makes_more_sense(
    second: Reply, first: Reply, better: bool
) -> None:
    assert is_better(second, first) is better
