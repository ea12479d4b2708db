"""``scripts/rough``: callers, phones and lines that are not as they should be, by real calls.

Each scenario says whether its caller got what callers get. Afterwards: an ordinary caller is
served, nobody is left on a line, the service is the same process and has no error in its log,
nothing that a caller sent was run or logged as a line, and Asterisk was asked for no destination
that the configuration does not name.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import typer

from asterisk_agent.audio import LINE_RATE_HZ, resample
from asterisk_agent.cli.app import Json, print_json, reports_errors
from asterisk_agent.config.paths import shared_file
from asterisk_agent.engines.loader import load_synthesizer
from asterisk_agent.errors import SandboxError
from asterisk_agent.net.control import follow
from asterisk_agent.sandbox.bench_config import open_always
from asterisk_agent.sandbox.bench_log import read_stories
from asterisk_agent.sandbox.bench_script import read_bench_script
from asterisk_agent.sandbox.destinations import executed_in, strange
from asterisk_agent.sandbox.pbx import Pbx
from asterisk_agent.sandbox.rough_scenarios import CANARY, CLEAR, SCENARIOS, Scenario, Scene
from asterisk_agent.wire.control import Watch

AT_ONCE = 3
CALLS = 12
"""``limits.calls`` here: what is tested is the calls, not the machine."""
ANSWER = "165"
"""What the answer to ``QUESTION`` has in it."""
WRITTEN_WITHIN_S = 3.0
FIGURES_LIMIT_S = 5.0
CLEARED_S = 75.0
"""A caller who vanished is asked twice whether they are there, and then let go."""
_LOG_LINE = re.compile(
    r"asterisk-agent: ready after |\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (INFO|WARNING|ERROR) "
)
_FAULT = re.compile(r"^Traceback|^\S+ \S+ ERROR ", re.MULTILINE)

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one scenario, or of one thing that was looked at afterwards."""

    name: str
    good: bool
    why: str
    seconds: float = 0.0


@app.command()
@reports_errors
def main(
    *,
    only: Annotated[str, typer.Option(metavar="TEXT", help="Scenarios whose name holds it.")] = "",
    short: Annotated[bool, typer.Option("--short", help="What every test run does.")] = False,
    as_json: Json = False,
) -> None:
    """Call as callers should not, and see who is served all the same."""
    chosen = [s for s in SCENARIOS if only in s.name and (s.short or not short)]
    if not chosen:
        raise SandboxError(f"--only {only}: no such scenario")
    with tempfile.TemporaryDirectory(prefix="rough-") as folder:
        config = open_always(shared_file("etc"), Path(folder) / "etc", worded=False, calls=CALLS)
        with Pbx(config, Path(folder) / "pbx") as pbx:
            verdicts = asyncio.run(hold(pbx, chosen))
    if as_json:
        print_json({"verdicts": [asdict(verdict) for verdict in verdicts]})
    else:
        sys.stdout.write(table(verdicts))
    if not all(verdict.good for verdict in verdicts):
        raise typer.Exit(1)


async def hold(pbx: Pbx, scenarios: Sequence[Scenario]) -> list[Verdict]:
    """All scenarios, a few at once, and what is left afterwards."""
    every = {SCENARIOS[0].words, *(scenario.words for scenario in scenarios)}
    pid, spoken = pbx.service_pid, await asyncio.to_thread(_spoken, every)
    waiting = list(scenarios)
    verdicts: list[Verdict] = []
    asked: dict[str, Scenario] = {}
    numbers = (f"+1555{serial:07d}" for serial in count(6_000_001))

    async def line() -> None:
        while waiting:
            verdicts.append(await _one(pbx, waiting.pop(0), next(numbers), spoken, asked))

    await asyncio.gather(*(line() for _ in range(AT_ONCE)))
    usual = await _one(pbx, SCENARIOS[0], next(numbers), spoken, asked)
    verdicts.append(Verdict("an ordinary caller afterwards", usual.good, usual.why, usual.seconds))
    verdicts += await _afterwards(pbx, pid)
    await asyncio.sleep(WRITTEN_WITHIN_S)
    verdicts += [_answers(pbx, asked), await _followed(pbx)]
    return verdicts


