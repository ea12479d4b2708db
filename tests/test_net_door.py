"""Who may connect to the ports that ask for no password."""

import asyncio

import pytest

from asterisk_agent.config.schema import Address
from asterisk_agent.net import ping
from asterisk_agent.net.door import Door
from asterisk_agent.net.fastagi import FastAgiServer
from asterisk_agent.net.media import MediaServer
from asterisk_agent.sandbox.processes import free_port

ALLOWED = ("10.0.0.5", "192.168.7.0/24", "fd00::/64")


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("10.0.0.5", True),
        ("::ffff:10.0.0.5", True),
        ("192.168.7.200", True),
        ("fd00::1", True),
        ("10.0.0.6", False),
        ("192.168.8.1", False),
        ("::ffff:10.0.0.6", False),
        ("fe80::1%eth0", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_those_that_are_named_may_and_this_machine(host, known):
    assert Door("media", ALLOWED).knows(host) is known


@pytest.mark.parametrize("host", ["10.0.0.5", "192.168.7.1", "203.0.113.9", "::ffff:10.0.0.5"])
def test_nobody_else_may_where_nobody_is_named(host):
    assert not Door("media").knows(host)


class Shut(Door):
    """Takes everybody for a stranger."""

    def knows(self, host):
        return False


async def refuse_all(request):
    raise AssertionError("a stranger was answered")


@pytest.mark.parametrize("which", ["fastagi", "media"])
async def test_a_stranger_is_neither_read_nor_answered(which, caplog):
    server = (
        FastAgiServer({"ping": refuse_all}, Shut(which))
        if which == "fastagi"
        else MediaServer(refuse_all, Shut(which))
    )
    address = Address("127.0.0.1", free_port())
    await server.start(address)
    try:
        assert not await ping.answers(address, 5.0)
    finally:
        await server.stop()
    assert f"{which}: refused a connection from 127.0.0.1" in caplog.text


async def test_a_ping_tells_a_service_that_answers_from_one_that_does_not():
    async def pong(request):
        return {}

    server, address = FastAgiServer({"ping": pong}), Address("127.0.0.1", free_port())
    assert not await ping.answers(address, 1.0)
    await server.start(address)
    try:
        assert await ping.answers(address, 5.0)
    finally:
        await server.stop()
    kept = []
    silent = await asyncio.start_server(lambda _, writer: kept.append(writer), address.host, 0)
    async with silent:
        host, port = silent.sockets[0].getsockname()
        assert not await ping.answers(Address(host, port), 0.05)
        for writer in kept:
            writer.close()
            await writer.wait_closed()
