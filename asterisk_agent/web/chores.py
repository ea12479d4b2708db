"""Commands that the console runs for the operator: ``check`` and ``reload``, as processes.

They load what a page never needs (a voice, to speak a new message), and take as long as they take.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

LIMIT_S = 120.0
MAX_OUTPUT = 1 << 20
COMMAND = (sys.executable, "-P", "-m", "asterisk_agent.cli.main")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command has said. ``told`` is its JSON, None where it printed none."""

    good: bool
    told: dict[str, Any] | None
    said: str
    at: datetime


@dataclass(slots=True)
class Chore:
    """One command. ``begin`` it from the event loop; one that is running begins once more after."""

    command: tuple[str, ...]
    now: Callable[[], datetime]
    last: Ran | None = None
    _task: asyncio.Task[None] | None = None
    _again: bool = field(default=False)

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        return self._task is not None and not self._task.done()

    def begin(self) -> None:
        """Run it now, or once more when the present run is over."""
        if self.running:
            self._again = True
        else:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while True:
            self._again = False
            self.last = await _ran(self.command, self.now)
            if not self._again:
                return


def reload(directory: Path, now: Callable[[], datetime]) -> Chore:
    """``asterisk-agent reload``."""
    return Chore((*COMMAND, "reload", "--json", "--config", str(directory)), now)


def check(directory: Path, now: Callable[[], datetime]) -> Chore:
    """``asterisk-agent check``."""
    return Chore((*COMMAND, "check", "--json", "--config", str(directory)), now)


async def _ran(command: tuple[str, ...], now: Callable[[], datetime]) -> Ran:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return Ran(False, None, f"it did not end within {LIMIT_S:.0f} s", now())
    said = err[-MAX_OUTPUT:].decode("utf-8", "replace").strip()
    return Ran(process.returncode == 0, _json(out), said, now())


def _json(out: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(out[:MAX_OUTPUT])
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
