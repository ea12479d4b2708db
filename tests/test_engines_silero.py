"""Voice detection on real speech, silence and noise."""

import numpy as np
import pytest
from real_models import spoken

from asterisk_agent.engines.silero import SileroDetector
from asterisk_agent.errors import EngineError

FRAME = 1024


def probabilities(detector, pcm):
    return [detector.probability(pcm[i : i + FRAME]) for i in range(0, len(pcm) - FRAME + 1, FRAME)]


def test_silence_and_noise_are_not_speech():
    noise = np.random.default_rng(1).normal(0, 300, 32_000).astype("<i2").tobytes()
    assert max(probabilities(SileroDetector(), bytes(64_000))) < 0.1
    assert max(probabilities(SileroDetector(), noise)) < 0.5


@pytest.mark.models
def test_speech_is_found_between_silences():
    pcm = bytes(32_000) + spoken("How much does it cost?") + bytes(32_000)
    heard = probabilities(SileroDetector(), pcm)
    quiet = 32_000 // FRAME - 1
    assert max(heard[:quiet]) < 0.3
    assert sum(p > 0.5 for p in heard) > 15
    assert max(heard[-5:]) < 0.3


@pytest.mark.models
def test_reset_forgets_and_detectors_share_nothing():
    pcm = spoken("Hello there.")
    used, other = SileroDetector(), SileroDetector()
    first = probabilities(used, pcm)
    assert probabilities(other, pcm) == first
    assert probabilities(used, pcm) != first
    used.reset()
    assert probabilities(used, pcm) == first


@pytest.mark.parametrize("size", [0, 1022, 1026])
def test_frame_of_another_size(size):
    with pytest.raises(EngineError, match=f"a frame of {size} bytes, expected 1024"):
        SileroDetector().probability(bytes(size))


def test_loads_beside_the_language_model_in_either_order():
    import llama_cpp

    assert SileroDetector().frame_samples == 512
    assert llama_cpp.llama_max_devices() > 0
