"""The pipe to a phone's process: commands out, replies, events and audio in."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.processes import package_environment

T = TypeVar("T")
LONGEST_LINE = 1 << 20
COMMAND_TIMEOUT_S = 10.0
AddAudio = Callable[[float, bytes, bytes], None]


@dataclass(frozen=True, slots=True)
class PhoneEvent:
    """Something that happened on the phone: its name, when, and its fields.

    ``registered`` (code, reason), ``ringing`` (code), ``media`` (early), ``connected``,
    ``incoming`` (name, uri, headers), ``dtmf`` (digit), ``disconnected`` (code, reason),
    ``clip_began`` and ``clip_ended`` (clip).
    """

    name: str
    at: float
    fields: Mapping[str, Any]

    def __getitem__(self, field: str) -> Any:
        return self.fields[field]


class PhoneLink:
    """Starts the process, and owns the task that reads from it."""

    def __init__(self, name: str, settings: Mapping[str, Any], add_audio: AddAudio) -> None:
        self.name = name
        self.events: list[PhoneEvent] = []
        self._settings = settings
        self._add_audio = add_audio
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._replies: dict[int, asyncio.Future[None]] = {}
        self._numbers = 0

    @property
    def pid(self) -> int:
        """The process. Raises SandboxError where none runs."""
        if self._process is None:
            raise SandboxError(f"{self.name}: the phone is not running")
        return self._process.pid

    async def start(self) -> None:
        """Start the process."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "asterisk_agent.sandbox.phone_process",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
            env=package_environment(),
        )
        self._reader = asyncio.create_task(self._read(self._process), name=f"{self.name} reader")
        self._write(self._settings)

    async def close(self, grace_s: float = 5.0) -> None:
        """Let the process hang up and end; kill it where it does not. May be called twice."""
        process, reader = self._process, self._reader
        if process is None or reader is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), grace_s)
        except TimeoutError:
            process.kill()
            await process.wait()
        await reader
        self._process = None

    async def kill(self) -> None:
        """End the process without a word to anybody."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()

    async def do(self, action: str, **fields: Any) -> None:
        """Have a command carried out. Raises SandboxError with the reason where it was not."""
        self._numbers += 1
        number = self._numbers
        reply: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        self._write({"id": number, "do": action, **fields})
        try:
            await asyncio.wait_for(reply, COMMAND_TIMEOUT_S)
        except TimeoutError:
            raise SandboxError(
                f"{self.name}: {action} was not answered within {COMMAND_TIMEOUT_S:g} s"
            ) from None

    async def until(self, find: Callable[[], T | None], timeout_s: float, what: str) -> T:
        """Wait until ``find()`` finds something. Raises SandboxError naming ``what`` if not."""
        deadline = time.monotonic() + timeout_s
        while (found := find()) is None:
            left = deadline - time.monotonic()
            if left <= 0 or self._reader is None or self._reader.done():
                seen = ", ".join(event.name for event in self.events) or "nothing"
                raise SandboxError(f"{self.name}: no {what} within {timeout_s:g} s; saw: {seen}")
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), left)
        return found

    def _write(self, message: Mapping[str, Any]) -> None:
        if self._process is None or self._process.stdin is None or self._process.stdin.is_closing():
            raise SandboxError(f"{self.name}: the phone is not running")
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self._take(json.loads(line))
            self._news.set()
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(SandboxError(f"{self.name}: the phone's process has ended"))
        self._news.set()

    def _take(self, message: dict[str, Any]) -> None:
        if "reply" in message:
            self._settle(message)
        elif message["event"] == "audio":
            heard, said = base64.b64decode(message["heard"]), base64.b64decode(message["said"])
            self._add_audio(message["at"], heard, said)
        else:
            name, at = message.pop("event"), message.pop("at")
            self.events.append(PhoneEvent(name, at, message))

    def _settle(self, message: dict[str, Any]) -> None:
        reply = self._replies.pop(message["reply"], None)
        if reply is None or reply.done():
            return
        if "error" in message:
            reply.set_exception(SandboxError(f"{self.name}: {message['error']}"))
        else:
            reply.set_result(None)
