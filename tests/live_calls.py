"""Where a real call ended: at the phone of a person who hears the caller, or in a mailbox."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asterisk_agent.audio import read_wav
from asterisk_agent.errors import AgentError, SandboxError
from asterisk_agent.sandbox.pbx import Pbx
from asterisk_agent.sandbox.phone import Phone

PERSON, MAILBOX = "person", "mailbox"
LOOK_S = 0.05
_CALL = re.compile(
    r"\[(C-\w+)\] [^\n]*(?:Executing \[(\S+)@from-trunk:1\]|(Recording the message)"
    r"|(deciding without service and rescue))"
)


def _tone(seconds: float, rate_hz: int = 16_000) -> bytes:
    samples = range(round(seconds * rate_hz))
    return b"".join(
        struct.pack("<h", round(9000 * math.sin(math.tau * 440 * n / rate_hz))) for n in samples
    )


TONE = _tone(0.8)
"""What a caller says, 16 kHz."""


@dataclass(frozen=True)
class Caller:
    """A phone that is nobody's, and the number it calls from."""

    phone: Phone
    number: str


class Calls:
    """Follows the calls that arrive at a PBX through Asterisk's log."""

    def __init__(self, pbx: Pbx) -> None:
        self._log, self._read = pbx.asterisk.log, 0
        self.dialled: dict[str, str] = {}
        """The number that was dialled first, by Asterisk's id of the call."""
        self.recorded: set[str] = set()
        """Calls that came to a mailbox's tone."""
        self.undecided: set[str] = set()
        """Calls for which neither service nor rescue script decided, at any step."""

    def follow(self) -> None:
        """Read what was logged since."""
        with self._log.open("rb") as file:
            file.seek(self._read)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + len(newline)
        for match in _CALL.finditer(whole.decode("utf-8", "replace")):
            call, dialled, recording, _ = match.groups()
            if dialled:
                self.dialled.setdefault(call, dialled)
            elif recording:
                self.recorded.add(call)
            else:
                self.undecided.add(call)

    def is_recorded(self, dialled: str) -> bool:
        """Whether a mailbox takes a message of whoever called this number last."""
        self.follow()
        calls = [call for call, number in self.dialled.items() if number == dialled]
        return bool(calls) and calls[-1] in self.recorded


@dataclass(frozen=True)
class Exchange:
    """A PBX with the phones of its people."""

    pbx: Pbx
    members: Sequence[Phone]
    calls: Calls

    async def place(self, caller: Caller, dialled: str) -> str:
        """Call, see where that ends, say something there, and hang up.

        ``person``: a member's phone rang with the caller's number, was answered, and heard the
        caller. ``mailbox``: what the caller said is on disk. Raises SandboxError where it is
        neither. Nobody else may be calling the same number.
        """
        since = time.monotonic()
        await caller.phone.dial(self.pbx.uri(dialled))
        await caller.phone.wait_for("connected")
        return await self.landing(caller, dialled, since)

    async def landing(self, caller: Caller, dialled: str, since: float) -> str:
        """``place`` for a call that is under way since then, on the monotonic clock."""
        before = messages_of(self.pbx, caller.number)
        try:
            while True:
                if (member := talking_to(self.members, caller.number, since)) is not None:
                    said = await caller.phone.play(TONE)
                    await member.wait_for_sound(5, after=said.start)
                    return PERSON
                if self.calls.is_recorded(dialled):
                    await caller.phone.play(TONE)
                    await caller.phone.hangup()
                    await new_message(self.pbx, caller.number, before)
                    return MAILBOX
                if caller.phone.events[-1].name == "disconnected":
                    raise SandboxError("the call ended before it reached anybody")
                await asyncio.sleep(LOOK_S)
        finally:
            with contextlib.suppress(SandboxError):  # it had ended
                await caller.phone.hangup()


def talking_to(members: Sequence[Phone], number: str, since: float) -> Phone | None:
    """The member who has answered this caller's call."""
    for member in members:
        rang = [
            event.at
            for event in member.events
            if event.name == "incoming" and event.at > since and number in event["uri"]
        ]
        answered = [event.at for event in member.events if event.name == "connected"]
        if rang and any(moment > rang[-1] for moment in answered):
            return member
    return None


def messages_of(pbx: Pbx, number: str) -> set[Path]:
    """The recordings on disk of this caller's messages."""
    notes = _voicemail(pbx, "INBOX/*.txt")
    return {note.with_suffix(".wav") for note in notes if number in _text(note)}


async def new_message(pbx: Pbx, number: str, before: set[Path], timeout_s: float = 10.0) -> Path:
    """The recording that is on disk beside those of ``before``, soon. Raises SandboxError."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        for recording in messages_of(pbx, number) - before:
            with contextlib.suppress(AgentError, OSError):  # it is still being written
                if any(read_wav(recording)[0]):
                    return recording
        await asyncio.sleep(LOOK_S)
    raise SandboxError(f"no message of {number} that can be heard within {timeout_s:g} s")


def _voicemail(pbx: Pbx, pattern: str) -> Iterator[Path]:
    yield from (pbx.asterisk.spool / "voicemail" / "agent").glob(f"*/{pattern}")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, IsADirectoryError):  # taken away meanwhile
        return ""
