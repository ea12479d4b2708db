"""``scripts/load``: more callers than the agent can take. Everyone is answered, and by whom?"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import typer

from asterisk_agent.cli.app import Json, print_json, reports_errors
from asterisk_agent.config.paths import cache_directory, shared_file
from asterisk_agent.engines.loader import load_synthesizer
from asterisk_agent.errors import SandboxError
from asterisk_agent.net.ami import AsteriskManager
from asterisk_agent.sandbox import bench_machine
from asterisk_agent.sandbox.bench_clips import Clip, ClipMaker
from asterisk_agent.sandbox.bench_config import open_always
from asterisk_agent.sandbox.bench_deck import Deck
from asterisk_agent.sandbox.bench_line import LineCaller
from asterisk_agent.sandbox.bench_log import measure, read_stories
from asterisk_agent.sandbox.bench_script import Kind, read_bench_script
from asterisk_agent.sandbox.bench_stats import summary
from asterisk_agent.sandbox.load_call import LoadCall, Places
from asterisk_agent.sandbox.pbx import Pbx
from asterisk_agent.sandbox.phone import Phone
from asterisk_agent.sandbox.processes import put_first

TURNS_A_CALL = 3
STAGGER_S = 0.4
PICKS_UP_S = 2.0
LOGIN_LIMIT_S = 5.0
WRITTEN_WITHIN_S = 2.0
FACTORS = "1,2,5"

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class Level:
    """So many times the capacity at once: what came of it, in ``bench``'s terms."""

    factor: float
    result: dict[str, Any]


