"""The caller's side of a call that is not as calls should be: odd names, codecs, offers, holds.

Like ``bench_sip``: datagrams in, datagrams out, no sockets, no clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from asterisk_agent.audio import resample
from asterisk_agent.sandbox import bench_rtp
from asterisk_agent.sandbox.bench_rtp import KEY_TYPE
from asterisk_agent.sandbox.bench_sip import SipCall

COMFORT_NOISE = 13
"""Its payload type, RFC 3389."""


def encode_alaw(pcm: bytes) -> bytes:
    """PCM to A-law, by the formula of ITU-T G.711."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.int32)
    size = np.where(samples < 0, ~samples, samples) >> 4
    exponent = np.where(size < 16, 0, np.floor(np.log2(np.maximum(size, 1))).astype(np.int32) - 3)
    mantissa = np.where(exponent == 0, size, (size >> np.maximum(exponent - 1, 0)) & 0x0F)
    sign = np.where(samples < 0, 0, 0x80)
    encoded: bytes = (((exponent << 4) | mantissa | sign) ^ 0x55).astype(np.uint8).tobytes()
    return encoded


def decode_alaw(encoded: bytes) -> bytes:
    """A-law to PCM."""
    code = np.frombuffer(encoded, dtype=np.uint8).astype(np.int32) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 0x0F
    whole = np.where(exponent > 0, mantissa + 16, mantissa) * 16 + 8
    size = whole << np.maximum(exponent - 1, 0)
    pcm: bytes = np.where(code & 0x80, size, -size).astype("<i2").tobytes()
    return pcm


def _to_wide(pcm: bytes) -> bytes:
    wide = np.frombuffer(resample(pcm, 8_000, 16_000), dtype="<i2")
    return wide.astype(">i2").tobytes()


def _from_wide(encoded: bytes) -> bytes:
    wide = np.frombuffer(encoded[: len(encoded) // 2 * 2], dtype=">i2")
    return wide[::2].astype("<i2").tobytes()


@dataclass(frozen=True, slots=True)
class Codec:
    """``encode`` takes 8 kHz PCM, ``decode`` gives it; ``rate_hz`` is the RTP clock's."""

    kind: int
    name: str
    rate_hz: int
    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes]


ULAW = Codec(0, "PCMU/8000", 8_000, bench_rtp.encode, bench_rtp.decode)
ALAW = Codec(8, "PCMA/8000", 8_000, encode_alaw, decode_alaw)
SLIN16 = Codec(118, "L16/16000", 16_000, _to_wide, _from_wide)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a caller calls. ``name`` stands in quotes as it is; ``headers`` are whole lines.

    ``silence_is_noise``: comfort noise is sent instead of silence, five times a second.
    ``offers``: whether the INVITE holds an offer; else the far end offers, and the ACK answers.
    """

    codec: Codec = ULAW
    ptime_ms: int = 20
    silence_is_noise: bool = False
    name: str = ""
    headers: tuple[str, ...] = ()
    offers: bool = True


PLAIN = Manner()


@dataclass(slots=True)
class RoughCall(SipCall):
    """A call in some manner."""

    manner: Manner = PLAIN
    direction: str = "sendrecv"

    def invite(self) -> bytes:
        """The first message."""
        body = self._sdp() if self.manner.offers else ""
        return self._request("INVITE", self.target, f"<{self.target}>", 1, body=body)

    def invite_again(self, direction: str) -> bytes:
        """A re-INVITE: ``sendonly`` or ``inactive`` is a hold, ``sendrecv`` its end."""
        self.direction = direction
        self._sequence += 1
        uri, branch = self._contact or self.target, f"re{self._sequence}"
        return self._request(
            "INVITE", uri, self._to, self._sequence, body=self._sdp(), branch=branch
        )

    def inside(self, method: str, headers: tuple[str, ...] = (), body: str = "") -> bytes:
        """Another request in the call, such as INFO."""
        self._sequence += 1
        uri, branch = self._contact or self.target, f"in{self._sequence}"
        message = self._request(method, uri, self._to, self._sequence, branch=branch).decode()
        head = message.partition("Content-Length")[0] + "".join(f"{line}\r\n" for line in headers)
        return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def _from(self) -> str:
        quoted = f'"{self.manner.name}" ' if self.manner.name else ""
        return f"{quoted}<sip:{self.number}@{self.host}>"

    def _more(self) -> list[str]:
        return list(self.manner.headers)

    def _request(
        self, method: str, uri: str, to: str, sequence: int, *, body: str = "", branch: str = ""
    ) -> bytes:
        if method == "ACK" and branch == "ack1" and not self.manner.offers:
            body = self._sdp()
        return SipCall._request(self, method, uri, to, sequence, body=body, branch=branch)

    def _sdp(self) -> str:
        codec = self.manner.codec
        noise = f" {COMFORT_NOISE}" if self.manner.silence_is_noise else ""
        return (
            f"v=0\r\no=- {self.rtp_port} {self._sequence} IN IP4 {self.host}\r\ns=-\r\n"
            f"c=IN IP4 {self.host}\r\nt=0 0\r\n"
            f"m=audio {self.rtp_port} RTP/AVP {codec.kind}{noise} {KEY_TYPE}\r\n"
            f"a=rtpmap:{codec.kind} {codec.name}\r\n"
            f"a=rtpmap:{KEY_TYPE} telephone-event/8000\r\na=fmtp:{KEY_TYPE} 0-15\r\n"
            f"a=ptime:{self.manner.ptime_ms}\r\na={self.direction}\r\n"
        )
