"""Two services behind one Asterisk, with one PostgreSQL: either is lost, and no caller is."""

import asyncio
import time
from contextlib import ExitStack, aclosing

import ladder_config
import postgres
import pytest
from ladder_config import MEMBERS, OPEN
from live_calls import PERSON
from test_ladder_live import exchange_of, new_caller
from two_nodes import NodeService, addresses

from asterisk_agent.net.control import follow
from asterisk_agent.records import CallLog
from asterisk_agent.sandbox.pbx import Pbx
from asterisk_agent.wire.control import Watch

pytestmark = [pytest.mark.asterisk, pytest.mark.models]

AT_ONCE = 4
"""How many calls the first service takes."""
CALLERS = 9


def conversations(pbx, service):
    """The numbers of the callers who talk to a service, as Asterisk sees it."""
    shown = [line.split("!") for line in pbx.cli("core show channels concise").splitlines()]
    return {
        parts[7]
        for parts in shown
        if len(parts) > 7 and parts[5] == "AudioSocket" and parts[6].endswith(service.media)
    }


async def ring(pbx, caller):
    """Call; when the call was answered, and when the caller first heard something."""
    await caller.phone.dial(pbx.uri(OPEN))
    answered = (await caller.phone.wait_for("connected")).at
    return answered, await caller.phone.wait_for_sound(15, after=answered)


async def reach(pbx, caller, service):
    """Call; how long after it was answered the caller talks to this service."""
    await caller.phone.dial(pbx.uri(OPEN))
    answered = (await caller.phone.wait_for("connected")).at
    async with asyncio.timeout(10):
        while caller.number not in conversations(pbx, service):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return time.monotonic() - answered


async def rescued(exchange, caller, lost):
    """Where a caller ends whose service was lost, and how long they heard nothing at first."""
    heard = await caller.phone.wait_for_sound(15, after=lost + 0.1)
    return await exchange.landing(caller, OPEN, lost), heard - lost


async def health(service):
    """What a service says of itself and the others."""
    async with aclosing(follow(service.config.control_socket, Watch())) as told:
        while "health" not in (what := await anext(told)):
            pass
    return what["health"]


async def until_silent(service, *names):
    """Wait until a service finds just these others silent."""
    async with asyncio.timeout(15):
        while (await health(service))["silent"] != list(names):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_no_caller_is_lost_with_a_service(tmp_path, new_phone):
    directory = ladder_config.write(tmp_path / "etc")
    nodes = addresses("a", "b")
    with ExitStack() as stack:
        url = stack.enter_context(postgres.running())
        pbx = stack.enter_context(Pbx(directory, tmp_path / "pbx", service=False, nodes=nodes))
        a = NodeService(pbx, "a", nodes, url, calls=AT_ONCE)
        b = NodeService(pbx, "b", nodes, url, calls=4 * AT_ONCE)
        for service in (a, b):
            service.launch()
            stack.callback(service.kill)
        for service in (a, b):
            service.wait()
        exchange = await exchange_of(pbx, new_phone, MEMBERS)
        callers = [await new_caller(new_phone, index) for index in range(CALLERS)]
        calls, rescues = await killed(pbx, exchange, callers, a, b)
        a.launch()
        a.wait()
        await until_silent(b)
        calls += await frozen(pbx, exchange, callers, a, b)
        await in_one_log(url, calls, rescues + 2)


async def killed(pbx, exchange, callers, a, b):
    """One is killed with calls under way; how many calls there were."""
    *talking, fresh = callers[: AT_ONCE + 3]
    for caller in talking:
        await ring(pbx, caller)
    first, second = conversations(pbx, a), conversations(pbx, b)
    assert first | second == {caller.number for caller in talking}
    assert 1 <= len(first) <= AT_ONCE
    assert len(second) >= 2  # the first is full, then the next
    await asyncio.gather(*(caller.phone.wait_for_quiet(0.5) for caller in talking))
    lost = time.monotonic()
    a.kill()
    hit = [caller for caller in talking if caller.number in first]
    (answered, heard), *ends = await asyncio.gather(
        ring(pbx, fresh), *(rescued(exchange, caller, lost) for caller in hit)
    )
    report("killed", heard - answered, ends)
    assert [end for end, _ in ends] == [PERSON] * len(hit)
    assert max(silence for _, silence in ends) < 3.0
    assert heard - answered < 2.0
    assert conversations(pbx, b) == second | {fresh.number}  # nobody else noticed
    await until_silent(b, "a")
    for caller in callers:
        if caller.number in second or caller is fresh:
            await caller.phone.hangup()
    return len(talking) + 1, len(hit)


async def frozen(pbx, exchange, callers, a, b):
    """One stands still with calls under way; how many calls there were."""
    talking, first, second = callers[:2], callers[2], callers[3]
    for caller in talking:
        await ring(pbx, caller)
    there = conversations(pbx, a)
    assert there == {caller.number for caller in talking}
    await asyncio.gather(*(caller.phone.wait_for_quiet(0.5) for caller in talking))
    lost = time.monotonic()
    a.freeze()
    waited, *ends = await asyncio.gather(
        reach(pbx, first, b), *(rescued(exchange, caller, lost) for caller in talking)
    )
    report("frozen", waited, ends)
    assert [end for end, _ in ends] == [PERSON, PERSON]
    assert max(silence for _, silence in ends) < 3.0
    assert waited < 2.0
    waited = await reach(pbx, second, b)
    report("frozen, remembered", waited, ())
    assert waited < 1.0  # nobody waits for it a second time
    assert conversations(pbx, b) == {first.number, second.number}
    a.thaw()
    await until_silent(b)
    for caller in (first, second):
        await caller.phone.hangup()
    return len(talking) + 2


async def in_one_log(url, calls, rescues):
    """Both services' calls are in the one log, each once, with whoever told them."""
    log = CallLog(url)
    try:
        async with asyncio.timeout(20):
            while log.search().total < calls or any(  # noqa: ASYNC110
                not call["ended"] for call in log.latest(50)
            ):
                await asyncio.sleep(0.2)
        found = log.latest(50)
        assert len(found) == calls
        assert {call["node"] for call in found} <= {"a", "b", "a, b"}
        assert all(call["picked_up_by"] for call in found if call["outcome"] == "answered")
        assert sum(call["outcome"] == "answered" for call in found) == rescues
    finally:
        log.close()


def report(what, seconds, ends):
    """For whoever reads the test's output."""
    silences = ", ".join(f"{end} after {silence:.2f} s" for end, silence in ends)
    print(f"{what}: a new caller heard the agent after {seconds:.2f} s; {silences}")
