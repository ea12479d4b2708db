"""Passwords in files of their own, which not everybody may read."""

from __future__ import annotations

import stat
from pathlib import Path

from asterisk_agent.errors import ConfigError

OTHERS = stat.S_IRWXO
"""What a secret's file must not grant: anything to users outside its owner and group."""


def too_open(path: Path) -> tuple[str, str] | None:
    """The problem with a secret's file that others may read, and the remedy. A missing one is fine.

    A directory in which nothing may be looked at is no problem here: ``read`` says so.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    if not mode & OTHERS:
        return None
    what = f"every user of this machine may use {path} (mode {stat.S_IMODE(mode):04o})"
    return what, f"run: chmod 640 {path}"


def read(path: Path, hint: str) -> str:
    """The one line of a secret's file. Raises ConfigError; ``hint`` says what belongs into it."""
    problem = too_open(path)
    if problem:
        raise ConfigError([f"{path}: {problem[0]}. Hint: {problem[1]}."])
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError([f"{path}: cannot be read: {reason}. Hint: {hint}."]) from None
    if not secret or len(secret) > 256 or not secret.isprintable():
        raise ConfigError([f"{path}: expected one line with a password. Hint: {hint}."])
    return secret
