"""Embeddings by all-mpnet-base-v2 (Song et al. 2020, arXiv:2004.09297; tuned by sentence-
transformers), in 8 bits, through CTranslate2: English only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from asterisk_agent.engines.base import Vector
from asterisk_agent.engines.loading import engine_errors
from asterisk_agent.engines.pooling import each, encode, load_tokenizer, unit_mean
from asterisk_agent.engines.worker import give_memory_back

CONVERTED = "int8"
"""The folder of its weights as CTranslate2 wants them, below the model's; see ``mpnet_weights``."""
DIMENSIONS = 768
MOST_TOKENS = 384
"""What it was made for; the rest of a longer text is not looked at."""


class MpnetEmbedder:
    """An ``Embedder``: the mean over the last layer. A question takes about 12 ms."""

    name = "mpnet"

    def __init__(self, folder: Path) -> None:
        hint = f"run: asterisk-agent models pull {folder.name}"
        with engine_errors("the second embedder cannot be loaded", hint):
            import ctranslate2  # noqa: PLC0415

            # One thread: texts are short, and other calls need the other cores.
            self._encoder = ctranslate2.Encoder(
                str(folder / CONVERTED), compute_type="int8", inter_threads=1, intra_threads=1
            )
            self._tokenizer = load_tokenizer(folder / "tokenizer.json", MOST_TOKENS)
        give_memory_back()

    def passages(self, texts: Sequence[str]) -> Vector:
        """Shape (len(texts), ``DIMENSIONS``)."""
        return each(self.query, texts, DIMENSIONS)

    def query(self, text: str) -> Vector:
        """Shape (``DIMENSIONS``,). The model makes no difference between questions and passages."""
        with engine_errors("the second embedder failed"):
            tokens = encode(self._tokenizer, text).ids
            positions = list(range(len(tokens)))  # in place of types
            output = self._encoder.forward_batch([tokens], token_type_ids=[positions])
            layer = np.array(output.last_hidden_state)[0]
        return unit_mean(layer)
