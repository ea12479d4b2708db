"""A language model on another server, by the OpenAI protocol: it always says the same.

What it says is never in the documents, so that the gate refuses it, and their own words are spoken.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re

HOST = "127.0.0.1"
WORDS = "I would have to make that up."
MOST_BYTES = 1 << 20


PIECE = {"choices": [{"delta": {"content": WORDS}}]}
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    + f"data: {json.dumps(PIECE)}\n\ndata: [DONE]\n\n".encode()
)
ERROR = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class ModelServer:
    """Answers until it is stopped."""

    def __init__(self) -> None:
        self.port = 0
        self.asked = 0
        """How many questions it got."""
        self.fails = False
        """Whether it answers all of them with an error."""
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a port of its own."""
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            await reader.readexactly(min(MOST_BYTES, int(length[1])) if length else 0)
            self.asked += 1
            writer.write(ERROR if self.fails else ANSWER)
            await writer.drain()
        writer.close()
