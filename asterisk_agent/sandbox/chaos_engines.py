"""Engines that fail on command, in the real engine process.

The product knows nothing of this: a ``sitecustomize`` that the sandbox puts in the way of the
service's Python wraps what ``engines.loader`` has loaded. A file says what fails, and how:
``recogniser hangs``, ``thinking garbage``; nothing in it, nothing fails.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from asterisk_agent.engines import loader
from asterisk_agent.engines.base import (
    Embedder,
    LanguageModel,
    Message,
    Recognizer,
    RecognizerSession,
    Synthesizer,
    Vector,
)
from asterisk_agent.engines.loader import Engines
from asterisk_agent.events import Transcript
from asterisk_agent.sandbox.clock import SLEEP_FIX
from asterisk_agent.sandbox.processes import package_environment

VARIABLE = "ASTERISK_AGENT_CHAOS"
"""Names the file that says what fails; set by the sandbox alone."""
RECOGNISER, THINKING, MODEL, VOICE = "recogniser", "thinking", "model", "voice"
RAISES, HANGS, GARBAGE, NOTHING = "raises", "hangs", "garbage", "nothing"
WAYS = (RAISES, HANGS, GARBAGE, NOTHING)
LOOK_S = 0.05
WORDS = [
    "wibble",
    "frotz",
    "the",
    "of",
    "xyzzy",
    "a",
    "plugh",
    "and",
    "quux",
    "with",
    "blorb",
    "to",
    "snark",
]
SLEEPS = "ASTERISK_AGENT_CHAOS_SLEEPS"
"""Set where a clock of the sandbox's needs its mended ``time.sleep``."""
SITE = f"""\
import os, sys
if os.environ.get("{SLEEPS}"):
    exec({SLEEP_FIX!r})
if "asterisk_agent.engine_process" in sys.orig_argv:
    from asterisk_agent.sandbox import chaos_engines
    chaos_engines.install()
"""


class BrokenError(Exception):
    """What no engine is allowed to raise, and libraries raise all the same."""


class Switch:
    """What fails now."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def set(self, engine: str = "", way: str = "") -> None:
        """Let an engine fail in one of ``WAYS``; or none."""
        temporary = self._path.with_suffix(".new")
        temporary.write_text(f"{engine} {way}".strip(), encoding="ascii")
        temporary.replace(self._path)

    def way(self, engine: str) -> str:
        """How this engine fails now, or ""; after what it raises or how long it hangs."""
        while (found := self._read(engine)) == HANGS:
            time.sleep(LOOK_S)
        if found == RAISES:
            raise BrokenError(f"{engine} is broken")
        return found

    def _read(self, engine: str) -> str:
        try:
            name, _, way = self._path.read_text(encoding="ascii").partition(" ")
        except OSError:
            return ""
        return way if name == engine else ""


def write_site(folder: Path) -> dict[str, str]:
    """Put the ``sitecustomize`` into a new folder; the environment that a service needs for it."""
    folder.mkdir(parents=True)
    (folder / "sitecustomize.py").write_text(SITE, encoding="utf-8")
    switch = folder / "switch"
    Switch(switch).set()
    return {VARIABLE: str(switch)}


def python_path(folder: Path) -> str:
    """PYTHONPATH with our ``sitecustomize`` before everything else."""
    return f"{folder}{os.pathsep}{package_environment()['PYTHONPATH']}"


def install() -> None:
    """Wrap what this process loads, if the sandbox wants it."""
    path = os.environ.get(VARIABLE)
    if path is None:
        return
    switch, load = Switch(Path(path)), loader.load

    def wrapped(*arguments: Any, **keywords: Any) -> Engines:
        return spoilt(load(*arguments, **keywords), switch)

    loader.load = wrapped


def spoilt(engines: Engines, switch: Switch) -> Engines:
    """The same engines, which fail when the switch says so."""
    return replace(
        engines,
        recognizer=SpoiltRecognizer(engines.recognizer, switch),
        model=None if engines.model is None else SpoiltModel(engines.model, switch),
        embedder=SpoiltEmbedder(engines.embedder, switch),
        synthesizer=SpoiltSynthesizer(engines.synthesizer, switch),
    )


class SpoiltRecognizer:
    """A ``Recognizer``."""

    def __init__(self, real: Recognizer, switch: Switch) -> None:
        self.name = real.name
        self._real, self._switch = real, switch

    def session(self) -> SpoiltSession:
        """Begin to listen."""
        return SpoiltSession(self._real.session(), self._switch)


class SpoiltSession:
    """A ``RecognizerSession``."""

    def __init__(self, real: RecognizerSession, switch: Switch) -> None:
        self._real, self._switch = real, switch

    def feed(self, pcm: bytes) -> str:
        """Take audio."""
        return self._real.feed(pcm)

    def result(
        self, cancelled: Callable[[], bool] = lambda: False, *, careful: bool = False
    ) -> Transcript:
        """What was said, or not."""
        way = self._switch.way(RECOGNISER)
        if way == GARBAGE:
            chance = random.Random()  # noqa: S311 - noise
            return Transcript(" ".join(chance.choices(WORDS, k=9)), 0.9)
        if way == NOTHING:
            return Transcript("", 0.0)
        return self._real.result(cancelled, careful=careful)

    def reset(self) -> None:
        """Forget the audio."""
        self._real.reset()


class SpoiltEmbedder:
    """An ``Embedder``: where the answer comes from."""

    def __init__(self, real: Embedder, switch: Switch) -> None:
        self.name = real.name
        self._real, self._switch = real, switch

    def passages(self, texts: Sequence[str]) -> Vector:
        """Documents are read before callers come: these never fail."""
        return self._real.passages(texts)

    def query(self, text: str) -> Vector:
        """Vectors of a question, or something else."""
        way, right = self._switch.way(THINKING), self._real.query(text)
        if way == GARBAGE:
            noise = np.random.default_rng().standard_normal(right.shape).astype(np.float32)
            return np.asarray(noise / np.linalg.norm(noise), dtype=np.float32)
        return np.zeros_like(right) if way == NOTHING else right


class SpoiltModel:
    """A ``LanguageModel``."""

    def __init__(self, real: LanguageModel, switch: Switch) -> None:
        self.name, self.parameters = real.name, real.parameters
        self._real, self._switch = real, switch

    @property
    def tokens(self) -> int:
        """As many as there are."""
        return self._real.tokens

    def generate(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[str]:
        """An answer, or something else."""
        way = self._switch.way(MODEL)
        if way == GARBAGE:
            chance = random.Random()  # noqa: S311 - noise
            yield from (f"{chance.choice(WORDS)} " for _ in range(max_tokens))
        elif way != NOTHING:
            yield from self._real.generate(messages, max_tokens=max_tokens, cancelled=cancelled)


class SpoiltSynthesizer:
    """A ``Synthesizer``."""

    def __init__(self, real: Synthesizer, switch: Switch) -> None:
        self.name, self.rate_hz = real.name, real.rate_hz
        self._real, self._switch = real, switch

    def synthesize(self, text: str, *, pace: float = 1.0) -> Iterator[bytes]:
        """Speech, or something else."""
        way = self._switch.way(VOICE)
        if way == GARBAGE:
            yield random.Random(len(text)).randbytes(2 * self.rate_hz)  # noqa: S311 - noise
        elif way != NOTHING:
            yield from self._real.synthesize(text, pace=pace)
