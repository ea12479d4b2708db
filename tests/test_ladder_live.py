"""Whatever is broken, the caller ends at a person's phone or in a mailbox.

A real Asterisk with the generated dialplan, and real SIP calls, several at once. The number that a
caller dials says how the service and the rescue script are broken for that call; the YAML is
broken on disk for all of them.
"""

import asyncio
import os
import signal
import time
from collections import Counter
from dataclasses import dataclass

import ladder_config
import pytest
from ladder import HEALTHY, NOT_RUNNING, RESCUES, SERVICES, SERVING, rescues, services
from ladder_config import ALONE, CHAIN, MEMBERS, OPEN, SHUT
from live_calls import MAILBOX, PERSON, Caller, Calls, Exchange

from asterisk_agent.dialplan import PLAN_FILE, rescue_script
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.pbx import Pbx

pytestmark = pytest.mark.asterisk

CALLERS = 10
LONGEST_S = 60.0
CROSSED = SERVICES[:9]
"""Each of these is combined with every rescue script."""
SENSELESS = {
    "answers nonsense", "answers nothing", "names an unknown team", "names an unknown mailbox",
}  # fmt: skip
"""Complete answers, so the rescue script is not asked."""
AGENT_PROMISED = "promises an agent"


@dataclass(frozen=True)
class Case:
    """A caller of ``channel`` while the service and the rescue script are broken so.

    ``later``: the service is well until the first team did not answer.
    """

    service: str
    rescue: str
    channel: str
    later: bool = False

    @property
    def expected(self):
        """Where the caller may end."""
        if self.service == AGENT_PROMISED:
            # It is left when it has been asked often enough, or was once too late.
            return (PERSON, MAILBOX)
        return (MAILBOX,) if self.channel in (SHUT, ALONE) else (PERSON,)

    @property
    def decided_by(self):
        """Which rung decided, where that is sure."""
        if self.service == AGENT_PROMISED:
            return None
        rescued = self.rescue == HEALTHY and self.service not in SENSELESS
        return "rescue" if rescued else "dialplan"


CASES = (
    *(Case(service, rescue, OPEN) for service in CROSSED for rescue in RESCUES),
    *(Case(service, rescue, OPEN) for service in SERVICES[9:] for rescue in RESCUES[:2]),
    *(Case(service, HEALTHY, SHUT) for service in SERVICES),
    *(Case(NOT_RUNNING, rescue, SHUT) for rescue in RESCUES[1:]),
    *(Case(NOT_RUNNING, rescue, ALONE) for rescue in RESCUES),
    *(Case(service, HEALTHY, CHAIN, True) for service in SERVING),
    *(Case("dies half-way", rescue, CHAIN, True) for rescue in RESCUES[1:]),
)
# Asterisk (22.10) closes the socket of a refused AudioSocket connection twice. Meanwhile its number
# may belong to a file of another call, so nothing else may go on.
ONE_BY_ONE = tuple(case for case in CASES if case.service == AGENT_PROMISED)
TOGETHER = tuple(case for case in CASES if case not in ONE_BY_ONE)


def write_cases(pbx, addresses, broken):
    """An extension for each case, which breaks the rungs for its call; the extension by case."""
    lines, extensions = ["", "[from-trunk](+)"], {}
    for index, case in enumerate(CASES):
        address = addresses[f"{case.service} later" if case.later else case.service]
        extensions[case] = f"8{index:04}"
        lines += [
            f"exten => {extensions[case]},1,Set(__AGENT_FASTAGI={address})",
            f" same => n,Set(__AGENT_RESCUE={broken[case.rescue]})",
            f" same => n,Goto(asterisk-agent,{case.channel},1)",
        ]
    with (pbx.generated / "extensions.conf").open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    pbx.cli("dialplan reload")
    return extensions


def break_yaml(pbx):
    for file in pbx.config_dir.glob("*.yaml"):
        file.unlink()
        file.write_text("channels: [broken\n  : {", encoding="utf-8")


async def exchange_of(pbx, new_phone, count=MEMBERS):
    """The members' phones, which answer at once."""
    members = [await new_phone(f"member{index}") for index in range(count)]
    for index, phone in enumerate(members):
        user = str(101 + index)
        await phone.register(user, pbx.password(user), port=pbx.asterisk.sip_port)
        await phone.auto_answer(0.1)
    return Exchange(pbx, members, Calls(pbx))


