"""PCM: rates, levels and WAV files."""

import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_agent import audio
from asterisk_agent.errors import AgentError


def tone(hz: float, seconds: float, rate_hz: int, level: float = 0.5) -> bytes:
    moments = np.arange(round(seconds * rate_hz)) / rate_hz
    return (np.sin(2 * np.pi * hz * moments) * level * 32767).astype("<i2").tobytes()


def pitch(pcm: bytes, rate_hz: int) -> float:
    samples = np.frombuffer(pcm, dtype="<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * rate_hz / len(samples)


def test_silence_lasts_as_long_as_it_should() -> None:
    assert audio.silence(0.02) == bytes(320)
    assert audio.duration_s(audio.silence(1.5, 16_000), 16_000) == 1.5
    assert audio.silence(0) == b""


@pytest.mark.parametrize(("from_hz", "to_hz"), [(22_050, 8_000), (8_000, 16_000), (16_000, 8_000)])
def test_resampling_keeps_length_pitch_and_level(from_hz: int, to_hz: int) -> None:
    pcm = tone(440, 1.0, from_hz)
    resampled = audio.resample(pcm, from_hz, to_hz)
    assert audio.duration_s(resampled, to_hz) == pytest.approx(1.0, abs=0.002)
    assert pitch(resampled, to_hz) == pytest.approx(440, abs=2)
    assert audio.rms_dbfs(resampled) == pytest.approx(audio.rms_dbfs(pcm), abs=0.3)


def test_what_the_line_cannot_carry_does_not_fold_back() -> None:
    assert audio.rms_dbfs(audio.resample(tone(6_000, 1.0, 22_050), 22_050, 8_000)) < -40


def test_a_stream_gives_what_the_whole_clip_gives() -> None:
    pcm = tone(300, 0.7, 22_050)
    resampler = audio.Resampler(22_050, 8_000)
    pieces = [resampler.feed(pcm[at : at + 1_002]) for at in range(0, len(pcm), 1_002)]
    streamed = np.frombuffer(b"".join([*pieces, resampler.feed(b"", last=True)]), "<i2")
    whole = np.frombuffer(audio.resample(pcm, 22_050, 8_000), "<i2")
    assert abs(len(streamed) - len(whole)) <= 1
    shorter = min(len(streamed), len(whole))
    # Rounding is dithered, so the last bit may differ.
    assert np.abs(streamed[:shorter].astype(int) - whole[:shorter]).max() <= 2


def test_an_equal_rate_changes_nothing() -> None:
    assert audio.resample(b"\x01\x02", 8_000, 8_000) == b"\x01\x02"


def test_nothing_resampled_is_nothing() -> None:
    assert audio.resample(b"", 22_050, 8_000) == b""


def test_levels() -> None:
    assert audio.rms_dbfs(b"") == -96.0
    assert audio.rms_dbfs(bytes(320)) == -96.0
    assert audio.rms_dbfs(struct.pack("<h", -32_768) * 100) == pytest.approx(0.0, abs=0.01)
    assert audio.rms_dbfs(tone(400, 1, 8_000, level=0.5)) == pytest.approx(-9.03, abs=0.05)


def test_a_wav_file_comes_back(tmp_path: Path) -> None:
    audio.write_wav(tmp_path / "a.wav", b"\x01\x02\x03\x04", 8_000)
    assert audio.read_wav(tmp_path / "a.wav") == (b"\x01\x02\x03\x04", 8_000)


def test_two_channels_are_mixed_into_one(tmp_path: Path) -> None:
    audio.write_wav(tmp_path / "a.wav", struct.pack("<4h", 100, 300, -32768, -32768), 16_000, 2)
    assert audio.read_wav(tmp_path / "a.wav") == (struct.pack("<2h", 200, -32768), 16_000)


@pytest.mark.parametrize("cut", [1, 2, 3, 5])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_cut_short_gives_its_whole_frames(tmp_path: Path, cut: int, channels: int) -> None:
    path = tmp_path / "a.wav"
    audio.write_wav(path, bytes(80), 8_000, channels)
    path.write_bytes(path.read_bytes()[:-cut])
    pcm, _ = audio.read_wav(path)
    assert len(pcm) == (80 - cut) // (2 * channels) * 2


def test_8_bit_samples_are_refused_with_the_remedy(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 1, 8_000, 0, "NONE", ""))
        file.writeframes(bytes(10))
    with pytest.raises(AgentError, match="8-bit") as raised:
        audio.read_wav(tmp_path / "a.wav")
    assert "sox a.wav -b 16" in raised.value.hint


