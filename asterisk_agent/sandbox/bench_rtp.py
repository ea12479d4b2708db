"""RTP as a light caller speaks it: G.711 mu-law in packets of 20 ms. Bytes in, bytes out."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from asterisk_agent.errors import ProtocolError

PAYLOAD_TYPE = 0
KEY_TYPE = 101
"""Telephone events, RFC 4733, as ``bench_sip`` offers them."""
KEYS = "0123456789*#"
KEY_FRAMES = 6
KEY_LEVEL = 10
LAST_PACKETS = 3
"""The end of a key press is said three times."""
SAMPLES = 160
SILENCE = b"\xff" * SAMPLES
HEADER = struct.Struct("!BBHII")
_BIAS, _LARGEST = 0x84, 32_635


@dataclass(frozen=True, slots=True)
class Packet:
    """What arrived."""

    payload_type: int
    sequence: int
    timestamp: int
    payload: bytes


def build(
    sequence: int,
    timestamp: int,
    source: int,
    payload: bytes,
    *,
    first: bool,
    payload_type: int = PAYLOAD_TYPE,
) -> bytes:
    """One packet; ``first`` marks the beginning of a talk."""
    marked = payload_type | (0x80 if first else 0)
    return HEADER.pack(0x80, marked, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, source) + payload


def key_press(key: str) -> list[bytes]:
    """The payloads of a pressed key, one every 20 ms; all bear the first one's timestamp.

    Raises ProtocolError for what is no key.
    """
    if len(key) != 1 or key not in KEYS:
        raise ProtocolError(f"rtp: {key[:10]!r} is no key")
    event, lasting = KEYS.index(key), range(1, KEY_FRAMES + 1)
    held = [struct.pack("!BBH", event, KEY_LEVEL, SAMPLES * frames) for frames in lasting]
    over = struct.pack("!BBH", event, 0x80 | KEY_LEVEL, SAMPLES * KEY_FRAMES)
    return [*held, *[over] * LAST_PACKETS]


def parse(datagram: bytes) -> Packet:
    """Raises ProtocolError for what is no RTP packet."""
    if len(datagram) < HEADER.size or datagram[0] >> 6 != 2:
        raise ProtocolError(f"rtp: {len(datagram)} bytes that are no packet")
    first, second, sequence, timestamp, _ = HEADER.unpack_from(datagram)
    start = HEADER.size + 4 * (first & 0x0F)
    if first & 0x10:  # an extension: its length stands behind its first two bytes
        if len(datagram) < start + 4:
            raise ProtocolError("rtp: the header extension is cut off")
        start += 4 + 4 * struct.unpack_from("!H", datagram, start + 2)[0]
    end = len(datagram) - (datagram[-1] if first & 0x20 else 0)
    if end < start:
        raise ProtocolError("rtp: the header is longer than the packet")
    return Packet(second & 0x7F, sequence, timestamp, datagram[start:end])


def encode(pcm: bytes) -> bytes:
    """PCM to mu-law, by the formula of ITU-T G.711."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.int32)
    sign = np.where(samples < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(samples), _LARGEST) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    encoded: bytes = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8).tobytes()
    return encoded


def _table() -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    code = ~np.arange(256) & 0xFF
    magnitude = (((code & 0x0F) << 3) + _BIAS << ((code >> 4) & 7)) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype("<i2")


_DECODED = _table()


def decode(encoded: bytes) -> bytes:
    """Mu-law to PCM; empty where it is silence, as ``Recording.add`` takes it."""
    if not encoded.strip(b"\xff\x7f"):
        return b""
    pcm: bytes = _DECODED[np.frombuffer(encoded, dtype=np.uint8)].tobytes()
    return pcm
