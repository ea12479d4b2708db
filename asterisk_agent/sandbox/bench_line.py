"""A light caller: one SIP call and its RTP on two sockets, for many calls in one process.

A PJSIP phone costs a process and a tenth of a core; sixteen of them would be a load of their own.
This one costs less than a hundredth. Moments are as good: a packet's arrival is the kernel's
own timestamp, so that a busy generator does not make the agent look slow. It has no jitter
buffer, which a phone has: ``bench_calibration`` measures what that makes.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import struct
import time
from collections import deque
from collections.abc import Callable

from asterisk_agent.errors import ProtocolError, SandboxError
from asterisk_agent.sandbox import bench_rtp
from asterisk_agent.sandbox.bench_caller import Said
from asterisk_agent.sandbox.bench_clips import Clip
from asterisk_agent.sandbox.bench_sip import SipCall, State
from asterisk_agent.sandbox.bench_weather import Weather
from asterisk_agent.sandbox.listening import FRAME_S, Recording

HOST = "127.0.0.1"
RATE_HZ = 8_000
SO_TIMESTAMPNS = 35
"""The kernel writes each datagram's arrival; Python's socket module has no name for it."""
REPEAT_S = 0.5
TRIES = 4
POLL_S = 0.02


class LineCaller:
    """A caller, for one call."""

    def __init__(self, name: str, weather: Weather | None = None) -> None:
        self.name = name
        self.weather = weather or Weather()
        self.recording = Recording(RATE_HZ)
        self.latest_frame_s = 0.0
        """The longest that a frame of ours left too late: the generator's own fault."""
        self._make_call: Callable[..., SipCall] = SipCall
        self._call: SipCall | None = None
        self._answered_at: float | None = None
        self.ended_at: float | None = None
        """When the far end hung up, or refused the call."""
        self._clip: tuple[bytes, int, asyncio.Future[Said]] | None = None
        self._keys: deque[bytes] = deque()
        self._began = 0.0
        self._sender: asyncio.Task[None] | None = None
        self._last_said = b""
        self._sockets: list[socket.socket] = []

    @property
    def talking(self) -> bool:
        """Whether the call is up."""
        return self._call is not None and self._call.state is State.CONNECTED

    async def dial(self, uri: str, number: str) -> None:
        """Call ``uri`` as ``number``."""
        self._sip, self._rtp = self._open(self._take_sip), self._open(self._take_rtp)
        self._rtp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        host, _, port = uri.rpartition("@")[2].partition(":")
        self._server = host, int(port or 5060)
        self._call = self._new_call(number, uri)
        for _ in range(TRIES):
            self._sip.sendto(self._call.invite(), self._server)
            if await self._until(lambda: self._heard_from_it, REPEAT_S):
                return
        raise SandboxError(f"{self.name}: nobody answers at {uri}")

    async def answered(self, timeout_s: float) -> float:
        """When the call was answered. Raises SandboxError where it was not."""
        assert self._call is not None
        await self._until(lambda: self._call is None or self._call.state in _DECIDED, timeout_s)
        if self._answered_at is None:
            raise SandboxError(f"{self.name}: not answered: {self._call.state} {self._call.code}")
        return self._answered_at

    async def say(self, clip: Clip) -> Said:
        """Say a clip to its end."""
        return await self.speak(clip.pcm)

    async def speak(self, pcm: bytes) -> Said:
        """The same for PCM of whole frames. Raises SandboxError where the call ends before."""
        said: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self._clip = bench_rtp.encode(pcm), 0, said
        return await said

    def hush(self) -> None:
        """Stop in mid-sentence; whoever waits for its end gets what was said."""
        if self._clip is not None:
            (_, _, said), self._clip = self._clip, None
            if not said.done():
                said.set_result(Said(self._began, time.monotonic()))

    def press(self, key: str) -> None:
        """Press a key; the voice goes on behind it."""
        self._keys.extend(bench_rtp.key_press(key))

    async def close(self) -> None:
        """Hang up, and let go of everything."""
        call = self._call
        if call is not None and call.state is not State.ENDED:
            goodbye = call.bye()
            for _ in range(TRIES):
                self._sip.sendto(goodbye, self._server)
                if await self._until(lambda: self._ended, REPEAT_S):
                    break
        if self._sender is not None:
            self._sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sender
        for one in self._sockets:
            asyncio.get_running_loop().remove_reader(one)
            one.close()
        self._sockets = []

    def _new_call(self, number: str, uri: str) -> SipCall:
        return self._make_call(
            number=number,
            target=uri,
            host=HOST,
            sip_port=self._sip.getsockname()[1],
            rtp_port=self._rtp.getsockname()[1],
            token=secrets.token_hex(8),
        )

    @property
    def _ended(self) -> bool:
        return self._call is None or self._call.state is State.ENDED

    @property
    def _heard_from_it(self) -> bool:
        assert self._call is not None
        return self._call.state is not State.CALLING or self._trying

    _trying = False
    _pressing = False

    def _open(self, reader: Callable[[], None]) -> socket.socket:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.setblocking(False)
        one.bind((HOST, 0))
        asyncio.get_running_loop().add_reader(one, reader)
        self._sockets.append(one)
        return one

    async def _until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True

    def _take_sip(self) -> None:
        call = self._call
        while call is not None:
            try:
                datagram = self._sip.recv(65_536)
            except (BlockingIOError, ConnectionRefusedError):
                return
            self._trying = True
            with contextlib.suppress(ProtocolError):
                for answer in call.take(datagram):
                    self._sip.sendto(answer, self._server)
            if call.state is State.CONNECTED and self._answered_at is None:
                self._answered_at = time.monotonic()
            if call.media is not None and self._sender is None:
                self._sender = asyncio.create_task(self._send(call.media), name=self.name)
            if call.state is State.ENDED:
                self.ended_at = self.ended_at or time.monotonic()
                if self._clip is not None:
                    self._give_up_speaking()

    def _take_rtp(self) -> None:
        since_boot = time.monotonic() - time.time()
        while True:
            try:
                datagram, ancillary, _, _ = self._rtp.recvmsg(2048, 64)
                packet = bench_rtp.parse(datagram)
            except (BlockingIOError, ConnectionRefusedError):
                return
            except ProtocolError:
                continue
            if packet.payload_type != bench_rtp.PAYLOAD_TYPE or self.weather.loses():
                continue
            at = since_boot + _arrival(ancillary)
            self.recording.add(at, bench_rtp.decode(packet.payload), self._last_said)

    async def _send(self, to: tuple[str, int]) -> None:
        """A packet every 20 ms, silence where there is nothing to say."""
        source = secrets.randbits(32)
        due, number, pressed_at = time.monotonic(), 0, 0
        while True:
            timestamp = number * bench_rtp.SAMPLES
            pressed_at = pressed_at if self._pressing else timestamp
            self._pressing = bool(self._keys)
            if self._keys:
                packet = bench_rtp.build(
                    number,
                    pressed_at,
                    source,
                    self._keys.popleft(),
                    first=pressed_at == timestamp,
                    payload_type=bench_rtp.KEY_TYPE,
                )
            else:
                packet = bench_rtp.build(number, timestamp, source, self._frame(), first=not number)
            now = time.monotonic()
            self._transmit(packet, to)
            if not self._pressing:
                self._note_progress(now)
            number += 1
            due += FRAME_S
            late = time.monotonic() - due
            self.latest_frame_s = max(self.latest_frame_s, late)
            await asyncio.sleep(max(0.0, -late))

    def _transmit(self, packet: bytes, to: tuple[str, int]) -> None:
        """Send a packet, as far as the weather lets it through."""
        if self.weather.loses():
            return
        if late_s := self.weather.late_s():
            asyncio.get_running_loop().call_later(late_s, self._put, packet, to)
        else:
            self._put(packet, to)

    def _put(self, packet: bytes, to: tuple[str, int]) -> None:
        if self._sockets:
            with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
                self._rtp.sendto(packet, to)

    def _frame(self) -> bytes:
        if self._clip is None:
            self._last_said = b""
            return bench_rtp.SILENCE
        encoded, position, said = self._clip
        frame = encoded[position : position + bench_rtp.SAMPLES]
        self._clip = encoded, position + len(frame), said
        self._last_said = bench_rtp.decode(frame)
        return frame

    def _note_progress(self, now: float) -> None:
        """The frame that was just sent held samples of the last 20 ms."""
        if self._clip is None:
            return
        encoded, position, said = self._clip
        if position == bench_rtp.SAMPLES:
            self._began = now - FRAME_S
        if position >= len(encoded):
            self._clip = None
            if not said.done():
                said.set_result(Said(self._began, now))

    def _give_up_speaking(self) -> None:
        assert self._clip is not None
        _, _, said = self._clip
        self._clip = None
        if not said.done():
            said.set_exception(SandboxError(f"{self.name}: the call ended in mid-sentence"))


_DECIDED = (State.CONNECTED, State.ENDED)


def _arrival(ancillary: list[tuple[int, int, bytes]]) -> float:
    """The kernel's moment of arrival, in seconds since 1970; now, where it gave none."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= 16:
            seconds, nanoseconds = struct.unpack_from("@qq", data)
            return float(seconds + nanoseconds / 1e9)
    return time.time()
