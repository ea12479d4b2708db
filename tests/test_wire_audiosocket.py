"""AudioSocket: every cut of a stream, every limit, and bytes from nobody we know."""

import struct
from uuid import UUID

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from asterisk_agent.errors import ProtocolError
from asterisk_agent.wire import audiosocket
from asterisk_agent.wire.audiosocket import (
    AUDIO_RATES_HZ,
    Audio,
    Decoder,
    Digit,
    Event,
    Failed,
    HungUp,
    Identified,
)

CALL = UUID("01234567-89ab-cdef-0123-456789abcdef")
IDENTITY = audiosocket.encode_identity(CALL)


def message(kind: int, payload: bytes = b"") -> bytes:
    return struct.pack(">BH", kind, len(payload)) + payload


STREAM = b"".join(
    (
        IDENTITY,
        message(0x10, bytes(range(8))),
        *(message(kind, b"\x01\x02") for kind in AUDIO_RATES_HZ),
        message(0x10),
        *(audiosocket.encode_digit(digit) for digit in "0*#D"),
        message(0xFF, b"\x04"),
        message(0xFF),
        audiosocket.encode_hang_up(),
    )
)
EVENTS: list[Event] = [
    Identified(CALL),
    Audio(bytes(range(8)), 8_000),
    *(Audio(b"\x01\x02", rate_hz) for rate_hz in AUDIO_RATES_HZ.values()),
    Audio(b"", 8_000),
    *(Digit(digit) for digit in "0*#D"),
    Failed(4),
    Failed(0),
    HungUp(),
]


def identified() -> Decoder:
    decoder = Decoder()
    decoder.feed(IDENTITY)
    return decoder


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_a_stream_cut_anywhere_gives_the_same_events(cut: int) -> None:
    decoder = Decoder()
    assert decoder.feed(STREAM[:cut]) + decoder.feed(STREAM[cut:]) == EVENTS
    decoder.finish()


def test_a_stream_byte_by_byte_gives_the_same_events() -> None:
    decoder = Decoder()
    events = [event for byte in STREAM for event in decoder.feed(bytes([byte]))]
    assert events == EVENTS


def test_no_bytes_give_no_events() -> None:
    assert Decoder().feed(b"") == []


def test_the_longest_audio_passes() -> None:
    pcm = b"\x01\x00" * 32_767
    assert identified().feed(audiosocket.encode_audio(pcm)) == [Audio(pcm, 8_000)]


@pytest.mark.parametrize("rate_hz", AUDIO_RATES_HZ.values())
def test_audio_of_every_rate_comes_back(rate_hz: int) -> None:
    assert identified().feed(audiosocket.encode_audio(b"ab", rate_hz)) == [Audio(b"ab", rate_hz)]


@pytest.mark.parametrize("pcm", [b"", b"abc", bytes(65_536)])
def test_audio_that_is_no_whole_message_is_not_encoded(pcm: bytes) -> None:
    with pytest.raises(AssertionError):
        audiosocket.encode_audio(pcm)


@pytest.mark.parametrize("kind", [0x00, 0x03, 0x10, 0xFF])
def test_whatever_comes_before_the_identity_is_refused(kind: int) -> None:
    with pytest.raises(ProtocolError, match="expected 0x01"):
        Decoder().feed(bytes([kind, 0, 0]))


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (b"\x01\x00\x10", "twice"),
        (b"\x00\x00\x01", "0x00 has 1 bytes"),
        (b"\x03\x00\x00", "0x03 has 0 bytes"),
        (b"\x03\x00\x02", "0x03 has 2 bytes"),
        (b"\x10\x00\x03", "0x10 has 3 bytes"),
        (b"\x18\xff\xff", "0x18 has 65535 bytes"),
        (b"\xff\x00\x02", "0xff has 2 bytes"),
        (b"\x02\x00\x00", "0x02 is unknown"),
        (b"\x19\x00\x00", "0x19 is unknown"),
    ],
)
def test_a_wrong_header_is_refused_before_its_payload(header: bytes, problem: str) -> None:
    with pytest.raises(ProtocolError, match=problem):
        identified().feed(header)


@pytest.mark.parametrize("length", [0, 15, 17])
def test_an_identity_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ProtocolError, match=f"{length} bytes"):
        Decoder().feed(struct.pack(">BH", 1, length))


@pytest.mark.parametrize("byte", [0x00, 0x0A, 0x45, 0x61, 0xB9, 0xFF])
def test_a_key_that_no_telephone_has_is_refused(byte: int) -> None:
    with pytest.raises(ProtocolError, match=f"0x{byte:02x} is no DTMF digit"):
        identified().feed(message(0x03, bytes([byte])))


def test_a_broken_stream_stays_broken() -> None:
    decoder = identified()
    with pytest.raises(ProtocolError):
        decoder.feed(b"\x77\x00\x00")
    with pytest.raises(ProtocolError, match="went on"):
        decoder.feed(audiosocket.encode_hang_up())
    decoder.finish()  # its error was told already


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_an_end_inside_a_message_is_an_error(length: int) -> None:
    decoder = identified()
    decoder.feed(message(0x10, b"ab")[:length])
    with pytest.raises(ProtocolError, match=f"{length} bytes into a message"):
        decoder.finish()


@given(st.lists(st.binary(max_size=40), max_size=10), st.booleans())
def test_hostile_bytes_give_events_or_a_protocol_error(pieces: list[bytes], known: bool) -> None:
    decoder = identified() if known else Decoder()
    try:
        for piece in pieces:
            assert all(isinstance(found, Event) for found in decoder.feed(piece))
        decoder.finish()
    except ProtocolError:
        event("refused")


@given(
    st.lists(
        st.builds(message, st.sampled_from([0, 3, 0x10, 0x18, 0xFF, 0x42]), st.binary(max_size=4))
    )
)
def test_hostile_messages_give_events_or_a_protocol_error(messages: list[bytes]) -> None:
    decoder = identified()
    events: list[Event] = []
    try:
        for one in messages:
            events += decoder.feed(one)
    except ProtocolError:
        assert len(events) < len(messages)
    else:
        assert len(events) == len(messages)
