"""A call's sound in a file: both sides, each where it belongs in time."""

import resource
import wave

import numpy as np
import pytest

from asterisk_agent.recording import Tape, WavFile

RATE = 8000
FRAME = 160


def pcm(value, count=FRAME):
    return np.full(count, value, "<i2").tobytes()


def sides(data):
    both = np.frombuffer(data, "<i2").reshape(-1, 2)
    return both[:, 0].tolist(), both[:, 1].tolist()


def test_both_sides_are_where_they_were_said():
    tape = Tape(RATE, 0.0)
    for index in range(10):
        tape.heard(pcm(1), index * 0.02)
    tape.sent(pcm(2), 0.1)
    left, right = sides(tape.take(0.2))
    assert left == [1] * 1600
    assert right == [0] * 800 + [2] * 160 + [0] * 640


def test_jitter_makes_no_gaps():
    tape = Tape(RATE, 0.0)
    for at_s in (0.0, 0.035, 0.038, 0.075, 0.081):
        tape.heard(pcm(1), at_s)
    assert sides(tape.take(0.1))[0] == [1] * 800


def test_what_was_taken_is_not_taken_again():
    tape = Tape(RATE, 3.0)
    tape.heard(pcm(1), 3.0)
    assert len(sides(tape.take(3.01))[0]) == 80
    assert tape.take(3.01) == tape.take(2.0) == b""
    tape.heard(pcm(3), 3.02)
    assert sides(tape.take(3.04))[0] == [1] * 80 + [3] * 160


def read(path):
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        return sides(file.readframes(file.getnframes()))


def test_the_file_is_whole_after_each_piece_and_conversations_keep_their_time(tmp_path):
    path = tmp_path / "deep" / "call.wav"
    WavFile(path, RATE).write(pcm(1, 2), 0.0)
    assert read(path) == ([1], [1])
    again = WavFile(path, RATE)
    again.write(pcm(2, 4), 0.001)
    again.write(pcm(3, 2), None)
    assert read(path)[0] == [1] + [0] * 7 + [2, 2, 3]
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("room", [0, 60])
def test_a_full_disk_leaves_no_file_that_cannot_be_played(tmp_path, room):
    path = tmp_path / "call.wav"
    file = WavFile(path, RATE)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            file.write(pcm(1, 800), 0.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not file.exists


def test_what_was_recorded_before_the_disk_was_full_stays(tmp_path, monkeypatch):
    path = tmp_path / "call.wav"
    file = WavFile(path, RATE)
    file.write(pcm(1, 2), 0.0)
    path.chmod(0o640)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(WavFile, "_write", full)
        with pytest.raises(OSError, match="No space"):
            file.write(pcm(1, 2), None)
    assert read(path) == ([1], [1])
