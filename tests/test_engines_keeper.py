"""The engine process is lost, and comes back: with a fake process, its real protocol."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from pathlib import Path

import pytest

from asterisk_agent.config.load import load as load_config
from asterisk_agent.engines import keeper as keeping
from asterisk_agent.engines import remote
from asterisk_agent.engines.keeper import Keeper
from asterisk_agent.engines.remote import Child
from asterisk_agent.errors import ConfigError, EngineError
from asterisk_agent.events import Action, Exchange, Source, ThinkingTime

CONFIG = load_config(Path(__file__).parent.parent / "etc")
FAKE = (sys.executable, str(Path(__file__).with_name("fake_engines.py")))


def named(name):
    return CONFIG.model_copy(update={"agent": CONFIG.agent.model_copy(update={"name": name})})


class Starts:
    """Starts fake processes; each attempt may be spoiled."""

    def __init__(self):
        self.spoiled = []
        self.count = 0

    def __call__(self):
        self.count += 1
        return Child((*FAKE, *([self.spoiled.pop(0)] if self.spoiled else [])))


@pytest.fixture
def starts():
    return Starts()


@pytest.fixture
async def keeper(starts, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(keeping, "FIRST_PAUSE_S", 0.05)
    keeper = Keeper(CONFIG, starts)
    await keeper.start()
    watching = asyncio.create_task(keeper.watch())
    yield keeper
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    await keeper.close()


async def lose(keeper):
    """Kill the process, and wait until that is noticed."""
    process = keeper.process
    os.kill(process.pid, signal.SIGKILL)
    await asyncio.wait_for(process.gone.wait(), 5)


async def back(keeper):
    async with asyncio.timeout(10):
        await gone(keeper)
        await keeper.available()
    assert keeper.ready


async def gone(keeper):
    """Wait until the loss is taken note of."""
    while keeper._process is not None and keeper._process.gone.is_set():  # noqa: ASYNC110
        await asyncio.sleep(0)


async def test_a_child_that_was_told_to_begin_is_taken_over(starts):
    first = Child(FAKE)
    first.begin(CONFIG)
    keeper = Keeper(CONFIG, starts)
    assert not keeper.ready
    await keeper.start(first)
    assert keeper.ready
    assert keeper.process.pid == first.process.pid
    assert starts.count == 0
    await keeper.close()


async def test_a_missing_model_stops_the_start(starts):
    starts.spoiled = ["broken"]
    with pytest.raises(EngineError, match="is missing") as raised:
        await Keeper(CONFIG, starts).start()
    assert raised.value.hint.startswith("run: asterisk-agent models pull")


async def test_a_brain_replies(keeper):
    brains = await keeper.brains(CONFIG)
    assert list(brains) == list(CONFIG.channels)
    channel, brain = next(iter(brains.items()))
    history = [Exchange("caller", "hello"), Exchange("agent", "yes", Action.CLARIFY)]
    reply = await brain.reply("who are you?", history)
    assert reply.text == f"{CONFIG.agent.name} who are you?"
    assert (reply.action, reply.team, reply.unanswered) == (Action.HANDOFF, "support", True)
    assert (reply.source, reply.ms) == (Source("a.md", channel), ThinkingTime(1.0, 2.0, 3.0))
    assert reply.confidence == 2
    assert (await brain.reply("and at night?", staffed=False)).team is None


async def test_unreadable_documents_are_told_whole(keeper):
    with pytest.raises(ConfigError) as raised:
        await keeper.brains(named("Illiterate"))
    assert len(raised.value.problems) == 2
    assert keeper.ready


async def test_two_configurations_live_side_by_side_until_nobody_needs_the_old(keeper):
    old = await keeper.brains(named("Old"))
    new = await keeper.brains(named("New"))
    brain, other = old["support"], new["support"]
    del old, new
    assert (await brain.reply("?")).text == "Old ?"
    assert (await other.reply("which generations?")).text == "1,2"
    del brain
    gc.collect()
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # the message is sent by the loop
    async with asyncio.timeout(5):
        while (await other.reply("which generations?")).text != "2":
            pass


async def test_a_lost_process_fails_at_once_and_is_replaced_with_all_its_brains(keeper, caplog):
    brains = await keeper.brains(named("Nora"))
    waiting = asyncio.create_task(keeper.process.ask("recognise", {}, b"hang", 60))
    await asyncio.sleep(0)
    await lose(keeper)
    assert not keeper.ready
    with pytest.raises(EngineError, match="is gone"):
        await waiting
    with pytest.raises(EngineError):
        await brains["support"].reply("?")
    await back(keeper)
    assert (await brains["support"].reply("?")).text == "Nora ?"
    assert "process lost; calls that need it go to people" in caplog.text
    assert "ready again" in caplog.text


async def test_documents_that_cannot_be_read_again_matter_only_if_they_are_the_newest(
    keeper, starts, caplog
):
    old, new = await keeper.brains(named("Old")), await keeper.brains(named("New"))
    starts.spoiled = ["unreadable Old"]
    await lose(keeper)
    await back(keeper)
    assert (await new["support"].reply("?")).text == "New ?"
    with pytest.raises(EngineError):
        await old["support"].reply("?")
    starts.spoiled = ["unreadable New"]
    await lose(keeper)
    await back(keeper)
    assert (await old["support"].reply("?")).text == "Old ?"
    assert "documents of an earlier configuration" in caplog.text
    assert "cannot be started again: knowledge/a.md" in caplog.text


async def test_while_it_is_started_again_whoever_asks_is_told(keeper, starts):
    starts.spoiled = ["broken"]
    await lose(keeper)
    await gone(keeper)
    with pytest.raises(EngineError, match="being started again"):
        _ = keeper.process
    await asyncio.wait_for(keeper.available(), 10)
    assert keeper.ready


async def test_it_is_tried_again_and_again(keeper, starts, caplog):
    starts.spoiled = ["broken", "dies", "broken"]
    await lose(keeper)
    await back(keeper)
    assert starts.count == 5
    assert caplog.text.count("cannot be started again") == 3


async def test_a_process_that_does_not_stay_is_started_ever_more_slowly(keeper, monkeypatch):
    pauses = []
    sleep = asyncio.sleep

    async def noted(seconds):
        if seconds or keeper._process is None:
            pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(keeping.asyncio, "sleep", noted)
    monkeypatch.setattr(keeping, "LONGEST_PAUSE_S", 0.15)
    for _ in range(5):
        await lose(keeper)
        await back(keeper)
    assert pauses == [0.0, 0.05, 0.1, 0.15, 0.15]


async def test_a_process_that_stayed_is_replaced_at_once(keeper, monkeypatch):
    monkeypatch.setattr(keeping, "STEADY_S", 0.0)
    monkeypatch.setattr(keeping, "FIRST_PAUSE_S", 60.0)
    for _ in range(3):
        await lose(keeper)
        await back(keeper)


async def test_a_stuck_process_takes_no_new_calls(keeper, monkeypatch):
    monkeypatch.setattr(remote, "SUSPECT_S", 0.05)
    waiting = asyncio.create_task(keeper.process.ask("recognise", {}, b"hang 0.3"))
    await asyncio.sleep(0.15)
    assert not keeper.ready
    await waiting
    assert keeper.ready


async def test_a_frozen_process_is_killed_and_replaced_whatever_it_owes(
    keeper, monkeypatch, caplog
):
    monkeypatch.setattr(remote, "SILENT_S", 1.2)
    monkeypatch.setattr(keeping, "LOOK_S", 0.1)
    process = keeper.process
    await asyncio.sleep(1.5)
    assert keeper.process is process  # it beats
    os.kill(process.pid, signal.SIGSTOP)
    await asyncio.wait_for(process.gone.wait(), 5)
    assert process.why.startswith("no sign of life for 1.")
    await back(keeper)
    assert keeper.process is not process


async def test_it_tells_when_the_process_was_last_looked_after(keeper):
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0.1)
    assert loop.time() - keeper.looked < keeping.LOOK_S + 0.5
    await lose(keeper)
    await gone(keeper)
    assert keeper.looked is None  # starting another has deadlines of its own
    await back(keeper)


async def test_one_that_we_could_not_listen_to_is_not_killed(keeper, monkeypatch):
    monkeypatch.setattr(keeping, "LOOK_S", 0.1)
    process = keeper.process
    await asyncio.sleep(0.2)
    process._beat -= 60.0  # as if we had stood still for a minute
    keeper.looked -= 60.0
    await asyncio.sleep(0.8)
    assert not process.gone.is_set()
