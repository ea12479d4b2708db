"""Targets that take what comes from a socket or a pipe."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from asterisk_agent.config.load import load
from asterisk_agent.engines import messages as engine_messages
from asterisk_agent.engines.remote import log_record
from asterisk_agent.errors import AgentError, AsteriskError, ProtocolError
from asterisk_agent.events import Action, Source
from asterisk_agent.net.ami import MAX_UNREAD, AsteriskManager, Protocol, check_header, responses_of
from asterisk_agent.reception import Reception
from asterisk_agent.routing import AgentHealth
from asterisk_agent.sandbox.destinations import answers_in
from asterisk_agent.site import site_of
from asterisk_agent.visits import Visits
from asterisk_agent.wire import agi as agi_wire
from asterisk_agent.wire import audiosocket as audiosocket_wire
from asterisk_agent.wire import control as control_wire
from asterisk_agent.wire import lifeline as lifeline_wire
from fuzzing.harness import ONE_INPUT, pieces, quiet

EXAMPLE = Path(__file__).resolve().parents[2] / "etc"
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def fed(decoder: Any, cut: Iterable[bytes]) -> tuple[list[Any], bool]:
    """The events of these pieces, and whether the decoder took all of them."""
    events: list[Any] = []
    try:
        for piece in cut:
            events.extend(decoder.feed(piece))
    except ProtocolError:
        return events, False
    return events, True


def fed_in_pieces(
    new_decoder: Callable[[], Any], data: bytes, *, also_refused: bool = False
) -> tuple[Any, list[Any], bool]:
    """A decoder, its events and whether it took everything: the same however it is cut.

    ``also_refused``: what it read before it refused something is the same, too.
    """
    cut = pieces(data)
    decoder = new_decoder()
    events, taken = fed(decoder, cut)
    whole, taken_whole = fed(new_decoder(), [b"".join(cut)])
    assert taken == taken_whole
    assert events == whole or not (taken or also_refused)
    return decoder, events, taken


@contextmanager
def agi() -> Iterator[ONE_INPUT]:
    """Lines are the same however they are cut; what is answered is one line each."""

    def one_input(data: bytes) -> None:
        decoder, events, taken = fed_in_pieces(agi_wire.Decoder, data)
        assert not taken or len(decoder._buffer) <= agi_wire.MAX_LINE
        for event in events:
            if isinstance(event, agi_wire.Request):
                _answerable([event.path, *event.arguments, *event.variables.values()])

    yield one_input


def _answerable(texts: Sequence[str]) -> None:
    for text in texts:
        try:
            line = agi_wire.set_variable("AGENT_TARGET", text)
        except ProtocolError:
            continue
        assert line.count(b"\n") == 1
        quoted = line.decode().removeprefix('SET VARIABLE AGENT_TARGET "').removesuffix('"\n')
        assert _unquoted(quoted) == text


def _unquoted(text: str) -> str:
    """As Asterisk reads a quoted argument: a backslash takes the next character as it is."""
    found, escaped = [], False
    for character in text:
        if escaped or character not in '\\"':
            found.append(character)
            escaped = False
        else:
            assert character == "\\", "a quote ends the argument"
            escaped = True
    assert not escaped
    return "".join(found)


@contextmanager
def audiosocket() -> Iterator[ONE_INPUT]:
    """Messages are the same however they are cut; audio comes back as it was."""

    def one_input(data: bytes) -> None:
        decoder, events, _ = fed_in_pieces(audiosocket_wire.Decoder, data)
        assert len(decoder._buffer) <= audiosocket_wire.HEADER.size + audiosocket_wire.MAX_PAYLOAD
        with suppress(ProtocolError):
            decoder.finish()
        for event in events:
            if isinstance(event, audiosocket_wire.Audio) and event.pcm:
                assert event.pcm in audiosocket_wire.encode_audio(event.pcm, event.rate_hz)

    yield one_input


@contextmanager
def control() -> Iterator[ONE_INPUT]:
    """A request comes back as it was; whatever an object holds, it is one line."""

    def one_input(data: bytes) -> None:
        new_lines = partial(control_wire.Lines, control_wire.MAX_REQUEST)
        _, events, _ = fed_in_pieces(new_lines, data, also_refused=True)
        for fields in events:
            assert control_wire.encode(fields).count(b"\n") == 1
            with suppress(ProtocolError):
                request = control_wire.request_of(fields)
                assert control_wire.request_of(control_wire.fields_of(request)) == request

    yield one_input


@contextmanager
def lifeline() -> Iterator[ONE_INPUT]:
    """What is understood is said the same way again; a supervisor's losses come back as they were.

    An input is one datagram.
    """

    def one_input(data: bytes) -> None:
        datagram = data[: lifeline_wire.MAX_BYTES]
        said = lifeline_wire.decode(datagram)
        if said is not None:
            again = lifeline_wire.encode(said)
            assert lifeline_wire.decode(again) == said
            assert len(again) <= len(datagram)
        with suppress(ValueError):
            losses = lifeline_wire.losses_of(datagram)
            assert lifeline_wire.losses_of(lifeline_wire.encode_losses(losses)) == losses

    yield one_input


class _Wire:
    """What a protocol may do with its transport."""

    def __init__(self) -> None:
        self.closed = False
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    abort = close


@contextmanager
def ami() -> Iterator[ONE_INPUT]:
    """Every event is plain text under plain names; a stranger's flood is not kept."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    def one_input(data: bytes) -> None:
        seen: list[Any] = []
        manager = AsteriskManager("127.0.0.1", 5038, "agent", "secret", seen.append)
        manager._manager.loop = SimpleNamespace(
            call_soon=_nothing, call_later=_nothing, create_task=_not_begun
        )
        wire, protocol = _Wire(), Protocol()
        protocol.connection_made(wire)
        protocol.queue, protocol.factory = deque(), manager._manager
        manager._manager.protocol = protocol
        asked = protocol.send({"Action": "CoreShowChannels", "ActionID": "1"}, as_list=None)
        for piece in pieces(data):
            if wire.closed:
                break
            protocol.data_received(piece)
            assert sum(map(len, protocol.queue)) <= MAX_UNREAD
        for event in seen:
            assert all(isinstance(part, str) for pair in event.items() for part in pair)
        if asked.done():
            with suppress(AsteriskError):
                responses_of("CoreShowChannels", asked.result())
        _one_header(data.decode("utf-8", "replace"))

    with quiet():
        yield one_input
    asyncio.set_event_loop(None)
    loop.close()


