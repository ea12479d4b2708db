"""The way of a story into the call log, whatever the database does meanwhile.

A story that cannot be written waits in a file of JSON lines, and in memory where that file cannot
be written either; it goes into the log when the log is back.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock

from asterisk_agent.errors import AgentError
from asterisk_agent.records.database import Refused, is_full
from asterisk_agent.records.log import CallLog
from asterisk_agent.records.retention import Forgotten, Kept
from asterisk_agent.records.waiting import Told, append, lines_of, size_of, stories_in

log = logging.getLogger(__name__)

WAITING_ROOM = "calls-waiting.jsonl"
"""The name of that file, in the state directory."""
BUSY_S = 2.0
MOST_IN_MEMORY = 5_000
"""Stories; a long one takes 20 kB."""
MOST_IN_FILE = 256_000_000
"""Bytes."""
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RecorderHealth:
    """``problem`` is empty while stories are written. ``waiting`` are the calls in memory,
    ``filed`` the others, in the file of ``in_file`` bytes, ``lost`` those that had room in neither.
    """

    problem: str = ""
    waiting: int = 0
    filed: int = 0
    in_file: int = 0
    lost: int = 0

    @property
    def unwritten(self) -> int:
        """Calls that are not in the log yet."""
        return self.waiting + self.filed

    def __str__(self) -> str:
        if not self.problem:
            return "ok"
        told = [self.problem]
        if self.filed:
            told.append(f"{_calls(self.filed, 'waits', 'wait')} in a file")
        if self.waiting:
            told.append(f"{_calls(self.waiting, 'waits', 'wait')} in memory")
        if self.lost:
            told.append(f"{_calls(self.lost, 'was', 'were')} lost")
        return "; ".join(told)


class Recorder:
    """Takes stories at any time and writes them when ``flush`` is called, on another thread."""

    def __init__(
        self, url: str, waiting_room: Path, *, timezone: str = "UTC", busy_s: float = BUSY_S
    ) -> None:
        """Open nothing yet. ``waiting_room`` is the file of JSON lines."""
        self._url, self._timezone, self._busy_s = url, timezone, busy_s
        self._file = waiting_room
        self._memory: dict[str, Told] = {}  # by the call's id, the oldest first
        self._changing = Lock()  # the memory; never held while anything is written
        self._flushing = Lock()
        self._filed: set[str] | None = None  # ids in the file, as far as we know
        self._overtaken: set[str] = set()  # ids in the file whose later form is in the log
        self._problem = ""
        self._lost = 0
        self._log: CallLog | None = None

    def put(self, story: Told) -> None:
        """Take a story in its JSON form, for an earlier form of it; never waits, never fails."""
        with self._changing:
            self._memory.pop(story["id"], None)
            if len(self._memory) >= MOST_IN_MEMORY:
                del self._memory[next(iter(self._memory))]
                self._lost += 1
            self._memory[story["id"]] = story

    @property
    def health(self) -> RecorderHealth:
        """Whether stories are written, and what waits."""
        size = size_of(self._file)
        with self._changing:
            filed = len((self._filed or set()) - self._memory.keys()) if size else 0
            return RecorderHealth(self._problem, len(self._memory), filed, size, self._lost)

    @property
    def unwritten(self) -> bool:
        """Whether a story waits."""
        return bool(self._memory) or size_of(self._file) > 0

    def flush(self) -> None:
        """Write what waits into the log, else into the file, else leave it. Blocks.

        Where nothing waits, see whether the log could be written.
        """
        with self._flushing:
            before = self._problem
            try:
                log_ = self.open()
                refused = self._write_file(log_)
                if not self._write_memory(log_):
                    log_.try_writing()
                self._problem = refused
            except AgentError as error:
                self._problem = str(error)
                self._put_aside()
            if self._problem != before:
                self._tell()

    def put_aside(self) -> None:
        """Move what is in memory into the file, without a look at the log. Blocks."""
        with self._flushing:
            self._put_aside()

    def open(self) -> CallLog:
        """The log, opened now if it is not yet. Raises AgentError. Blocks."""
        if self._log is None:
            self._log = CallLog(self._url, timezone=self._timezone, busy_s=self._busy_s)
        return self._log

    def holds(self, call_id: str) -> bool:
        """Whether a story is in memory, so that it would be lost with us."""
        return call_id in self._memory

    def outcomes(self, call_ids: Collection[str]) -> dict[str, str]:
        """How those of these calls ended that have, as far as log and file can be read. Blocks."""
        found: list[Told] = []
        with suppress(AgentError):
            stories = (self.open().story(call_id) for call_id in call_ids)
            found += [story for story in stories if story is not None]
        with suppress(AgentError):
            found += [story for story in stories_in(self._file) if story["id"] in call_ids]
        return {story["id"]: str(story.get("outcome")) for story in found if story.get("ended")}

    def sweep(self, now: datetime, kept: Kept) -> Forgotten:
        """Forget what is older than it may be. Raises AgentError. Blocks."""
        return self.open().sweep(now, kept)

    def close(self) -> None:
        """Write what can be written, and close the log. Blocks."""
        if self._memory:
            self.flush()
        with self._changing:
            lost = len(self._memory)
            self._memory.clear()
            self._lost += lost
        if lost:
            log.error("records: %s not be kept: %s", _calls(lost, "could"), self._problem)
        if self._log is not None:
            self._log.close()

    def _write_file(self, log_: CallLog) -> str:
        """Write what waits in the file. Returns why the file cannot be used, if it cannot be."""
        try:
            with lines_of(self._file) as waiting:
                self._filed = {story["id"] for story in waiting}
                late = [story for story in waiting if story["id"] not in self._overtaken]
                for some in _batches(late):
                    self._write(log_, some)
        except OSError as error:
            self._look_into_file()
            return self._unusable(error)
        self._filed = set()
        self._overtaken.clear()
        return ""

    def _unusable(self, error: OSError) -> str:
        why = "the disk is full, make room on it" if is_full(self._file) else error.strerror
        return f"new calls are written, but those that wait in {self._file} cannot be: {why}"

    def _write_memory(self, log_: CallLog) -> bool:
        """Write what is in memory; return whether there was anything."""
        any_ = False
        while some := self._some():
            any_ = True
            self._write(log_, some)
            if size_of(self._file):  # it could not be emptied before this
                self._overtaken.update(story["id"] for story in some)
            self._remove(some)
        return any_

    def _some(self) -> list[Told]:
        with self._changing:
            return [story for story, _ in zip(self._memory.values(), range(AT_ONCE), strict=False)]

    def _remove(self, stories: Sequence[Told], *, filed: bool = False) -> None:
        """Take these out of memory, but no later form of them that came meanwhile."""
        with self._changing:
            if filed:
                self._filed = (self._filed or set()) | {story["id"] for story in stories}
            for story in stories:
                if self._memory.get(story["id"]) is story:
                    del self._memory[story["id"]]

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
        self._look_into_file()
        with suppress(OSError):
            while some := self._some():
                for story in some:
                    if size_of(self._file) >= MOST_IN_FILE:
                        return
                    append(self._file, story)
                    self._overtaken.discard(story["id"])
                    self._remove([story], filed=True)

    def _look_into_file(self) -> None:
        """Count, once, what the service before us left in the file."""
        if self._filed is None:
            with suppress(AgentError):
                self._filed = {story["id"] for story in stories_in(self._file)}

    def _tell(self) -> None:
        if self._problem:
            log.error("records: %s", self.health)
        else:
            log.info("records: all written")


def _calls(count: int, one: str, several: str = "") -> str:
    return f"1 call {one}" if count == 1 else f"{count} calls {several or one}"


def _batches(stories: Sequence[Told]) -> Iterator[Sequence[Told]]:
    for start in range(0, len(stories), AT_ONCE):
        yield stories[start : start + AT_ONCE]
