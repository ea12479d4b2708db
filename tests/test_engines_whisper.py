"""Whisper on a short window: the right words, nothing out of noise, any length."""

import re

import numpy as np
import pytest
from real_models import folder, spoken

from asterisk_agent.engines.whisper import LONGEST_S, WhisperRecognizer, _pieces
from asterisk_agent.errors import EngineError

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def whisper():
    return WhisperRecognizer(folder("whisper-base"), "en-US")


def words(text):
    return re.findall(r"[a-z']+", text.lower())


def noises():
    rng, time = np.random.default_rng(0), np.arange(3 * RATE_HZ) / RATE_HZ
    tones = sum(np.sin(2 * np.pi * hz * time) for hz in (440, 480))
    return {
        "nothing": np.zeros(0),
        "a moment": np.full(100, 0.5),
        "digital silence": np.zeros(2 * RATE_HZ),
        "faint noise": rng.normal(0, 0.0003, 2 * RATE_HZ),
        "line noise": rng.normal(0, 0.01, 2 * RATE_HZ),
        "loud noise": rng.normal(0, 0.1, 3 * RATE_HZ),
        "hum": 0.1 * np.sin(2 * np.pi * 50 * time),
        "ringing": 0.2 * tones,
        "key 1": 0.2 * sum(np.sin(2 * np.pi * hz * time) for hz in (697, 1209)),
        "clicks": np.where(rng.random(3 * RATE_HZ) < 0.0005, 0.8, 0),
        "rumble": np.cumsum(rng.normal(0, 0.002, 3 * RATE_HZ)),
    }


@pytest.mark.models
@pytest.mark.parametrize("name", noises())
def test_noise_is_no_text(whisper, name):
    pcm = (np.clip(noises()[name], -1, 1) * 32767).astype("<i2").tobytes()
    heard = whisper.transcribe(pcm)
    assert (heard.text, heard.confidence) == ("", 0.0)


@pytest.mark.models
@pytest.mark.parametrize(
    "text",
    [
        "How much does it cost to fix a leaking tap?",
        "What are your opening hours on Friday?",
        "I want to talk to a person please.",
        "Can I speak to someone in billing?",
        "Yes.",
        "No.",
        "Thank you, goodbye.",
    ],
)
def test_hears_what_was_said_once(whisper, text):
    heard = whisper.transcribe(spoken(text))
    assert words(heard.text) == words(text)
    assert 0.3 < heard.confidence <= 1
    assert heard.audio_s == pytest.approx(len(spoken(text)) / 2 / RATE_HZ)
    assert heard.compute_s > 0


@pytest.mark.models
def test_session_hears_a_turn_as_a_whole(whisper):
    session = whisper.session()
    pcm = spoken("I want to talk to a person please.")
    for start in range(0, len(pcm), 640):
        assert session.feed(pcm[start : start + 640]) == ""
    first = session.result()
    assert "person" in first.text
    assert session.result() is first
    session.feed(bytes(RATE_HZ) + spoken("What are your opening hours on Friday?"))
    assert {"person", "friday"} <= set(words(session.result().text))
    session.reset()
    assert session.result().text == ""


@pytest.mark.models
def test_more_than_a_window(whisper):
    sentence = spoken("Can I speak to someone in billing?") + bytes(2 * RATE_HZ)
    other = spoken("I want to talk to a person please.") + bytes(2 * RATE_HZ)
    heard = whisper.transcribe((sentence + other) * 6)
    assert heard.audio_s > LONGEST_S
    assert words(heard.text).count("person") >= 4
    assert words(heard.text).count("billing") >= 4


@pytest.mark.models
def test_language_it_does_not_know():
    with pytest.raises(EngineError, match="does not know the language 'tlh'") as raised:
        WhisperRecognizer(folder("whisper-base"), "tlh")
    assert "agent.language" in raised.value.hint


@pytest.mark.parametrize("files", [{}, {"model.bin": b"no", "config.json": b"{}"}])
def test_missing_or_broken_model(tmp_path, files):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(EngineError, match="cannot be loaded") as raised:
        WhisperRecognizer(tmp_path)
    assert raised.value.hint == f"run: asterisk-agent models pull {tmp_path.name}"


@pytest.mark.models
def test_broken_tokenizer(tmp_path):
    for path in folder("whisper-base").iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(EngineError, match="cannot be loaded"):
        WhisperRecognizer(tmp_path)


def test_long_audio_is_cut_where_it_is_quiet():
    speech = np.ones(70 * RATE_HZ, np.float32)
    for quiet_s in (25, 47):
        speech[quiet_s * RATE_HZ : (quiet_s + 1) * RATE_HZ] = 0
    lengths = [len(piece) / RATE_HZ for piece in _pieces(speech)]
    assert sum(lengths) == 70
    assert max(lengths) <= LONGEST_S
    assert 25 <= lengths[0] <= 26
    assert 47 <= lengths[0] + lengths[1] <= 48


@pytest.mark.parametrize("seconds", [0, 1, LONGEST_S])
def test_short_audio_is_one_piece(seconds):
    samples = np.zeros(int(seconds * RATE_HZ), np.float32)
    assert [len(piece) for piece in _pieces(samples)] == [len(samples)]


@pytest.mark.models
@pytest.mark.parametrize("looks", [0, 1])
def test_what_nobody_waits_for_is_given_up(whisper, looks):
    session = whisper.session()
    session.feed(spoken("I want to talk to a person please."))
    seen = []

    def cancelled():
        seen.append(1)
        return len(seen) > looks

    assert session.result(cancelled).text == ""
    assert "person" in session.result().text
