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
