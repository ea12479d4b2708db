"""``scripts/chaos``: its faults, its order, its small parts; and one real fault."""

import asyncio
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import chaos
from asterisk_agent.sandbox.chaos import FAULTS, SHORT, faults_of
from asterisk_agent.sandbox.chaos_fault import Setting
from asterisk_agent.sandbox.chaos_faults_process import fill
from asterisk_agent.sandbox.chaos_server import ModelServer
from asterisk_agent.sandbox.chaos_session import ChaosSession, Wish
from asterisk_agent.sandbox.chaos_stages import Stage

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
