"""A scripted SIP phone: dials, answers, speaks clips, presses keys, and remembers every sound.

    async with Phone("caller") as phone:
        await phone.identify("+15550001111", name="Ann")
        await phone.dial(f"sip:100@127.0.0.1:{port}")
        await phone.wait_for("connected")
        greeting_at = await phone.wait_for_sound(timeout_s=5)

All moments are ``time.monotonic()`` seconds, comparable between the phones of one machine.
"""

from __future__ import annotations

import base64
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from asterisk_agent.audio import read_wav, resample
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.listening import FRAME_S, Recording, Segment
from asterisk_agent.sandbox.phone_link import PhoneEvent, PhoneLink


class Phone:
    """One phone with one line. Use as an async context manager."""

    def __init__(
        self,
        name: str = "phone",
        *,
        rate_hz: int = 16_000,
        codecs: Sequence[str] = ("PCMU/8000",),
        log: Path | None = None,
    ) -> None:
        self.name = name
        self.rate_hz = rate_hz
        self.recording = Recording(rate_hz)
        self._handed_out: Counter[str] = Counter()
        self._clips = 0
        settings = {"rate_hz": rate_hz, "codecs": list(codecs), "log": str(log or "")}
        self._link = PhoneLink(name, settings, self.recording.add)

    @property
    def events(self) -> list[PhoneEvent]:
        """Everything that happened so far, in order."""
        return self._link.events

    @property
    def pid(self) -> int:
        """The phone's process."""
        return self._link.pid

    # Life

    async def start(self) -> None:
        """Start the phone's process and wait until it is ready."""
        try:
            await self._link.start()
            await self.wait_for("ready", timeout_s=15)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Hang up, unregister and end the process."""
        await self._link.close()

    async def vanish(self) -> None:
        """Die without a word, as a phone does whose battery is empty."""
        await self._link.kill()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # Who it is

    async def identify(self, number: str, *, name: str = "") -> None:
        """Be an unregistered caller with this number and display name."""
        uri = f'"{name}" <sip:{number}@127.0.0.1>' if name else f"sip:{number}@127.0.0.1"
        await self._link.do("identify", uri=uri, registrar="", user="", password="")

    async def register(
        self, user: str, password: str, *, port: int, host: str = "127.0.0.1"
    ) -> None:
        """Register as a member's phone. Raises SandboxError if that is refused."""
        await self._link.do(
            "identify",
            uri=f"sip:{user}@{host}:{port}",
            registrar=f"sip:{host}:{port}",
            user=user,
            password=password,
        )
        answer = await self.wait_for("registered")
        if answer["code"] != 200:
            raise SandboxError(f"{self.name}: registration: {answer['code']} {answer['reason']}")

    # Calls

    async def dial(self, uri: str, headers: Mapping[str, str] | None = None) -> None:
        """Call; ``wait_for("connected")`` tells when it is answered."""
        await self._link.do("dial", uri=uri, headers=dict(headers or {}))

    async def auto_answer(self, after_s: float | None = 0.5) -> None:
        """Answer incoming calls by itself after so long, or with None no more."""
        await self._link.do("auto_answer", after_s=after_s)

    async def answer(self) -> None:
        """Pick up."""
        await self._link.do("answer", code=200)

    async def reject(self, code: int = 486) -> None:
        """Refuse the ringing call."""
        await self._link.do("answer", code=code)

    async def hangup(self, timeout_s: float = 5.0) -> None:
        """End the call and wait until it has ended."""
        await self._link.do("hangup")
        await self.wait_for("disconnected", timeout_s)

    async def hold(self) -> None:
        """Put the far end on hold."""
        await self._link.do("hold")

    async def resume(self) -> None:
        """Take the far end back from hold."""
        await self._link.do("resume")

    async def transfer(self, uri: str) -> None:
        """Send the far end elsewhere."""
        await self._link.do("transfer", uri=uri)

    async def dtmf(self, digits: str) -> None:
        """Press keys (RFC 4733)."""
        await self._link.do("dtmf", digits=digits)

    # Speaking

    async def queue(self, clip: bytes | Path, rate_hz: int | None = None) -> int:
        """Say a clip behind what is still to be said, and return its number at once.

        ``clip`` is PCM at ``rate_hz`` (default: the phone's), or a WAV file.
        """
        pcm, clip_hz = read_wav(clip) if isinstance(clip, Path) else (clip, rate_hz or self.rate_hz)
        self._clips += 1
        number = self._clips
        encoded = base64.b64encode(resample(pcm, clip_hz, self.rate_hz)).decode()
        await self._link.do("play", clip=number, pcm=encoded)
        return number

    async def play(self, clip: bytes | Path, rate_hz: int | None = None) -> Segment:
        """Say a clip to its end. Returns when its first and last audible frames left."""
        number = await self.queue(clip, rate_hz)
        return await self.spoken(number)

    async def spoken(self, number: int, timeout_s: float = 120.0) -> Segment:
        """Wait until a queued clip has been said; its audible part."""
        ended = await self._link.until(lambda: self._clip("clip_ended", number), timeout_s, "speak")
        began = self._clip("clip_began", number)
        if began is None:
            raise SandboxError(f"{self.name}: the call ended before the clip began")
        # The clip's last frame is reported just after its end.
        last = ended.at + FRAME_S / 2
        await self._link.until(lambda: self.recording.reaches(last), 5, "audio clock")
        return self.recording.span(began.at, last, "said") or Segment(began.at, ended.at)

    async def stop_playing(self) -> None:
        """Fall silent at once."""
        await self._link.do("stop_playing")

    # Listening

    async def wait_for(self, name: str, timeout_s: float = 10.0) -> PhoneEvent:
        """The next event of this name that was not handed out before."""

        def find() -> PhoneEvent | None:
            found = [event for event in self.events if event.name == name]
            waiting = found[self._handed_out[name] :]
            return waiting[0] if waiting else None

        event = await self._link.until(find, timeout_s, name)
        self._handed_out[name] += 1
        return event

    async def wait_for_sound(self, timeout_s: float = 10.0, *, after: float | None = None) -> float:
        """When the far end was first heard since ``after`` (default: now)."""
        since = time.monotonic() if after is None else after
        return await self._link.until(
            lambda: self.recording.sound_after(since), timeout_s, "a sound from the far end"
        )

    async def wait_for_quiet(self, seconds: float, timeout_s: float = 30.0) -> float:
        """Wait until the far end was silent for ``seconds``; when that silence began."""

        def find() -> float | None:
            since = self.recording.quiet_since()
            return since if since and time.monotonic() - since >= seconds else None

        return await self._link.until(find, timeout_s, f"{seconds} s of silence")

    def heard(self, start: float = 0.0, end: float = float("inf")) -> bytes:
        """PCM of the far end, at ``rate_hz``."""
        return self.recording.pcm("heard", start, end)

    def spoken_segments(self, *, pause_s: float = 0.3) -> list[Segment]:
        """Where the far end made a sound."""
        return self.recording.segments("heard", pause_s=pause_s)

    def save_stereo(self, path: Path) -> None:
        """Write all calls so far: left what this phone said, right what it heard."""
        self.recording.save_stereo(path)

    def _clip(self, name: str, number: int) -> PhoneEvent | None:
        for event in self.events:
            if event.name == name and event["clip"] == number:
                return event
        return None
