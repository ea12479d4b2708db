"""Whose words the agent answers in: the documents' own, or a language model's under the gate.

``answers: auto`` goes by what the model scored on this machine: ``asterisk-agent evaluate
--compare`` asks the same questions both ways and leaves the result in the state folder. It holds
for that model, those documents and this version; without one, the documents speak for themselves.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from asterisk_agent.brain.documents import contents
from asterisk_agent.config.schema import Config
from asterisk_agent.errors import AgentError

FILE = "answers.json"
COMMAND = "asterisk-agent evaluate --compare"
SLOWEST_MS = 1500.0
"""A model whose answers take longer than that (p95) is no gain on the telephone."""
LEAST_WORDED = 0.2
"""Share of the answers that the model must put otherwise; else it only costs time."""


@dataclass(frozen=True, slots=True)
class Score:
    """What one way of answering was worth. ``worded``: share put otherwise than the documents."""

    wrong: int
    right: float
    p95_ms: float
    worded: float = 0.0


@dataclass(frozen=True, slots=True)
class Wording:
    """``generative``: a model words the answers. ``why`` is for the operator."""

    generative: bool
    why: str

    @property
    def kind(self) -> str:
        """As ``engines.llm.answers`` calls it."""
        return "generative" if self.generative else "extractive"


def wording(config: Config) -> Wording:
    """Which way answers are worded with this configuration, and why. Reads the state folder."""
    llm = config.engines.llm
    if llm.engine == "none":
        return Wording(False, "there is no language model")
    if llm.answers != "auto":
        return Wording(llm.answers == "generative", f"engines.llm.answers is {llm.answers}")
    stored = _read(config.state_directory / FILE)
    if stored is None:
        return Wording(False, f"{llm.model} was not measured here; run: {COMMAND}")
    if stored["key"] != key(config):
        why = "it was measured with another model, version or other documents"
        return Wording(False, f"{why}; run: {COMMAND}")
    return compare(_score(stored["extractive"]), _score(stored["generative"]), llm.model)


def compare(extractive: Score, generative: Score, model: str) -> Wording:
    """The better way by two scores of the same questions."""
    if generative.wrong > extractive.wrong:
        return Wording(False, f"{model} answered {generative.wrong} wrong")
    if generative.right < extractive.right:
        shares = f"{generative.right:.1%} right, the documents' own words {extractive.right:.1%}"
        return Wording(False, f"{model} got {shares}")
    if generative.worded < LEAST_WORDED:
        share = f"{generative.worded:.0%} of the answers"
        return Wording(False, f"{model} put no more than {share} in other words")
    if generative.p95_ms > SLOWEST_MS:
        return Wording(False, f"{model} took {generative.p95_ms:.0f} ms (p95)")
    return Wording(True, f"{model} got {generative.right:.1%} right and none more wrong")


def store(config: Config, extractive: Score, generative: Score, at: datetime) -> Wording:
    """Keep two scores for ``answers: auto``, and say what follows. Raises AgentError."""
    path = config.state_directory / FILE
    written = {
        "key": key(config),
        "at": at.isoformat(timespec="seconds"),
        "extractive": asdict(extractive),
        "generative": asdict(generative),
    }
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        hint = "the result is kept in the state folder; make it writable for this user"
        raise AgentError(f"{path}: cannot be written: {error.strerror}", hint=hint) from None
    return compare(extractive, generative, config.engines.llm.model)


def key(config: Config) -> str:
    """What a result holds for: the model, the documents of every channel, this version."""
    llm = config.engines.llm
    digest = hashlib.sha256()
    for part in (
        llm.engine,
        llm.model,
        str(llm.url or ""),
        metadata.version("asterisk-call-agent"),
    ):
        digest.update(f"{part}\0".encode())
    for channel in config.channels.values():
        digest.update(f"{channel.id}\0".encode())
        for text in contents(config.knowledge_directory, channel.knowledge):
            digest.update(hashlib.sha256(text).digest())
    return digest.hexdigest()


def _read(path: Path) -> Mapping[str, Any] | None:
    """A stored result; None where there is none that can be read."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        _score(stored["extractive"]), _score(stored["generative"])
        return stored if isinstance(stored["key"], str) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _score(stored: Mapping[str, Any]) -> Score:
    known = {field.name: stored[field.name] for field in fields(Score)}
    if not all(isinstance(value, int | float) for value in known.values()):
        raise ValueError("not a score")
    return Score(**known)