def _one_header(text: str) -> None:
    key, _, value = text.partition(":")
    with suppress(AsteriskError):
        check_header(key, value)
        assert len(f"{key}: {value}\r\n".encode().splitlines()) == 1


def _not_begun(coroutine: Coroutine[Any, Any, None]) -> None:
    coroutine.close()


def _nothing(*_: object) -> None:
    return None


@contextmanager
def messages() -> Iterator[ONE_INPUT]:
    """What the engine process says is either well-typed or refused."""

    def one_input(data: bytes) -> None:
        found, _ = fed(engine_messages.Decoder(), pieces(data))
        for message in found:
            with suppress(ProtocolError):
                _read_message(message)

    yield one_input


def _read_message(message: engine_messages.Message) -> None:
    match message.kind:
        case engine_messages.FAILED:
            assert isinstance(engine_messages.error_of(message.fields), AgentError)
        case engine_messages.LOG:
            log_record(message.fields).getMessage()
        case engine_messages.RECOGNISE:
            heard = engine_messages.transcript_of(message.fields)
            assert isinstance(heard.text, str)
            assert isinstance(heard.confidence + heard.audio_s + heard.compute_s, float | int)
            heard.text.encode()
        case engine_messages.THINK:
            reply = engine_messages.reply_of(message.fields)
            assert isinstance(reply.text, str)
            assert isinstance(reply.action, Action)
            assert isinstance(reply.team, str | None)
            assert all(isinstance(source, Source) for source in reply.options)
            sources = [source for source in (reply.source, *reply.options) if source is not None]
            assert all(isinstance(s.file, str) and isinstance(s.heading, str) for s in sources)
            assert isinstance(reply.ms.total + reply.confidence + reply.tokens, float | int)
            reply.text.encode()


@contextmanager
def reception() -> Iterator[ONE_INPUT]:
    """Whatever is asked, a call is refused or sent to a place that the configuration names."""
    config = load(EXAMPLE).model_copy(update={"state": "/nonexistent"})
    site = site_of(config, {}, NOW.date())
    allowed = answers_in(config)

    def one_input(data: bytes) -> None:
        visits = Visits()
        desk = Reception(
            visits, lambda: site, _healthy, _finished, now=lambda: NOW, clock=lambda: 0.0
        )
        events, _ = fed(agi_wire.Decoder(), [data])
        for event in events:
            if not isinstance(event, agi_wire.Request):
                continue
            handler = desk.start if event.path.startswith("start") else desk.next
            try:
                told = _done(handler(event))
            except ProtocolError:
                continue
            assert (told["AGENT_ACTION"], told["AGENT_TARGET"]) in allowed
            for name, value in told.items():
                agi_wire.set_variable(name, value)

    with quiet():
        yield one_input


def _healthy(_channel: object) -> AgentHealth:
    return AgentHealth.UP


async def _finished(_visit: object, _outcome: str) -> None:
    return None


def _done(answer: Awaitable[Any]) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        answer.__await__().__next__()
    except StopIteration as end:
        return end.value
    raise AssertionError("it waited for something")
