"""What a service and its supervisor tell each other: all of it, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_agent.wire.lifeline import (
    MAX_BYTES,
    Beat,
    Losses,
    Word,
    decode,
    encode,
    encode_losses,
    losses_of,
)

ages = st.none() | st.integers(0, 999_999_999).map(lambda ms: ms / 1000)


@given(st.builds(Beat, ages, ages) | st.sampled_from(Word))
def test_what_is_said_is_heard(said):
    assert decode(encode(said)) == said


def test_an_age_before_the_beat_is_none():
    assert encode(Beat(-0.001, None)) == b"beat 0 -"


@pytest.mark.parametrize(
    "data", [b"", b"beat", b"beat 1", b"beat 1 2 3", b"beat -1 2", b"beat 1 2\n", b"READY", b"\xff"]
)
def test_nonsense_is_no_sign_of_life(data):
    assert decode(data) is None


@given(st.binary(max_size=64))
def test_any_bytes_are_understood_or_not(data):
    said = decode(data)
    assert said is None or decode(encode(said)) == said


def test_losses_come_through():
    losses = Losses(3, "2026-11-23T20:00:00.000+00:00", "no sign of life for 1.5 s")
    assert losses_of(encode_losses(losses)) == losses


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"7",
        b'{"count": "3", "at": "", "why": ""}',
        b'{"count": 1, "at": ""}',
        b"[" * MAX_BYTES,
    ],
)
def test_other_things_are_no_losses(data):
    with pytest.raises(ValueError, match=r".+"):
        losses_of(data)
