"""The AudioSocket server: accept, check the call's id, hand the line to the call."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

from asterisk_agent.config.schema import Address
from asterisk_agent.errors import ProtocolError
from asterisk_agent.net.door import Door
from asterisk_agent.wire import audiosocket

log = logging.getLogger(__name__)

IDENTITY_LIMIT_S = 2.0
"""Asterisk names its call at once; who does not is no Asterisk."""
WHOLE_LIMIT_S = 2.0
"""Asterisk writes a message at once: a line that stops within one is dead, not on hold."""
CLOSE_LIMIT_S = 1.0
MAX_UNSENT_BYTES = 65_536
"""Four seconds of audio that Asterisk did not read: the line is dead."""
READ_BYTES = 65_536


class Line:
    """One caller's audio connection. Frames out, events in; it knows nothing of speech."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        decoder: audiosocket.Decoder,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = decoder
        self._ended = False

    async def events(self) -> AsyncIterator[audiosocket.Event]:
        """What the caller's line brings, until it ends.

        Raises ProtocolError on nonsense, and where a message is begun and not finished.
        """
        while data := await self._more():
            for event in self._decoder.feed(data):
                yield event
        self._decoder.finish()

    async def _more(self) -> bytes:
        """The next bytes; none at the end."""
        try:
            async with asyncio.timeout(WHOLE_LIMIT_S if self._decoder.within else None):
                return await _read(self._reader)
        except TimeoutError:
            self.drop()
            raise ProtocolError(
                f"audiosocket peer did not finish a message within {WHOLE_LIMIT_S} s"
            ) from None

    def send(self, pcm: bytes) -> None:
        """Send one 8 kHz frame, in one write. Raises ConnectionError if nobody reads."""
        transport = self._writer.transport
        if transport.is_closing():
            raise ConnectionResetError("the audio connection is closed")
        if transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            raise ConnectionResetError("Asterisk stopped reading audio")
        self._writer.write(audiosocket.encode_audio(pcm))

    def drop(self) -> None:
        """Cut the connection, which stands still: the dialplan goes on at once."""
        self._ended = True
        self._writer.transport.abort()

    async def end(self) -> None:
        """Give the call back to the dialplan: say so, read on to the end, close."""
        if self._ended:
            return
        self._ended = True
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                if not self._writer.transport.is_closing():
                    self._writer.write(audiosocket.encode_hang_up())
                while await _read(self._reader):
                    pass
        except (TimeoutError, ConnectionError):
            pass
        finally:
            self._writer.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(READ_BYTES)
    except ConnectionError:
        return b""


class MediaServer:
    """Listens for AudioSocket connections.

    ``claim(uuid)`` returns the call's story, to be run with its line, for an id that was issued
    a moment ago and not yet used; None refuses the connection.
    """

    def __init__(
        self,
        claim: Callable[[UUID], Callable[[Line], Awaitable[None]] | None],
        door: Door | None = None,
    ) -> None:
        self._claim = claim
        self._door = door or Door("media")
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, address: Address) -> None:
        """Listen. Raises OSError where the port is taken."""
        self._server = await asyncio.start_server(self._accept, address.host, address.port)

    async def stop(self, grace_s: float = CLOSE_LIMIT_S) -> None:
        """Accept nobody any more; calls under way have ``grace_s`` to end, then they are cut."""
        if self._server is not None:
            self._server.close()
        if self._connections:
            _, late = await asyncio.wait(self._connections, timeout=grace_s)
            for connection in late:
                connection.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._door.admits(writer):
            return
        connection = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._ended)

    def _ended(self, connection: asyncio.Task[None]) -> None:
        self._connections.discard(connection)
        if not connection.cancelled() and (error := connection.exception()) is not None:
            log.error("media: connection broke: %r", error, exc_info=error)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = audiosocket.Decoder()
        try:
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            uuid = await self._identity(reader, decoder)
            story = self._claim(uuid)
            if story is None:
                log.warning(
                    "media: refused a call that was not announced", extra={"uuid": str(uuid)}
                )
                return
            await story(Line(reader, writer, decoder))
        except (ProtocolError, ConnectionError) as error:
            log.warning("media: connection ended: %s", error)
        finally:
            writer.close()

    async def _identity(self, reader: asyncio.StreamReader, decoder: audiosocket.Decoder) -> UUID:
        """Read exactly the first message, so that no audio is taken from the call's own reader."""
        try:
            async with asyncio.timeout(IDENTITY_LIMIT_S):
                first = await reader.readexactly(audiosocket.HEADER.size + 16)
        except TimeoutError:
            raise ProtocolError(f"audiosocket peer named no call in {IDENTITY_LIMIT_S} s") from None
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ProtocolError("audiosocket connection closed before naming its call") from error
        for event in decoder.feed(first):
            if isinstance(event, audiosocket.Identified):
                return event.uuid
        raise ProtocolError("audiosocket connection did not name its call")
