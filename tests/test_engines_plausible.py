"""What Whisper may invent, and what callers really say."""

import pytest

from asterisk_agent.engines.plausible import is_noise, repeats, without_notes

# (mean token probability, no-speech probability) as measured with whisper-base on 10 s windows
INVENTED = [(0.5, 0.9), (0.61, 0.93), (0.22, 0.78), (0.22, 0.72), (0.15, 0.75), (0.17, 0.52)]
SPOKEN = [(0.71, 0.16), (0.38, 0.32), (0.18, 0.29), (0.44, 0.25), (0.54, 0.14), (0.95, 0.0)]


@pytest.mark.parametrize("measured", INVENTED)
def test_text_from_noise_is_noise(measured):
    assert is_noise(*measured)


@pytest.mark.parametrize("measured", SPOKEN)
def test_speech_is_not(measured):
    assert not is_noise(*measured)


@pytest.mark.parametrize(
    "text",
    [
        "Yes. Yes.",
        "help help help",
        "Can I pay? Can I pay?",
        "so " + "on and off " * 12 + "it went",
    ],
)
def test_loops_repeat(text):
    assert repeats(text)


@pytest.mark.parametrize(
    "text",
    ["", "Yes.", "no, yes, no", "My number is 555 555 1234.", "How much is it, and how long?"],
)
def test_ordinary_words_do_not(text):
    assert not repeats(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("[BLANK_AUDIO]", ""),
        ("(upbeat music)", ""),
        ("♪ la la ♪", ""),
        ("*coughs* Hello.", "Hello."),
        ("...", ""),
        (" a  b ", "a b"),
    ],
)
def test_stage_directions_go(text, kept):
    assert without_notes(text) == kept
