"""What the demo plays and must hear, read from a YAML file; and whether it was heard."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from asterisk_agent.errors import SandboxError

Who = Literal["caller", "member"]
Fact = tuple[str, ...]
"""One thing to be heard, in any of these wordings: ``("89", "eighty nine")``."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Part):
    """A clip, the words in it, and what the other side must hear, or answer."""

    clip: str
    says: str
    hears: tuple[Fact, ...]


class Talk(Line):
    """A line of the talk between the caller and the team's member."""

    speaker: Who = Field(alias="from")


class Caller(_Part):
    """Whose number and name the call shows."""

    number: str
    name: str


class CallScript(_Part):
    """One call. The last turn makes the agent hand the caller over."""

    title: str
    caller: Caller
    greeting: tuple[Fact, ...]
    turns: tuple[Line, ...] = Field(min_length=1)
    brief: tuple[Fact, ...]
    talk: tuple[Talk, ...]
    hangs_up: Who


class Script(_Part):
    """The whole demo."""

    number: str
    member: str
    calls: tuple[CallScript, ...] = Field(min_length=1)


def read_script(path: Path) -> Script:
    """Read a script. Raises SandboxError where it is missing or not one."""
    try:
        return Script.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise SandboxError(f"{path}: not a script for the demo: {error}") from None


def missing(facts: Sequence[Fact], heard: str) -> list[str]:
    """The facts that are not among the words heard; capitals and punctuation do not count."""
    words = f" {_plain(heard)} "
    return [
        " / ".join(fact)
        for fact in facts
        if not any(f" {_plain(wording)} " in words for wording in fact)
    ]


def _plain(text: str) -> str:
    # "$1,450" is one number, "don't" one word, "8am" two; all else between words is a space.
    joined = re.sub(r"(?<=\d),(?=\d{3})|['\u2019]", "", text.lower())
    return " ".join(re.findall(r"\d+|[^\W\d_]+", joined))
