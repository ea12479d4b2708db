"""How a caller comes to be somewhere at a moment that was agreed beforehand."""

from __future__ import annotations

import asyncio
import time
from enum import StrEnum

from asterisk_agent.sandbox.chaos_caller import STEP_BACK_S, Caller, seconds_of

LEAD_S = 13.0
"""From the beginning of a round to its fault: the longest way is that to a person."""
SOON_S = 0.05
ENOUGH_GREETING_S = 1.6


class Stage(StrEnum):
    """Where callers are at the moment of a fault."""

    RINGING = "ringing"
    GREETING = "greeting"
    SPEAKING = "caller speaking"
    THINKING = "thinking"
    AGENT = "agent speaking"
    TRANSFERRING = "transferring"
    WAITING = "waiting in the queue"
    TALKING = "talking to the member"
    VOICEMAIL = "voicemail"
    LATER = "calling later"
    """While the fault lasts."""


ALL = tuple(stage for stage in Stage if stage is not Stage.LATER)
SPEAKERS = (Stage.SPEAKING, Stage.THINKING, Stage.AGENT)
"""They ask questions before the fault, so they call the number that the questions are for."""
MEMBERS_LEAVE_IT_S = 7.0
"""So long before the fault the members stop picking up: who comes now has to wait."""


async def approach(stage: Stage, caller: Caller, uri: str, moment: float, key: str) -> None:
    """Call, and be at that stage at ``moment``; returns then. Raises SandboxError.

    ``key``: what those press who want somebody else.
    """
    chance = caller.chance
    match stage:
        case Stage.RINGING:
            await _dial_at(caller, uri, moment - chance.uniform(0.0, 0.35))
        case Stage.GREETING:
            await _dial_at(caller, uri, moment - chance.uniform(1.0, 4.0))
        case Stage.SPEAKING:
            await _interrupt(caller, uri, caller.lines.long, moment + chance.uniform(3.0, 6.0))
        case Stage.THINKING:
            await _interrupt(caller, uri, None, moment - chance.uniform(0.05, 0.6))
        case Stage.AGENT:
            await _interrupt(caller, uri, None, moment - chance.uniform(1.8, 3.2))
        case Stage.TRANSFERRING:
            await _press(caller, uri, key, moment - chance.uniform(0.1, 3.0))
        case Stage.WAITING:
            await _press(caller, uri, key, moment - chance.uniform(4.5, 5.5))
        case Stage.TALKING:
            await _press(caller, uri, "0", moment - LEAD_S + 1.5)
            await _keep_humming(caller, moment)
        case Stage.VOICEMAIL:
            await _press(caller, uri, "*", moment - LEAD_S + 2.0)
            await _keep_humming(caller, moment)
        case Stage.LATER:
            await _dial_at(caller, uri, moment)
    await until(moment)


async def until(moment: float) -> None:
    """Sleep until a moment of the monotonic clock."""
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


async def _dial_at(caller: Caller, uri: str, moment: float) -> None:
    await until(moment)
    await caller.dial(uri)


async def _press(caller: Caller, uri: str, key: str, moment: float) -> None:
    """Be in the greeting, and press a key at ``moment``."""
    await _dial_at(caller, uri, moment - ENOUGH_GREETING_S)
    await until(moment)
    caller.press(key)


async def _interrupt(caller: Caller, uri: str, pcm: bytes | None, over: float) -> None:
    """Speak into the greeting, so that the last word falls on the moment ``over``."""
    words = caller.next_question() if pcm is None else pcm
    began = over - seconds_of(words)
    await _dial_at(caller, uri, began - ENOUGH_GREETING_S)
    await until(began)
    caller.say(words)


async def _keep_humming(caller: Caller, moment: float) -> None:
    """Speak with whoever is there, or onto the tape, until ``moment``."""
    while time.monotonic() < moment:
        trail = caller.trail
        recorded = trail.step == "VoiceMail" and time.monotonic() > trail.since + STEP_BACK_S
        if trail.person or recorded:
            caller.hum()
        await asyncio.sleep(SOON_S)