async def _one(
    pbx: Pbx,
    scenario: Scenario,
    number: str,
    spoken: Mapping[str, bytes],
    asked: dict[str, Scenario],
) -> Verdict:
    script = read_bench_script(shared_file("scripts/bench.d/script.yaml"))
    uri = pbx.uri(scenario.target or script.number)
    caller = scenario.caller()
    began, why = time.monotonic(), ""
    scene = Scene(caller, uri, scenario.number or number, spoken[scenario.words])
    try:
        await scenario.act(scene)
    except SandboxError as error:
        why = error.message
    finally:
        await caller.close()
    if scene.asked:
        asked[number] = scenario
    return Verdict(scenario.name, not why, why, round(time.monotonic() - began, 1))


async def _afterwards(pbx: Pbx, pid: int | None) -> list[Verdict]:
    left = await _left(pbx)
    service = pbx.service_log.read_text(encoding="utf-8", errors="replace")
    asterisk = pbx.asterisk.log.read_text(encoding="utf-8", errors="replace")
    places = strange(executed_in(asterisk), pbx.config)
    canaries = [str(path) for path in _canaries(pbx)]
    forged = [line for line in service.splitlines() if not _LOG_LINE.match(line)]
    faults = _FAULT.findall(service)
    return [
        Verdict("nobody is left on a line", not left, left),
        Verdict("the service is the same process", pbx.service_pid == pid, f"{pid}"),
        Verdict("its log has no error", not faults, " ".join(map(str, faults))[:200]),
        Verdict("its log has no line of a caller's", not forged, repr(forged[:3])),
        Verdict("nothing that a caller sent was run", not canaries, " ".join(canaries)),
        Verdict("no destination of a caller's", not places, repr(places[:5])),
    ]


def _answers(pbx: Pbx, asked: Mapping[str, Scenario]) -> Verdict:
    """Whether the log has the right answer to each question; a line that loses words may not."""
    stories = read_stories(pbx.config.records.database, set(asked))
    wrong = [
        scenario.name
        for number, scenario in asked.items()
        if scenario.weather == CLEAR and ANSWER not in _said_by_agent(stories.get(number))
    ]
    return Verdict(f"{len(asked)} questions, answered right", not wrong, ", ".join(wrong))


async def _followed(pbx: Pbx) -> Verdict:
    """Whether the service, too, knows that every call is over."""
    told = follow(pbx.config.control_socket, Watch())
    try:
        async with asyncio.timeout(FIGURES_LIMIT_S):
            calls = (await anext(told))["health"]["calls"]
    finally:
        await told.aclose()
    return Verdict("the service knows of no call any more", not calls, f"{calls} calls")


def _said_by_agent(story: Mapping[str, Any] | None) -> str:
    turns = story["turns"] if story is not None else []
    return " ".join(turn["text"] for turn in turns if turn["who"] == "agent")


async def _left(pbx: Pbx) -> str:
    """The calls that are still there after a while."""
    deadline = time.monotonic() + CLEARED_S
    while True:
        shown = await asyncio.to_thread(pbx.asterisk.cli, "core show channels count")
        if shown.lstrip().startswith("0 active channels") or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.5)
    return "" if shown.lstrip().startswith("0 ") else shown.strip().replace("\n", ", ")


def _canaries(pbx: Pbx) -> Iterator[Path]:
    for place in (Path.cwd(), Path("/"), Path.home(), Path(tempfile.gettempdir())):
        if (place / CANARY).exists():
            yield place / CANARY
    yield from pbx.state_dir.rglob(CANARY)


def _spoken(texts: Iterable[str]) -> dict[str, bytes]:
    voice = load_synthesizer(variety=0.0)
    return {
        text: resample(b"".join(voice.synthesize(text)), voice.rate_hz, LINE_RATE_HZ)
        for text in texts
    }


def table(verdicts: Sequence[Verdict]) -> str:
    """As Markdown."""
    lines = ["| scenario | | seconds |", "| --- | --- | --- |"]
    for one in verdicts:
        what = "served" if one.good else f"**{one.why}**"
        lines.append(f"| {one.name} | {what} | {one.seconds or ''} |")
    good = sum(one.good for one in verdicts)
    return "\n".join([*lines, "", f"{good} of {len(verdicts)} as they should be.", ""])


if __name__ == "__main__":
    app()
