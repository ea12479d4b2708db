"""The calls under way, each in a file of its own: what a service that is lost leaves to the next.

A file is no older than the last moment at which its call was known to be there.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from asterisk_agent.records.restoring import story_of
from asterisk_agent.records.story import Story

log = logging.getLogger(__name__)

MAX_BYTES = 4_000_000
"""Of a file: hours of talk."""


@dataclass(frozen=True, slots=True)
class Left:
    """A call that was under way. ``talking``: with the agent, who was ``saying`` something.

    ``seen`` is when it was last known to be there.
    """

    story: Story
    seen: datetime
    talking: bool = False
    saying: bool = False

    def as_json(self) -> dict[str, object]:
        """The content of its file."""
        return {
            "story": self.story.as_json(),
            "unique_id": self.story.unique_id,
            "talking": self.talking,
            "saying": self.saying,
        }


class Journal:
    """The files in a directory. Every method blocks, and none raises an error."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._told = False

    def write(self, call: UUID, content: Mapping[str, object]) -> None:
        """Keep what ``Left.as_json`` told, in the place of what was kept of the call before."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = self._file(call)
            temporary = file.with_suffix(".new")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as written:
                json.dump(content, written)
            temporary.replace(file)
            self._told = False
        except OSError as error:
            if not self._told:
                self._told = True
                log.warning("records: calls under way are not kept: %s", error)

    def touch(self, call: UUID) -> None:
        """The call is still there."""
        with suppress(OSError):
            os.utime(self._file(call))

    def remove(self, call: UUID) -> None:
        """The call is over, and its record written."""
        with suppress(OSError):
            self._file(call).unlink(missing_ok=True)

    def read(self) -> list[Left]:
        """What is there. What nobody can read is removed, and told in the log."""
        found = []
        for file in sorted(self._directory.glob("*")):
            try:
                found.append(_left(file))
            except (OSError, ValueError) as error:
                if file.suffix == ".json":
                    log.warning("records: a call under way is lost: %s", type(error).__name__)
                with suppress(OSError):
                    file.unlink()
        return found

    def _file(self, call: UUID) -> Path:
        return self._directory / f"{call}.json"


def _left(file: Path) -> Left:
    """Raises OSError or ValueError."""
    with file.open("rb") as opened:
        data = opened.read(MAX_BYTES + 1)
        seen = datetime.fromtimestamp(os.fstat(opened.fileno()).st_mtime, UTC)
    told = json.loads(data) if len(data) <= MAX_BYTES and file.suffix == ".json" else None
    if not isinstance(told, dict) or not isinstance(told.get("story"), dict):
        raise ValueError("no call")
    story = story_of(told["story"], str(told.get("unique_id", "")))
    return Left(story, seen, told.get("talking") is True, told.get("saying") is True)
