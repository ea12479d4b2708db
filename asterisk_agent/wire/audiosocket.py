"""AudioSocket, Asterisk's plain TCP audio protocol, as bytes in and events out.

A message is ``type (1 byte) | length (2 bytes, big-endian) | payload``; audio is signed 16-bit
little-endian mono. Source: Asterisk's ``res_audiosocket.c`` and ``audiosocket.h`` (22.10).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from uuid import UUID

from asterisk_agent.errors import ProtocolError

HEADER = struct.Struct(">BH")
MAX_PAYLOAD = 0xFFFF

HANG_UP = 0x00
IDENTITY = 0x01
DTMF = 0x03
ERROR = 0xFF
AUDIO_RATES_HZ = {
    0x10: 8_000,
    0x11: 12_000,
    0x12: 16_000,
    0x13: 24_000,
    0x14: 32_000,
    0x15: 44_100,
    0x16: 48_000,
    0x17: 96_000,
    0x18: 192_000,
}
_AUDIO_TYPES = {rate_hz: kind for kind, rate_hz in AUDIO_RATES_HZ.items()}
DTMF_DIGITS = frozenset("0123456789*#ABCD")


@dataclass(frozen=True, slots=True)
class Identified:
    """The peer named its call. Always the first message."""

    uuid: UUID


@dataclass(frozen=True, slots=True)
class Audio:
    """What the caller's line carried. ``pcm`` is of any length: it follows the RTP ptime."""

    pcm: bytes
    rate_hz: int


@dataclass(frozen=True, slots=True)
class Digit:
    """The caller pressed a key: one of ``0-9 * # A-D``."""

    digit: str


@dataclass(frozen=True, slots=True)
class HungUp:
    """The peer says goodbye. Asterisk itself only closes the connection."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The peer reports an error of its own."""

    code: int


Event = Identified | Audio | Digit | HungUp | Failed


class Decoder:
    """Takes bytes as they come and returns the events they complete.

    Raises ProtocolError at the first byte that the protocol does not allow; after that the
    decoder refuses to go on. It never holds more than one message.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._identified = False
        self._broken = False

    @property
    def within(self) -> bool:
        """Whether a message has begun and is not complete."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes of any length, even none; return the events now complete."""
        if self._broken:
            raise ProtocolError("audiosocket stream went on after a protocol error")
        self._buffer += data
        events: list[Event] = []
        start = 0
        try:
            while len(self._buffer) - start >= HEADER.size:
                kind, length = HEADER.unpack_from(self._buffer, start)
                self._check_header(kind, length)
                end = start + HEADER.size + length
                if len(self._buffer) < end:
                    break
                events.append(self._event(kind, bytes(self._buffer[start + HEADER.size : end])))
                start = end
        except ProtocolError:
            self._broken = True
            raise
        del self._buffer[:start]
        return events

    def finish(self) -> None:
        """The stream ended; raises ProtocolError if it ended inside a message."""
        if self._buffer and not self._broken:
            raise ProtocolError(f"audiosocket stream ends {len(self._buffer)} bytes into a message")

    def _check_header(self, kind: int, length: int) -> None:
        """Refuse a wrong message as soon as its header is here, not when its payload is."""
        if not self._identified and kind != IDENTITY:
            raise ProtocolError(f"audiosocket begins with type 0x{kind:02x}, expected 0x01")
        if kind == IDENTITY:
            if self._identified:
                raise ProtocolError("audiosocket names its call twice")
            expected = length == 16
        elif kind == DTMF:
            expected = length == 1
        elif kind in AUDIO_RATES_HZ:
            expected = length % 2 == 0
        elif kind == HANG_UP:
            expected = length == 0
        elif kind == ERROR:
            expected = length <= 1
        else:
            raise ProtocolError(f"audiosocket type 0x{kind:02x} is unknown")
        if not expected:
            raise ProtocolError(f"audiosocket type 0x{kind:02x} has {length} bytes")

    def _event(self, kind: int, payload: bytes) -> Event:
        if kind == IDENTITY:
            self._identified = True
            return Identified(UUID(bytes=payload))
        if kind == DTMF:
            digit = payload.decode("latin-1")
            if digit not in DTMF_DIGITS:
                raise ProtocolError(f"audiosocket digit 0x{payload[0]:02x} is no DTMF digit")
            return Digit(digit)
        if kind == HANG_UP:
            return HungUp()
        if kind == ERROR:
            return Failed(payload[0] if payload else 0)
        return Audio(payload, AUDIO_RATES_HZ[kind])


def encode_audio(pcm: bytes, rate_hz: int = 8_000) -> bytes:
    """One audio message; at most 65,534 bytes of whole samples."""
    assert 0 < len(pcm) <= MAX_PAYLOAD, len(pcm)
    assert len(pcm) % 2 == 0, len(pcm)
    return HEADER.pack(_AUDIO_TYPES[rate_hz], len(pcm)) + pcm


def encode_hang_up() -> bytes:
    """End the conversation; the dialplan goes on behind ``AudioSocket()``."""
    return HEADER.pack(HANG_UP, 0)


def encode_identity(uuid: UUID) -> bytes:
    """What Asterisk sends first; used by test peers."""
    return HEADER.pack(IDENTITY, 16) + uuid.bytes


def encode_digit(digit: str) -> bytes:
    """What Asterisk sends for a key; used by test peers."""
    return HEADER.pack(DTMF, 1) + digit.encode("ascii")
