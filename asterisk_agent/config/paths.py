"""Where files live on this machine. Nothing else in the package reads the environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SYSTEM_DATA = Path("/var/lib/asterisk-agent")


def cache_directory() -> Path:
    """Heavy things that can be made again: ``$XDG_CACHE_HOME/asterisk-agent``."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "asterisk-agent"


def data_directory() -> Path:
    """Models and prompts: ``$ASTERISK_AGENT_DATA``, else the system's, else the user's cache.

    The system's folder may be there for the call log alone: models that were pulled into the
    cache stay in use until the system's folder has some.
    """
    chosen = os.environ.get("ASTERISK_AGENT_DATA")
    if chosen:
        return Path(chosen)
    cache = cache_directory()
    system = SYSTEM_DATA.is_dir() and os.access(SYSTEM_DATA, os.W_OK)
    if system and (_has_models(SYSTEM_DATA) or not _has_models(cache)):
        return SYSTEM_DATA
    return cache


def _has_models(directory: Path) -> bool:
    return (directory / "models").is_dir()


def journal_stream() -> str:
    """What systemd says that a stream into its journal is: device and inode; "" without it."""
    return os.environ.get("JOURNAL_STREAM", "")


NOTIFY = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""What systemd tells a process that it watches, and that process alone."""


def notify_socket() -> str:
    """Where systemd wants to be told how a service is; "" where it does not."""
    return os.environ.get("NOTIFY_SOCKET", "")


def watchdog_s(pid: int) -> float | None:
    """How long process ``pid`` may be silent before systemd kills it; None: for ever."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if os.environ.get("WATCHDOG_PID", str(pid)) != str(pid) or not microseconds.isdecimal():
        return None
    return int(microseconds) / 1e6 or None


def environment_of_child() -> dict[str, str]:
    """Our environment for a process that we watch ourselves."""
    return {name: value for name, value in os.environ.items() if name not in NOTIFY}


def models_directory() -> Path:
    """One folder per model of the catalogue."""
    return data_directory() / "models"


def shared_file(relative: str) -> Path:
    """A file that ships beside the package, such as ``models/catalogue.yaml``.

    Found in the source tree, or under ``share/asterisk-agent`` of the installation.
    """
    beside = Path(__file__).resolve().parents[2] / relative
    if beside.exists():
        return beside
    return Path(sys.prefix) / "share" / "asterisk-agent" / relative
