"""A whole run of the chaos suite: a PBX of its own, and one round after the other."""

from __future__ import annotations

import itertools
import random
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from asterisk_agent.brain.intent import IntentReader
from asterisk_agent.brain.languages import language as language_of
from asterisk_agent.config.load import load
from asterisk_agent.config.paths import cache_directory, shared_file
from asterisk_agent.engines.loader import load_synthesizer
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import bench_machine, chaos_engines, chaos_fault
from asterisk_agent.sandbox.asterisk_conf import US_TONES
from asterisk_agent.sandbox.bench_clips import ClipMaker
from asterisk_agent.sandbox.bench_config import open_always
from asterisk_agent.sandbox.bench_script import Kind, read_bench_script
from asterisk_agent.sandbox.chaos_caller import Lines
from asterisk_agent.sandbox.chaos_fault import Fault, Setting, World
from asterisk_agent.sandbox.chaos_members import Members
from asterisk_agent.sandbox.chaos_relay import Relay
from asterisk_agent.sandbox.chaos_report import summary
from asterisk_agent.sandbox.chaos_round import Round, RoundResult
from asterisk_agent.sandbox.chaos_server import ModelServer
from asterisk_agent.sandbox.chaos_tracker import Tracker
from asterisk_agent.sandbox.clock import Clock
from asterisk_agent.sandbox.pbx import Pbx
from asterisk_agent.sandbox.processes import free_port, put_first
from asterisk_agent.wire import audiosocket

FIRST_NUMBER = 6_000_001
PROGRAM = "piper"
"""The voice that every installation has."""
SPARE_CALLS = 8
"""The agent may take so many more calls than there are callers: nobody shall be refused."""
SHORT_PAUSES = US_TONES.replace("ring = 440+480/2000,0/4000", "ring = 440+480/1000,0/500")
"""Ringing with pauses of half a second, so that a longer silence is one."""
FLOOD_FRAMES = 250
NOISE = random.Random(7).randbytes(320)  # noqa: S311


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    faults: Sequence[type[Fault]]
    rounds: int
    callers: int
    seed: int
    config: Path
    out: Path
    limit_s: float | None = None
    """No round begins later than this."""


