"""A caller who is not as callers should be: any codec and packet size, holds, floods, garbage.

It knows when it heard a sound, and no more: what was said to it, the call log tells.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
import time
from functools import partial

from asterisk_agent.errors import ProtocolError, SandboxError
from asterisk_agent.sandbox import bench_rtp
from asterisk_agent.sandbox.bench_caller import Said
from asterisk_agent.sandbox.bench_line import LineCaller
from asterisk_agent.sandbox.bench_weather import Weather
from asterisk_agent.sandbox.rough_sip import COMFORT_NOISE, Manner, RoughCall

NOISE_EVERY_S = 0.2
NOISE = b"\x46"
"""Comfort noise of -70 dBov."""
FLASH, NO_KEY = 16, 255
LOOK_S = 0.02


class RoughCaller(LineCaller):
    """A caller, for one call, in some manner and weather."""

    def __init__(self, name: str, manner: Manner, weather: Weather | None = None) -> None:
        super().__init__(name, weather)
        self._manner = manner
        self._make_call = partial(RoughCall, manner=manner)
        self._speech = b""
        self._spoken: asyncio.Future[Said] | None = None
        self._noise_due = 0.0
        self._sends = True

    @property
    def call(self) -> RoughCall:
        """The call. Raises SandboxError before it was dialled."""
        if not isinstance(self._call, RoughCall):
            raise SandboxError(f"{self.name}: has not dialled")
        return self._call

    def send_sip(self, datagram: bytes) -> None:
        """Any bytes to Asterisk's SIP port."""
        self._sip.sendto(datagram, self._server)

    def send_rtp(self, datagram: bytes) -> None:
        """Any bytes to where Asterisk takes this call's audio."""
        if self.call.media is not None:
            self._put(datagram, self.call.media)

    async def hold(self, seconds: float, *, sends: bool = True) -> None:
        """Put the agent on hold, and take it back; ``sends``: with audio all the while."""
        self.put_on_hold(sends=sends)
        await asyncio.sleep(seconds)
        self.send_sip(self.call.invite_again("sendrecv"))
        self._sends = True
        await asyncio.sleep(0.2)

    def put_on_hold(self, *, sends: bool) -> None:
        """Put the agent on hold; a phone without music sends nothing then."""
        self.send_sip(self.call.invite_again("sendonly"))
        self._sends = sends

    def vanish(self) -> None:
        """No goodbye, and no packet more."""
        if self._sender is not None:
            self._sender.cancel()
        for one in self._sockets:
            asyncio.get_running_loop().remove_reader(one)
            one.close()
        self._sockets, self._call, self._sender = [], None, None

    def press_odd(self) -> None:
        """Events that are no keys: a hook flash, and one that does not exist."""
        for event in (FLASH, NO_KEY):
            self._keys.extend([struct.pack("!BBH", event, 0x8A, 400)] * 3)

    async def speak(self, pcm: bytes) -> Said:
        """Say 8 kHz PCM."""
        self._spoken = asyncio.get_running_loop().create_future()
        self._began, self._speech = time.monotonic(), pcm
        try:
            async with asyncio.timeout(len(pcm) / 16_000 + 5):
                return await self._spoken
        except TimeoutError:
            raise SandboxError(f"{self.name}: could not finish speaking") from None

    def _take_rtp(self) -> None:
        while True:
            try:
                packet = bench_rtp.parse(self._rtp.recv(4096))
            except (BlockingIOError, ConnectionRefusedError):
                return
            except ProtocolError:
                continue
            if packet.payload_type == self._manner.codec.kind and not self.weather.loses():
                heard = self._manner.codec.decode(packet.payload)
                self.recording.add(time.monotonic(), heard, b"")

    async def _send(self, to: tuple[str, int]) -> None:
        """A packet every ``ptime``."""
        step_s = self._manner.ptime_ms / 1000
        samples = round(self._manner.codec.rate_hz * step_s)
        source, number, due = secrets.randbits(32), 0, time.monotonic()
        pressed_at = 0
        while True:
            timestamp = number * samples
            pressed_at = pressed_at if self._pressing else timestamp
            self._pressing = bool(self._keys)
            kind, payload = self._payload(due)
            if payload and self._sends:
                at = pressed_at if self._pressing else timestamp
                first = at == timestamp if self._pressing else not number
                packet = bench_rtp.build(
                    number, at, source, payload, first=first, payload_type=kind
                )
                self._transmit(packet, to)
            number += 1
            due += step_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _payload(self, now: float) -> tuple[int, bytes]:
        if self._keys:
            return bench_rtp.KEY_TYPE, self._keys.popleft()
        codec, size = self._manner.codec, 16 * self._manner.ptime_ms
        said, self._speech = self._speech[:size], self._speech[size:]
        if not self._speech and self._spoken is not None and not self._spoken.done():
            self._spoken.set_result(Said(self._began, time.monotonic()))
        if not said and self._manner.silence_is_noise:
            if now < self._noise_due:
                return 0, b""
            self._noise_due = now + NOISE_EVERY_S
            return COMFORT_NOISE, NOISE
        return codec.kind, codec.encode(said.ljust(size, b"\0"))


async def hears(caller: LineCaller, since: float, limit_s: float, what: str) -> float:
    """When the caller heard something. Raises SandboxError naming what was missed."""
    deadline = time.monotonic() + limit_s
    while (at := caller.recording.sound_after(since)) is None:
        if caller.ended_at is not None or time.monotonic() > deadline:
            why = "the call ended" if caller.ended_at is not None else f"nothing in {limit_s:g} s"
            raise SandboxError(f"{caller.name}: {what}: {why}")
        await asyncio.sleep(LOOK_S)
    return at


async def hears_much(
    caller: LineCaller, since: float, seconds: float, limit_s: float, what: str
) -> None:
    """Wait until so much sound was heard. Raises SandboxError naming what was missed."""
    deadline = time.monotonic() + limit_s
    while heard_since(caller, since) < seconds:
        if caller.ended_at is not None or time.monotonic() > deadline:
            heard = f"only {heard_since(caller, since):.1f} s of sound in {limit_s:g} s"
            raise SandboxError(f"{caller.name}: {what}: {heard}")
        await asyncio.sleep(0.1)


def heard_since(caller: LineCaller, since: float) -> float:
    """Seconds of sound."""
    segments = caller.recording.segments("heard", pause_s=0.3)
    return sum(max(0.0, one.end - max(one.start, since)) for one in segments)


async def quiet(caller: LineCaller, seconds: float, limit_s: float) -> None:
    """Wait until nothing was heard for so long, or the time is over."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        since = caller.recording.quiet_since()
        if since is not None and time.monotonic() - since >= seconds:
            return
        await asyncio.sleep(LOOK_S)
