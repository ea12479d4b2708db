"""Who changed what, and when: a line for each change, kept beside the users."""

from __future__ import annotations

import difflib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock

log = logging.getLogger(__name__)

FILE = "changes.jsonl"
MAX_BYTES = 4 << 20
"""Then a new file begins; the last one stays as ``changes.jsonl.1``."""
MAX_DETAIL = 4_000


@dataclass(frozen=True, slots=True)
class Change:
    """``what`` in a few words, ``where`` the file or the call, ``detail`` a diff or nothing."""

    at: str
    user: str
    what: str
    where: str = ""
    detail: str = ""


class Audit:
    """Writes changes down, and reads the latest."""

    def __init__(self, directory: Path, now: Callable[[], datetime]) -> None:
        self._path = directory / FILE
        self._now = now
        self._lock = Lock()

    def note(self, user: str, what: str, where: str = "", detail: str = "") -> None:
        """Write a change down. What cannot be written is in the log at least."""
        at = self._now().isoformat(timespec="seconds")
        change = Change(at, user, what, where, detail[:MAX_DETAIL])
        log.info("console: %s", what, extra={"user": user, "where": where})
        try:
            with self._lock:
                self._append(json.dumps(asdict(change), ensure_ascii=False) + "\n")
        except OSError as error:
            log.error("console: %s cannot be written: %s", self._path, error.strerror)

    def _append(self, line: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._path.exists() and self._path.stat().st_size > MAX_BYTES:
            os.replace(self._path, self._path.with_name(f"{FILE}.1"))
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(line)

    def latest(self, limit: int = 200) -> list[Change]:
        """The newest changes first."""
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        return list(_changes(lines[-limit:][::-1]))

    def last_on(self, files: str) -> Change | None:
        """The latest change of any of these files."""
        wanted = set(files.split())
        return next((c for c in self.latest() if wanted & set(c.where.split())), None)


def _changes(lines: list[str]) -> Iterator[Change]:
    for line in lines:
        try:
            yield Change(**json.loads(line))
        except (ValueError, TypeError):
            continue


def differences(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> str:
    """What was changed in files, as a unified diff."""
    lines: list[str] = []
    for name, content in new.items():
        before, after = (text.decode("utf-8", "replace") for text in (old.get(name, b""), content))
        lines += difflib.unified_diff(
            before.splitlines(), after.splitlines(), name, name, lineterm="", n=1
        )
    return "\n".join(lines)
