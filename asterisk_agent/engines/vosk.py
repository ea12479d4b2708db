"""Recognition while the caller speaks, by vosk (Kaldi)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asterisk_agent.engines.base import RECOGNISER_RATE_HZ
from asterisk_agent.engines.loading import engine_errors
from asterisk_agent.engines.worker import now_s
from asterisk_agent.errors import EngineError
from asterisk_agent.events import Transcript

_SAMPLE_BYTES = 2
_ERRORS_ONLY = -1


class VoskRecognizer:
    """A streaming ``Recognizer`` from the folder of a vosk model.

    Raises EngineError where that is missing or broken.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"vosk {folder.name}"
        hint = f"run: asterisk-agent models pull {folder.name}"
        if not (folder / "am" / "final.mdl").is_file():
            raise EngineError(f"{folder}: not a vosk model (no am/final.mdl)", hint=hint)
        with engine_errors(f"the vosk model {folder} cannot be loaded", hint):
            import vosk  # noqa: PLC0415

            vosk.SetLogLevel(_ERRORS_ONLY)
            self._library: Any = vosk
            self._model = vosk.Model(str(folder))

    def session(self) -> VoskSession:
        """Begin to listen. Sessions share the model; each may be on a thread of its own."""
        with engine_errors(f"{self.name} failed"):
            recogniser = self._library.KaldiRecognizer(self._model, float(RECOGNISER_RATE_HZ))
            recogniser.SetWords(True)
        return VoskSession(self.name, recogniser)


class VoskSession:
    """One caller's ear. ``recogniser`` is vosk's own."""

    def __init__(self, name: str, recogniser: Any) -> None:
        self._name = name
        self._recogniser = recogniser
        self._words: list[tuple[str, float]] = []
        self._audio_s = 0.0
        self._compute_s = 0.0

    def feed(self, pcm: bytes) -> str:
        """Take 16 kHz audio; return the words understood so far."""
        began = now_s()
        self._audio_s += len(pcm) / _SAMPLE_BYTES / RECOGNISER_RATE_HZ
        partial = ""
        with engine_errors(f"{self._name} failed"):
            if pcm and self._recogniser.AcceptWaveform(pcm):
                self._take(self._recogniser.Result())
            else:
                partial = json.loads(self._recogniser.PartialResult()).get("partial", "")
        self._compute_s += now_s() - began
        return " ".join([*self._known(), partial]).strip()

    def result(
        self, cancelled: Callable[[], bool] = lambda: False, *, careful: bool = False
    ) -> Transcript:
        """What was said since the last ``reset``; more may be fed afterwards.

        It hears as carefully as it can the first time.

        ``compute_s`` is all the work on this turn, most of it done while the caller spoke.
        """
        began = now_s()
        with engine_errors(f"{self._name} failed"):
            self._take(self._recogniser.FinalResult())
        self._compute_s += now_s() - began
        sure = [confidence for _, confidence in self._words]
        return Transcript(
            text=" ".join(self._known()),
            confidence=sum(sure) / len(sure) if sure else 0.0,
            audio_s=self._audio_s,
            compute_s=self._compute_s,
        )

    def reset(self) -> None:
        """Forget the audio fed so far: a new turn begins."""
        self._recogniser.Reset()
        self._words.clear()
        self._audio_s = self._compute_s = 0.0

    def _known(self) -> list[str]:
        return [word for word, _ in self._words]

    def _take(self, answer: str) -> None:
        """A stretch of speech is final: keep its words and how sure vosk is of each."""
        said = json.loads(answer)
        words = [(w["word"], float(w["conf"])) for w in said.get("result", [])]
        # "[unk]", and with some models "[3]", are sounds that are no word.
        self._words += [(word, sure) for word, sure in words if not word.startswith("[")]
