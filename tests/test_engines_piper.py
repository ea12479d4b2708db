"""The voice: sentences, speed, and folders that hold none."""

import pytest
from real_models import folder, voice

from asterisk_agent.audio import duration_s, rms_dbfs
from asterisk_agent.engines.piper import PiperSynthesizer
from asterisk_agent.errors import EngineError

VOICE = "en_US-joe-medium"


@pytest.mark.models
def test_yields_a_sentence_at_a_time():
    assert voice().rate_hz == 22_050
    pieces = list(voice().synthesize("Good morning. How can I help you today?"))
    assert len(pieces) == 2
    for piece in pieces:
        assert 0.4 < duration_s(piece, 22_050) < 4
        assert rms_dbfs(piece) > -40


@pytest.mark.models
@pytest.mark.parametrize("text", ["", "  ", "...", "?!", "\0", "[[ ]]"])
def test_nothing_to_say(text):
    assert list(voice().synthesize(text)) == []


@pytest.mark.models
def test_speed_makes_it_shorter():
    text = "We are open from eight in the morning until six in the evening."
    quick = PiperSynthesizer(folder(VOICE), speed=1.6)
    usual_s = duration_s(b"".join(voice().synthesize(text)), 22_050)
    assert duration_s(b"".join(quick.synthesize(text)), 22_050) < usual_s / 1.3
    slowly = b"".join(voice().synthesize(text, pace=0.7))
    assert duration_s(slowly, 22_050) > usual_s * 1.2


@pytest.mark.models
def test_without_variety_it_repeats_itself():
    text = "We are open from eight to six."
    assert list(voice().synthesize(text)) == list(voice().synthesize(text))
    usual = PiperSynthesizer(folder(VOICE))
    assert list(usual.synthesize(text)) != list(usual.synthesize(text))


@pytest.mark.models
def test_markup_for_phonemes_is_read_as_words():
    marked = b"".join(voice().synthesize("Please [[hold the line]] for a moment."))
    plain = b"".join(voice().synthesize("Please for a moment."))
    assert len(marked) > 1.2 * len(plain)


def test_folder_without_a_voice(tmp_path):
    with pytest.raises(EngineError, match="0 voices") as raised:
        PiperSynthesizer(tmp_path)
    assert "models pull" in raised.value.hint


@pytest.mark.parametrize("settings", [None, "{", "{}"])
def test_broken_voice(tmp_path, settings):
    (tmp_path / "v.onnx").write_bytes(b"no network")
    if settings is not None:
        (tmp_path / "v.onnx.json").write_text(settings)
    with pytest.raises(EngineError, match="cannot be loaded") as raised:
        PiperSynthesizer(tmp_path)
    assert raised.value.hint == "run: asterisk-agent models pull v"


@pytest.mark.models
def test_broken_network_with_good_settings(tmp_path):
    settings = folder(VOICE) / f"{VOICE}.onnx.json"
    (tmp_path / "v.onnx.json").write_bytes(settings.read_bytes())
    (tmp_path / "v.onnx").write_bytes(b"no network")
    with pytest.raises(EngineError, match="cannot be loaded"):
        PiperSynthesizer(tmp_path / "v.onnx")
