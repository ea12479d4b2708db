"""Voice detection by Silero VAD v6 at a telephone line's own 8 kHz, through onnxruntime.

The network maps a frame, with the end of the one before, and its memory to a probability and the
next memory; each detector keeps its own memory while all share the session. It knows 16 kHz, too,
but not telephone speech brought to that rate: there it missed every tenth caller's first third of
a second, and of 124 clips two from end to end (docs/decisions/0025).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from asterisk_agent.audio import LINE_RATE_HZ, SAMPLE_BYTES
from asterisk_agent.engines.base import Vector
from asterisk_agent.engines.loading import engine_errors
from asterisk_agent.errors import EngineError

FILE = "silero_vad.onnx"
_FRAME_SAMPLES = 256
_CONTEXT_SAMPLES = 32
"""The network sees the end of the frame before, too."""
_MEMORY_SHAPE = (2, 1, 128)
_HINT = "run: asterisk-agent models verify"


class SileroDetector:
    """A ``VoiceDetector``. One per call; a frame of 32 ms costs about 0.17 ms of one core."""

    frame_samples: int = _FRAME_SAMPLES

    def __init__(self, folder: Path) -> None:
        self._session = _shared_session(folder / FILE)
        self._input = np.zeros((1, _CONTEXT_SAMPLES + _FRAME_SAMPLES), np.float32)
        self._memory: Vector = np.zeros(_MEMORY_SHAPE, np.float32)
        self._rate = np.array(LINE_RATE_HZ, np.int64)

    def probability(self, pcm: bytes) -> float:
        """Probability of speech in exactly ``frame_samples`` samples at 8 kHz."""
        if len(pcm) != _FRAME_SAMPLES * SAMPLE_BYTES:
            expected = _FRAME_SAMPLES * SAMPLE_BYTES
            raise EngineError(f"a frame of {len(pcm)} bytes, expected {expected}")
        self._input[0, :_CONTEXT_SAMPLES] = self._input[0, -_CONTEXT_SAMPLES:]
        self._input[0, _CONTEXT_SAMPLES:] = np.frombuffer(pcm, dtype="<i2")
        self._input[0, _CONTEXT_SAMPLES:] /= 32768
        given = {"input": self._input, "state": self._memory, "sr": self._rate}
        with engine_errors("voice detection failed"):
            probability, memory = self._session.run(None, given)
        np.copyto(self._memory, memory)
        return float(probability[0, 0])

    def reset(self) -> None:
        """Forget what was heard before."""
        for memory in (self._input, self._memory):
            memory.fill(0)


@cache
def _shared_session(path: Path) -> Any:
    with engine_errors("voice detection cannot be loaded", _HINT):
        import onnxruntime  # noqa: PLC0415

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        return onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
