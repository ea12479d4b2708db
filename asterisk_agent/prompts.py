"""The sentences that Asterisk plays by itself, as sound files beside the generated dialplan.

On a failure path nothing may depend on a voice being made just then, so every prompt there is a
file on disk.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from asterisk_agent import audio
from asterisk_agent.brain.phrases import phrases_for
from asterisk_agent.config.paths import data_directory
from asterisk_agent.config.schema import Config
from asterisk_agent.engines.base import Synthesizer
from asterisk_agent.speech import sentences, speakable

PAUSE_S = 0.25
"""Between two sentences of a prompt."""


def recorded(config: Config) -> dict[str, str]:
    """What each sound file says, by its name without an ending."""
    phrases = phrases_for(config.agent.language)
    prompts = {
        "apology": phrases.broken,
        "connecting": phrases.line_busy,
        "handed-over": phrases.connecting,
        "emergency": phrases.emergency,
        "no-message-taken": phrases.nobody_answered,
        "switched-open": phrases.switch_open,
        "switched-closed": phrases.switch_closed,
        "switched-people": phrases.switch_people,
        "switched-schedule": phrases.switch_schedule,
        "switch-failed": phrases.switch_failed,
    }
    for message_id, message in config.messages.items():
        if message.text is not None:
            prompts[f"message-{message_id}"] = message.text
    return prompts


def render(config: Config, directory: Path, voice: Callable[[], Synthesizer]) -> list[Path]:
    """Write the sound files that are missing or say something else now; return those.

    What was spoken once is kept in the data directory. Beside each ``.wav`` lies a ``.txt`` with
    the hash of what it says, and in which voice. ``voice`` is only called if something is new.
    Raises EngineError, OSError.
    """
    cache = data_directory() / "prompts"
    for folder in (directory, cache):
        folder.mkdir(parents=True, exist_ok=True)
    tts = config.engines.tts
    written = []
    synthesizer: Synthesizer | None = None
    for name, text in recorded(config).items():
        path, mark = directory / f"{name}.wav", directory / f"{name}.txt"
        wanted = hashlib.sha256(f"{tts.voice}\n{tts.speed}\n{text}".encode()).hexdigest()
        if path.exists() and mark.exists() and mark.read_text(encoding="ascii") == wanted:
            continue
        kept = cache / f"{wanted}.wav"
        if not kept.exists():
            synthesizer = synthesizer or voice()
            temporary = kept.with_suffix(f".{os.getpid()}")
            audio.write_wav(temporary, _speak(text, config, synthesizer), audio.LINE_RATE_HZ)
            temporary.replace(kept)
        shutil.copyfile(kept, path)
        mark.write_text(wanted, encoding="ascii")
        written.append(path)
    return written


def _speak(text: str, config: Config, synthesizer: Synthesizer) -> bytes:
    spoken = bytearray()
    for sentence in sentences(text):
        words = speakable(sentence, config.agent.language)
        pcm = b"".join(synthesizer.synthesize(words))
        spoken += audio.resample(pcm, synthesizer.rate_hz, audio.LINE_RATE_HZ)
        spoken += audio.silence(PAUSE_S)
    return bytes(spoken)
