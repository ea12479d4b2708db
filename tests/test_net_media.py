"""The AudioSocket server over a loopback socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from asterisk_agent.config.schema import Address
from asterisk_agent.errors import ProtocolError
from asterisk_agent.net import media
from asterisk_agent.net.media import Line, MediaServer
from asterisk_agent.sandbox.processes import free_port
from asterisk_agent.wire import audiosocket
from asterisk_agent.wire.audiosocket import Audio, Digit

LIMIT_S = 5.0
CALL = uuid4()
HANG_UP = audiosocket.encode_hang_up()


class Server:
    """A running server that knows one call, whose story echoes audio until ``#``."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.asked: list[UUID] = []
        self.heard: list[audiosocket.Event] = []
        self.failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def claim(self, uuid: UUID) -> Callable[[Line], Awaitable[None]] | None:
        self.asked.append(uuid)
        return self.story if uuid == CALL else None

    async def story(self, line: Line) -> None:
        try:
            async for event in line.events():
                self.heard.append(event)
                if isinstance(event, Audio):
                    line.send(event.pcm)
                if event == Digit("#"):
                    break
        except ProtocolError as error:
            self.failed.set_result(str(error))
            raise
        await line.end()
        await line.end()  # twice is once

    async def connect(self) -> "Peer":
        return Peer(*await asyncio.open_connection(self.address.host, self.address.port))


class Peer:
    """Asterisk's side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, *messages: bytes) -> None:
        self._writer.write(b"".join(messages))

    def say_no_more(self) -> None:
        self._writer.write_eof()

    async def read(self, size: int) -> bytes:
        async with asyncio.timeout(LIMIT_S):
            return await self._reader.readexactly(size)

    async def rest(self) -> bytes:
        """Everything up to the server's close."""
        try:
            async with asyncio.timeout(LIMIT_S):
                return await self._reader.read()
        except ConnectionError:
            return b""
        finally:
            self._writer.close()


def free_address() -> Address:
    return Address("127.0.0.1", free_port())


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    address = free_address()
    found = Server(address)
    running = MediaServer(found.claim)
    await running.start(address)
    yield found
    await running.stop()


async def test_stopping_cuts_a_call_that_goes_on_and_leaves_nothing_behind() -> None:
    cut = asyncio.get_running_loop().create_future()

    async def endless(line: Line) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await line.end()
            cut.set_result(True)

    address = free_address()
    running = MediaServer(lambda _: endless)
    await running.start(address)
    peer = Peer(*await asyncio.open_connection(address.host, address.port))
    peer.send(audiosocket.encode_identity(CALL))
    peer.say_no_more()
    await asyncio.sleep(0.05)
    await running.stop(grace_s=0.05)
    assert cut.done()
    assert await peer.rest() == HANG_UP


async def test_a_story_that_breaks_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_: Line) -> None:
        raise LookupError("nobody expected this")

    address = free_address()
    running = MediaServer(lambda _: broken)
    await running.start(address)
    peer = Peer(*await asyncio.open_connection(address.host, address.port))
    peer.send(audiosocket.encode_identity(CALL))
    assert await peer.rest() == b""
    await running.stop()
    assert "nobody expected this" in caplog.text


async def test_a_known_call_is_heard_and_answered_and_given_back(server: Server) -> None:
    peer = await server.connect()
    voice = audiosocket.encode_audio(b"\x01\x02" * 160)
    peer.send(audiosocket.encode_identity(CALL), voice)
    assert await peer.read(len(voice)) == voice
    peer.send(audiosocket.encode_digit("#"))
    assert await peer.read(len(HANG_UP)) == HANG_UP
    peer.send(voice)  # still on its way: read and forgotten
    peer.say_no_more()
    assert await peer.rest() == b""
    assert server.heard == [Audio(b"\x01\x02" * 160, 8_000), Digit("#")]


async def test_a_call_that_was_not_announced_is_refused(server: Server) -> None:
    stranger = uuid4()
    peer = await server.connect()
    peer.send(audiosocket.encode_identity(stranger))
    assert await peer.rest() == b""
    assert server.asked == [stranger]
    assert server.heard == []


@pytest.mark.parametrize(
    "hostile",
    [b"GET / HTTP/1.0\r\n\r\n" * 2, b"\x01\x00\x11" + bytes(17), b"\x10\x00\x10" + bytes(16)],
)
async def test_who_is_no_asterisk_ends_only_its_own_connection(
    server: Server, hostile: bytes
) -> None:
    good, bad = await server.connect(), await server.connect()
    voice = audiosocket.encode_audio(b"\x01\x02" * 160)
    good.send(audiosocket.encode_identity(CALL), voice)
    assert await good.read(len(voice)) == voice
    bad.send(hostile)
    assert await bad.rest() == b""
    good.send(voice)
    assert await good.read(len(voice)) == voice
    good.say_no_more()
    assert await good.rest() == HANG_UP
    assert server.asked == [CALL]


async def test_who_leaves_before_naming_a_call_is_let_go(server: Server) -> None:
    peer = await server.connect()
    peer.send(audiosocket.encode_identity(CALL)[:-1])
    peer.say_no_more()
    assert await peer.rest() == b""
    assert server.asked == []


async def test_who_names_no_call_in_time_is_sent_away(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(media, "IDENTITY_LIMIT_S", 0.05)
    peer = await server.connect()
    assert await peer.rest() == b""
    assert "named no call" in caplog.text


async def test_a_story_that_finds_the_line_dead_ends_quietly(
    caplog: pytest.LogCaptureFixture, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "MAX_UNSENT_BYTES", -1)
    peer = await server.connect()
    peer.send(audiosocket.encode_identity(CALL), audiosocket.encode_audio(b"ab"))
    assert await peer.rest() == b""
    assert "stopped reading" in caplog.text


@pytest.mark.parametrize(
    ("message", "problem"),
    [(b"\x77\x00\x00", "0x77 is unknown"), (b"\x10\x01\x40ab", "ends 5 bytes")],
)
async def test_nonsense_in_a_call_ends_it(server: Server, message: bytes, problem: str) -> None:
    peer = await server.connect()
    peer.send(audiosocket.encode_identity(CALL), message)
    peer.say_no_more()
    assert await peer.rest() == b""
    assert problem in await server.failed


async def test_a_line_that_stops_within_a_message_is_given_back(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "WHOLE_LIMIT_S", 0.05)
    peer = await server.connect()
    frame = audiosocket.encode_audio(b"ab" * 160)
    peer.send(audiosocket.encode_identity(CALL), frame, frame[:100])
    assert await peer.rest() == frame
    assert "did not finish a message" in await server.failed


async def test_a_line_may_stand_still_between_messages_and_within_one_for_a_moment(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "WHOLE_LIMIT_S", 0.2)
    peer = await server.connect()
    frame = audiosocket.encode_audio(b"ab" * 160)
    peer.send(audiosocket.encode_identity(CALL), frame)
    assert await peer.read(len(frame)) == frame
    await asyncio.sleep(0.3)
    peer.send(frame[:100])
    await asyncio.sleep(0.05)
    peer.send(frame[100:], audiosocket.encode_digit("#"))
    assert await peer.read(len(frame) + len(HANG_UP)) == frame + HANG_UP
    peer.say_no_more()
    assert await peer.rest() == b""
