"""What a check has found: good things, problems with their remedies, and oddities."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from asterisk_agent.errors import AgentError, ConfigError


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem and its remedy."""

    where: str
    problem: str
    hint: str = ""


@dataclass(slots=True)
class Report:
    """What was looked at and found good, what was found wrong, and what is merely odd."""

    checked: list[str] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    @contextmanager
    def checking(self, what: str, where: str) -> Iterator[None]:
        """Note ``what`` as good, or the package's own error as a problem of ``where``."""
        try:
            yield
        except ConfigError as error:
            self.problems += [_finding(where, line) for line in error.problems]
        except AgentError as error:
            self.problems.append(Finding(where, str(error), error.hint))
        else:
            self.checked.append(what)


def _finding(where: str, line: str) -> Finding:
    problem, _, hint = line.partition(" Hint: ")
    return Finding(where, problem.removesuffix("."), hint.removesuffix("."))
