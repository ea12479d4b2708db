"""The FastAGI server over a loopback socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from asterisk_agent.config.schema import Address
from asterisk_agent.net import fastagi
from asterisk_agent.net.fastagi import FastAgiServer, Handler
from asterisk_agent.sandbox.processes import free_port
from asterisk_agent.wire import agi

LIMIT_S = 5.0
ASK = b"agi_network_script: start?a=b\nagi_arg_1: support\n\n"
OK = b"200 result=1\n"


class Server:
    """A running server, and the requests that reached its handlers."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.seen: list[agi.Request] = []
        self.running = asyncio.Event()

    def handlers(self) -> Mapping[str, Handler]:
        async def start(request: agi.Request) -> Mapping[str, str]:
            self.seen.append(request)
            return {"AGENT_ACTION": "team", "AGENT_TARGET": 'a "b"'}

        async def slow(request: agi.Request) -> Mapping[str, str]:
            self.running.set()
            await asyncio.Event().wait()
            return {}

        async def bad(request: agi.Request) -> Mapping[str, str]:
            return {"AGENT_X": "a\nb"}

        return {"start": start, "slow": slow, "bad": bad}

    async def connect(self) -> "Peer":
        return Peer(*await asyncio.open_connection(self.address.host, self.address.port))


class Peer:
    """Asterisk's side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    def say_no_more(self) -> None:
        self._writer.write_eof()

    async def line(self) -> bytes:
        async with asyncio.timeout(LIMIT_S):
            return await self._reader.readline()

    async def rest(self) -> bytes:
        """Everything up to the server's close."""
        try:
            async with asyncio.timeout(LIMIT_S):
                return await self._reader.read()
        except ConnectionError:
            return b""
        finally:
            self._writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    address = Address("127.0.0.1", free_port())
    found = Server(address)
    running = FastAgiServer(found.handlers())
    await running.start(address)
    yield found
    await running.stop()


async def test_variables_are_set_in_order_and_the_marker_last(server: Server) -> None:
    peer = await server.connect()
    peer.send(ASK)
    lines = []
    for _ in range(3):
        lines.append(await peer.line())
        peer.send(OK)
    assert lines == [
        b'SET VARIABLE AGENT_ACTION "team"\n',
        b'SET VARIABLE AGENT_TARGET "a \\"b\\""\n',
        b'SET VARIABLE AGENT_READY "1"\n',
    ]
    assert await peer.rest() == b""
    assert [request.arguments for request in server.seen] == [("support",)]


async def test_each_command_waits_for_its_reply_and_a_hangup_is_passed_over(
    server: Server,
) -> None:
    peer = await server.connect()
    peer.send(ASK)
    assert b"AGENT_ACTION" in await peer.line()
    peer.send(b"HANGUP\n" + OK)
    assert b"AGENT_TARGET" in await peer.line()
    peer.send(OK + b"HANGUP\n")
    assert b"AGENT_READY" in await peer.line()
    peer.send(OK)
    assert await peer.rest() == b""


@pytest.mark.parametrize(
    "reply", [b"511 Dead\n", b"510 What?\n", b"520-U\n520 End\n", b"nonsense\n"]
)
async def test_without_a_good_reply_the_marker_is_never_set(server: Server, reply: bytes) -> None:
    peer = await server.connect()
    peer.send(ASK)
    assert b"AGENT_ACTION" in await peer.line()
    peer.send(reply)
    assert await peer.rest() == b""


async def test_a_handler_that_takes_too_long_costs_the_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fastagi, "ANSWER_LIMIT_S", 0.05)
    peer = await server.connect()
    peer.send(ASK.replace(b"start", b"slow"))
    async with asyncio.timeout(LIMIT_S):
        await server.running.wait()
    assert await peer.rest() == b""


@pytest.mark.parametrize(
    "hostile",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"\0" * 10_000,
        b"agi_network_script: nobody\n\n",
        b"agi_x: y\n" * 300,
        b"\n",
        ASK.replace(b"start", b"bad"),
    ],
)
async def test_a_malformed_peer_ends_only_its_own_connection(
    server: Server, hostile: bytes
) -> None:
    good = await server.connect()
    good.send(ASK[:10])
    bad = await server.connect()
    bad.send(hostile)
    assert await bad.rest() == b""
    good.send(ASK[10:])
    assert await good.line() == b'SET VARIABLE AGENT_ACTION "team"\n'
    good.say_no_more()
    assert await good.rest() == b""


async def test_a_peer_that_leaves_before_asking_is_let_go(server: Server) -> None:
    peer = await server.connect()
    peer.send(ASK[:-1])
    peer.say_no_more()
    assert await peer.rest() == b""
    assert server.seen == []


async def test_a_taken_port_is_an_os_error(server: Server) -> None:
    with pytest.raises(OSError, match=str(server.address.port)):
        await FastAgiServer({}).start(server.address)
