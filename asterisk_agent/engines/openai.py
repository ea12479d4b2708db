"""A language model on the operator's own network, by the OpenAI protocol (llama-server, vLLM, …).

A caller is waiting: an answer has a deadline as a whole, and a server that failed is left alone for
a while instead of being waited for by every caller. Whoever asked then does without a model.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import httpx

from asterisk_agent.config import secrets
from asterisk_agent.engines.base import LanguageModel, Message
from asterisk_agent.engines.worker import now_s
from asterisk_agent.errors import EngineError

DEADLINE_S = 2.5
CONNECT_S = 1.0
FAILURES = 2
"""In a row; then the breaker opens."""
REST_S = 30.0
"""How long a server that failed is left alone."""
LONGEST_LINE = 65_536
LONGEST_ANSWER = 20_000
MOST_TOKENS = 10_000_000
"""A server that says it took more for one answer is not believed."""
"""Characters. No answer that could be spoken is that long."""


class Breaker:
    """Opens after some failures in a row; after a rest, one question may try again. Thread-safe."""

    def __init__(
        self, clock: Callable[[], float], *, failures: int = FAILURES, rest_s: float = REST_S
    ) -> None:
        self._clock, self._failures, self._rest_s = clock, failures, rest_s
        self._lock = Lock()
        self._in_a_row = 0
        self._until = 0.0

    def allows(self) -> bool:
        """Whether the server may be asked now. After a rest only the first to ask is allowed."""
        with self._lock:
            if self._in_a_row < self._failures:
                return True
            if self._clock() < self._until:
                return False
            self._until = self._clock() + self._rest_s
            return True

    def worked(self) -> None:
        """The server answered."""
        with self._lock:
            self._in_a_row = 0

    def failed(self) -> None:
        """The server did not answer, or not in time, or nonsense."""
        with self._lock:
            self._in_a_row += 1
            self._until = self._clock() + self._rest_s


class OpenAiModel:
    """A ``LanguageModel`` behind ``url`` (up to and including ``/v1``). Shared by all calls.

    ``parameters`` is 0: nobody says. What it words goes through the same gate as any model's.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        api_key: str = "",
        deadline_s: float = DEADLINE_S,
        clock: Callable[[], float] = now_s,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = model
        self.parameters = 0
        self.tokens = 0
        """Tokens read and written so far, where the server tells."""
        self.breaker = Breaker(clock)
        self._deadline_s, self._clock = deadline_s, clock
        self._client = httpx.Client(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(deadline_s, connect=min(CONNECT_S, deadline_s)),
            transport=transport,
            trust_env=False,  # a proxy of the environment has no business with callers' words
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def generate(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[str]:
        """Yield the answer piece by piece.

        Raises EngineError at the deadline, for every failure of the server, and at once while the
        breaker is open.
        """
        if not self.breaker.allows():
            raise EngineError(f"{self.name}: the server failed a moment ago and is left alone")
        wanted = {
            "model": self.name,
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        with self._counted():
            yield from self._pieces(wanted, cancelled)

    def _pieces(self, wanted: dict[str, Any], cancelled: Callable[[], bool]) -> Iterator[str]:
        ends = self._clock() + self._deadline_s
        length = 0
        with self._client.stream("POST", "/chat/completions", json=wanted) as response:
            if response.status_code != httpx.codes.OK:
                raise EngineError(f"{self.name}: the server answers HTTP {response.status_code}")
            for line in _lines(response.iter_bytes()):
                if cancelled():
                    return
                if self._clock() > ends:
                    raise EngineError(f"{self.name}: no answer within {self._deadline_s:g} s")
                self.tokens += _tokens(line)
                piece = _piece(line)
                if piece is None:
                    return
                length += len(piece)
                if length > LONGEST_ANSWER:
                    raise EngineError(f"{self.name}: the answer does not end")
                if piece:
                    yield piece

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Tell the breaker how it went. Whoever stops listening is no failure."""
        try:
            yield
        except GeneratorExit:
            raise
        except (httpx.HTTPError, EngineError, ValueError, KeyError, TypeError, IndexError) as error:
            self.breaker.failed()
            if isinstance(error, EngineError):
                raise
            problem = f"{type(error).__name__}: {error}".strip(": ")
            raise EngineError(
                f"{self.name}: the server gave no answer ({problem[:200]})",
                hint="see engines.llm.url in agent.yaml, and the server's own log",
            ) from error
        else:
            self.breaker.worked()


def _lines(blocks: Iterator[bytes]) -> Iterator[str]:
    """Lines of a stream, none longer than ``LONGEST_LINE``."""
    held = b""
    for block in blocks:
        *whole, held = (held + block).split(b"\n")
        if len(held) > LONGEST_LINE:
            raise EngineError(f"the server sends a line of more than {LONGEST_LINE} bytes")
        yield from (line.decode("utf-8", "replace").strip() for line in whole)
    yield held.decode("utf-8", "replace").strip()


def _tokens(line: str) -> int:
    """The tokens read and written, in the line of the event stream that tells them."""
    if not line.startswith("data:") or '"usage"' not in line:
        return 0
    usage = json.loads(line.removeprefix("data:")).get("usage")
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, int) and 0 <= total <= MOST_TOKENS else 0


def _piece(line: str) -> str | None:
    """The text in a line of the event stream: "" in others, None at the end."""
    if not line.startswith("data:"):
        return ""
    data = line.removeprefix("data:").strip()
    if data == "[DONE]":
        return None
    choices = json.loads(data)["choices"]
    text = choices[0]["delta"].get("content") if choices else ""
    return text if isinstance(text, str) else ""


class WithFallback:
    """A ``LanguageModel`` that lets another one answer where the first fails."""

    def __init__(self, first: OpenAiModel, second: LanguageModel) -> None:
        self.first, self.second = first, second
        self.name, self.parameters = first.name, first.parameters

    @property
    def tokens(self) -> int:
        """Tokens that both have read and written so far."""
        return self.first.tokens + self.second.tokens

    def generate(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[str]:
        """Yield the first model's answer, or the second's if there is none. Raises EngineError.

        Whole or not at all: half an answer of one and half of another is none.
        """
        try:
            pieces = list(self.first.generate(messages, max_tokens=max_tokens, cancelled=cancelled))
        except EngineError:
            yield from self.second.generate(messages, max_tokens=max_tokens, cancelled=cancelled)
            return
        yield from pieces


def read_key(file: Path) -> str:
    """The API key in the first line of a file. Raises ConfigError."""
    return secrets.read(file, "write the server's API key into it")
