"""What is wrong with a file, and where: one mistake, and one file with all of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from asterisk_agent.config.scalars import got, printable

MAX_TEXT = 600

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree]"
KeyPath: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake; ``line`` 0 means the whole file."""

    file: str
    line: int
    path: KeyPath
    what: str
    hint: str = ""

    def __post_init__(self) -> None:
        # Both quote the operator's file, in which anything may stand.
        for name in ("what", "hint"):
            text = printable(getattr(self, name))
            cut = f"{text[:MAX_TEXT]}…" if len(text) > MAX_TEXT else text
            object.__setattr__(self, name, cut)

    @property
    def where(self) -> str:
        """``etc/teams.yaml:14``, or the file alone."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def problem(self) -> str:
        """``teams.sales.queue.wait: expected …``."""
        path = ".".join(k if k.isprintable() and len(k) <= 60 else named(k) for k in self.path)
        return f"{path}: {self.what}" if path else self.what

    def __str__(self) -> str:
        end = "" if self.hint.endswith("?") else "."
        hint = f" Hint: {self.hint}{end}" if self.hint else ""
        return f"{self.where}: {self.problem}.{hint}"


@dataclass(slots=True)
class File:
    """One file's tree, the line of every key path in it, and what is wrong with it."""

    name: str
    tree: dict[str, Tree] | None = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def report(
        self, path: KeyPath, what: str, hint: str = "", shown: KeyPath | None = None
    ) -> None:
        """Note a problem in the line of ``path``, or of what is nearest above it."""
        where = path if shown is None else shown
        self.problems.append(Problem(self.name, self.line_of(path), where, what, hint))

    def warn(self, path: KeyPath, what: str, hint: str = "") -> None:
        """Note what is allowed, but probably not meant."""
        self.warnings.append(Problem(self.name, self.line_of(path), path, what, hint))

    def line_of(self, path: KeyPath) -> int:
        """The line of ``path``, or of what is nearest above it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def mapping(self, *path: str) -> dict[str, Tree]:
        """The mapping at ``path``; empty where there is none."""
        at: Tree = self.tree or {}
        for key in path:
            at = at.get(key, "") if isinstance(at, dict) else ""
        return at if isinstance(at, dict) else {}

    def words(self, *path: str) -> list[str]:
        """The text, or the texts of the list, at ``path``."""
        at = self.mapping(*path[:-1]).get(path[-1], [])
        return [word for word in (at if isinstance(at, list) else [at]) if isinstance(word, str)]


def named(value: object) -> str:
    """What was found, for a message; nothing is told apart from empty text."""
    return "nothing" if value == "" else got(value)