@app.command()
@reports_errors
def main(
    *,
    calls: Annotated[int, typer.Option(min=1, help="limits.calls: the capacity.")] = 2,
    times: Annotated[
        str, typer.Option(metavar="N,N,…", help="Callers at once, in capacities.")
    ] = FACTORS,
    rounds: Annotated[int, typer.Option(min=1, help="Calls of each caller.")] = 2,
    members: Annotated[int, typer.Option(min=0, help="People who pick up.")] = 1,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where figures and logs go.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Call more than the agent can take, and see that nobody is lost."""
    directory = out or cache_directory() / "load" / f"{datetime.now():%Y%m%d-%H%M%S}"
    directory.mkdir(parents=True, exist_ok=True)
    config = open_always(shared_file("etc"), directory / "config", worded=False, calls=calls)
    shutil.rmtree(directory / "pbx", ignore_errors=True)
    with Pbx(config, directory / "pbx") as pbx:
        put_first(os.getpid())
        plan = [float(part) for part in times.split(",")]
        levels = asyncio.run(hold(pbx, _clips(), calls, plan, rounds=rounds, members=members))
        result = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": bench_machine.machine(),
            "versions": bench_machine.versions(pbx.asterisk.distribution, Path.cwd()),
            "capacity": calls,
            "members": members,
            "levels": [{"times": level.factor, **level.result} for level in levels],
        }
    text = table(result)
    (directory / "load.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    (directory / "load.md").write_text(text, encoding="utf-8")
    if as_json:
        print_json(result)
    else:
        sys.stdout.write(text)
    if any(level.result["lost"] for level in levels):
        raise typer.Exit(1)


async def hold(
    pbx: Pbx,
    clips: Sequence[Clip],
    capacity: int,
    factors: Sequence[float],
    *,
    rounds: int,
    members: int,
) -> list[Level]:
    """One level after the other. Raises SandboxError where nothing can be measured."""
    numbers = (f"+1555{serial:07d}" for serial in count(8_000_001))
    asterisk = pbx.asterisk
    manager = AsteriskManager(
        asterisk.host, asterisk.ami_port, asterisk.ami_username, asterisk.ami_secret
    )
    async with AsyncExitStack() as stack:
        await manager.start()
        stack.push_async_callback(manager.stop)
        try:
            async with asyncio.timeout(LOGIN_LIMIT_S):
                await anext(aiter(manager.sessions()))
        except TimeoutError:
            raise SandboxError("Asterisk's manager interface does not answer") from None
        for user in list(asterisk.passwords)[:members]:
            phone = await stack.enter_async_context(Phone(user))
            await phone.register(user, pbx.password(user), port=asterisk.sip_port)
            await phone.auto_answer(PICKS_UP_S)
        places = Places(manager)
        levels = []
        for factor in factors:
            lines = max(1, round(factor * capacity))
            mine = [[next(numbers) for _ in range(rounds)] for _ in range(lines)]
            levels.append(Level(factor, await _level(pbx, clips, places, mine)))
    return levels


async def _level(
    pbx: Pbx, clips: Sequence[Clip], places: Places, numbers: Sequence[Sequence[str]]
) -> dict[str, Any]:
    script = read_bench_script(shared_file("scripts/bench.d/script.yaml"))
    deck = Deck(clips, TURNS_A_CALL * sum(map(len, numbers)))
    calls: list[LoadCall] = []

    async def line(index: int) -> None:
        await asyncio.sleep(index * STAGGER_S)
        for number in numbers[index]:
            chance = random.Random(number)  # noqa: S311 - how long people think
            caller = LineCaller(number)
            call = LoadCall(caller, number, deck, places.of, turns=TURNS_A_CALL, chance=chance)
            calls.append(call)
            await call.hold(pbx.uri(script.number))

    await asyncio.gather(*(line(index) for index in range(len(numbers))))
    await asyncio.sleep(WRITTEN_WITHIN_S)
    return _figures(pbx, calls, len(numbers))


def _figures(pbx: Pbx, calls: Sequence[LoadCall], lines: int) -> dict[str, Any]:
    stories = read_stories(pbx.config.records.database, {call.seen.number for call in calls})
    turns = [
        turn
        for call in calls
        if call.seen.outcome == "talked"
        for turn in measure(call.seen, stories.get(call.seen.number))
    ]
    ends = Counter(call.seen.outcome for call in calls)
    plain = [turn for turn in turns if turn.kind is Kind.QUESTION and not turn.over]
    return {
        "callers": lines,
        "placed": len(calls),
        "agent": ends["talked"],
        "person": ends["person"],
        "voicemail": ends["voicemail"],
        "lost": len(calls) - ends["talked"] - ends["person"] - ends["voicemail"],
        "why": sorted({call.seen.why for call in calls if call.seen.why}),
        "waited_s": summary(call.waited_s for call in calls),
        "reply_delay_s": summary(turn.delay_s for turn in plain if turn.delay_s is not None),
        "missed_ends": sum(turn.missed for turn in turns),
        "longest_arrival_gap_ms": round(
            1000 * max((call.seen.longest_arrival_gap_s for call in calls), default=0.0), 1
        ),
    }


def _clips() -> list[Clip]:
    voice = load_synthesizer(variety=0.0)
    maker = ClipMaker(
        read_bench_script(shared_file("scripts/bench.d/script.yaml")),
        cache_directory() / "bench-clips",
        lambda text: (b"".join(voice.synthesize(text)), voice.rate_hz),
    )
    return list(maker.clips())


ROWS = (
    ("callers at once", "callers"),
    ("calls placed", "placed"),
    ("the agent answered", "agent"),
    ("a person answered", "person"),
    ("voicemail answered", "voicemail"),
    ("lost", "lost"),
    ("missed ends", "missed_ends"),
    ("longest wait between packets, ms", "longest_arrival_gap_ms"),
)
DELAYS = (
    ("waited for the agent, a person or voicemail, s", "waited_s"),
    ("any reply of the agent, s", "reply_delay_s"),
)


def table(result: dict[str, Any]) -> str:
    """As Markdown."""
    levels = result["levels"]
    head = ["times the capacity", *(f"{level['times']:g}" for level in levels)]
    rows = [[label, *(str(level[key]) for level in levels)] for label, key in ROWS]
    for label, key in DELAYS:
        for part in ("p50", "p95", "max"):
            rows.append([f"{label}: {part}", *(str(level[key][part]) for level in levels)])
    lines = [head, ["---"] * len(head), *rows]
    said = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    capacity = f"{result['capacity']} calls at once (`limits.calls`)"
    return f"Capacity: {capacity}; {result['members']} people pick up.\n\n{said}\n"


if __name__ == "__main__":
    app()
