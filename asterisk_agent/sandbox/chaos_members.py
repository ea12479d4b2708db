"""The people of the house: whole SIP phones that pick up, or leave it ringing, and hum a tone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from asterisk_agent.audio import LINE_RATE_HZ
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.chaos_judge import tone
from asterisk_agent.sandbox.pbx import Pbx
from asterisk_agent.sandbox.phone import Phone

PICK_UP_S = 0.4
LOOK_S = 0.05
HUM_S = 8.0
FIRST_HZ, STEP_HZ = 600.0, 50.0


@dataclass(slots=True)
class Member:
    """One person's phone. ``hz`` is the tone that they hum while they are connected."""

    user: str
    phone: Phone
    hz: float

    @property
    def state(self) -> str:
        """``idle``, ``incoming`` or ``connected``."""
        for event in reversed(self.phone.events):
            if event.name in ("incoming", "connected"):
                return event.name
            if event.name == "disconnected":
                break
        return "idle"


class Members:
    """Every member's phone, registered. An async context manager."""

    def __init__(self, pbx: Pbx) -> None:
        self._pbx = pbx
        self._members: dict[str, Member] = {}
        self._stack = AsyncExitStack()
        self._picking_up = True
        self._humming: asyncio.Task[None] | None = None

    def __getitem__(self, user: str) -> Member:
        return self._members[user]

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for index, (user, password) in enumerate(self._pbx.asterisk.passwords.items()):
                phone = await stack.enter_async_context(Phone(user, rate_hz=LINE_RATE_HZ))
                await phone.register(user, password, port=self._pbx.asterisk.sip_port)
                await phone.auto_answer(PICK_UP_S)
                self._members[user] = Member(user, phone, FIRST_HZ + STEP_HZ * index)
            self._humming = asyncio.create_task(self._hum(), name="members hum")
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._humming is not None:
            self._humming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._humming
        await self._stack.aclose()

    async def leave_it(self) -> None:
        """Do not pick up: whoever rings from now on goes on ringing."""
        self._picking_up = False
        for member in self:
            await member.phone.auto_answer(None)

    async def pick_up(self) -> None:
        """Pick up, also what rings already."""
        self._picking_up = True
        for member in self:
            await member.phone.auto_answer(PICK_UP_S)
            if member.state == "incoming":
                with contextlib.suppress(SandboxError):  # it was picked up, or has just ended
                    await member.phone.answer()

    async def hang_up(self) -> None:
        """End what is left of a round."""
        for member in self:
            if member.state != "idle":
                with contextlib.suppress(SandboxError):
                    await member.phone.hangup()

    async def _hum(self) -> None:
        """Whoever is connected hums, without a pause."""
        clips: dict[str, asyncio.Task[None]] = {}
        while True:
            for member in self:
                humming = clips.get(member.user)
                if member.state == "connected" and (humming is None or humming.done()):
                    clips[member.user] = asyncio.create_task(self._hum_once(member))
            await asyncio.sleep(LOOK_S)

    async def _hum_once(self, member: Member) -> None:
        with contextlib.suppress(SandboxError):  # the caller has hung up
            await member.phone.queue(tone(member.hz, HUM_S), LINE_RATE_HZ)
            for _ in range(round(HUM_S / LOOK_S) - 4):
                if member.state != "connected":
                    return
                await asyncio.sleep(LOOK_S)
