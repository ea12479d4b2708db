"""A caller of a benchmark: what it does, what it hears, and when. Two kinds give the same.

``PjsipCaller`` is a whole SIP phone with its jitter buffer, one process each;
``bench_line.LineCaller`` is light enough for sixteen.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from asterisk_agent.audio import LINE_RATE_HZ
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.bench_clips import Clip
from asterisk_agent.sandbox.listening import FRAME_S, Recording
from asterisk_agent.sandbox.phone import Phone

POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Said:
    """When a clip's first sample was spoken, and its last one; monotonic seconds.

    A phone sends 20 ms when it has them: the last sample is spoken as the last packet leaves.
    """

    began: float
    ended: float


class Caller(Protocol):
    """One caller, for one call."""

    recording: Recording
    latest_frame_s: float

    @property
    def talking(self) -> bool:
        """Whether the call is up."""

    async def dial(self, uri: str, number: str) -> None:
        """Call ``uri`` as ``number``."""

    async def answered(self, timeout_s: float) -> float:
        """When the call was answered. Raises SandboxError where it was not."""

    async def say(self, clip: Clip) -> Said:
        """Say a clip to its end. Raises SandboxError where the call ends before."""

    async def close(self) -> None:
        """Hang up, and let go of everything."""


class PjsipCaller:
    """A PJSIP phone in a process of its own."""

    def __init__(self, name: str, log: Path | None = None) -> None:
        self._phone = Phone(name, rate_hz=LINE_RATE_HZ, log=log)
        self.recording = self._phone.recording
        self.latest_frame_s = 0.0  # PJSIP's own clock thread sends

    @property
    def talking(self) -> bool:
        """Whether the call is up."""
        return not any(event.name == "disconnected" for event in self._phone.events)

    async def dial(self, uri: str, number: str) -> None:
        """Call ``uri`` as ``number``."""
        await self._phone.start()
        await self._phone.identify(number)
        await self._phone.dial(uri)

    async def answered(self, timeout_s: float) -> float:
        """When the call was answered. Raises SandboxError where it was not."""
        return (await self._phone.wait_for("connected", timeout_s)).at

    async def say(self, clip: Clip) -> Said:
        """Say a clip to its end."""
        number = await self._phone.queue(clip.pcm, LINE_RATE_HZ)
        await self._phone.spoken(number, clip.seconds + 5)
        at = {
            event.name: event.at
            for event in self._phone.events
            if event.name in ("clip_began", "clip_ended") and event["clip"] == number
        }
        # PJSIP asks for a frame when it is to leave: its samples are those of the 20 ms before.
        return Said(at["clip_began"] - FRAME_S, at["clip_ended"])

    async def close(self) -> None:
        """Hang up, and end the process."""
        await self._phone.close()


async def sound_after(caller: Caller, moment: float, timeout_s: float) -> float | None:
    """When the first sound since ``moment`` was heard; None where the wait was in vain."""
    deadline = time.monotonic() + timeout_s
    since = moment
    while (at := caller.recording.sound_after(since)) is None:
        if time.monotonic() > deadline or not caller.talking:
            return None
        frames = caller.recording.frames
        if frames:  # all up to here was silent
            since = max(since, frames[-1].at)
        await asyncio.sleep(POLL_S)
    return at


async def quiet_for(caller: Caller, seconds: float, timeout_s: float) -> float:
    """Wait until nothing was heard for so long; when that silence began. Raises SandboxError."""
    deadline = time.monotonic() + timeout_s
    while True:
        now = time.monotonic()
        since = caller.recording.quiet_since()
        if since is not None and now - since >= seconds:
            return since
        if now > deadline:
            raise SandboxError(f"no silence of {seconds:g} s within {timeout_s:g} s")
        if not caller.talking:
            raise SandboxError("the far end hung up")
        await asyncio.sleep(POLL_S)
