"""What embedders of sentence-transformers' kind have in common: tokens in, a mean of vectors out.

They make no difference between questions and passages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from asterisk_agent.engines.base import Vector

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer


def load_tokenizer(file: Path, most: int) -> Tokenizer:
    """The tokenizer of ``file``; what is longer than ``most`` tokens is cut off."""
    from tokenizers import Tokenizer  # noqa: PLC0415

    loaded = Tokenizer.from_file(str(file))
    loaded.no_padding()
    loaded.enable_truncation(most)
    return loaded


def encode(tokenizer: Tokenizer, text: str) -> Encoding:
    """The tokens of any text, lone surrogates included."""
    return tokenizer.encode(text.encode("utf-8", "replace").decode("utf-8"))


def unit_mean(layer: Vector) -> Vector:
    """The mean over the tokens of a layer, shape (tokens, dimensions), at length one."""
    mean: Vector = layer.mean(axis=0)
    unit: Vector = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
    return unit


def each(query: Callable[[str], Vector], texts: Sequence[str], dimensions: int) -> Vector:
    """Every text by itself: shape (len(texts), dimensions)."""
    if not texts:
        return np.zeros((0, dimensions), np.float32)
    return np.stack([query(text) for text in texts])
