"""The light caller against a real Asterisk, and beside a whole phone."""

import asyncio

import numpy as np
import pytest

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.bench_caller import PjsipCaller, quiet_for, sound_after
from asterisk_agent.sandbox.bench_clips import Clip, whole_frames
from asterisk_agent.sandbox.bench_line import LineCaller
from asterisk_agent.sandbox.bench_script import Kind, Line

pytestmark = pytest.mark.asterisk


def tone(seconds, hz=440.0):
    moments = np.arange(int(seconds * 8000)) / 8000
    pcm = whole_frames(8000 * np.sin(2 * np.pi * hz * moments))
    return Clip(Line(id="tone", kind=Kind.QUESTION, sound="cough"), pcm)


def uri(asterisk, extension):
    return f"sip:{extension}@{asterisk.host}:{asterisk.sip_port}"


@pytest.fixture(params=[LineCaller, PjsipCaller])
async def caller(request):
    caller = request.param("caller")
    yield caller
    await caller.close()


async def test_hears_itself_at_once_and_as_long_as_it_spoke(bench_asterisk, caller):
    await caller.dial(uri(bench_asterisk, "echo"), "+15550000001")
    await caller.answered(5)
    await asyncio.sleep(0.3)
    said = await caller.say(tone(0.6))
    assert said.ended - said.began == pytest.approx(0.6, abs=0.03)
    heard = await sound_after(caller, said.began, 2)
    end = await quiet_for(caller, 0.4, 5)
    assert 0.0199 <= heard - said.began < 0.15
    assert 0.0 < end - said.ended < 0.15
    assert end - heard == pytest.approx(0.6, abs=0.05)
    assert caller.talking


async def test_knows_when_the_far_end_hangs_up(bench_asterisk, caller):
    await caller.dial(uri(bench_asterisk, "hello"), "+15550000001")
    answered = await caller.answered(5)
    assert await sound_after(caller, answered, 5) - answered < 1.0
    with pytest.raises(SandboxError, match="hung up"):
        await quiet_for(caller, 5, 10)
    assert not caller.talking


async def test_an_unknown_number_is_not_answered(bench_asterisk):
    caller = LineCaller("caller")
    await caller.dial(uri(bench_asterisk, "nowhere"), "+15550000001")
    with pytest.raises(SandboxError, match="not answered: ended 404"):
        await caller.answered(5)
    await caller.close()


async def test_many_cost_little(bench_asterisk):
    callers = [LineCaller(f"caller {index}") for index in range(8)]
    try:
        for index, caller in enumerate(callers):
            await caller.dial(uri(bench_asterisk, "tone"), f"+1555000{index:04}")
            await caller.answered(5)
        before = asyncio.get_running_loop().time()
        await asyncio.sleep(2)
        took = asyncio.get_running_loop().time() - before
        last = callers[-1].recording.frames[-1].at
        counts = [sum(f.at >= last - 1.0 for f in c.recording.frames) for c in callers]
    finally:
        await asyncio.gather(*(caller.close() for caller in callers))
    assert took < 2.2
    assert counts == [pytest.approx(50, abs=4)] * 8
