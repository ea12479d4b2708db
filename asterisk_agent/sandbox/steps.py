"""Long work, shown: a moving line on a terminal, plain lines otherwise, the details in a log.

Standard library only: setup uses this before anything is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from asterisk_agent.errors import SandboxError

REMINDER_S = 60.0
"""Without a terminal, how often to say that the work goes on."""


class Steps:
    """Says what is being done, and for how long. Commands write to ``log``."""

    def __init__(self, log: Path, stream: TextIO | None = None) -> None:
        self.log = log
        self._stream = stream or sys.stderr
        self._moving = self._stream.isatty()

    def say(self, line: str) -> None:
        """A line that stays."""
        self._clear()
        print(f"setup: {line}", file=self._stream, flush=True)

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Show ``label`` with the time it takes, until the block ends."""
        began, done = time.monotonic(), threading.Event()
        if not self._moving:
            self.say(label)
        ticker = threading.Thread(target=self._tick, args=(label, began, done), daemon=True)
        ticker.start()
        try:
            yield
        finally:
            done.set()
            ticker.join()
            self._clear()
        self.say(f"{label}: done in {_duration(time.monotonic() - began)}")

    def run(self, command: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
        """Run a command into the log. Raises SandboxError with its last words if it fails."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            output.write(f"\n$ {' '.join(command)}\n".encode())
            output.flush()
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                check=False,
            )
        if done.returncode != 0:
            raise SandboxError(
                f"{' '.join(command[:4])} … failed: {self.last_line()}", hint=f"see {self.log}"
            )

    def note(self, line: str) -> None:
        """A line for the log, and for whoever watches the moving line."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as output:
            output.write(f"{line}\n")

    def last_line(self) -> str:
        """The last line of the log that says anything."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - 4000))
                lines = file.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _tick(self, label: str, began: float, done: threading.Event) -> None:
        while not done.wait(0.2 if self._moving else REMINDER_S):
            elapsed = _duration(time.monotonic() - began)
            if not self._moving:
                self.say(f"{label}: {elapsed} so far")
                continue
            width = shutil.get_terminal_size().columns - 1
            line = f"setup: {label}  {elapsed}  {self.last_line()}"[:width]
            self._stream.write(f"\r\x1b[2K{line}")
            self._stream.flush()

    def _clear(self) -> None:
        if self._moving:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
