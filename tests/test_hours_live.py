"""What a caller hears and reaches at every kind of moment, with the service up and with it down.

A real Asterisk and a real phone. The clock of the whole PBX is put from moment to moment, so that
open, lunch, night, holidays, midnight and both changes of the clock are the real ones.
"""

import asyncio
import re
import time

import hours_site
import pytest
from hours_site import MEMBERS, MOMENTS, OFFICE, START
from live_calls import MAILBOX, PERSON, Caller, Calls, Exchange

from asterisk_agent.sandbox.pbx import Pbx

pytestmark = [pytest.mark.asterisk, pytest.mark.models]

DIALPLAN_ONLY = "9"
"""Before a number: the rescue script is missing for this call."""


@pytest.fixture
def started(tmp_path):
    """Start the site, with or without the service."""
    directory = hours_site.write(tmp_path / "etc")

    def start(*, service):
        return Pbx(directory, tmp_path / "pbx", service=service, faketime=START)

    return start


async def exchange_of(pbx, new_phone):
    members = [await new_phone(f"member{user}") for user in MEMBERS]
    for user, phone in zip(MEMBERS, members, strict=True):
        await phone.register(user, pbx.password(user), port=pbx.asterisk.sip_port)
        await phone.auto_answer(0.1)
    return Exchange(pbx, members, Calls(pbx))


async def callers_of(new_phone, count):
    callers = []
    for index in range(count):
        caller = Caller(await new_phone(f"caller{index}"), f"+1555700{index:04}")
        await caller.phone.identify(caller.number, name=f"Caller {index}")
        callers.append(caller)
    return callers


def without_rescue(pbx):
    lines = ["", "[from-trunk](+)", f"exten => _{DIALPLAN_ONLY}+X.,1,Set(__AGENT_RESCUE=/missing)"]
    lines.append(" same => n,Goto(asterisk-agent,${EXTEN:1},1)")
    with (pbx.generated / "extensions.conf").open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    pbx.cli("dialplan reload")


async def test_with_the_service_down(started, new_phone, hear):
    """The rescue script and the dialplan alone agree, and the prompts say what is the matter."""
    with started(service=False) as pbx:
        without_rescue(pbx)
        exchange, callers = await exchange_of(pbx, new_phone), await callers_of(new_phone, 4)
        count = 0
        for moment in MOMENTS:
            pbx.set_clock(moment.when)
            dialled = [(number, prefix) for number in moment.ends for prefix in ("", DIALPLAN_ONLY)]
            since = time.monotonic()
            ends = await asyncio.gather(
                *(
                    exchange.place(caller, prefix + number)
                    for caller, (number, prefix) in zip(callers, dialled, strict=False)
                )
            )
            for caller, (number, prefix), end in zip(callers, dialled, ends, strict=False):
                told = f"{moment.name}, {prefix}{number}"
                assert end == moment.ends[number], told
                heard = hear(caller.phone.heard(since))
                assert ("hold" if end == PERSON else "closed") in heard, f"{told}: {heard}"
                count += 1
        exchange.calls.follow()
        alone = [exchange.calls.dialled[call] for call in exchange.calls.undecided]
        assert all(number.startswith(DIALPLAN_ONLY) for number in alone)
        assert len(alone) == count / 2
        print(f"{count} calls at {len(MOMENTS)} moments, service down: each as it should")


async def test_with_the_service_up(started, new_phone, hear):
    """The agent greets by the hours, and a request for a person leads where the hours say."""
    with started(service=True) as pbx:
        exchange, callers = await exchange_of(pbx, new_phone), await callers_of(new_phone, 2)

        async def call(caller, number):
            since = time.monotonic()
            await caller.phone.dial(pbx.uri(number))
            await caller.phone.wait_for("connected")
            began = await caller.phone.wait_for_sound(10, after=since)
            # A busy machine pauses between two sentences.
            ended = await caller.phone.wait_for_quiet(2.0)
            await caller.phone.dtmf("0")
            return await exchange.landing(caller, number, since), caller.phone.heard(
                began - 0.2, ended + 0.5
            )

        count = 0
        moments = [moment for moment in MOMENTS if not moment.again]
        for moment in moments:
            pbx.set_clock(moment.when)
            answers = await asyncio.gather(
                *(call(*pair) for pair in zip(callers, moment.ends, strict=False))
            )
            for number, (end, greeting) in zip(moment.ends, answers, strict=True):
                told = f"{moment.name}, {number}"
                assert end == moment.ends[number], told
                heard = hear(greeting)
                expected = r"\bopen\b" if end == PERSON else r"\bclosed?\b"  # as it is heard
                assert re.search(expected, heard), f"{told}: {heard}"
                count += 1
        print(f"{count} calls at {len(moments)} moments, service up: each as it should")
        exchange.calls.follow()
        assert not exchange.calls.undecided


async def test_nobody_answers_then_the_next_team_then_the_mailbox(tmp_path, new_phone):
    """Both teams' phones ring in their order, nobody picks up, and the message is on disk."""
    directory = hours_site.write(tmp_path / "etc")
    teams = (directory / "teams.yaml").read_text(encoding="utf-8")
    back = '  back:\n    extension: "610"\n    members: [PJSIP/105]\n'
    back += "    queue: {ring: 3s, wait: 4s, announce_position: off}\n"
    teams = teams.replace("ring: 10s, wait: 30s", "ring: 3s, wait: 4s")
    (directory / "teams.yaml").write_text(
        teams.replace("messages:", f"{back}messages:"), encoding="utf-8"
    )
    channels = (directory / "channels.yaml").read_text(encoding="utf-8")
    (directory / "channels.yaml").write_text(
        channels.replace("[people]", "[people, back]"), encoding="utf-8"
    )
    with Pbx(directory, tmp_path / "pbx", service=False, faketime=START) as pbx:
        first, second = await new_phone("first"), await new_phone("second")
        for phone, user in ((first, "101"), (second, "105")):
            await phone.register(user, pbx.password(user), port=pbx.asterisk.sip_port)
        exchange = Exchange(pbx, [], Calls(pbx))
        (caller,) = await callers_of(new_phone, 1)
        assert await exchange.place(caller, OFFICE) == MAILBOX
        rang = [(await phone.wait_for("incoming")).at for phone in (first, second)]
        assert rang == sorted(rang)
