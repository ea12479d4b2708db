"""One benchmark, from its clips to its result: a PBX of its own, one run after the other."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from asterisk_agent.config.paths import cache_directory, shared_file
from asterisk_agent.engines.loader import load_synthesizer
from asterisk_agent.sandbox import bench_machine, system
from asterisk_agent.sandbox.bench_calibration import add_echo, round_trip_s
from asterisk_agent.sandbox.bench_caller import PjsipCaller
from asterisk_agent.sandbox.bench_clips import Clip, ClipMaker
from asterisk_agent.sandbox.bench_config import open_always
from asterisk_agent.sandbox.bench_line import LineCaller
from asterisk_agent.sandbox.bench_report import goals, run_json
from asterisk_agent.sandbox.bench_run import Bench, Phones, RunResult
from asterisk_agent.sandbox.bench_screen import BenchScreen
from asterisk_agent.sandbox.bench_script import BenchScript, read_bench_script
from asterisk_agent.sandbox.bench_soak import soak_json
from asterisk_agent.sandbox.pbx import Pbx
from asterisk_agent.sandbox.processes import put_first
from asterisk_agent.sandbox.steps import Steps

WARM_UP_TURNS = 3
TURNS_A_LINE = 3
"""With many calls at once, each still asks so many questions."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    levels: tuple[int, ...]
    turns: int
    phones: str
    worded: bool
    band: str
    limit: int | None
    soak_s: float | None
    losses: tuple[float, ...]
    jitter_s: float
    config: Path
    out: Path


class Session:
    """A PBX, the callers' clips, and the runs, one after the other."""

    def __init__(self, wish: Wish, screen: BenchScreen) -> None:
        self._wish = wish
        self._screen = screen
        self._script: BenchScript = read_bench_script(shared_file("scripts/bench.d/script.yaml"))

    def hold(self) -> dict[str, Any]:
        """Everything, from the clips to the result."""
        wish, began = self._wish, time.monotonic()
        machine = bench_machine.machine()
        clips = self._clips()
        config_dir = open_always(
            wish.config, wish.out / "config", worded=wish.worded, calls=wish.limit
        )
        with ExitStack() as stack:
            self._screen.note("starting a private Asterisk, and the service with its models")
            shutil.rmtree(wish.out / "pbx", ignore_errors=True)  # an earlier run's call log
            pbx = stack.enter_context(Pbx(config_dir, wish.out / "pbx", service=False))
            started = time.monotonic()
            pbx.start_service()
            start_s = round(time.monotonic() - started, 2)
            put_first(os.getpid())
            measured = asyncio.run(self._measure(pbx, clips))
            runs = [run_json(run, os.cpu_count() or 1) for run in measured["runs"]]
            self._write_turns(measured["runs"])
            worded = pbx.config.engines.llm.answers == "generative"
            return {
                "date": datetime.now(UTC).isoformat(timespec="seconds"),
                "machine": machine,
                "versions": bench_machine.versions(pbx.asterisk.distribution, _root()),
                "models": bench_machine.models(pbx.config),
                "settings": {**bench_machine.settings(pbx.config), "band": wish.band},
                "start_s": start_s,
                "line_round_trip_s": measured["line"],
                "goals": [goal.as_json() for goal in goals(runs, start_s, worded=worded)],
                "runs": runs,
                "soak": measured["soak"],
                "seconds": round(time.monotonic() - began, 1),
            }

    def _clips(self) -> list[Clip]:
        """The callers' clips; what makes them is installed where it is missing."""
        programs = {voice.program for voice in self._script.voices.values()} - {"piper"}
        needs = [
            system.Need(name, "speaks the callers' questions", partial(_on_path, name))
            for name in sorted(programs)
        ]
        system.install(system.missing(needs), Steps(cache_directory() / "setup.log"))
        voice = load_synthesizer(variety=0.0)
        maker = ClipMaker(
            self._script,
            cache_directory() / "bench-clips",
            lambda text: (b"".join(voice.synthesize(text)), voice.rate_hz),
            self._wish.band,
        )
        total = len(self._script.lines)
        clips = []
        with self._screen.bar("speaking the callers' clips") as progress:
            for clip in maker.clips():
                clips.append(clip)
                progress(len(clips), total)
        return clips

    async def _measure(self, pbx: Pbx, clips: Sequence[Clip]) -> dict[str, Any]:
        wish = self._wish
        add_echo(pbx)
        line = {
            kind: await round_trip_s(pbx, caller, clips[0])
            for kind, caller in (("pjsip", PjsipCaller("echo")), ("light", LineCaller("echo")))
        }
        bench = Bench(pbx, self._script.number, clips, wish.out)
        with self._screen.bar("warming up") as progress:
            await bench.run(1, WARM_UP_TURNS, "light", progress)
        if wish.soak_s is not None:
            soak = await soak_json(bench, pbx, max(wish.levels), wish.soak_s, self._screen)
            return {"line": line, "runs": soak.pop("runs"), "soak": soak}
        if wish.losses:
            runs = [await self._on_a_bad_line(bench, loss) for loss in wish.losses]
            return {"line": line, "runs": runs, "soak": None}
        runs = []
        for calls in wish.levels:
            with self._screen.bar(f"calls at once: {calls}") as progress:
                turns = max(wish.turns, TURNS_A_LINE * calls)
                runs.append(await bench.run(calls, turns, self._phones(calls), progress))
        return {"line": line, "runs": runs, "soak": None}

    async def _on_a_bad_line(self, bench: Bench, loss: float) -> RunResult:
        """One call; where packets are lost, they are late, too."""
        bench.weather = loss, self._wish.jitter_s if loss else 0.0
        with self._screen.bar(f"packets lost: {loss:.0%}") as progress:
            return await bench.run(1, self._wish.turns, "light", progress)

    def _phones(self, calls: int) -> Phones:
        if self._wish.phones == "auto":
            return "pjsip" if calls == 1 else "light"
        return "pjsip" if self._wish.phones == "pjsip" else "light"

    def _write_turns(self, runs: Sequence[RunResult]) -> None:
        """Every turn on a line, to look at what went wrong."""
        with (self._wish.out / "turns.jsonl").open("w", encoding="utf-8") as file:
            for run in runs:
                for turn in run.turns:
                    file.write(json.dumps({"calls": run.calls, **asdict(turn)}) + "\n")
                for call in run.seen:
                    if call.outcome != "talked":
                        seen = {"call": call.number, "outcome": call.outcome, "why": call.why}
                        file.write(json.dumps({"calls": run.calls, **seen}) + "\n")


def _on_path(program: str) -> bool:
    return shutil.which(program) is not None


def _root() -> Path:
    return Path(__file__).resolve().parents[2]
