"""A language model in this process, by llama.cpp."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from asterisk_agent.engines.base import Message
from asterisk_agent.engines.loading import engine_errors
from asterisk_agent.errors import EngineError

CONTEXT_TOKENS = 2048
_HINT = "run: asterisk-agent models pull {0}"


class LlamaModel:
    """A ``LanguageModel`` from a GGUF file, or from the folder that holds one.

    One answer at a time: a second ``generate`` waits until the first ends or is closed. Raises
    EngineError where the file is missing or broken.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        file = path if path.suffix == ".gguf" else _only_model(path)
        name = file.parent.name if path.is_dir() else file.stem
        self.name = name
        self.tokens = 0
        """Tokens read and written so far."""
        self._lock = Lock()
        count = threads or os.cpu_count() or 1
        with engine_errors(f"the language model {file} cannot be loaded", _HINT.format(name)):
            import llama_cpp  # noqa: PLC0415

            self._model: Any = llama_cpp.Llama(
                str(file),
                n_ctx=CONTEXT_TOKENS,
                n_batch=512,
                n_threads=count,
                n_threads_batch=count,
                verbose=False,
            )
            self.parameters = int(llama_cpp.llama_model_n_params(self._model.model))

    def generate(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[str]:
        """Yield the answer piece by piece, greedily: the same question, the same answer.

        Raises EngineError where the messages don't fit the context.
        """
        with self._lock, engine_errors(f"{self.name} failed"):
            if cancelled():
                return
            answer = self._model.create_chat_completion(
                messages=list(messages), max_tokens=max_tokens, temperature=0.0, stream=True
            )
            try:
                for chunk in answer:
                    if cancelled():
                        return
                    if piece := chunk["choices"][0]["delta"].get("content"):
                        yield piece
            finally:
                answer.close()
                self.tokens += int(self._model.n_tokens)


def _only_model(folder: Path) -> Path:
    files = sorted(folder.glob("*.gguf"))
    if len(files) != 1:
        raise EngineError(
            f"{folder}: {len(files)} models (*.gguf) in it, expected one",
            hint=_HINT.format(folder.name),
        )
    return files[0]
