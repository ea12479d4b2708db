"""Calls for a long time: what grows, what slows down, and what is left when they have ended."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.bench_log import Measured
from asterisk_agent.sandbox.bench_meter import SAMPLE_S, Meter, Size
from asterisk_agent.sandbox.bench_run import Bench
from asterisk_agent.sandbox.bench_screen import BenchScreen
from asterisk_agent.sandbox.bench_script import Kind
from asterisk_agent.sandbox.bench_stats import slope, summary
from asterisk_agent.sandbox.pbx import Pbx

ENDLESS = 1_000_000
SETTLED_SHARE = 0.2
"""Memory grows at first, while caches fill: the slope is that of the rest."""
WINDOWS = 6
CALM_S = 10.0
SHORTEST_SLOPE_S = 300.0
"""What less than five minutes show of an hour is noise."""
_UNITS = {"s": 1, "m": 60, "h": 3600}


def soak_seconds(text: str) -> float:
    """``30m`` → 1800. Raises SandboxError for what is no duration."""
    found = re.fullmatch(r"(\d+)([smh])", text)
    if found is None:
        raise SandboxError(f"--soak {text}: not a duration", hint="write 30m, 90s or 2h")
    return float(int(found[1]) * _UNITS[found[2]])


async def soak_json(
    bench: Bench, pbx: Pbx, calls: int, seconds: float, screen: BenchScreen
) -> dict[str, Any]:
    """Call for so long. ``runs`` has the one run; the rest is what grew and what was left."""
    meter = Meter(pbx.processes()[0].pid, pbx.asterisk.pid)
    before, channels_before = meter.size(), channels(pbx.cli("core show channels count"))
    with screen.bar(f"soaking with {calls} calls for {seconds:g} s"):
        run = await bench.run(calls, ENDLESS, "light", seconds=seconds)
    await asyncio.sleep(CALM_S)
    after, channels_after = meter.size(), channels(pbx.cli("core show channels count"))
    plain = [turn for turn in run.turns if turn.kind is Kind.QUESTION and not turn.over]
    return {
        "runs": [run],
        "seconds": round(run.seconds, 1),
        "calls": calls,
        "placed": len(run.seen),
        "memory_mb": {
            "before": before.pss_mb,
            "peak": max(size.pss_mb for size in run.sizes),
            "after": after.pss_mb,
            "slope_per_hour": memory_slope(run.sizes),
        },
        "answer_delay_s_by_window": windows(plain),
        "threads": {"before": before.threads, "after": after.threads},
        "files": {"before": before.files, "after": after.files},
        "channels": {"before": channels_before, "after": channels_after},
        "troubles": run.troubles[:20],
    }


def channels(console: str) -> int:
    """How many channels Asterisk has, from ``core show channels count``."""
    found = re.search(r"(\d+) active channel", console)
    if found is None:
        raise SandboxError(f"Asterisk does not say how many channels it has: {console[:80]}")
    return int(found[1])


def memory_slope(sizes: Sequence[Size], every_s: float = SAMPLE_S) -> float | None:
    """MB gained in an hour, once memory has settled; None where that was too short to tell."""
    if len(sizes) * every_s < SHORTEST_SLOPE_S:
        return None
    settled = list(enumerate(sizes))[int(len(sizes) * SETTLED_SHARE) :]
    return round(slope([(index * every_s / 3600, size.pss_mb) for index, size in settled]), 1)


def windows(turns: Sequence[Measured]) -> list[dict[str, float | int | None]]:
    """The delays in equal parts of the time, one after the other."""
    delays = [turn.delay_s for turn in turns if turn.delay_s is not None]
    length = max(1, -(-len(delays) // WINDOWS))
    return [summary(delays[start : start + length]) for start in range(0, len(delays), length)]