@pytest.mark.parametrize("content", [None, b"", b"RIFF", b"not a wave file at all, whatever it is"])
def test_what_is_no_wav_file_is_an_agent_error(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(AgentError, match=r"a\.wav: not a readable WAV file"):
        audio.read_wav(tmp_path / "a.wav")


@given(st.lists(st.integers(1, 400), min_size=1, max_size=20))
def test_the_doubler_gives_twice_what_it_gets_at_once_however_it_is_cut(sizes: list[int]) -> None:
    pcm = tone(700, 0.5, 8_000)[: 2 * sum(sizes)].ljust(2 * sum(sizes), b"\0")
    doubler, whole, at = audio.Doubler(8_000), audio.Doubler(8_000).feed(pcm), 0
    for size in sizes:
        piece = doubler.feed(pcm[2 * at : 2 * (at + size)])
        assert piece == whole[4 * at : 4 * (at + size)]
        at += size


@pytest.mark.parametrize("hz", [300, 1000, 2000, 3000, 3300])
def test_the_doubler_keeps_the_tone_and_adds_no_image(hz: int) -> None:
    doubled = np.frombuffer(audio.Doubler(8_000).feed(tone(hz, 0.5, 8_000)), "<i2")[800:7200]
    spectrum = np.abs(np.fft.rfft(doubled * np.hanning(len(doubled))))
    bins = len(doubled) / 16_000
    strongest = np.argmax(spectrum)
    assert strongest == pytest.approx(hz * bins, abs=1)
    image = spectrum[round((8_000 - hz) * bins) - 3 : round((8_000 - hz) * bins) + 4].max()
    assert image < spectrum[strongest] / 100


def test_the_doubler_is_late_by_what_it_says() -> None:
    click = np.zeros(400, "<i2")
    click[100] = 20_000
    doubled = np.frombuffer(audio.Doubler(8_000).feed(click.tobytes()), "<i2")
    assert np.argmax(doubled) == 200 + round(audio.Doubler.DELAY_S * 16_000)


def test_the_doubler_does_not_overflow() -> None:
    loud = np.tile(np.array([32767] * 7 + [-32768] * 7, "<i2"), 100).tobytes()
    doubled = np.frombuffer(audio.Doubler(8_000).feed(loud), "<i2").astype(int)
    assert np.max(np.abs(np.diff(doubled))) <= 65_535
    assert doubled.max() == 32_767
    assert doubled.min() == -32_768


def test_the_silence_before_the_first_sound_goes():
    sound = np.full(800, 3000, "<i2").tobytes()
    breath = np.full(400, 20, "<i2").tobytes()
    assert audio.without_lead(breath + sound + breath) == breath[-80:] + sound + breath
    assert audio.without_lead(sound) == sound
    assert audio.without_lead(b"") == b""
    assert audio.without_lead(bytes(320)) == bytes(320)


def test_the_quietest_place_is_found():
    loud, quiet = np.full(160, 3000, "<i2").tobytes(), np.full(160, 20, "<i2").tobytes()
    assert audio.quiet_place_s(loud * 3 + quiet + loud * 2) == pytest.approx(0.06)
    assert audio.quiet_place_s(b"\1\0" + quiet + loud) == pytest.approx(0.04)
    assert audio.quiet_place_s(b"\1\0" * 100) == 0.0
