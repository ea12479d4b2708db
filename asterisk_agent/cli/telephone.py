"""A caller of flesh and bone, as far as a machine can be one: a voice on a telephone line."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from asterisk_agent.errors import AgentError

if TYPE_CHECKING:
    from asterisk_agent.config.schema import Config

FLITE = "flite:"
"""Before the name of a voice of the ``flite`` program, where that is installed."""
_MARGIN_S = 0.3


class Telephone:
    """Speaks a text, sends it through µ-law at 8 kHz, and tells what the recogniser hears."""

    def __init__(self, config: Config, voice: str = "") -> None:
        from asterisk_agent.engines.loader import load_recognizer, load_synthesizer

        self._language = config.agent.language
        self._session = load_recognizer(config.engines.stt, self._language).session()
        self._flite = voice.removeprefix(FLITE) if voice.startswith(FLITE) else None
        if self._flite is not None and self._flite not in _flite_voices():
            raise AgentError(f"flite has no voice {self._flite!r}", hint="see: flite -lv")
        if self._flite is None:
            tts = config.engines.tts
            self._voice = load_synthesizer(
                tts.model_copy(update={"voice": voice}) if voice else tts
            )
        self.last_ms = 0.0
        """How long the recogniser took for the last utterance."""

    def say(self, text: str) -> str:
        """What is heard of ``text``."""
        from asterisk_agent.audio import resample
        from asterisk_agent.engines.base import RECOGNISER_RATE_HZ

        pcm, rate_hz = self._spoken(text)
        line = through_mu_law(resample(pcm, rate_hz, 8_000))
        margin = bytes(2 * round(_MARGIN_S * 8_000))
        self._session.reset()
        self._session.feed(resample(margin + line + margin, 8_000, RECOGNISER_RATE_HZ))
        heard = self._session.result()
        self.last_ms = heard.compute_s * 1000
        return heard.text

    def again(self) -> str:
        """What is heard of the last text when one listens more carefully."""
        heard = self._session.result(careful=True)
        self.last_ms += heard.compute_s * 1000
        return heard.text

    def _spoken(self, text: str) -> tuple[bytes, int]:
        from asterisk_agent.audio import read_wav
        from asterisk_agent.speech import speakable

        words = speakable(text, self._language)
        if self._flite is None:
            return b"".join(self._voice.synthesize(words)), self._voice.rate_hz
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "said.wav")
            command = ["flite", "-voice", self._flite, "-t", words, "-o", str(file)]
            done = subprocess.run(command, capture_output=True, check=False)
            if done.returncode or not file.is_file():
                raise AgentError(f"flite could not speak with the voice {self._flite!r}")
            return read_wav(file)


def _flite_voices() -> list[str]:
    if shutil.which("flite") is None:
        raise AgentError("the program flite is not installed", hint="name a voice of Piper")
    listed = subprocess.run(["flite", "-lv"], capture_output=True, text=True, check=False)
    return listed.stdout.partition(":")[2].split()


def through_mu_law(pcm: bytes) -> bytes:
    """16-bit audio as it comes out of a µ-law line."""
    import numpy as np

    x = np.frombuffer(pcm, "<i2").astype(np.float64) / 32768
    coded = np.round(np.sign(x) * np.log1p(255 * np.abs(x)) / np.log1p(255) * 127) / 127
    back = np.sign(coded) * np.expm1(np.abs(coded) * np.log1p(255)) / 255
    return bytes((np.clip(back, -1, 1) * 32767).astype("<i2").tobytes())
