"""What a caller got: silences, tones, verdicts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_agent.sandbox.chaos_judge import (
    End,
    Verdict,
    has_tone,
    judge,
    longest_silence_s,
    purity,
    sounds_of,
    tone,
)
from asterisk_agent.sandbox.listening import FRAME_S, Recording

FRAME = 320
QUIET = bytes(FRAME)


def recorded(pcm, start=100.0):
    recording = Recording(8000)
    for index in range(len(pcm) // FRAME):
        at = start + index * FRAME_S
        recording.add(at, pcm[index * FRAME : (index + 1) * FRAME], b"")
    return recording


@pytest.mark.parametrize(
    ("sounds", "longest"),
    [
        ([], 10.0),
        ([(0, 10)], 0.0),
        ([(2, 4), (5, 9.5)], 2.0),
        ([(5, 9.5), (2, 4)], 2.0),
        ([(-5, 3), (1, 2)], 7.0),
        ([(1, 6), (2, 3)], 4.0),
        ([(-9, -1), (12, 13)], 10.0),
    ],
)
def test_the_longest_silence_is_that_in_which_nobody_speaks(sounds, longest):
    assert longest_silence_s(sounds, 0, 10) == longest


@given(st.lists(st.tuples(st.floats(-5, 15), st.floats(0, 5))), st.floats(0, 10))
def test_a_sound_never_makes_a_silence_longer(spans, length):
    sounds = [(at, at + seconds) for at, seconds in spans]
    for count in range(len(sounds)):
        fewer = longest_silence_s(sounds[:count], 0, length)
        assert 0 <= longest_silence_s(sounds[: count + 1], 0, length) <= fewer <= length


def test_what_the_caller_says_is_no_silence():
    recording = recorded(tone(500, 1.0) + bytes(16 * FRAME * 10) + tone(500, 1.0))
    heard_only = longest_silence_s(sounds_of(recording, []), 100.0, 105.2)
    assert heard_only == pytest.approx(3.2, abs=0.03)
    both = longest_silence_s(sounds_of(recording, [(101.0, 103.0)]), 100.0, 105.2)
    assert both == pytest.approx(1.2, abs=0.03)


def test_a_tone_is_found_among_others_and_only_where_it_is():
    recording = recorded(tone(700, 1.0) + QUIET * 50 + tone(900, 0.5))
    assert has_tone(recording, 700, 100.0)
    assert not has_tone(recording, 700, 101.0)
    assert has_tone(recording, 900, 101.0)
    assert not has_tone(recording, 900, 101.0, seconds=0.6)
    assert not has_tone(recording, 750, 100.0)


def test_speech_is_no_tone():
    noise = np.random.default_rng(3).normal(0, 3000, 160).astype("<i2").tobytes()
    assert purity(noise, 1000, 8000) < 0.2
    assert purity(QUIET, 1000, 8000) == 0.0
    assert purity(tone(1000, 0.02), 1000, 8000) > 0.95


@pytest.mark.parametrize(
    ("verdict", "faults"),
    [
        (Verdict("1", "x", end=End.PERSON, place="101", expected=("101", "600")), []),
        (Verdict("1", "x", end=End.MAILBOX, place="600", expected=("101", "600")), []),
        (Verdict("1", "x", end=End.AGENT, silence_s=2.9), []),
        (Verdict("1", "x", end=End.TOLD, expected=("101",)), []),
        (Verdict("1", "x", end=End.PERSON, place="103", expected=("101",)), ["wrong place: 103"]),
        (Verdict("1", "x", end=End.DROPPED), ["dropped"]),
        (Verdict("1", "x"), ["reached nobody"]),
        (Verdict("1", "x", why="no message"), ["no message"]),
        (Verdict("1", "x", end=End.AGENT, silence_s=3.2), ["3.2 s of silence"]),
        (Verdict("1", "x", end=End.DROPPED, silence_s=9), ["dropped", "9.0 s of silence"]),
    ],
)
def test_verdicts(verdict, faults):
    assert judge(verdict).faults == faults
    assert verdict.rescued is (not faults)
