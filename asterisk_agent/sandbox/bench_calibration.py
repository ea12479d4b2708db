"""What of a delay is the line's own: the way to Asterisk and back, and the phone's buffer.

A caller says something to Asterisk's ``Echo``, and hears itself. The light caller has no jitter
buffer, so the difference between the two kinds of phone is what a buffer makes.
"""

from __future__ import annotations

import asyncio
from statistics import median

from asterisk_agent.sandbox.bench_caller import Caller, quiet_for
from asterisk_agent.sandbox.bench_clips import Clip
from asterisk_agent.sandbox.pbx import Pbx

EXTENSION = "bench-echo"
REPEATS = 4
ECHO_LIMIT_S = 1.0


def add_echo(pbx: Pbx) -> None:
    """Let the PBX have an extension that says back what it hears."""
    for priority, application in ((1, "Answer()"), (2, "Echo()")):
        pbx.cli(
            f"dialplan add extension {EXTENSION},{priority},{application} into from-trunk replace"
        )


async def round_trip_s(pbx: Pbx, caller: Caller, clip: Clip) -> float:
    """From a sound's beginning at the phone's mouth to its beginning at its ear; the median."""
    found = []
    try:
        await caller.dial(pbx.uri(EXTENSION), "+15557000000")
        await caller.answered(10)
        await asyncio.sleep(0.5)
        for _ in range(REPEATS):
            said = await caller.say(clip)
            await quiet_for(caller, 0.5, 10)
            heard = caller.recording.sound_after(said.began)
            if heard is not None and heard - said.began < ECHO_LIMIT_S:
                # The first frame holds 20 ms: they were complete when it left.
                found.append(heard - said.began)
    finally:
        await caller.close()
    return round(median(found), 4) if found else float("nan")
