"""``scripts/chaos``: its faults, its order, its small parts; and one real fault."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import yaml
from test_records import story
from typer.testing import CliRunner

from asterisk_agent.errors import SandboxError
from asterisk_agent.records import CallLog
from asterisk_agent.sandbox import chaos, chaos_faults_process, chaos_round
from asterisk_agent.sandbox.chaos import FAULTS, SHORT, faults_of
from asterisk_agent.sandbox.chaos_caller import was_told
from asterisk_agent.sandbox.chaos_fault import Setting
from asterisk_agent.sandbox.chaos_faults_process import (
    DiskFull,
    SpoolFull,
    SupervisorFrozen,
    SupervisorKilled,
    fill,
)
from asterisk_agent.sandbox.chaos_faults_site import ServerFails
from asterisk_agent.sandbox.chaos_faults_wire import BlindAndDeaf
from asterisk_agent.sandbox.chaos_judge import tone
from asterisk_agent.sandbox.chaos_relay import Trouble
from asterisk_agent.sandbox.chaos_server import ModelServer
from asterisk_agent.sandbox.chaos_session import ChaosSession, Wish, use_server, word_answers
from asterisk_agent.sandbox.chaos_stages import Stage, approach
from asterisk_agent.sandbox.chaos_tracker import Trail
from asterisk_agent.sandbox.listening import FRAME_S, Recording

EXAMPLE = Path(__file__).parent.parent / "etc"


def wish(out, **options):
    faults = options.pop("faults", list(FAULTS.values()))
    whole = {"rounds": len(faults), "callers": len(Stage), "seed": 5, "config": EXAMPLE}
    return Wish(faults=faults, out=out, **(whole | options))


def test_every_fault_is_listed_with_what_it_breaks():
    listed = CliRunner().invoke(chaos.app, ["--list"])
    assert listed.exit_code == 0
    for name, fault in FAULTS.items():
        assert f"{name} " in listed.stdout
        assert fault.about in listed.stdout
    assert set(SHORT) <= set(FAULTS)


def test_a_fault_that_nobody_knows_is_named():
    with pytest.raises(SandboxError, match="no fault is called 'flood'"):
        faults_of("service-killed,flood")
    assert [fault.name for fault in faults_of("clock-back,reload")] == ["clock-back", "reload"]
    assert faults_of("") == list(FAULTS.values())


def test_every_fault_comes_before_one_comes_twice_and_a_seed_brings_the_same(tmp_path):
    order = ChaosSession(wish(tmp_path)).order()
    assert sorted(fault.name for fault in order) == sorted(FAULTS)
    settings = [fault.setting for fault in order]
    assert settings == sorted(settings, key=list(Setting).index)
    assert ChaosSession(wish(tmp_path)).order() == order
    assert ChaosSession(wish(tmp_path, seed=6)).order() != order
    twice = ChaosSession(wish(tmp_path, rounds=len(FAULTS) + 3)).order()
    assert len(twice) == len(FAULTS) + 3
    assert len(set(twice)) == len(FAULTS)


def test_a_disk_is_filled_to_the_last_byte(tmp_path, monkeypatch):
    left, written = 100_001, []

    class Disk:
        def write(self, data):
            nonlocal left
            if len(data) > left:
                raise OSError(28, os.strerror(28))
            left -= len(data)
            written.append(len(data))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(Path, "open", lambda *_, **__: Disk())
    fill(tmp_path / "ballast")
    assert (left, sum(written)) == (0, 100_001)


async def test_the_model_server_speaks_the_protocol():
    server = ModelServer()
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
    async with asyncio.timeout(5):
        said = await reader.read()
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b"data: [DONE]\n\n")
    assert server.asked == 1
    writer.close()
    await server.stop()


async def test_the_model_server_fails_on_command():
    server = ModelServer()
    await server.start()
    await ServerFails().inject(SimpleNamespace(model_server=server))
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
    async with asyncio.timeout(5):
        assert (await reader.read()).startswith(b"HTTP/1.1 500 ")
    await ServerFails().lift(SimpleNamespace(model_server=server))
    assert not server.fails
    writer.close()
    await server.stop()


@pytest.mark.parametrize("before", ["{agent: {}}", "engines: {llm: {model: m, answers: auto}}"])
def test_the_model_of_the_configuration_or_of_a_server_words_every_answer(tmp_path, before):
    path = tmp_path / "agent.yaml"
    path.write_text(before)
    word_answers(path)
    told = yaml.safe_load(path.read_text())["engines"]["llm"]
    assert told["answers"] == "generative"
    assert told.get("model") == ("m" if "model" in before else None)
    use_server(path, 7)
    told = yaml.safe_load(path.read_text())["engines"]["llm"]
    assert (told["engine"], told["url"]) == ("openai", "http://127.0.0.1:7/v1")


@pytest.mark.parametrize("fault", [DiskFull, SpoolFull])
def test_a_disk_that_is_no_small_one_is_not_filled(tmp_path, fault):
    world = SimpleNamespace(data=tmp_path, spool=tmp_path)
    with pytest.raises(SandboxError, match="may mount no small disk"):
        fault().check(world)


class Process:
    """A process, as far as the supervisor's faults look at it."""

    def __init__(self, *, runs=True):
        self.runs, self.done = runs, []

    def is_running(self):
        return self.runs

    def suspend(self):
        self.done.append("suspended")

    def resume(self):
        self.done.append("resumed")


