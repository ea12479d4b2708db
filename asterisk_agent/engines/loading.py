"""What goes wrong inside an engine's library, as one error that an operator can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from asterisk_agent.errors import EngineError


@contextmanager
def engine_errors(problem: str, hint: str = "") -> Iterator[None]:
    """Turn whatever a library raises into EngineError ``problem: its first line``.

    vosk, tokenizers and onnxruntime raise plain ``Exception`` for a broken file, so this one
    boundary must catch as much.
    """
    try:
        yield
    except EngineError:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines()
        reason = lines[0][:200] if lines else type(error).__name__
        raise EngineError(f"{problem}: {reason}", hint=hint) from error
