"""What a running service tells the operator's commands about itself: one small file.

``reload`` reads from it whether the new configuration was taken over; ``check`` reads it too.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from asterisk_agent.config.schema import Config
from asterisk_agent.wire.lifeline import Losses

FILE_NAME = "service.json"
MAX_BYTES = 1_000_000


@dataclass(slots=True)
class Report:
    """``reloads`` counts the attempts; the rest is how the last one ended."""

    pid: int
    began: float
    """When that process began, as the kernel says: a number may belong to another by now."""
    config: str
    started: str
    reloads: int = 0
    loaded: str = ""
    """When the configuration in use was taken over, in UTC."""
    problems: list[str] = field(default_factory=list)
    restart_for: list[str] = field(default_factory=list)
    asterisk: str = ""
    """``ok`` where Asterisk has read its files again, else why not."""
    records: str = "ok"
    """``ok`` where the call log is written, else why not, and what waits."""
    indexed: str = ""
    """When the documents in use were read, in UTC."""
    documents: list[str] = field(default_factory=list)
    """Why the documents on disk are not in use; those read before are."""
    watched: str = ""
    """Who kills it when it freezes: ``supervisor`` or ``systemd``; empty for nobody."""
    losses: int = 0
    """How many services the supervisor lost before this one."""
    lost_at: str = ""
    """When it lost the last of them, in UTC, and why."""
    lost_because: str = ""

    @property
    def alive(self) -> bool:
        """Whether that service still runs."""
        with contextlib.suppress(psutil.Error):
            return abs(psutil.Process(self.pid).create_time() - self.began) < 1
        return False


class Status:
    """The service's side: writes the file, each time whole."""

    def __init__(
        self,
        directory: Path,
        config_directory: Path,
        now: Callable[[], datetime],
        *,
        watched: str = "",
        losses: Losses | None = None,
    ) -> None:
        self._now = now
        self._path = directory / FILE_NAME
        began = psutil.Process().create_time()
        self._report = Report(os.getpid(), began, str(config_directory.resolve()), "")
        self._report.watched = watched
        if losses is not None:
            self._report.losses = losses.count
            self._report.lost_at, self._report.lost_because = losses.at, losses.why

    def started(self) -> None:
        """The service takes calls."""
        self._report.started = self._report.loaded = self._report.indexed = self._time()
        self._write()

    def taken_over(self, restart_for: Sequence[str], asterisk: str) -> None:
        """A new configuration is in use; ``restart_for`` are the keys that are not yet."""
        self._report.reloads += 1
        self._report.loaded = self._report.indexed = self._time()
        self._report.problems, self._report.documents = [], []
        self._report.restart_for = list(restart_for)
        self._report.asterisk = asterisk
        self._write()

    def refused(self, problems: Sequence[str]) -> None:
        """The configuration on disk has mistakes; the one in use stays."""
        self._report.reloads += 1
        self._report.problems = list(problems)
        self._write()

    def recorded(self, health: str) -> None:
        """How the call log is."""
        if health != self._report.records:
            self._report.records = health
            self._write()

    def read_again(self) -> None:
        """Changed documents are in use."""
        self._report.indexed = self._time()
        self._report.documents = []
        self._write()

    def unreadable(self, problems: Sequence[str]) -> None:
        """The documents on disk cannot be read, those in use stay; none: they can again."""
        if self._report.documents != list(problems):
            self._report.documents = list(problems)
            self._write()

    def stopped(self) -> None:
        """The service has ended."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _time(self) -> str:
        return self._now().astimezone(UTC).isoformat(timespec="microseconds")

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # calls do not depend on it
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._path.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(asdict(self._report)), encoding="utf-8")
            temporary.replace(self._path)


def read(directory: Path) -> Report | None:
    """What the service in this directory said last; None where none runs."""
    try:
        with (directory / FILE_NAME).open("rb") as file:
            report = Report(**json.loads(file.read(MAX_BYTES)))
    except (OSError, ValueError, TypeError):
        return None
    return report if report.alive else None


def restart_needed(old: Config, new: Config) -> list[str]:
    """The keys of agent.yaml that differ and are only read at start."""
    pairs = {
        "agent.language": (old.agent.language, new.agent.language),
        "engines": (old.engines, new.engines),
        "asterisk.ami": (old.asterisk.ami, new.asterisk.ami),
        "listen": (old.listen, new.listen),
        "web": (
            old.web.model_copy(update={"phones": {}}),
            new.web.model_copy(update={"phones": {}}),
        ),
        "records.database": (old.records.database, new.records.database),
    }
    return [key for key, (before, after) in pairs.items() if before != after]
