"""What a fuzz target is, and what is held against it for one input."""

from __future__ import annotations

import importlib
import logging
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
CORPUS = TESTS / "data" / "fuzz"
ONE_INPUT = Callable[[bytes], None]
READY = AbstractContextManager[ONE_INPUT]


@dataclass(frozen=True, slots=True)
class Target:
    """``fuzzing.MODULE`` has a context of this name that gives what takes one input.

    That returns for every input that is taken or refused as documented, and raises for a finding.
    ``limit_s`` is the processor time that no input of ``longest`` bytes may need; ``libraries``
    are others' code whose branches are followed, too.
    """

    name: str
    module: str
    what: str
    longest: int = 4_096
    limit_s: float = 1.0
    libraries: tuple[str, ...] = ()

    def ready(self) -> READY:
        """Make it ready, for as long as the context lasts."""
        made: READY = getattr(importlib.import_module(f"fuzzing.{self.module}"), self.name)()
        return made

    @property
    def corpus(self) -> Path:
        """Where its kept inputs lie."""
        return CORPUS / self.name


TARGETS = {
    target.name: target
    for target in (
        Target("agi", "wires", "FastAGI lines, both kinds", 12_000),
        Target("audiosocket", "wires", "AudioSocket messages", 2_048),
        Target("control", "wires", "the console's requests to the service", 6_000),
        Target("lifeline", "wires", "what service and supervisor tell each other"),
        Target("ami", "wires", "what the manager interface sends", libraries=("panoramisk",)),
        Target("messages", "wires", "the engine process's messages"),
        Target("reception", "wires", "the dialplan's questions, answered"),
        Target("yaml", "files", "one configuration file", 8_192, libraries=("yaml",)),
        Target("config", "files", "a whole configuration, and the dialplan of it", 8_192, 3.0),
        Target("plan", "files", "plan.json and a question for the rescue script", 16_384),
        Target("waiting", "files", "the file of calls that wait for the call log"),
        Target("documents", "files", "Markdown, text and YAML documents", 8_192),
        Target("pdf", "files", "PDF documents", 16_384, 3.0, ("pypdf",)),
        Target("speech", "files", "text on its way to the voice"),
        Target("web", "forms", "every form of the console", 4_096, 3.0),
    )
}


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that broke a target. ``kind`` is the error and the line that raised it."""

    target: str
    kind: str
    told: str
    data: bytes

    @property
    def name(self) -> str:
        """For its file: the same for the same fault."""
        return f"{self.target}-{sha256(self.kind.encode()).hexdigest()[:10]}"


def attempt(target: Target, one_input: ONE_INPUT, data: bytes) -> Finding | None:
    """Give a target one input, and see what comes of it."""
    began = time.process_time()
    try:
        one_input(data)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        return Finding(target.name, _kind(error), "".join(traceback.format_exception(error)), data)
    took_s = time.process_time() - began
    if took_s > target.limit_s:
        return Finding(target.name, "slow", f"{took_s:.1f} s of processor time", data)
    return None


def _kind(error: Exception) -> str:
    """The error's type, and where it came from: the innermost line of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "asterisk_agent" in f.filename or "fuzzing/" in f.filename]
    at = ours[-1] if ours else frames[-1]
    return f"{type(error).__name__} at {Path(at.filename).name}:{at.name}:{at.lineno}"


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing is logged: a hundred thousand refusals are no news."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@contextmanager
def folder() -> Iterator[Path]:
    """A folder, in memory where there is some."""
    memory = Path("/dev/shm")
    where = memory if memory.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=where) as name:
        yield Path(name)


def pieces(data: bytes) -> list[bytes]:
    """An input as a network would deliver it: its first byte says in which pieces."""
    if not data:
        return []
    size, rest = data[0] or len(data), data[1:]
    return [rest[start : start + size] for start in range(0, len(rest), size)]
