"""One target under atheris, in a process of its own: what it finds is written down, and it goes on.

``python -m fuzzing.child TARGET SECONDS WORK``. Inputs that reach new code are collected in
``WORK/corpus``, findings in ``WORK/findings``, figures in ``WORK/figures.json``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import atheris

from fuzzing.harness import TARGETS, Finding, attempt

MOST_FINDINGS = 50
WRITE_EVERY_S = 5.0


class Session:
    """Counts, and keeps the smallest input of each kind of finding."""

    def __init__(self, name: str, seconds: float, work: Path) -> None:
        self._target = TARGETS[name]
        followed = ["asterisk_agent", "fuzzing", *self._target.libraries]
        with atheris.instrument_imports(include=followed):
            self._ready = self._target.ready()
            self._one_input = self._ready.__enter__()
        self._seconds = seconds
        self._work = work
        self._began = self._written = time.monotonic()
        self._executions = 0
        self._findings: dict[str, Finding] = {}

    def __call__(self, data: bytes) -> None:
        """One execution."""
        found = attempt(self._target, self._one_input, data)
        self._executions += 1
        if found is not None:
            self._keep(found)
        now = time.monotonic()
        if now - self._began > self._seconds:
            self.write()
            self._ready.__exit__(None, None, None)
            os._exit(0)  # atheris ends no other way
        if now - self._written > WRITE_EVERY_S:
            self.write()

    def write(self) -> None:
        """The figures so far: the process may be killed at any moment."""
        self._written = time.monotonic()
        seconds = self._written - self._began
        figures: dict[str, Any] = {
            "executions": self._executions,
            "seconds": round(seconds, 1),
            "findings": {found.name: found.kind for found in self._findings.values()},
        }
        (self._work / "figures.json").write_text(json.dumps(figures), encoding="utf-8")

    def _keep(self, found: Finding) -> None:
        before = self._findings.get(found.kind)
        if before is not None and len(before.data) <= len(found.data):
            return
        if before is None and len(self._findings) >= MOST_FINDINGS:
            return
        self._findings[found.kind] = found
        folder = self._work / "findings"
        (folder / found.name).write_bytes(found.data)
        (folder / f"{found.name}.txt").write_text(found.told, encoding="utf-8")


def main() -> None:
    """Until the time is over."""
    name, seconds, work = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])
    session = Session(name, seconds, work)
    session.write()
    target = TARGETS[name]
    options = (
        f"-max_total_time={round(seconds) + 60}",
        f"-max_len={target.longest}",
        f"-artifact_prefix={work}/findings/",
        f"-timeout={round(10 * target.limit_s)}",
        "-rss_limit_mb=2048",
        "-verbosity=0",
    )
    corpora = [str(work / "corpus"), *([str(target.corpus)] if target.corpus.is_dir() else [])]
    atheris.Setup([sys.argv[0], *options, *corpora], session)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
