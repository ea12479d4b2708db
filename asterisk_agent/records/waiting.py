"""The file of JSON lines in which stories wait that the call log cannot take now."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from asterisk_agent.errors import AgentError

Told = Mapping[str, Any]
"""A story in its JSON form."""


def size_of(file: Path) -> int:
    """Bytes; 0 where there is no file."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def append(file: Path, story: Told) -> None:
    """Add a story, on the disk before this returns, or not at all. Raises OSError."""
    line = json.dumps(story, ensure_ascii=True).encode() + b"\n"
    with _locked(file) as written:
        end = written.seek(0, os.SEEK_END)
        try:
            _write(written, line)
        except OSError:
            with suppress(OSError):
                written.truncate(end)
            raise


@contextmanager
def lines_of(file: Path) -> Iterator[list[Told]]:
    """The stories in the file; when the context is left without an error they are gone from it.

    A line that is no story is left out: the machine went down while it was written.
    """
    if size_of(file) == 0:
        yield []
        return
    with _locked(file) as written:
        written.seek(0)
        yield list(_stories(written.read()))
        _blank(written)


def stories_in(file: Path) -> list[Told]:
    """The stories that wait in the file; they stay there. Raises AgentError."""
    if size_of(file) == 0:
        return []
    try:
        with file.open("rb") as written:  # also where nothing may be written
            fcntl.flock(written, fcntl.LOCK_SH)
            return list(_stories(written.read()))
    except OSError as error:
        raise AgentError(f"{file} cannot be read: {error.strerror}") from error


def keep_only(file: Path, wanted: Callable[[Told], bool]) -> int:
    """Take the stories that are not ``wanted(story)`` out of the file; return how many."""
    if size_of(file) == 0:
        return 0
    with _locked(file) as written:
        written.seek(0)
        found = list(_stories(written.read()))
        kept = [story for story in found if wanted(story)]
        if len(kept) < len(found):
            _blank(written)
            _write(written, b"".join(json.dumps(story).encode() + b"\n" for story in kept))
        return len(found) - len(kept)


def _blank(written: IO[bytes]) -> None:
    """Overwrite the file and empty it: what waited in it is read by nobody any more."""
    end = written.seek(0, os.SEEK_END)
    written.seek(0)
    with suppress(OSError):  # a full disk may refuse even that
        _write(written, b"\0" * end)
    written.truncate(0)
    written.seek(0)


def _write(written: IO[bytes], data: bytes) -> None:
    """All of it, and on the disk. Raises OSError, perhaps half-way."""
    while data:
        data = data[written.write(data) :]
    os.fsync(written.fileno())


@contextmanager
def _locked(file: Path) -> Iterator[IO[bytes]]:
    """The file, opened for reading and writing, by one process at a time."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as written:
        fcntl.flock(written, fcntl.LOCK_EX)
        yield written


def _stories(data: bytes) -> Iterator[Told]:
    for line in data.splitlines():
        with suppress(ValueError, RecursionError):
            story = json.loads(line)
            if isinstance(story, dict) and isinstance(story.get("id"), str):
                yield story
