"""A wall clock of its own for the programs of a sandbox, which can be put forward while they run.

libfaketime stands between a program and its clock, and reads from a small file how far off the
clock shall be. Only the time of day moves: timers, and the 20 ms pacing of audio, run on the
monotonic clock, which is left alone.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.processes import package_environment

SLEEP_FIX = """\
# libfaketime 0.9.10 makes clock_nanosleep() fail with EINVAL where the monotonic clock is left
# alone, and that is what time.sleep() calls.
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds) and None
"""


class Clock:
    """The time of day for programs started with its environment. ``folder`` is made for it."""

    VARIABLES = (
        "LD_PRELOAD",
        "FAKETIME_TIMESTAMP_FILE",
        "FAKETIME_NO_CACHE",
        "FAKETIME_DONT_FAKE_MONOTONIC",
        "NO_FAKE_STAT",
    )

    def __init__(self, folder: Path, moment: datetime | str) -> None:
        self.shift_s = shift_to(moment)
        """How far ahead of the machine's clock it is."""
        self._library = _library()
        self._folder = folder.resolve()

    def now(self) -> datetime:
        """What it shows."""
        return datetime.fromtimestamp(time.time() + self.shift_s, UTC)

    def set(self, moment: datetime | str) -> None:
        """Put it forward, at once, for the programs that run too.

        Raises SandboxError for an earlier moment than it shows: a program that computes its timers
        from the time of day, as Asterisk does, would stand still until it is that late again.
        """
        shift_s = shift_to(moment)
        if shift_s < self.shift_s - 1.0:
            raise SandboxError(f"the clock shows {self.now():%Y-%m-%d %H:%M}: it cannot go back")
        self.shift_s = shift_s
        self._write()

    def step(self, seconds: float) -> None:
        """Let it jump, also back: for programs that have to bear that. Asterisk is none."""
        self.shift_s += seconds
        self._write()

    def environment(self) -> dict[str, str]:
        """For a program that shall go by this clock, and the programs that it starts."""
        self._write()
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # File times are compared with real ones by other programs.
            "NO_FAKE_STAT": "1",
        }

    def python_environment(self) -> dict[str, str]:
        """The same for a Python program that imports this package."""
        environment = self.environment()
        (self._folder / "sitecustomize.py").write_text(SLEEP_FIX, encoding="utf-8")
        path = package_environment()["PYTHONPATH"]
        return {**environment, "PYTHONPATH": f"{self._folder}{os.pathsep}{path}"}

    @property
    def _file(self) -> Path:
        return self._folder / "shift"

    def _write(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(".new")
        temporary.write_text(f"{self.shift_s:+.3f}\n", encoding="ascii")
        temporary.replace(self._file)


def shift_to(moment: datetime | str) -> float:
    """Seconds from now to ``moment``, a datetime or its ISO form; without a zone, this machine's.

    Raises SandboxError where the text is not a time.
    """
    try:
        when = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    except ValueError:
        raise SandboxError(f"not a time: {moment}", hint="write 2026-12-24T11:59-05:00") from None
    return when.timestamp() - time.time()


def _library() -> Path:
    """Where libfaketime is. Raises SandboxError where it is not installed."""
    for pattern in ("*/faketime/libfaketimeMT.so.1", "faketime/libfaketimeMT.so.1"):
        for directory in (Path("/usr/lib"), Path("/usr/lib64"), Path("/usr/local/lib")):
            for library in sorted(directory.glob(pattern)):
                return library
    raise SandboxError("libfaketime is not installed", hint="apt-get install faketime")
