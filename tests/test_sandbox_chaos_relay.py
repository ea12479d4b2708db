"""The relay between Asterisk and the service, whole and in every trouble."""

import asyncio

import pytest

from asterisk_agent.sandbox.chaos_relay import HOST, Relay, Trouble

HELLO = b"hello, who is there?"


@pytest.fixture
async def relay():
    """A relay in front of a server that says everything back."""

    async def echo(reader, writer):
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0)
    relay = Relay(server.sockets[0].getsockname()[1], lambda: b"x" * 100)
    await relay.start()
    yield relay
    await relay.stop()
    server.close()


async def connect(relay):
    return await asyncio.open_connection(HOST, relay.port)


async def say(stream, data=HELLO):
    reader, writer = stream
    writer.write(data)
    async with asyncio.timeout(5):
        return await reader.readexactly(len(data))


async def ends(stream):
    """What still comes before the connection ends."""
    reader, writer = stream
    async with asyncio.timeout(5):
        try:
            rest = await reader.read()
        except ConnectionError:
            rest = b""
    writer.close()
    return rest


async def test_everything_passes(relay):
    stream = await connect(relay)
    assert await say(stream) == HELLO
    assert await say(stream, bytes(range(256)) * 500) == bytes(range(256)) * 500
    stream[1].write_eof()
    assert await ends(stream) == b""


@pytest.mark.parametrize("trouble", [Trouble.REFUSED, Trouble.RESET])
async def test_connections_are_ended(relay, trouble):
    stream = await connect(relay)
    await say(stream)
    await relay.fail(trouble)
    assert await ends(stream) == b""
    if trouble is Trouble.REFUSED:
        with pytest.raises(OSError, match="Connect"):
            await connect(relay)
    await relay.fail(Trouble.NONE)
    again = await connect(relay)
    assert await say(again) == HELLO
    again[1].close()


async def nothing_comes(stream):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await stream[0].read(1)


async def test_silence_lasts_until_it_is_lifted(relay):
    await relay.fail(Trouble.SILENT)
    stream = await connect(relay)
    stream[1].write(HELLO)
    await nothing_comes(stream)
    await relay.fail(Trouble.NONE)
    assert await ends(stream) == b""  # for a connection that lost its beginning there is no way on


@pytest.mark.parametrize("trouble", [Trouble.HALF, Trouble.HALF_BACK])
async def test_half_a_message_and_then_no_more(relay, trouble):
    stream = await connect(relay)
    await say(stream)
    await relay.fail(trouble)
    stream[1].write(HELLO)
    some = await stream[0].read(100)
    assert some == HELLO[: len(some)]
    assert 0 < len(some) < len(HELLO)
    stream[1].write(HELLO)
    await nothing_comes(stream)
    stream[1].close()


async def test_slowly_but_whole(relay):
    stream = await connect(relay)
    await relay.fail(Trouble.SLOW)
    assert await say(stream) == HELLO
    stream[1].close()


@pytest.mark.parametrize("trouble", [Trouble.GARBAGE, Trouble.GARBAGE_BACK])
async def test_noise_instead_of_sense(relay, trouble):
    stream = await connect(relay)
    await relay.fail(trouble)
    said = await say(stream)
    assert len(said) == len(HELLO)
    assert said != HELLO
    stream[1].close()


async def test_the_service_is_flooded(relay):
    stream = await connect(relay)
    await relay.fail(Trouble.FLOOD)
    stream[1].write(HELLO)
    async with asyncio.timeout(5):
        assert await stream[0].readexactly(2000) == b"x" * 2000
    stream[1].close()


async def test_nobody_behind_it_is_a_reset(relay):
    lonely = Relay(1)
    await lonely.start()
    assert await ends(await connect(lonely)) == b""
    await lonely.stop()
