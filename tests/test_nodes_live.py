"""Two services behind one Asterisk, with one PostgreSQL: either is lost, and no caller is.

They are those of docs/examples/two-nodes, each on a loopback address of its own.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, aclosing
from pathlib import Path

import postgres
import pytest
from live_calls import PERSON
from test_ladder_live import exchange_of, new_caller
from two_nodes import EXAMPLE, NETWORK, Example, NodeService

from asterisk_agent.cli.check_asterisk import wanted_dialplan
from asterisk_agent.config.load import load, survey
from asterisk_agent.net.control import follow
from asterisk_agent.net.door import Door
from asterisk_agent.records import CallLog
from asterisk_agent.sandbox.pbx import Pbx
from asterisk_agent.sandbox.processes import package_environment
from asterisk_agent.wire.control import Watch

pytestmark = [pytest.mark.asterisk, pytest.mark.models]

AT_ONCE = 4
"""How many calls the first service takes."""
CALLERS = 9
OPEN = "+15551230100"
"""The example's number."""
STRANGER = "10.77.0.9"
MEMBERS = 6
"""Phones of its team."""


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


@pytest.mark.parametrize("name", ["a", "b"])
def test_the_example_is_whole(name):
    """Nothing is wrong or odd in it; who asks, of Asterisk and the nodes, may; nobody else may."""
    found = survey(EXAMPLE / name)
    assert found.problems == found.warnings == ()
    config = found.config
    assert config.node == name
    hosts = {config.asterisk.ami.host, *(node.fastagi.host for node in config.nodes.values())}
    assert {f"{host}/32" for host in hosts} == set(config.listen.allow)
    assert not Door("media", config.listen.allow).knows("192.0.2.1")


def test_the_nodes_of_the_example_differ_in_what_they_listen_on_alone():
    first, second = (load(EXAMPLE / name) for name in "ab")
    own = {"directory", "listen", "state"}
    assert first.model_dump(exclude=own) == second.model_dump(exclude=own)
    assert first.listen.allow == second.listen.allow


def test_one_dialplan_serves_both_nodes(tmp_path):
    """Each finds it as it wants it, though their state folders differ: overrides are shared."""
    example = Example(tmp_path / "etc", {"a": 1, "b": 1})
    example.make_folders(tmp_path / "state")
    first, second = (wanted_dialplan(load(example.folder / name)) for name in "ab")
    assert f"AGENT_OVERRIDES={tmp_path}/state/overrides" in first.replace(" ", "")
    assert first == second


def test_over_a_network_those_that_are_named_are_let_in_and_nobody_else(tmp_path):
    """On loopback everybody is; so in a network of its own, at addresses that are not."""
    example = Example(tmp_path / "etc", {"a": 1, "b": 1})
    example.make_folders(tmp_path / "state")
    example.move_to_a_network(tmp_path)
    command = ["unshare", "--net", *(() if os.geteuid() == 0 else ("--user", "--map-root-user"))]
    command += [sys.executable, str(Path(__file__).with_name("strangers.py"))]
    done = subprocess.run(
        [*command, str(example.folder / "a"), *NETWORK, STRANGER],
        capture_output=True,
        text=True,
        timeout=240,
        env=package_environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    both, neither = {"fastagi": True, "media": True}, {"fastagi": False, "media": False}
    assert json.loads(done.stdout) == dict.fromkeys(NETWORK, both) | {STRANGER: neither}


async def test_no_caller_is_lost_with_a_service(tmp_path, new_phone):
    example = Example(tmp_path / "etc", {"a": AT_ONCE, "b": 4 * AT_ONCE})
    with ExitStack() as stack:
        url = stack.enter_context(postgres.running())
        pbx = stack.enter_context(
            Pbx(example.folder / "a", tmp_path / "pbx", service=False, nodes=example.nodes)
        )
        example.settle(pbx, url)
        example.write_dialplan(pbx)
        a, b = (NodeService(example, name) for name in "ab")
        for service in (a, b):
            service.launch()
            stack.callback(service.kill)
        for service in (a, b):
            service.wait()
        for name, other in ("ab", "ba"):
            told = example.command(name, "check")
            assert f"ok       this service among several: {name}\n" in told
            assert f"ok       service {other}\n" in told
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
    report("node a killed", len(talking), ends, heard - answered)
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
    report("node a frozen", len(talking), ends, waited)
    assert [end for end, _ in ends] == [PERSON, PERSON]
    assert max(silence for _, silence in ends) < 3.0
    assert waited < 2.0
    waited = await reach(pbx, second, b)
    print(f"node a still frozen: the next caller talked to node b after {waited:.2f} s")
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


def report(what, callers, ends, seconds):
    """For whoever reads the test's output, and docs/benchmarks."""
    silences = [f"{silence:.2f}" for _, silence in ends]
    print(
        f"{what}: {callers} callers, {len(ends)} of them on it, "
        f"{sum(end == PERSON for end, _ in ends)} of {len(ends)} rescued to a person, which they "
        f"heard of after {', '.join(silences)} s; a new caller had node b after {seconds:.2f} s"
    )
