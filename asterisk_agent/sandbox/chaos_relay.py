"""Stands between two programs on the loopback, passes on what they say, and can be made to fail."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Callable
from enum import StrEnum

HOST = "127.0.0.1"
READ_BYTES = 65_536
SLOW_BYTES, SLOW_S = 24, 0.05
FLOOD_S = 4.0
FLOOD_PAUSE_S = 0.01
LIMIT = 1 << 20


class Trouble(StrEnum):
    """How a relay fails. The service is the side that was connected to, at AMI Asterisk's."""

    NONE = "none"
    REFUSED = "refused"
    """Connections are ended, and no new one is taken."""
    RESET = "reset"
    """Connections are ended by RST; new ones work."""
    SILENT = "silent"
    """What comes is taken and goes nowhere, both ways; new connections as well."""
    HALF = "half"
    """In the middle of a message from the service, everything from it stops."""
    HALF_BACK = "half back"
    """In the middle of a message to the service, everything to it stops."""
    SLOW = "slow"
    """A few bytes at a time."""
    GARBAGE = "garbage"
    """Noise comes instead of what the service says."""
    GARBAGE_BACK = "garbage back"
    """Noise reaches the service."""
    FLOOD = "flood"
    """The service gets far more than it can use, for some seconds."""


class Relay:
    """A port of its own in front of another one. ``start`` it, set ``trouble``, ``stop`` it.

    ``flood`` gives the bytes that the service is flooded with.
    """

    def __init__(self, target_port: int, flood: Callable[[], bytes] = lambda: b"\0" * 4000) -> None:
        self.port = 0
        self._target_port = target_port
        self._flood = flood
        self._trouble = Trouble.NONE
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._chance = random.Random(1)  # noqa: S311 - noise

    async def start(self, port: int = 0) -> None:
        """Listen; ``port`` 0 chooses one."""
        self._server = await asyncio.start_server(self._accept, HOST, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End everything."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for link in list(self._links):
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def fail(self, trouble: Trouble) -> None:
        """Begin to fail so; ``Trouble.NONE`` ends that, for new connections at least."""
        before, self._trouble = self._trouble, trouble
        if trouble in (Trouble.REFUSED, Trouble.RESET):
            for writer in list(self._writers):
                reset(writer)
        if trouble is Trouble.REFUSED and self._server is not None:
            self._server.close()
            self._server = None
        elif before is Trouble.REFUSED and trouble is Trouble.NONE:
            await self.start(self.port)
        elif trouble is Trouble.NONE:
            # What was spoiled in mid-message can never be right again.
            for writer in list(self._writers):
                writer.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.get_running_loop().create_task(self._link(reader, writer))
        self._links.add(link)
        link.add_done_callback(self._links.discard)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            ahead_reader, ahead = await asyncio.open_connection(HOST, self._target_port)
        except OSError:  # nobody is there
            reset(writer)
            return
        for end in (writer, ahead):
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._writers |= {writer, ahead}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, ahead, to_service=True))
                group.create_task(self._pass(ahead_reader, writer, to_service=False))
        except* ConnectionError:
            pass
        finally:
            self._writers -= {writer, ahead}
            writer.close()
            ahead.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_service: bool
    ) -> None:
        """One direction, until its end; an end is always passed on."""
        stalled = False
        while data := await reader.read(READ_BYTES):
            trouble = self._trouble
            if trouble is Trouble.SILENT or stalled:
                continue
            if trouble is (Trouble.HALF_BACK if to_service else Trouble.HALF):
                stalled = True
                data = data[: max(1, len(data) // 2 | 1) if len(data) > 4 else 1]
            elif trouble is Trouble.SLOW:
                await self._drip(data, writer)
                continue
            elif (trouble is Trouble.GARBAGE and not to_service) or (
                trouble is Trouble.GARBAGE_BACK and to_service
            ):
                data = self._chance.randbytes(len(data))
            elif trouble is Trouble.FLOOD and to_service:
                await self._pour(writer)
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):  # the other side has gone, too
            writer.write_eof()
        writer.close()

    async def _drip(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        for start in range(0, len(data), SLOW_BYTES):
            writer.write(data[start : start + SLOW_BYTES])
            await writer.drain()
            await asyncio.sleep(SLOW_S)

    async def _pour(self, writer: asyncio.StreamWriter) -> None:
        """More than anybody can use; nobody waits for it to be taken."""
        loop = asyncio.get_running_loop()
        until = loop.time() + FLOOD_S
        while loop.time() < until and self._trouble is Trouble.FLOOD:
            if writer.transport.is_closing():
                break
            if writer.transport.get_write_buffer_size() < LIMIT:
                writer.write(self._flood())
            await asyncio.sleep(FLOOD_PAUSE_S)
        self._trouble = Trouble.NONE


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST."""
    ends = struct.pack("ii", 1, 0)
    with contextlib.suppress(OSError):
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ends)
    writer.transport.abort()