async def new_caller(new_phone, index=0):
    caller = Caller(await new_phone(f"caller{index}"), f"+1555700{index:04}")
    await caller.phone.identify(caller.number, name=f"Caller {index}")
    return caller


async def place_all(exchange, extensions, callers, cases):
    """Place the call of every case, as many at once as there are callers; what each reached."""
    waiting, reached = iter(cases), {}

    async def calls(caller):
        for case in waiting:  # shared: each takes the next one
            try:
                async with asyncio.timeout(LONGEST_S):
                    reached[case] = await exchange.place(caller, extensions[case])
            except (SandboxError, TimeoutError) as error:
                reached[case] = str(error) or "nobody within a minute"

    async with asyncio.TaskGroup() as group:
        for caller in callers:
            group.create_task(calls(caller))
    return reached


def check_rungs(calls, extensions):
    """Each call was decided by the rung that was left for it, so the faults were faults.

    Where the rescue script is well, a machine with too much to do may still have it come too late.
    """
    calls.follow()
    alone = {calls.dialled[call] for call in calls.undecided}
    rescued = {case for case in extensions if extensions[case] not in alone}
    assert {case for case in rescued if case.decided_by == "dialplan"} == set()
    possible = {case for case in extensions if case.decided_by == "rescue"}
    assert len(possible & rescued) > 0.75 * len(possible)


async def test_every_caller_reaches_a_person_or_a_mailbox(tmp_path, new_phone):
    directory = ladder_config.write(tmp_path / "etc")
    with Pbx(directory, tmp_path / "pbx", service=False) as pbx:
        break_yaml(pbx)
        exchange = await exchange_of(pbx, new_phone)
        callers = [await new_caller(new_phone, index) for index in range(CALLERS)]
        broken = rescues(tmp_path / "rescues", rescue_script(), pbx.generated / PLAN_FILE)
        async with services() as addresses:
            extensions = write_cases(pbx, addresses, broken)
            began = time.monotonic()
            reached = await place_all(exchange, extensions, callers, TOGETHER)
            reached |= await place_all(exchange, extensions, callers[:1], ONE_BY_ONE)
        counts = Counter(reached.values())
        good = counts[PERSON] + counts[MAILBOX]
        print(
            f"{good} of {len(CASES)} callers reached a person or a mailbox: {counts[PERSON]} a "
            f"person, {counts[MAILBOX]} a mailbox, in {time.monotonic() - began:.0f} s"
        )
        assert {case: end for case, end in reached.items() if end not in case.expected} == {}
        assert good == len(CASES) == len(set(CASES))
        check_rungs(exchange.calls, extensions)
        await nothing_is_left(pbx)


async def nothing_is_left(pbx):
    """Questions that nobody waits for any more end at the latest with those who were asked."""
    deadline = time.monotonic() + 20
    while "0 active channels" not in pbx.cli("core show channels"):
        assert time.monotonic() < deadline, pbx.cli("core show channels concise")
        await asyncio.sleep(0.2)


@pytest.mark.models
async def test_the_service_outlives_its_yaml_and_the_rescue_its_service(tmp_path, new_phone):
    """A configuration that breaks while the service runs changes nothing for callers."""
    directory = ladder_config.write(tmp_path / "etc")
    with Pbx(directory, tmp_path / "pbx") as pbx:
        exchange = await exchange_of(pbx, new_phone, 1)
        caller = await new_caller(new_phone)
        break_yaml(pbx)
        os.kill(pbx.service_pid, signal.SIGHUP)
        await asyncio.sleep(1)
        since = time.monotonic()
        await caller.phone.dial(pbx.uri(OPEN))
        await caller.phone.wait_for("connected")
        await caller.phone.wait_for_sound(10)
        await caller.phone.wait_for_quiet(1.0)
        assert "AudioSocket" in pbx.cli("core show channels")
        pbx.kill_service()
        assert await exchange.landing(caller, OPEN, since) == PERSON
        assert await exchange.place(caller, OPEN) == PERSON
        exchange.calls.follow()
        assert len(exchange.calls.dialled) == 2
        assert not exchange.calls.undecided