class ChaosSession:
    """Holds a run; ``note`` is told what happens, ``progress`` how far it is."""

    def __init__(
        self,
        wish: Wish,
        note: Callable[[str], None] = lambda line: None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self._wish = wish
        self._note = note
        self._progress = progress
        self._chance = random.Random(wish.seed)  # noqa: S311 - the same run again
        self._script = read_bench_script(shared_file("scripts/bench.d/script.yaml"))
        self._results: list[RoundResult] = []
        self._setting = Setting.PLAIN

    async def hold(self) -> dict[str, Any]:
        """Everything; the result. Raises SandboxError."""
        wish, began = self._wish, time.monotonic()
        wish.out.mkdir(parents=True, exist_ok=True)
        put_first(0)
        lines = self._lines()
        plan = self.order()
        async with AsyncExitStack() as stack:
            world = await self._world(stack)
            tracker = await stack.enter_async_context(Tracker(world.pbx))
            members = await stack.enter_async_context(Members(world.pbx))
            await world.start_service()
            serial = itertools.count(FIRST_NUMBER)
            number = self._script.number
            round_ = Round(
                world, tracker, members, lines, number, self._chance, serial, wish.out, self._note
            )
            for done, kind in enumerate(plan):
                self._progress(done, len(plan))
                if wish.limit_s is not None and time.monotonic() - began > wish.limit_s:
                    break
                await self._round(round_, kind)
            self._progress(len(plan), len(plan))
            machine = bench_machine.machine()
            versions = bench_machine.versions(world.pbx.asterisk.distribution, _root())
        return {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine,
            "versions": versions,
            "seed": wish.seed,
            **summary(self._results),
            "seconds": round(time.monotonic() - began, 1),
        }

    def order(self) -> list[type[Fault]]:
        """The faults of all rounds: every one before one comes again, in an order by chance.

        Those that need the service started differently come together.
        """
        plan: list[type[Fault]] = []
        while len(plan) < self._wish.rounds:
            some = list(self._wish.faults)
            self._chance.shuffle(some)
            plan += some[: self._wish.rounds - len(plan)]
        return sorted(plan, key=lambda fault: list(Setting).index(fault.setting))

    async def _round(self, round_: Round, kind: type[Fault]) -> None:
        await self._start_as(round_.world, kind.setting)
        fault = kind()
        try:
            fault.check(round_.world)
            result = await round_.hold(fault, self._wish.callers)
        except* SandboxError as error:
            result = RoundResult(kind.name, kind.about, [], troubles=[str(error.exceptions[0])])
        self._results.append(result)
        rescued = sum(one.rescued for one in result.callers)
        again = "" if result.again_s is not None else "; the agent did not come back"
        self._note(f"  {rescued} of {len(result.callers)} rescued, {result.seconds:g} s{again}")
        for one in result.callers:
            if not one.rescued:
                self._note(f"  {one.number} {one.stage}: {', '.join(one.faults)}: {one.why}")
                self._note(f"    {one.recording}")
        for trouble in result.troubles:
            self._note(f"  {trouble}")

    # --- the world --------------------------------------------------------------------------

    async def _world(self, stack: AsyncExitStack) -> World:
        """A private Asterisk, relays, and a disk; the service is not started yet."""
        wish = self._wish
        shutil.rmtree(wish.out / "pbx", ignore_errors=True)
        shutil.rmtree(wish.out / "site", ignore_errors=True)
        calls = wish.callers + SPARE_CALLS
        config = open_always(wish.config, wish.out / "config", worded=False, calls=calls)
        data = wish.out / "data"
        if chaos_fault.mount(data):
            stack.callback(chaos_fault.unmount, data)
        environment = chaos_engines.write_site(wish.out / "site")
        manager_port = free_port()
        pbx = Pbx(
            config,
            wish.out / "pbx",
            service=False,
            files={"indications.conf": SHORT_PAUSES.lstrip()},
            environment=environment,
            manager_port=manager_port,
            data=data,
        )
        spool = pbx.asterisk.spool / "voicemail"
        if chaos_fault.mount(spool, chaos_fault.SPOOL_MB):
            stack.callback(chaos_fault.unmount, spool)
        self._add_site(pbx, wish.out / "site")
        starter = stack.enter_context(ThreadPoolExecutor(1, "starter"))
        self._note("starting a private Asterisk, and the service with its models")
        stack.enter_context(pbx)
        server = ModelServer()
        await server.start()
        stack.push_async_callback(server.stop)
        world = World(
            pbx=pbx,
            fastagi=Relay(pbx.fastagi_port, lambda: b"agi_flood: x\n" * 500),
            media=Relay(pbx.media_port, flood),
            manager=Relay(pbx.asterisk.ami_port),
            server=Relay(server.port),
            model_server=server,
            switch=chaos_engines.Switch(Path(environment[chaos_engines.VARIABLE])),
            data=data,
            spool=spool,
            starter=starter,
        )
        for relay in (world.fastagi, world.media, world.server):
            await relay.start()
            stack.push_async_callback(relay.stop)
        await world.manager.start(manager_port)
        stack.push_async_callback(world.manager.stop)
        return world

    def _add_site(self, pbx: Pbx, folder: Path) -> None:
        """Let the service's Python find our ``sitecustomize``, before everything else."""
        path = chaos_engines.python_path(folder)
        pbx.environment["PYTHONPATH"] = path

    async def _start_as(self, world: World, setting: Setting) -> None:
        """Start the service again where a fault needs it otherwise."""
        if setting is self._setting:
            return
        self._setting = setting
        await world.stop_service()
        if setting is Setting.CLOCK:
            world.clock = Clock(self._wish.out / "clock", datetime.now(UTC))
            clock = world.clock.environment()
            world.pbx.environment |= {**clock, chaos_engines.SLEEPS: "1"}
        else:
            for name in (*Clock.VARIABLES, chaos_engines.SLEEPS):
                world.pbx.environment.pop(name, None)
        if setting is Setting.WORDED:
            word_answers(world.pbx.config_dir / "agent.yaml")
        elif setting is Setting.SERVER:
            use_server(world.pbx.config_dir / "agent.yaml", world.server.port)
        await world.start_service()

    def _lines(self) -> Lines:
        """What callers say, in the voice that every installation has."""
        voices = {id_ for id_, voice in self._script.voices.items() if voice.program == PROGRAM}
        lines = tuple(line for line in self._script.lines if line.voice in voices)
        script = self._script.model_copy(update={"lines": lines})
        voice = load_synthesizer(variety=0.0)
        maker = ClipMaker(
            script,
            cache_directory() / "bench-clips",
            lambda text: (b"".join(voice.synthesize(text)), voice.rate_hz),
        )
        clips = list(maker.clips())
        names_a_team = team_reader(self._wish.config)
        asked = [clip for clip in clips if clip.line.kind is Kind.QUESTION]
        questions = [clip.pcm for clip in asked if names_a_team(clip.line.text) is None]
        long = [clip.pcm for clip in clips if clip.line.kind is Kind.LONG]
        if not questions:
            raise SandboxError(f"the script has no question in the voice of {PROGRAM}")
        return Lines(questions, long[0] if long else b"".join(questions[:3]))


def team_reader(directory: Path) -> Callable[[str], str | None]:
    """Which team a caller's words mean. Where they mean none, the number alone says who rings."""
    config = load(directory)
    language = language_of(config.agent.language)
    return IntentReader(language, config.teams, config.intents).team


def flood() -> bytes:
    """Five seconds of noise, as Asterisk would send it in as many."""
    return audiosocket.encode_audio(NOISE) * FLOOD_FRAMES


def use_server(agent_yaml: Path, port: int) -> None:
    """Let the language model of a server word every answer."""
    url = f"http://127.0.0.1:{port}/v1"
    server = {"engine": "openai", "model": "chaos", "url": url, "answers": "generative"}
    _change_model(agent_yaml, lambda _: server)


def word_answers(agent_yaml: Path) -> None:
    """Let the configuration's own language model word every answer."""
    _change_model(agent_yaml, lambda model: model | {"answers": "generative"})


def _change_model(agent_yaml: Path, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    tree = yaml.safe_load(agent_yaml.read_text(encoding="utf-8"))
    engines = tree.setdefault("engines", {})
    engines["llm"] = change(engines.get("llm") or {})
    agent_yaml.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")


def _root() -> Path:
    return Path(__file__).resolve().parents[2]
