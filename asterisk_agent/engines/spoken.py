"""Sentences that were spoken once, kept on disk: after a restart they cost nothing again."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

MOST_BYTES = 200 * 10**6
"""About three and a half hours of speech at telephone rate."""
_SUFFIX = ".pcm"


class SpokenStore:
    """Audio by its text, for one voice at one speed. Blocking; safe to share between processes.

    ``voice`` says all that changes how a text sounds: the voice's name, its speed, the language.
    A disk that is full or cannot be read is as if nothing were kept: the voice speaks again.
    """

    def __init__(self, directory: Path, voice: str, *, most_bytes: int = MOST_BYTES) -> None:
        self._directory = directory
        self._voice = voice
        self._most_bytes = most_bytes

    def read(self, text: str) -> bytes | None:
        """The audio of ``text``, or None. What is read was of use, and is kept for longer."""
        path = self._path(text)
        try:
            pcm = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return pcm or None

    def write(self, text: str, pcm: bytes) -> None:
        """Keep the audio of ``text``."""
        path = self._path(text)
        temporary = path.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_bytes(pcm)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)

    def tidy(self) -> int:
        """Remove what was not used for longest, down to ``most_bytes``; return how many files."""
        kept = sorted(self._files(), reverse=True)
        room, removed = self._most_bytes, 0
        for _, size, path in kept:
            room -= size
            if room < 0:
                with suppress(OSError):
                    path.unlink()
                    removed += 1
        return removed

    def _files(self) -> list[tuple[float, int, Path]]:
        """When each was last used, its size, and where it is."""
        found = []
        with suppress(OSError):
            for path in self._directory.glob(f"*{_SUFFIX}"):
                with suppress(OSError):  # another process tidies, too
                    stat = path.stat()
                    found.append((stat.st_mtime, stat.st_size, path))
        return found

    def _path(self, text: str) -> Path:
        key = hashlib.sha256(f"{self._voice}\n{text}".encode("utf-8", "surrogatepass"))
        return self._directory / f"{key.hexdigest()}{_SUFFIX}"
