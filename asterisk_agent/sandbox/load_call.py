"""A call of a load test: wherever it goes, it is followed there, and that is its outcome."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from asterisk_agent.errors import AsteriskError, SandboxError
from asterisk_agent.net.ami import AsteriskManager
from asterisk_agent.sandbox.bench_call import BenchCall
from asterisk_agent.sandbox.bench_caller import Caller, sound_after
from asterisk_agent.sandbox.bench_deck import Deck

AGENT, PERSON, MAILBOX = "agent", "person", "voicemail"
LOOK_S = 0.5
LONGEST_WAY_S = 180.0
"""Ten seconds for a slot, two teams' queues, and the message before the tone."""
WITH_A_PERSON_S = 6.0
AT_THE_TONE_S = 4.0
SOUND_LIMIT_S = 1.5
"""For the tone; whoever comes there behind it speaks at once, or is taken for silent."""

Place = Callable[[str], Awaitable[str]]


class Places:
    """Tells, by Asterisk's own list of channels, where a number's call is."""

    def __init__(self, manager: AsteriskManager) -> None:
        self._manager = manager

    async def of(self, number: str) -> str:
        """``agent``, ``person``, ``voicemail``, or "" on the way. Raises SandboxError."""
        try:
            channels = await self._manager.action("CoreShowChannels")
        except AsteriskError as error:
            raise SandboxError(f"asking for the channels: {error}") from error
        for channel in channels:
            if channel.get("calleridnum") == number and not channel.get("channel", "").startswith(
                "Local/"
            ):
                return _place(channel.get("application", ""), channel.get("bridgeid", ""))
        return ""


def _place(application: str, bridge: str) -> str:
    if application == "AudioSocket":
        return AGENT
    if application == "VoiceMail":
        return MAILBOX
    return PERSON if application in ("Queue", "Dial") and bridge else ""


class LoadCall(BenchCall):
    """Holds one call. ``seen.outcome``: ``talked`` with the agent, or where it was taken."""

    cut_short = "lost"

    def __init__(
        self,
        caller: Caller,
        number: str,
        deck: Deck,
        place: Place,
        *,
        turns: int,
        chance: random.Random,
    ) -> None:
        async def with_agent(of: str) -> bool:
            return await place(of) == AGENT

        super().__init__(caller, number, deck, with_agent, turns=turns, chance=chance)
        self._place = place
        self.waited_s = 0.0
        """From the answer until the agent, a person or the mailbox had the call."""

    async def _talk(self, answered: float) -> None:
        """See who takes the call, and talk or stay there."""
        taken = await self._taken()
        self.waited_s = time.monotonic() - answered
        if taken == AGENT:
            await super()._talk(time.monotonic())
        else:
            self.seen.outcome = taken
            await self._stay(taken)

    async def _taken(self) -> str:
        deadline = time.monotonic() + LONGEST_WAY_S
        while not (place := await self._place(self.seen.number)):
            if not self._caller.talking:
                raise SandboxError("the call ended before anybody had it")
            if time.monotonic() > deadline:
                raise SandboxError(f"nobody had the call within {LONGEST_WAY_S:g} s")
            await asyncio.sleep(LOOK_S)
        return place

    async def _stay(self, taken: str) -> None:
        """Stay for a moment where the call has come to, and say something there."""
        if taken == MAILBOX:  # who says nothing at the tone is soon let go
            await sound_after(self._caller, time.monotonic(), SOUND_LIMIT_S)
            await self._caller.say(self._deck.question())
        else:
            await asyncio.sleep(WITH_A_PERSON_S)
        if not self._caller.talking:
            raise SandboxError(f"the call ended at the {taken} within seconds")
