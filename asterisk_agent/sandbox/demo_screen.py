"""What the demo shows while it runs: both sides of the talk, and the delay of every answer."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

NAME_WIDTH = 8
STUTTER_S = 0.9
"""A pause that callers notice."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that a phone heard. ``delay_s`` is what its listener waited for it."""

    call: int
    step: str
    who: str
    text: str
    delay_s: float | None = None
    is_answer: bool = False
    """Whether ``delay_s`` is from the caller's last sound to the answer's first."""
    longest_pause_s: float = 0.0
    """The longest silence in it; far more than between two sentences is a stutter."""


@dataclass(frozen=True, slots=True)
class Result:
    """How the demo went. ``failure`` is empty where everything was heard."""

    heard: Sequence[Heard]
    failure: str
    recordings: Sequence[Path]
    logs: Sequence[Path]
    seconds: float

    @property
    def delays(self) -> list[float]:
        """Of every answer, in seconds."""
        return [h.delay_s for h in self.heard if h.is_answer and h.delay_s is not None]

    def as_json(self) -> dict[str, Any]:
        """For other programs."""
        return {
            "ok": not self.failure,
            "failure": self.failure or None,
            "heard": [asdict(heard) for heard in self.heard],
            "answer_delay_s": _statistics(self.delays),
            "recordings": [str(path) for path in self.recordings],
            "logs": [str(path) for path in self.logs],
            "seconds": round(self.seconds, 1),
        }


class Screen:
    """Prints the talk as it happens; plain where ``console`` is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._call_began = time.monotonic()

    @contextlib.contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """Something that takes a while."""
        if self._console.is_terminal:
            with self._console.status(Text(what)):
                yield
        else:
            self._console.print(f"{what} …", markup=False)
            yield

    def note(self, text: str) -> None:
        """Something beside the talk."""
        self._console.print(Text(text, style="dim"))

    def call(self, title: str) -> None:
        """A call begins; moments count from here."""
        self._call_began = time.monotonic()
        self._console.print()
        self._console.print(Text(title, style="bold"))

    def event(self, text: str) -> None:
        """Something happens in the call."""
        self._line("", text, time.monotonic(), "dim")

    def said(self, who: str, text: str, at: float) -> None:
        """A scripted phone speaks: the words are those of its clip."""
        self._line(who, text, at, "cyan")

    def heard(self, heard: Heard, at: float) -> None:
        """A phone heard this, in the recogniser's words."""
        delay = "" if heard.delay_s is None else f"  [after {heard.delay_s:.2f} s]"
        if heard.longest_pause_s > STUTTER_S:
            delay += f"  [broken off for {heard.longest_pause_s:.2f} s]"
        self._line(heard.who, heard.text, at, "green", delay)

    def summary(self, result: Result) -> None:
        """How it went, and where to find more."""
        self._console.print()
        table = Table.grid(padding=(0, 2))
        if result.delays:
            worst = f"{max(result.delays):.2f} s at most"
            table.add_row("answers began after", f"{median(result.delays):.2f} s (median), {worst}")
        for path in result.recordings:
            table.add_row("recording", Text(str(path), overflow="fold"))
        for path in result.logs if result.failure else ():
            table.add_row("log", Text(str(path), overflow="fold"))
        table.add_row("took", f"{result.seconds:.0f} s")
        self._console.print(table)
        if result.failure:
            self._console.print(Text(f"FAILED: {result.failure}", style="bold red"))
        else:
            self._console.print(Text("Every step was heard on the phones.", style="bold green"))

    def _line(self, who: str, text: str, at: float, style: str, behind: str = "") -> None:
        seconds = max(0.0, at - self._call_began)
        line = Text(f"{seconds:6.1f}  ", style="dim")
        line.append(f"{who:<{NAME_WIDTH}}  ", style="bold")
        line.append(text, style=style)
        line.append(behind, style="yellow")
        self._console.print(line)


def _statistics(delays: Sequence[float]) -> dict[str, float] | None:
    if not delays:
        return None
    return {"median": round(median(delays), 3), "max": round(max(delays), 3)}
