"""The night switch: a channel is open, closed or answered by people first, whatever its hours say.

Each channel has one tiny file, ``STATE UNTIL`` with ``UNTIL`` in seconds since 1970, 0 for "until
it is reset". Asterisk's ``FILE()`` reads and writes the same file, so the switch works by command,
by feature code, and with the service dead. What cannot be read counts as no override.
"""

from __future__ import annotations

import math
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

_LONGEST = 64
"""Bytes; no more of a file is looked at."""
_WRITTEN = re.compile(rb"(open|closed|people) ([0-9]{1,11})\s*")
_CHANNEL_ID = re.compile(r"[a-z][a-z0-9-]{0,30}")
_MODE = 0o664
"""The service and Asterisk share a group: each may replace what the other wrote."""


class OverrideState(StrEnum):
    """What the channel is instead. ``PEOPLE``: open, and people answer before the agent."""

    OPEN = "open"
    CLOSED = "closed"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Override:
    """``until`` is an aware instant; None: until it is reset."""

    state: OverrideState
    until: datetime | None = None


def in_force(override: Override | None, now: datetime) -> Override | None:
    """The override if it still counts at ``now``, else None."""
    if override is None or override.until is None or now < override.until:
        return override
    return None


def read(directory: Path, channel_id: str) -> Override | None:
    """What stands in the channel's file, also if its time is over; None where nothing usable does.

    Never raises, and never waits: a pipe, a device or a link in the file's place is not followed.
    """
    if not _CHANNEL_ID.fullmatch(channel_id):
        return None
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        file = os.open(directory / channel_id, flags)
    except OSError:
        return None
    try:
        written = os.read(file, _LONGEST)
    except OSError:  # a directory, or a pipe that nobody fills
        return None
    finally:
        os.close(file)
    found = _WRITTEN.fullmatch(written)
    if found is None or len(written) == _LONGEST:
        return None
    seconds = int(found[2])
    until = datetime.fromtimestamp(seconds, UTC) if seconds else None
    return Override(OverrideState(found[1].decode()), until)


def current(directory: Path, channel_id: str, now: datetime) -> Override | None:
    """The channel's override where one is in force at ``now``."""
    return in_force(read(directory, channel_id), now)


def write(directory: Path, channel_id: str, override: Override) -> None:
    """Put the override in force, in one step. Raises OSError where the file cannot be written."""
    assert _CHANNEL_ID.fullmatch(channel_id), channel_id
    seconds = 0 if override.until is None else max(1, math.ceil(override.until.timestamp()))
    directory.mkdir(parents=True, exist_ok=True)
    temporary = directory / f".{channel_id}.{os.getpid()}"
    try:
        with temporary.open("w", encoding="ascii") as file:
            file.write(f"{override.state} {seconds}\n")
            file.flush()
            os.fchmod(file.fileno(), _MODE)
            os.fsync(file.fileno())
        _give_to_owner_of(directory, temporary)
        temporary.replace(directory / channel_id)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def reset(directory: Path, channel_id: str) -> bool:
    """Take the override away; whether there was a file. Raises OSError where it cannot go."""
    assert _CHANNEL_ID.fullmatch(channel_id), channel_id
    try:
        (directory / channel_id).unlink()
    except FileNotFoundError:
        return False
    return True


def _give_to_owner_of(directory: Path, file: Path) -> None:
    """What root writes by hand must stay writable for those whose directory it is."""
    owner = directory.stat()
    if os.geteuid() == 0:
        with suppress(PermissionError):  # a root without that right, in a container
            os.chown(file, owner.st_uid, owner.st_gid)
