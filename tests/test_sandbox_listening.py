import wave

import numpy as np
import pytest

from asterisk_agent.sandbox.listening import FRAME_S, Recording, Segment, join

LOUD = (np.ones(320, dtype="<i2") * 8000).tobytes()
NOISE = (np.ones(320, dtype="<i2") * 8).tobytes()
"""The lowest step of mu-law: a line that is not quite silent."""


def record(pattern: str, start: float = 100.0) -> Recording:
    """A letter a frame: ``h`` heard, ``s`` said, ``b`` both, ``n`` noise heard, ``.`` nothing."""
    recording = Recording(16_000)
    for index, letter in enumerate(pattern):
        heard = LOUD if letter in "hb" else NOISE if letter == "n" else b""
        recording.add(start + index * FRAME_S, heard, LOUD if letter in "sb" else b"")
    return recording


def spans(segments: list[Segment]) -> list[tuple[int, int]]:
    """In frames since 100.0."""
    return [(round((s.start - 100) / FRAME_S), round((s.end - 100) / FRAME_S)) for s in segments]


def test_segments_end_at_a_pause():
    recording = record("..hhh" + "." * 20 + "h.h")
    assert spans(recording.segments()) == [(2, 5), (25, 28)]
    assert spans(recording.segments(pause_s=0.02)) == [(2, 5), (25, 26), (27, 28)]


def test_sides_are_apart_and_line_noise_is_silence():
    recording = record("nnssnnbb")
    assert spans(recording.segments("said", pause_s=0.01)) == [(2, 4), (6, 8)]
    assert spans(recording.segments("heard")) == [(6, 8)]


def test_sound_after_a_moment():
    recording = record("hh....hh")
    assert recording.sound_after(0) == 100.0
    assert recording.sound_after(100.021) == pytest.approx(100.12)
    assert recording.sound_after(100.15) is None


def test_quiet_since_the_last_sound():
    recording = record("..hh")
    assert recording.quiet_since() is None
    recording.add(100.08, b"", LOUD)
    recording.add(100.10, b"", b"")
    assert recording.quiet_since() == pytest.approx(100.08)
    assert recording.quiet_since("said") == pytest.approx(100.10)
    assert Recording(16_000).quiet_since() is None


def test_span_of_sound_between_two_moments():
    recording = record("s..s.ss..s")
    assert recording.span(100.02, 100.15, "said") == Segment(
        pytest.approx(100.06), pytest.approx(100.14)
    )
    assert recording.span(100.02, 100.05, "said") is None


def test_pcm_between_two_moments():
    recording = record("h.h.")
    assert recording.pcm() == LOUD + bytes(640) + LOUD + bytes(640)
    assert recording.pcm("heard", 100.03, 100.05) == LOUD


def test_reaches_a_moment():
    recording = record("..")
    assert recording.reaches(100.03)
    assert recording.reaches(100.05) is None


def test_stereo_has_said_left_and_heard_right(tmp_path):
    record("sh").save_stereo(tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 16_000)
        samples = np.frombuffer(file.readframes(1000), dtype="<i2").reshape(-1, 2)
    assert samples[0].tolist() == [8000, 0]
    assert samples[-1].tolist() == [0, 8000]


def test_join_needs_no_moments():
    assert join([], 0.3) == []


def test_a_packet_of_another_length_than_what_was_said_is_saved(tmp_path):
    recording = Recording(8000)
    recording.add(0.0, bytes(320), bytes(320))
    recording.add(0.02, b"\1\0" * 100, b"\2\0" * 160)
    recording.add(0.04, b"\3\0" * 200, b"")
    recording.save_stereo(tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav")) as wav:
        assert (wav.getnchannels(), wav.getnframes()) == (2, 160 + 160 + 200)
