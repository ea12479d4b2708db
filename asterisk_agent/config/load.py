"""YAML files → ``schema.Config``, or every mistake in them at once.

Three steps: ``yaml_text`` and ``tree`` make text a tree of plain text, lists and mappings that
knows its lines; ``explaining`` gives it the schema's types; ``references`` looks up the names
that point elsewhere. Each step goes on past a mistake, so that an operator mends a file once and
not ten times.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asterisk_agent.config import schema
from asterisk_agent.config.explaining import typed
from asterisk_agent.config.oddities import note_oddities
from asterisk_agent.config.problems import Problem
from asterisk_agent.config.references import check_names
from asterisk_agent.config.schema import Config
from asterisk_agent.config.yaml_text import read
from asterisk_agent.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Survey:
    """A configuration directory read: the configuration, or None and every problem in it.

    ``warnings`` are allowed, but probably not meant. Both go file by file and line by line.
    """

    config: Config | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def load(directory: Path) -> Config:
    """Read and check a configuration directory. Raises ConfigError naming every problem."""
    config, problems = examine(directory)
    if config is None:
        raise ConfigError([str(problem) for problem in problems])
    return config


def examine(directory: Path) -> tuple[Config | None, list[Problem]]:
    """The configuration, or None and every problem in it, file by file and line by line."""
    found = survey(directory)
    return found.config, list(found.problems)


def survey(directory: Path, instead: Mapping[str, bytes] | None = None) -> Survey:
    """Read and check everything. ``instead`` holds what some files would hold: name → content."""
    if not os.path.isdir(directory):  # False, not an error, where nothing may be looked at
        hint = "name the directory that holds agent.yaml with --config"
        return Survey(None, (Problem(str(directory), 0, (), "no such directory", hint),))
    files = {name: read(directory, name, (instead or {}).get(name)) for name in schema.FILES}
    parts: dict[str, Any] = {}
    for name, section in schema.FILES.items():
        part = typed(files[name], section)
        if part:
            parts |= {key: getattr(part, key) for key in type(part).model_fields}
    check_names(directory, files)
    problems = _in_order(file.problems for file in files.values())
    if problems:
        return Survey(None, problems)
    parts["hours"] = {name: written.week for name, written in parts["hours"].items()}
    config = Config(directory=directory, **parts)
    note_oddities(config, files)
    return Survey(config, (), _in_order(file.warnings for file in files.values()))


def _in_order(files: Iterable[list[Problem]]) -> tuple[Problem, ...]:
    """Each problem once, by line."""
    return tuple(dict.fromkeys(p for file in files for p in sorted(file, key=lambda p: p.line)))
