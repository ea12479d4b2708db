"""Recognition by Whisper on a short window, through CTranslate2.

Whisper was trained on windows of 30 s and is usually run on them, which on two cores costs 0.6 s
of encoding for any "yes". Its encoder takes fewer frames as well. Measured on 55 clips of five
voices at telephone rate: with windows under 6 s the decoder often says a short utterance over
and over; with 10 s and more it hardly does, is about as accurate as with 30 s, and takes 0.13 s.
So a window has at least 10 s, and an answer that repeats itself is asked for again on a longer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from asterisk_agent.engines.base import RECOGNISER_RATE_HZ
from asterisk_agent.engines.loading import engine_errors
from asterisk_agent.engines.plausible import is_noise, repeats, without_notes
from asterisk_agent.engines.worker import now_s
from asterisk_agent.errors import EngineError
from asterisk_agent.events import Transcript

Samples = npt.NDArray[np.float32]

HOP = 160
"""Samples in one mel frame: 10 ms."""
MAX_FRAMES, STEP = 3000, 200
PAD_S = 0.5
"""Silence after the speech, so that the decoder sees its end."""
LONGEST_S = MAX_FRAMES * HOP / RECOGNISER_RATE_HZ - PAD_S
"""Longer audio is heard in pieces, cut where it is quiet."""
SHORTEST_S = 0.1
SILENCE_DBFS = -60.0
_TOKENS_PER_S, _SPARE_TOKENS = 8, 12
"""Quick speech has about 5 tokens a second; what goes on beyond is a loop."""


class _Effort(NamedTuple):
    """``frames`` of the window at least, ``beams`` that are followed."""

    frames: int
    beams: int


_ORDINARY, _CAREFUL = _Effort(1000, 2), _Effort(1500, 5)


class WhisperRecognizer:
    """A ``Recognizer`` from the folder of a CTranslate2 Whisper model.

    ``language`` is what callers speak ("en", "en-US"). ``at_once`` turns are recognised at the
    same time, each on one core: a second core makes none of them quicker (measured: 250 ms on
    one, 245 ms on two), but two of them take 320 ms together. Raises EngineError where the model
    is missing or broken, or does not know the language.
    """

    def __init__(
        self,
        folder: Path,
        language: str = "en",
        *,
        at_once: int = 1,
    ) -> None:
        self.name = f"whisper {folder.name}"
        hint = f"run: asterisk-agent models pull {folder.name}"
        with engine_errors(f"the whisper model {folder} cannot be loaded", hint):
            import ctranslate2  # noqa: PLC0415
            import tokenizers  # noqa: PLC0415
            from faster_whisper.feature_extractor import FeatureExtractor  # noqa: PLC0415

            self._library: Any = ctranslate2
            self._model = ctranslate2.models.Whisper(
                str(folder),
                device="cpu",
                compute_type="int8",
                intra_threads=1,
                inter_threads=at_once,
            )
            self._tokens: Any = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._features = FeatureExtractor(feature_size=self._model.n_mels)
        self._prompt = self._prompt_for(language)

    def session(self) -> WhisperSession:
        """Begin to listen."""
        return WhisperSession(self)

    def transcribe(
        self, pcm: bytes, cancelled: Callable[[], bool] = lambda: False, *, careful: bool = False
    ) -> Transcript:
        """Recognise 16 kHz audio of any length. Noise and silence are "" with confidence 0."""
        effort = _CAREFUL if careful else _ORDINARY
        began = now_s()
        samples: Samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
        samples /= 32768
        heard = [self._hear(piece, cancelled, effort) for piece in _pieces(samples)]
        spoken = [(text, sure) for text, sure in heard if text]
        return Transcript(
            text=" ".join(text for text, _ in spoken),
            confidence=sum(sure for _, sure in spoken) / len(spoken) if spoken else 0.0,
            audio_s=len(samples) / RECOGNISER_RATE_HZ,
            compute_s=now_s() - began,
        )

    def _hear(
        self, samples: Samples, cancelled: Callable[[], bool], effort: _Effort
    ) -> tuple[str, float]:
        """Text and confidence of at most ``LONGEST_S`` of audio."""
        seconds = len(samples) / RECOGNISER_RATE_HZ
        if seconds < SHORTEST_S or _level_dbfs(samples) < SILENCE_DBFS:
            return "", 0.0
        frames = max(effort.frames, STEP * math.ceil((seconds + PAD_S) * 100 / STEP))
        frames = min(frames, MAX_FRAMES)
        text, confidence, nothing = self._decode(samples, frames, cancelled, effort.beams)
        if repeats(text) and frames < MAX_FRAMES:
            text, confidence, nothing = self._decode(samples, MAX_FRAMES, cancelled, effort.beams)
        text = without_notes(text)
        if not text or is_noise(confidence, nothing):
            return "", 0.0
        # What repeats itself even so may be a caller who does, or a loop: not to be trusted.
        return text, confidence / 2 if repeats(text) else confidence

    def _decode(
        self, samples: Samples, frames: int, cancelled: Callable[[], bool], beams: int
    ) -> tuple[str, float, float]:
        """Text, mean probability of its tokens, probability that nobody spoke."""
        window = np.zeros(frames * HOP, np.float32)
        used = min(len(samples), len(window))
        window[:used] = samples[:used]
        most = _SPARE_TOKENS + math.ceil(used / RECOGNISER_RATE_HZ * _TOKENS_PER_S)
        with engine_errors(f"{self.name} failed"):
            mel = self._features(window, padding=0)[:, :frames]
            batch = self._library.StorageView.from_array(np.ascontiguousarray(mel[None]))
            if cancelled():
                return "", 0.0, 1.0
            encoded = self._model.encode(batch)
            if cancelled():
                return "", 0.0, 1.0
            found = self._model.generate(
                encoded,
                [self._prompt],
                beam_size=beams,
                max_length=len(self._prompt) + most,
                return_scores=True,
                return_no_speech_prob=True,
            )[0]
            ids = found.sequences_ids[0]
            text = str(self._tokens.decode(ids)).strip()
        # The score is the sum of log probabilities, with the end's, over the text's tokens.
        mean = found.scores[0] * len(ids) / (len(ids) + 1)
        return text, math.exp(min(0.0, mean)), float(found.no_speech_prob)

    def _prompt_for(self, language: str) -> list[int]:
        code = language.replace("_", "-").split("-")[0].lower()
        if self._tokens.token_to_id(f"<|{code}|>") is None:
            raise EngineError(
                f"{self.name} does not know the language {language!r}",
                hint="set agent.language in agent.yaml to a code such as en",
            )
        names = ("startoftranscript", code, "transcribe", "notimestamps")
        return [int(self._tokens.token_to_id(f"<|{name}|>")) for name in names]


class WhisperSession:
    """One caller's ear: collects the audio, and recognises when asked."""

    def __init__(self, recogniser: WhisperRecognizer) -> None:
        self._recogniser = recogniser
        self._audio = bytearray()
        self._last: tuple[int, bool, Transcript] | None = None

    def feed(self, pcm: bytes) -> str:
        """Take 16 kHz audio. Always "": Whisper hears a turn as a whole."""
        self._audio += pcm
        return ""

    def result(
        self, cancelled: Callable[[], bool] = lambda: False, *, careful: bool = False
    ) -> Transcript:
        """What was said since the last ``reset``; asking again without more audio is free."""
        if self._last is None or self._last[:2] != (len(self._audio), careful):
            pcm = bytes(self._audio)
            transcript = self._recogniser.transcribe(pcm, cancelled, careful=careful)
            if cancelled():
                return transcript
            self._last = len(pcm), careful, transcript
        return self._last[2]

    def reset(self) -> None:
        """Forget the audio fed so far: a new turn begins."""
        self._audio.clear()
        self._last = None


def _level_dbfs(samples: Samples) -> float:
    """The loudest 20 ms in dB below full scale: a short word in a long silence counts."""
    step = RECOGNISER_RATE_HZ // 50
    whole = samples[: len(samples) // step * step].reshape(-1, step)
    loudest = float(np.max(np.mean(whole * whole, axis=1)))
    return 10 * math.log10(loudest + 1e-12)


def _pieces(samples: Samples) -> Iterator[Samples]:
    """Cut long audio at the quietest fifth of a second in each window's last third."""
    longest = int(LONGEST_S * RECOGNISER_RATE_HZ)
    step = RECOGNISER_RATE_HZ // 5
    while len(samples) > longest:
        tail = samples[longest * 2 // 3 : longest]
        energy = np.mean(tail[: len(tail) // step * step].reshape(-1, step) ** 2, axis=1)
        cut = longest * 2 // 3 + int(np.argmin(energy)) * step + step // 2
        yield samples[:cut]
        samples = samples[cut:]
    yield samples
