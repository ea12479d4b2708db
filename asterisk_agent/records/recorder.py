"""The way of a story into the call log, whatever the database does meanwhile.

A story that cannot be written waits in a file of JSON lines, and in memory where that file cannot
be written either; it goes into the log when the log is back.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import IO, Any

from asterisk_agent.errors import AgentError
from asterisk_agent.records.database import Refused
from asterisk_agent.records.log import CallLog
from asterisk_agent.records.retention import Forgotten, Kept

log = logging.getLogger(__name__)

WAITING_ROOM = "calls-waiting.jsonl"
"""The name of that file, in the state directory."""
BUSY_S = 2.0
MOST_IN_MEMORY = 5_000
"""Stories; a long one takes 20 kB."""
MOST_IN_FILE = 256_000_000
"""Bytes."""
AT_ONCE = 500

Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecorderHealth:
    """``problem`` is empty while stories are written. ``waiting`` are those in memory,
    ``in_file`` the bytes of the file, ``lost`` the stories that had room in neither.
    """

    problem: str = ""
    waiting: int = 0
    in_file: int = 0
    lost: int = 0

    def __str__(self) -> str:
        if not self.problem:
            return "ok"
        kept = f"{self.waiting} calls wait in memory, {self.in_file} bytes of them in a file"
        return f"{self.problem}; {kept}" + (f"; {self.lost} were lost" if self.lost else "")


class Recorder:
    """Takes stories at any time and writes them when ``flush`` is called, on another thread."""

    def __init__(
        self, url: str, waiting_room: Path, *, timezone: str = "UTC", busy_s: float = BUSY_S
    ) -> None:
        """Open nothing yet. ``waiting_room`` is the file of JSON lines."""
        self._url, self._timezone, self._busy_s = url, timezone, busy_s
        self._file = waiting_room
        self._memory: deque[Told] = deque()
        self._flushing = Lock()
        self._problem = ""
        self._lost = 0
        self._log: CallLog | None = None

    def put(self, story: Told) -> None:
        """Take a story in its JSON form; never waits and never fails."""
        if len(self._memory) >= MOST_IN_MEMORY:
            self._memory.popleft()
            self._lost += 1
        self._memory.append(story)

    @property
    def health(self) -> RecorderHealth:
        """Whether stories are written, and what waits."""
        return RecorderHealth(self._problem, len(self._memory), size_of(self._file), self._lost)

    @property
    def unwritten(self) -> bool:
        """Whether a story waits."""
        return bool(self._memory) or size_of(self._file) > 0

    def flush(self) -> None:
        """Write what waits into the log, else into the file, else leave it. Blocks."""
        with self._flushing:
            before = self._problem
            try:
                log_ = self.open()
                with lines_of(self._file) as waiting:
                    for some in _batches(waiting):
                        self._write(log_, some)
                self._write_memory(log_)
                self._problem = ""
            except (AgentError, OSError) as error:
                self._problem = str(error)
                self._put_aside()
            if self._problem != before:
                self._tell()

    def open(self) -> CallLog:
        """The log, opened now if it is not yet. Raises AgentError. Blocks."""
        if self._log is None:
            self._log = CallLog(self._url, timezone=self._timezone, busy_s=self._busy_s)
        return self._log

    def sweep(self, now: datetime, kept: Kept) -> Forgotten:
        """Forget what is older than it may be. Raises AgentError. Blocks."""
        return self.open().sweep(now, kept)

    def close(self) -> None:
        """Write what can be written, and close the log. Blocks."""
        if self._memory:
            self.flush()
        if self._log is not None:
            self._log.close()

    def _write_memory(self, log_: CallLog) -> None:
        while self._memory:
            some = [self._memory[index] for index in range(min(AT_ONCE, len(self._memory)))]
            self._write(log_, some)
            for _ in some:
                self._memory.popleft()

    def _write(self, log_: CallLog, some: Sequence[Told]) -> None:
        try:
            log_.write_all(some)
        except Refused:
            for story in some:
                try:
                    log_.write(story)
                except Refused as error:  # it would keep all others waiting, for ever
                    self._lost += 1
                    log.error("records: %s", error, extra={"call": story.get("id")})

    def _put_aside(self) -> None:
        """Move what is in memory into the file, as far as that has room."""
        with suppress(OSError):
            while self._memory and size_of(self._file) < MOST_IN_FILE:
                append(self._file, self._memory[0])
                self._memory.popleft()

    def _tell(self) -> None:
        if self._problem:
            log.error("records: %s", self.health)
        else:
            log.info("records: all written")


# --- The file of JSON lines ----------------------------------------------------------------------


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
        with _locked(file) as written:
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
        with suppress(ValueError):
            story = json.loads(line)
            if isinstance(story, dict) and "id" in story:
                yield story


def _batches(stories: Sequence[Told]) -> Iterator[Sequence[Told]]:
    for start in range(0, len(stories), AT_ONCE):
        yield stories[start : start + AT_ONCE]
