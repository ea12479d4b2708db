"""What the callers of a benchmark say, read from a YAML file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.demo_script import Fact

Program = Literal["flite", "espeak-ng", "piper"]


class Kind(StrEnum):
    """What a line is for."""

    QUESTION = "question"
    PAUSE = "pause"
    LONG = "long"
    DISTURBANCE = "disturbance"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Voice(_Part):
    """Who speaks: a program, and the name that it gives to a voice."""

    program: Program
    voice: str = ""


def _pieces(says: Any) -> Any:
    return says if isinstance(says, list) else [says]


Says = Annotated[tuple[float | str, ...], BeforeValidator(_pieces)]


class Line(_Part):
    """One thing that a caller says; ``says`` has words, and between them silences in seconds."""

    id: str
    kind: Kind
    voice: str = ""
    says: Says = ()
    sound: Literal["", "cough", "line noise", "crackle"] = ""
    hears: tuple[Fact, ...] = ()
    document: str = Field("", alias="from")

    @property
    def text(self) -> str:
        """The words alone."""
        return " ".join(piece for piece in self.says if isinstance(piece, str))


class BenchScript(_Part):
    """The whole script."""

    number: str
    voices: dict[str, Voice]
    lines: tuple[Line, ...]

    @model_validator(mode="after")
    def _check(self) -> BenchScript:
        for line in self.lines:
            if bool(line.sound) == bool(line.says):
                raise ValueError(f"{line.id}: either a sound or words")
            if line.says and line.voice not in self.voices:
                raise ValueError(f"{line.id}: no voice is called {line.voice!r}")
        if len({line.id for line in self.lines}) < len(self.lines):
            raise ValueError("an id comes twice")
        return self

    def of(self, kind: Kind) -> tuple[Line, ...]:
        """The lines of one kind, in their order."""
        return tuple(line for line in self.lines if line.kind is kind)


_SECTIONS = {
    "questions": Kind.QUESTION,
    "pauses": Kind.PAUSE,
    "long": Kind.LONG,
    "disturbances": Kind.DISTURBANCE,
}


def read_bench_script(path: Path) -> BenchScript:
    """Read a script. Raises SandboxError where it is missing or not one."""
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        lines = [
            {**line, "kind": kind}
            for section, kind in _SECTIONS.items()
            for line in tree.pop(section, ())
        ]
        return BenchScript.model_validate({**tree, "lines": lines})
    except (OSError, yaml.YAMLError, ValidationError, TypeError, AttributeError) as error:
        raise SandboxError(f"{path}: not a script for the benchmark: {error}") from None