@pytest.mark.parametrize("well", [True, False])
async def test_a_supervisor_that_goes_on_may_kill_no_service_that_is_well(monkeypatch, well):
    monkeypatch.setattr(chaos_faults_process, "MINDED_S", 0.0)
    world = SimpleNamespace(service=Process(), supervisor=Process())
    fault = SupervisorFrozen()
    await fault.inject(world)
    world.service.runs = well
    with nullcontext() if well else pytest.raises(SandboxError, match="killed a service"):
        await fault.lift(world)
    assert world.supervisor.done == ["suspended", "resumed"]


class Pbx:
    """What the loss of a supervisor asks of a PBX."""

    def __init__(self):
        self.done = []

    def kill_service(self):
        self.done.append("killed")


@pytest.mark.parametrize("ends", [True, False])
def test_a_service_without_its_supervisor_has_to_end(monkeypatch, ends):
    monkeypatch.setattr(chaos_faults_process, "ORPHAN_S", 2.0 if ends else 0.1)
    command = [sys.executable, "-c", "" if ends else "import time; time.sleep(60)"]
    with subprocess.Popen(command) as orphan:
        pbx = Pbx()

        async def start():
            pbx.done.append("started")

        world = SimpleNamespace(pbx=pbx, start_service=start)
        fault = SupervisorKilled()
        fault.orphan = psutil.Process(orphan.pid)
        with nullcontext() if ends else pytest.raises(SandboxError, match="does not end"):
            asyncio.run(fault.lift(world))
        assert pbx.done == ["killed", "started"]
        assert orphan.wait(5) == (0 if ends else -signal.SIGKILL)


async def test_two_wires_fail_and_are_mended_together():
    failed = []

    def relay(name):
        async def fail(trouble):
            failed.append((name, trouble))

        return SimpleNamespace(fail=fail)

    world = SimpleNamespace(manager=relay("ami"), media=relay("media"))
    await BlindAndDeaf().inject(world)
    assert failed == [("ami", Trouble.REFUSED), ("media", Trouble.SILENT)]
    await BlindAndDeaf().lift(world)
    assert failed[2:] == [("media", Trouble.NONE), ("ami", Trouble.NONE)]


class Presser:
    """A caller who dials, waits and presses a key."""

    def __init__(self):
        self.chance, self.pressed = random.Random(1), ""

    async def dial(self, uri):
        self.uri = uri

    def press(self, key):
        self.pressed += key


@pytest.mark.parametrize("stage", [Stage.TRANSFERRING, Stage.WAITING])
@pytest.mark.parametrize("key", ["0", "*"])
async def test_who_wants_somebody_else_presses_the_key_of_the_fault(stage, key):
    caller = Presser()
    await approach(stage, caller, "sip:100@h", 0.0, key)
    assert (caller.uri, caller.pressed) == ("sip:100@h", key)


@pytest.mark.parametrize(
    ("prompt", "seconds", "told"),
    [("no-message-taken", 1.6, True), ("no-message-taken", 0.5, False), ("apology", 1.6, False)],
)
def test_who_heard_the_last_sentence_was_told(prompt, seconds, told):
    recording = Recording(8000)
    for index in range(200):
        sounds = index * FRAME_S < 2.0 + seconds  # two seconds of something else before
        recording.add(10.0 + index * FRAME_S, tone(500, FRAME_S) if sounds else b"", b"")
    assert was_told(Trail(prompt=prompt, prompt_since=12.0), recording) is told


@pytest.mark.parametrize("tasks", [["call_back"], []])
async def test_who_is_to_be_called_back_stands_in_the_call_log(tmp_path, monkeypatch, tasks):
    monkeypatch.setattr(chaos_round, "ON_DISK_S", 0.3)
    database = f"sqlite:///{tmp_path}/calls.db"
    told = story(1)
    told.caller, told.tasks = "+15556000001", tasks
    log = CallLog(database)
    log.write(told.as_json())
    log.close()
    pbx = SimpleNamespace(config=SimpleNamespace(records=SimpleNamespace(database=database)))
    assert await chaos_round.is_to_be_called_back(pbx, told.caller) is bool(tasks)
    assert not await chaos_round.is_to_be_called_back(pbx, "+15556000002")


@pytest.mark.asterisk
@pytest.mark.models
def test_nobody_is_lost_when_the_service_freezes_and_when_its_engines_die(tmp_path):
    """The short form: callers at every stage, judged by what each of them heard."""
    notes = []
    short = wish(tmp_path / "chaos", faults=faults_of(",".join(SHORT)))
    result = asyncio.run(ChaosSession(short, notes.append).hold())
    assert result["callers"] == len(SHORT) * len(Stage)
    assert result["good"], "\n".join(notes)
    for row in result["by_stage"]:
        assert row["rescued"] == len(SHORT), row
    # Most callers were where they were meant to be, or the moments would mean nothing.
    planned = sum(row["as_planned"] for row in result["by_stage"])
    assert planned >= len(SHORT) * len(Stage) // 2
