"""The control socket: a Unix socket in the state directory, for the console and `calls follow`."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

from asterisk_agent.errors import AgentError, ProtocolError
from asterisk_agent.wire.control import (
    MAX_ANSWER,
    MAX_REQUEST,
    Lines,
    Request,
    encode,
    fields_of,
    request_of,
)

log = logging.getLogger(__name__)

READ_BYTES = 65_536
MOST_CLIENTS = 16
ASK_LIMIT_S = 5.0
SILENCE_S = 15.0
"""A service that watches says something at least every few seconds."""
MAX_UNSENT_BYTES = 1 << 22

Answers = Callable[[Request], AsyncGenerator[Mapping[str, Any], None]]
"""Answers a request. Raises AgentError, which is passed on as ``error`` and ``hint``."""


class ControlServer:
    """Listens for the console. Nobody else may: the socket is its owner's (mode 0600)."""

    def __init__(self, path: Path, answers: Answers) -> None:
        self._path = path
        self._answers = answers
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            listener.bind(str(self._path))
        except BaseException:
            listener.close()
            raise
        finally:
            os.umask(before)
        self._server = await asyncio.start_unix_server(self._accept, sock=listener)

    async def stop(self) -> None:
        """Hang up on everybody."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        clients = list(self._clients)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own: one that asyncio makes here reports its cancellation as an error.
        if len(self._clients) >= MOST_CLIENTS:
            writer.transport.abort()
            return
        client = asyncio.create_task(self._client(reader, writer))
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (ProtocolError, ConnectionError, TimeoutError) as error:
            log.warning("control: connection ended: %s", error or "too slow")
        finally:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = Lines(MAX_REQUEST)
        while data := await reader.read(MAX_REQUEST):
            for fields in lines.feed(data):
                await self._answer(request_of(fields), reader, writer)

    async def _answer(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        async with aclosing(self._answers(request)) as answers:
            try:
                async for answer in answers:
                    if writer.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
                        raise ProtocolError("the console does not read")
                    writer.write(encode(answer))
                    if reader.at_eof():
                        return
            except AgentError as error:
                if isinstance(error, ProtocolError):
                    raise
                writer.write(encode({"error": str(error), "hint": error.hint}))
        async with asyncio.timeout(ASK_LIMIT_S):
            await writer.drain()


async def ask(path: Path, request: Request) -> dict[str, Any]:
    """One question, one answer. Raises AgentError where the service is gone, or refuses."""
    try:
        async with asyncio.timeout(ASK_LIMIT_S), aclosing(_talk(path, request)) as answers:
            async for answer in answers:
                if "error" in answer:
                    raise AgentError(str(answer["error"]), hint=str(answer.get("hint", "")))
                return answer
    except TimeoutError:
        raise AgentError(f"the service did not answer in {ASK_LIMIT_S:.0f} s") from None
    raise AgentError("the service ended the connection", hint="try again")


async def follow(path: Path, request: Request) -> AsyncGenerator[dict[str, Any], None]:
    """One question, answers until the service is gone or silent: then AgentError."""
    async with aclosing(_talk(path, request)) as answers:
        while True:
            try:
                async with asyncio.timeout(SILENCE_S):
                    yield await anext(answers)
            except TimeoutError:
                raise AgentError(f"the service has been silent for {SILENCE_S:.0f} s") from None
            except StopAsyncIteration:
                raise AgentError("the service has ended") from None


async def _talk(path: Path, request: Request) -> AsyncGenerator[dict[str, Any], None]:
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except PermissionError:
        hint = "ask as the service's own user"
        raise AgentError("the service's control socket is another user's", hint=hint) from None
    except OSError:
        hint = "start it: asterisk-agent run"
        raise AgentError("the service does not run", hint=hint) from None
    lines = Lines(MAX_ANSWER)
    try:
        writer.write(encode(fields_of(request)))
        while data := await reader.read(READ_BYTES):
            for answer in lines.feed(data):
                yield answer
    except ConnectionError:
        return
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
