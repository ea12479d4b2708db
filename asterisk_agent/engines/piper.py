"""A voice by Piper (VITS through onnxruntime); espeak-ng's data comes with the package."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from asterisk_agent.engines.loading import engine_errors
from asterisk_agent.errors import EngineError

_HINT = "run: asterisk-agent models pull {0}"


class PiperSynthesizer:
    """A ``Synthesizer``. ``speed`` 1.0 is the voice's own pace, 2.0 twice as fast.

    ``variety`` is a share of the voice's own: with 1.0 a sentence sounds a little different each
    time, as people do; with 0.0 always the same, for whoever measures or tests.

    ``folder`` holds one ``*.onnx`` with its ``.onnx.json``, or is the ``.onnx`` itself. Raises
    EngineError where it does not.
    """

    def __init__(
        self,
        folder: Path,
        *,
        speed: float = 1.0,
        variety: float = 1.0,
        threads: int | None = None,
    ) -> None:
        path = folder if folder.suffix == ".onnx" else _only_voice(folder)
        self.name = f"piper {path.stem}"
        hint = _HINT.format(path.stem)
        with engine_errors(f"the voice {path} cannot be loaded", hint):
            import onnxruntime  # noqa: PLC0415
            from piper import PiperVoice, SynthesisConfig  # noqa: PLC0415
            from piper.config import PiperConfig  # noqa: PLC0415

            settings = json.loads(path.with_name(path.name + ".json").read_text("utf-8"))
            config = PiperConfig.from_dict(settings)
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads or os.cpu_count() or 1
            options.inter_op_num_threads = 1
            # It would keep a plan, and memory for it, for every length of a sentence there is.
            options.enable_mem_pattern = False
            options.log_severity_level = 3  # errors only
            # Idle threads that spin for the next sentence would take the recogniser's core.
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            session = onnxruntime.InferenceSession(
                str(path), sess_options=options, providers=["CPUExecutionProvider"]
            )
            self._voice = PiperVoice(session=session, config=config)
            self._style = partial(
                SynthesisConfig,
                noise_scale=config.noise_scale * variety,
                noise_w_scale=config.noise_w_scale * variety,
            )
            self._scale = config.length_scale / speed
        self.rate_hz: int = config.sample_rate

    def synthesize(self, text: str, *, pace: float = 1.0) -> Iterator[bytes]:
        """Yield PCM at ``rate_hz``, a sentence at a time. Nothing for a text without words.

        ``pace`` is a share of the usual speed.
        """
        spoken = _without_markup(text)
        if not re.search(r"\w", spoken):
            return
        with engine_errors(f"{self.name} cannot speak"):
            style = self._style(length_scale=self._scale / pace)
            for chunk in self._voice.synthesize(spoken, style):
                yield bytes(chunk.audio_int16_bytes)


def _only_voice(folder: Path) -> Path:
    voices = sorted(folder.glob("*.onnx"))
    if len(voices) != 1:
        raise EngineError(
            f"{folder}: {len(voices)} voices (*.onnx) in it, expected one",
            hint=_HINT.format(folder.name),
        )
    return voices[0]


def _without_markup(text: str) -> str:
    """Piper reads ``[[...]]`` as phonemes; no document or model shall write those."""
    return " ".join(text.replace("[[", " ").replace("]]", " ").replace("\0", " ").split())
