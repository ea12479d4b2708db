"""Voice detection on real telephone speech, silence and noise."""

import numpy as np
import pytest
from real_models import spoken

from asterisk_agent.engines.loader import load_detector
from asterisk_agent.engines.silero import SileroDetector
from asterisk_agent.errors import EngineError

pytestmark = pytest.mark.models
FRAME = 512


def probabilities(detector, pcm):
    return [detector.probability(pcm[i : i + FRAME]) for i in range(0, len(pcm) - FRAME + 1, FRAME)]


def line(text):
    """Speech at a line's rate: half of the samples that were made of them."""
    return np.frombuffer(spoken(text), "<i2")[::2].tobytes()


def test_silence_and_noise_are_not_speech():
    noise = np.random.default_rng(1).normal(0, 300, 16_000).astype("<i2").tobytes()
    assert max(probabilities(load_detector(), bytes(32_000))) < 0.1
    assert max(probabilities(load_detector(), noise)) < 0.5


def test_speech_is_found_between_silences():
    pcm = bytes(16_000) + line("How much does it cost?") + bytes(16_000)
    heard = probabilities(load_detector(), pcm)
    quiet = 16_000 // FRAME - 1
    assert max(heard[:quiet]) < 0.3
    assert sum(p > 0.5 for p in heard) > 15
    assert max(heard[-5:]) < 0.3


def test_the_first_word_is_heard_as_soon_as_the_others():
    """Most of it is voice from its first tenth of a second on: nobody's beginning is lost."""
    pcm = line("Is there a charge for travel?")
    heard = probabilities(load_detector(), bytes(16_000) + pcm)[16_000 // FRAME :]
    assert sum(p >= 0.5 for p in heard) >= 0.8 * (len(pcm) // FRAME)
    assert min(heard[4:8]) >= 0.5


def test_reset_forgets_and_detectors_share_nothing():
    pcm = line("Hello there.")
    used, other = load_detector(), load_detector()
    first = probabilities(used, pcm)
    assert probabilities(other, pcm) == first
    assert probabilities(used, pcm) != first
    used.reset()
    assert probabilities(used, pcm) == first


@pytest.mark.parametrize("size", [0, 510, 514])
def test_frame_of_another_size(size):
    with pytest.raises(EngineError, match=f"a frame of {size} bytes, expected 512"):
        load_detector().probability(bytes(size))


def test_a_damaged_network_is_named_with_its_remedy(tmp_path):
    (tmp_path / "silero_vad.onnx").write_bytes(b"nothing")
    with pytest.raises(EngineError, match="voice detection cannot be loaded") as raised:
        SileroDetector(tmp_path)
    assert "models verify" in raised.value.hint


def test_loads_beside_the_language_model_in_either_order():
    import llama_cpp

    assert load_detector().frame_samples == 256
    assert llama_cpp.llama_max_devices() > 0
