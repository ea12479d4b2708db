"""A real call whose engines crash under it: the caller reaches a person, the next one an answer."""

import asyncio
import os
import re
import shutil
import signal
from pathlib import Path

import psutil
import pytest
from real_models import spoken

from asterisk_agent.engines.loader import load_recognizer

pytestmark = [pytest.mark.asterisk, pytest.mark.models]

EXAMPLE = Path(__file__).parent.parent / "etc"
SUPPORT = "+15551230100"
DRAIN = "How much does it cost to unblock a drain?"


@pytest.fixture
def always_open(tmp_path):
    """The example configuration without hours: always open."""
    directory = shutil.copytree(EXAMPLE, tmp_path / "etc")
    channels = directory / "channels.yaml"
    text = channels.read_text(encoding="utf-8")
    channels.write_text(re.sub(r"(?m)^\s+hours:.*\n", "", text), encoding="utf-8")
    return directory


async def greeted(pbx, new_phone, name):
    """A caller who has heard the greeting to its end."""
    phone = await new_phone(name)
    await phone.identify("+15559876543", name="Pat Caller")
    await phone.dial(pbx.uri(SUPPORT))
    await phone.wait_for("connected")
    await phone.wait_for_sound(10)
    await phone.wait_for_quiet(1.0)
    return phone


def engine_process(pbx):
    (found,) = (
        process
        for process in psutil.Process(pbx.service_pid).children()
        if "asterisk_agent.engine_process" in process.cmdline()
    )
    return found


async def test_a_crash_in_an_engine_costs_one_answer_and_no_call(always_open, start_pbx, new_phone):
    pbx = start_pbx(always_open)
    colleague = await new_phone("101")
    await colleague.register("101", pbx.password("101"), port=pbx.asterisk.sip_port)
    await colleague.auto_answer(0.5)

    caller = await greeted(pbx, new_phone, "first")
    crashed = engine_process(pbx)
    said = await caller.play(spoken(DRAIN), 16_000)
    # Earlier, it might be there again for the answer.
    os.kill(crashed.pid, signal.SIGSEGV)
    answered = await colleague.wait_for("connected", 30)
    assert answered.at > said.start
    await asyncio.sleep(0.5)
    said = await caller.play(spoken("Hello, can you help me?"), 16_000)
    await colleague.wait_for_sound(5, after=said.start)
    await caller.hangup()

    for _ in range(600):
        if "engines: ready again" in pbx.service_log.read_text(encoding="utf-8"):
            break
        await asyncio.sleep(0.1)
    assert engine_process(pbx).pid != crashed.pid
    caller = await greeted(pbx, new_phone, "second")
    said = await caller.play(spoken(DRAIN), 16_000)
    began = await caller.wait_for_sound(20, after=said.end)
    text = ""
    while "165" not in text:  # "One moment." may come first
        ended = await caller.wait_for_quiet(1.5)
        session = load_recognizer().session()
        session.feed(caller.heard(began - 0.2, ended + 1.2))
        text = session.result().text
        assert ended < said.end + 40, text
        await asyncio.sleep(0.5)
