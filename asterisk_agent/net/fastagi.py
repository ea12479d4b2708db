"""The FastAGI server: short questions from the dialplan, short answers."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

from asterisk_agent.config.schema import Address
from asterisk_agent.errors import ProtocolError
from asterisk_agent.net.door import Door
from asterisk_agent.wire import agi

log = logging.getLogger(__name__)

ANSWER_LIMIT_S = 2.5
"""The dialplan itself gives up after three seconds."""
READ_BYTES = 8_192

Handler = Callable[[agi.Request], Awaitable[Mapping[str, str]]]
"""Answers a request with the channel variables to set, in order."""


class FastAgiServer:
    """Answers each request by setting variables; ``AGENT_READY=1`` is set last of all.

    Asterisk calls a request successful even when the server dies half-way, so the dialplan
    trusts nothing before that marker.
    """

    def __init__(self, handlers: Mapping[str, Handler], door: Door | None = None) -> None:
        self._handlers = handlers
        self._door = door or Door("fastagi")
        self._server: asyncio.Server | None = None

    async def start(self, address: Address) -> None:
        """Listen. Raises OSError where the port is taken."""
        self._server = await asyncio.start_server(
            self._accept, address.host, address.port, limit=agi.MAX_LINE
        )

    async def stop(self) -> None:
        """Accept nobody any more."""
        if self._server is not None:
            self._server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._door.admits(writer):
            return
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                await self._serve(reader, writer)
        except TimeoutError:
            log.warning("fastagi: a request was not finished within %.1f s", ANSWER_LIMIT_S)
        except (ProtocolError, ConnectionError) as error:
            log.warning("fastagi: connection ended: %s", error)
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = _Stream(reader)
        request = await stream.next()
        if not isinstance(request, agi.Request):
            return  # went away before asking
        handler = self._handlers.get(request.path.partition("?")[0])
        if handler is None:
            raise ProtocolError(f"agi script {request.path[:40]!r} is unknown")
        variables = dict(await handler(request))
        for name, value in [*variables.items(), ("AGENT_READY", "1")]:
            writer.write(agi.set_variable(name, value))
            answer = await stream.next()
            if not isinstance(answer, agi.Answer) or answer.code != 200:
                return  # the caller is gone, or Asterisk is: nobody is left to answer


class _Stream:
    """Events one at a time. ``HANGUP`` is passed over: the reply beside it says what matters."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._decoder = agi.Decoder()
        self._events: deque[agi.Event] = deque()

    async def next(self) -> agi.Event | None:
        """The next event, or None at the end of the stream."""
        while True:
            while self._events:
                event = self._events.popleft()
                if not isinstance(event, agi.CallerGone):
                    return event
            data = await self._reader.read(READ_BYTES)
            if not data:
                return None
            self._events.extend(self._decoder.feed(data))
