"""Embeddings of passages, kept on disk: a start after the first needs none made anew."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from asterisk_agent.engines.base import Embedder, Vector

MOST_KEPT = 20_000
"""Vectors in the file; the oldest go first. About 92 MB of 1,152 dimensions."""


class VectorStore:
    """An embedder that remembers. ``directory`` None keeps nothing; so does one it can't write."""

    def __init__(self, embedder: Embedder, directory: Path | None = None) -> None:
        self._embedder = embedder
        self._file = None
        if directory is not None:
            self._file = directory / f"{re.sub(r'[^A-Za-z0-9.-]+', '-', embedder.name)}.npz"
        self._kept = self._read()

    def passages(self, texts: Sequence[str]) -> Vector:
        """As ``Embedder.passages``. Raises EngineError."""
        return self._vectors("passage", texts, self._embedder.passages)

    def queries(self, texts: Sequence[str]) -> Vector:
        """As ``Embedder.query``, for several texts: shape (len(texts), dimensions)."""
        return self._vectors(
            "query", texts, lambda new: np.stack([self._embedder.query(text) for text in new])
        )

    def _vectors(
        self, kind: str, texts: Sequence[str], embed: Callable[[list[str]], Vector]
    ) -> Vector:
        keys = [_key(kind, text) for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._kept}
        if new:
            made = embed(list(new.values()))
            self._kept.update(zip(new, made, strict=True))
            self._write()
        if not keys:
            return np.zeros((0, len(self._embedder.query(""))), dtype=np.float32)
        return np.stack([self._kept[key] for key in keys]).astype(np.float32, copy=False)

    def _read(self) -> dict[str, Vector]:
        if self._file is None or not self._file.is_file():
            return {}
        try:
            with self._file.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return {}  # a damaged cache costs a second, no more

    def _write(self) -> None:
        if self._file is None:
            return
        kept = dict(list(self._kept.items())[-MOST_KEPT:])
        beside = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as stream:
                np.savez(stream, keys=np.array(list(kept)), vectors=np.stack(list(kept.values())))
            beside.replace(self._file)
        except OSError:
            with suppress(OSError):
                beside.unlink()


def _key(kind: str, text: str) -> str:
    return hashlib.sha256(f"{kind}\0{text}".encode()).hexdigest()
