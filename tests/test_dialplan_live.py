"""The dialplan on a real Asterisk, with everything around it broken, or played by the test."""

import asyncio
import re
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import NewPhone
from dialplan_lab import Lab, answers, records, says, service

from asterisk_agent import overrides
from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Channel, Config, Existing, OnCallSettings

pytestmark = pytest.mark.asterisk

EXAMPLE = load(Path(__file__).parent.parent / "etc")
SUPPORT = "+15551230100"


def always_open(config: Config = EXAMPLE) -> Config:
    """The example without hours."""
    channels: dict[str, Channel] = {
        name: channel.model_copy(update={"hours": None})
        for name, channel in config.channels.items()
    }
    return config.model_copy(update={"channels": channels})


# --- The ladder ---------------------------------------------------------------------------------

HALF = b'SET VARIABLE AGENT_ACTION "team"\nSET VARIABLE AGENT_TAR'
BROKEN_SERVICES = {
    "hangs": says(b"", then_closes=False),
    "closes": says(b"", then_closes=True),
    "dies-half-way": says(HALF, then_closes=True),
    # AGI() goes round for ever in these two, and heeds no timeout.
    "hangs-half-way": says(HALF, then_closes=False),
    "garbage-hangs": says(b"x" * 10_000, then_closes=False),
    "garbage-lines": says(b"no\n" * 1_000, then_closes=False),
    "garbage-closes": says(bytes(range(256)) * 100, then_closes=True),
    "web-server": says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", then_closes=False),
    "unready": says(b'SET VARIABLE AGENT_ACTION "goodbye"\n', then_closes=True),
    "senseless": answers(lambda *_: {"AGENT_ACTION": "dance"}),
    "no-action": answers(lambda *_: {}),
    "unknown-team": answers(lambda *_: {"AGENT_ACTION": "team", "AGENT_TARGET": "nobody"}),
    "no-mailbox": answers(lambda *_: {"AGENT_ACTION": "voicemail", "AGENT_TARGET": "nobody"}),
    "no-on-call": answers(lambda *_: {"AGENT_ACTION": "on-call", "AGENT_TARGET": "support"}),
    "waits-for-ever": answers(lambda *_: {"AGENT_ACTION": "wait"}),
    "agent-for-ever": answers(lambda *_: {"AGENT_ACTION": "agent", "AGENT_UUID": "1-2"}),
}
BROKEN_SCRIPTS = {
    "missing": None,
    "not-executable": ("#!/bin/sh\n", 0o644),
    "no-interpreter": ("#!/no/such/python\n", 0o755),
    "no-script": ("", 0o755),
    "hangs": ("#!/bin/sh\nsleep 60\n", 0o755),
    "ignores-signals": ("#!/bin/sh\ntrap '' HUP TERM PIPE\nsleep 20\n", 0o755),
    "dies-half-way": ("#!/bin/sh\necho 'SET VARIABLE AGENT_ACTION \"team\"'\nexit 3\n", 0o755),
    "hangs-half-way": ("#!/bin/sh\nprintf 'SET VARIABLE AGENT_A'\nsleep 60\n", 0o755),
    "garbage": ("#!/bin/sh\nhead -c 20000 /dev/urandom\n", 0o755),
    "garbage-hangs": ("#!/bin/sh\nhead -c 20000 /dev/urandom\nsleep 60\n", 0o755),
    "chatters": ("#!/bin/sh\nwhile true; do echo 'NOT AGI'; done\n", 0o755),
    "unready": ("#!/bin/sh\nread a\necho 'SET VARIABLE AGENT_ACTION goodbye'\nread b\n", 0o755),
}


def test_whatever_is_broken_above_callers_come_to_a_mailbox(tmp_path: Path) -> None:
    """Nobody is at the phones here. Each call has a service and a script of its own."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    for name, script in BROKEN_SCRIPTS.items():
        if script is not None:
            (scripts / name).write_text(script[0])
            (scripts / name).chmod(script[1])
    with ExitStack() as stack:
        ports = {name: stack.enter_context(service(talk)) for name, talk in BROKEN_SERVICES.items()}
        # Every broken service with a missing script, every broken script with no service.
        cases = {f"service-{name}": (f"127.0.0.1:{ports[name]}", "/missing") for name in ports}
        cases |= {f"script-{n}": ("127.0.0.1:1", f"{scripts}/{n}") for n in BROKEN_SCRIPTS}
        contexts = "[lab]\n" + "".join(
            f"exten => {name},1,Set(AGENT_FASTAGI={fastagi})\n"
            f" same => n,Set(AGENT_RESCUE={rescue})\n"
            f" same => n,Goto(asterisk-agent,{SUPPORT},1)\n"
            for name, (fastagi, rescue) in cases.items()
        )
        with Lab(always_open(), tmp_path, contexts) as lab:
            for name in cases:
                lab.call(name)
            saved = [name for name in cases if lab.wait_for(name, records, 90)]
    print(f"\n{len(saved)} of {len(cases)} callers came to a mailbox")
    assert len(saved) == len(cases) == len(BROKEN_SERVICES) + len(BROKEN_SCRIPTS)


# --- What the service may ask for ---------------------------------------------------------------


def test_waiting_rings_and_asks_again_until_it_has_been_long_enough(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def busy(question: str, arguments: list[str]) -> dict[str, str]:
        asked.append([question, *arguments])
        if question == "start" and arguments[1] != "1":
            return {"AGENT_ACTION": "wait"}
        return {"AGENT_ACTION": "voicemail", "AGENT_TARGET": "support", "AGENT_STATE": "open"}

    with service(answers(busy)) as port, Lab(always_open(), tmp_path, lab_call(port)) as lab:
        began = time.monotonic()
        lab.call("x")
        lab.wait_for("x", records)
        waited_s = time.monotonic() - began
        steps = [step.application for step in lab.steps("x")]
    assert [question[:3] for question in asked] == [
        *([["start", "support", "0"]] * 5),
        ["start", "support", "1"],
    ]
    # The same call each time, told by its own id.
    assert len({question[3] for question in asked}) == 1
    assert steps.count("Playback") == 0
    assert 10 <= waited_s < 14


async def test_who_waits_hears_ringing(tmp_path: Path, new_phone: NewPhone) -> None:
    with (
        service(answers(lambda *_: {"AGENT_ACTION": "wait"})) as port,
        Lab(always_open(), tmp_path, "", globals_=f"AGENT_FASTAGI=127.0.0.1:{port}\n") as lab,
    ):
        caller = await new_phone("caller")
        await caller.identify("+15557654321")
        await caller.dial(f"sip:{SUPPORT}@127.0.0.1:{lab.asterisk.sip_port}")
        connected = (await caller.wait_for("connected")).at
        await asyncio.sleep(9)
        rings = [part for part in caller.spoken_segments() if part.start < connected + 9]
    # Two seconds of tone, four of silence.
    assert [round(ring.start - rings[0].start) for ring in rings] == [0, 6]
    assert 1.8 < rings[0].end - rings[0].start < 2.2


def test_a_slot_that_becomes_free_is_taken_at_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def soon(question: str, _: list[str]) -> dict[str, str]:
        asked.append(question)
        if question == "start":
            return {"AGENT_ACTION": "wait" if len(asked) < 3 else "agent", "AGENT_UUID": "1-2"}
        return {"AGENT_ACTION": "voicemail", "AGENT_TARGET": "support"}

    with service(answers(soon)) as port, Lab(always_open(), tmp_path, lab_call(port)) as lab:
        lab.call("x")
        lab.wait_for("x", records)
        places = [step.place for step in lab.steps("x")]
    assert asked == ["start", "start", "start", "next"]
    assert places.count("do-agent@agent-ask:1") == 1


def test_every_fact_reaches_the_service(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def agent_twice(question: str, arguments: list[str]) -> dict[str, str]:
        asked.append([question, *arguments])
        answer = {"AGENT_UUID": "0a-1b", "AGENT_STATE": "holiday"}
        if question == "start":
            return {**answer, "AGENT_ACTION": "agent"}
        following = {"agent": "team", "team": "voicemail", "voicemail": "goodbye"}[arguments[2]]
        return {**answer, "AGENT_ACTION": following, "AGENT_TARGET": "support"}

    callers: list[str] = []
    with (
        service(answers(agent_twice, callers)) as port,
        Lab(always_open(), tmp_path, lab_call(port), voicemail=False) as lab,
    ):
        lab.call("x")
        lab.wait_for("x", lambda step: step.application == "Hangup")
        ended = lab.wait_for("x", lambda step: step.data.startswith("AgentEnded"))
    assert callers == ["+15557654321"] * 4
    first, *others = asked
    assert first[:3] == ["start", "support", "0"]
    unique_id = first[3]
    arrived = others[0][7]
    assert abs(int(arrived) - time.time()) < 60
    rest = [arrived, "1", unique_id, "0"]
    assert others == [
        # question, channel, uuid, stage, state, status, tried, arrived, turns, id, more
        ["next", "support", "0a-1b", "agent", "holiday", "FAILED", "", *rest],
        ["next", "support", "0a-1b", "team", "holiday", "JOINEMPTY", "support", *rest],
        ["next", "support", "0a-1b", "voicemail", "holiday", "FAILED", "support", *rest],
    ]
    assert "CallUUID: 0a-1b" in ended.data


def test_on_call_rings_the_phone_that_stands_in_the_dialplan(tmp_path: Path) -> None:
    channel = EXAMPLE.channels["support"]
    after = channel.after_hours.model_copy(
        update={"on_call": OnCallSettings.model_validate({"dial": "Local/doctor@people"})}
    )
    channels = {"support": channel.model_copy(update={"after_hours": after, "hours": None})}
    config = EXAMPLE.model_copy(update={"channels": channels})
    asked: list[list[str]] = []

    def urgent(question: str, arguments: list[str]) -> dict[str, str]:
        asked.append([question, *arguments])
        action = "on-call" if question == "start" else "goodbye"
        return {"AGENT_ACTION": action, "AGENT_TARGET": "PJSIP/101"}

    people = "[people]\nexten => doctor,1,Answer()\n same => n,Wait(1)\n"
    with service(answers(urgent)) as port, Lab(config, tmp_path, lab_call(port) + people) as lab:
        lab.call("x")
        dialled = lab.wait_for("x", lambda step: step.data.startswith("Local/doctor@people,30"))
        lab.wait_for("x", lambda step: step.application == "Hangup")
    assert dialled.place == "support@agent-on-call:3"
    assert asked[1][3:6] == ["on-call", "", "ANSWER"]


def lab_call(port: int) -> str:
    """The context ``lab``, whose ``x`` calls support with a service at this port."""
    return (
        f"[lab]\nexten => x,1,Set(AGENT_FASTAGI=127.0.0.1:{port})\n"
        " same => n,Set(CALLERID(all)=Pat Caller <+15557654321>)\n"
        f" same => n,Goto(asterisk-agent,{SUPPORT},1)\n"
    )


# --- Mailboxes ----------------------------------------------------------------------------------


def test_a_mailbox_that_does_not_exist_does_not_end_the_call(tmp_path: Path) -> None:
    with Lab(always_open(), tmp_path, lab_call(1), voicemail=False) as lab:
        lab.call("x")
        lab.wait_for("x", records)
        told = lab.wait_for("x", lambda step: step.data.endswith("sounds/no-message-taken"))
        assert told.application == "Playback"
        ended = lab.wait_for("x", lambda step: step.data.startswith("AgentEnded"))
    assert "Stage: voicemail" in ended.data
    assert "VoicemailStatus: FAILED" in ended.data


FINISHER = """
[finisher]
exten => s,1,Playtones(dial)
 same => n,Wait(8)
 same => n,SendDTMF(#)
 same => n,Wait(120)
"""


@pytest.mark.parametrize("full", [False, True])
def test_a_message_that_was_cut_off_by_a_full_disk_is_none(tmp_path: Path, *, full: bool) -> None:
    """VoiceMail() says SUCCESS, and Asterisk would hang up in the middle of the caller's word."""
    with Lab(always_open(), tmp_path, lab_call(1) + FINISHER) as lab:
        box = lab.asterisk.spool / "voicemail" / "agent" / "600"
        box.mkdir(parents=True)
        if full:
            (box / "agent-room").symlink_to("/dev/full")  # takes nothing, and stays empty
        lab.call("x", caller="finisher")
        lab.wait_for("x", records)
        ended = lab.wait_for("x", lambda step: step.data.startswith("AgentEnded"), 60)
        told = [step for step in lab.steps("x") if step.data.endswith("sounds/no-message-taken")]
        assert len(list((box / "INBOX").glob("*.wav"))) == 1
    assert [step.application for step in told] == ["Playback"] * full
    assert ("VoicemailStatus: FAILED" if full else "VoicemailStatus: SUCCESS") in ended.data
    assert (box / "agent-room").stat().st_size == 0


# --- A reload under a call ----------------------------------------------------------------------


def without_support(config: Config) -> Config:
    """The same company when its support channel and team are gone."""
    billing = config.channels["billing"]
    return config.model_copy(
        update={
            "channels": {"billing": billing},
            "teams": {name: team for name, team in config.teams.items() if name != "support"},
            "messages": {"nobody-free": config.messages["nobody-free"]},
        }
    )


def test_who_is_on_the_line_when_their_channel_and_team_are_taken_away_is_not_dropped(
    tmp_path: Path,
) -> None:
    """Callers in the queue, with the on-call phone, in the mailbox, and in a conversation."""
    channel = EXAMPLE.channels["support"]
    after = channel.after_hours.model_copy(
        update={"on_call": OnCallSettings.model_validate({"dial": "Local/doctor@people"})}
    )
    support = channel.model_copy(update={"after_hours": after, "hours": None})
    team = EXAMPLE.teams["support"]
    waiting = team.queue.model_copy(update={"wait": timedelta(seconds=9)})
    phones = team.model_copy(update={"queue": waiting, "members": ("Local/desk@people",)})
    before = always_open().model_copy(
        update={
            "channels": {"support": support, "billing": always_open().channels["billing"]},
            "teams": {**EXAMPLE.teams, "support": phones},
        }
    )
    people = (
        "[people]\n"
        "exten => doctor,1,Wait(8)\n"  # rings, and hangs up unanswered
        "exten => desk,1,Wait(30)\n"
    )
    starts = {
        "queue": {"AGENT_ACTION": "team", "AGENT_TARGET": "support"},
        "phone": {"AGENT_ACTION": "on-call", "AGENT_TARGET": "support"},
        "tape": {"AGENT_ACTION": "voicemail", "AGENT_TARGET": "support"},
        "later": {"AGENT_ACTION": "wait"},
    }
    later: list[list[str]] = []

    def first(name: str):
        def asked(question: str, arguments: list[str]) -> dict[str, str]:
            if question == "start" and arguments[1] != "1":
                return {"AGENT_STATE": "open", "AGENT_MESSAGE": "closed-now", **starts[name]}
            later.append([name, *arguments])
            # What a service answers that still has the old configuration for this call.
            return {"AGENT_ACTION": "team", "AGENT_TARGET": "support", "AGENT_STATE": "open"}

        return asked

    with ExitStack() as stack:
        ports = {name: stack.enter_context(service(answers(first(name)))) for name in starts}
        contexts = "[lab]\n" + "".join(
            f"exten => {name},1,Set(AGENT_FASTAGI=127.0.0.1:{port})\n"
            f" same => n,Goto(asterisk-agent,{SUPPORT},1)\n"
            for name, port in ports.items()
        )
        lab = stack.enter_context(Lab(before, tmp_path, contexts + people))
        for name in starts:
            lab.call(name)
        lab.wait_for("queue", lambda step: step.data.startswith("Queue(agent-support,"))
        lab.wait_for("phone", lambda step: step.data.startswith("Local/doctor@people"))
        lab.wait_for("tape", records)
        lab.wait_for("later", lambda step: step.application == "Wait" and step.data == "2")
        lab.reload(without_support(before))
        assert "no existence" in lab.asterisk.cli("dialplan show agent-team-support")
        assert "no existence" in lab.asterisk.cli("dialplan show agent-static-support")
        # Nobody answered the first, the second and the last; their new people are the first
        # channel's, whose phones are not there either: its mailbox.
        for name in ("queue", "phone", "later"):
            lab.wait_for(name, lambda step: "VoiceMail(610@" in step.data, 60)
        lab.asterisk.cli("channel request hangup all")
        ended = lab.wait_for("tape", lambda step: step.data.startswith("AgentEnded"))
    assert "Stage: voicemail" in ended.data
    came_back = {asked[0]: asked[3:6:2] for asked in reversed(later)}
    assert came_back["queue"] == ["team", "TIMEOUT"]
    assert came_back["phone"] == ["on-call", "CHANUNAVAIL"]


# --- Queues of another system -------------------------------------------------------------------

EXT_QUEUES = """
[ext-queues]
; Answers, plays music, and nobody comes.
exten => music,1,Answer()
 same => n,Queue(empty,c,,,600)
 same => n,Hangup()
; Does not even answer.
exten => silent,1,Wait(600)
; Answers, and a person picks up.
exten => person,1,Answer()
 same => n,Queue(staffed,,,,600)
; Rings without answering first.
exten => phone,1,Dial(Local/quick@people,20)
; Gives up by itself, and hangs up.
exten => full,1,Answer()
 same => n,Set(QUEUESTATUS=FULL)
; Takes a message itself.
exten => message,1,Answer()
 same => n,Set(VMSTATUS=SUCCESS)
; Says that it is closed, and hangs up.
exten => closed,1,Answer()
 same => n,Wait(1)

[people]
exten => slow,1,Wait(2)
 same => n,Answer()
 same => n,Wait(5)
exten => quick,1,Answer()
 same => n,Wait(2)
"""
STAFFED = """
[staffed]
strategy=ringall
timeout=20
member => Local/slow@people
[empty]
strategy=ringall
joinempty=yes
"""
EXISTING_STATUS = {
    "music": "TIMEOUT",
    "silent": "TIMEOUT",
    "person": "CONTINUE",
    "phone": "CONTINUE",
    "full": "FULL",
    "message": "CONTINUE",
    "closed": "TIMEOUT",
    "nowhere": "TIMEOUT",
}


def test_an_existing_queue_always_gives_its_caller_back(tmp_path: Path) -> None:
    support = EXAMPLE.teams["support"]
    queue = support.queue.model_copy(update={"wait": timedelta(seconds=5)})
    teams = {
        f"x{name}": support.model_copy(
            update={
                "id": f"x{name}",
                "members": (),
                "extension": None,
                "queue": queue,
                "existing": Existing(context="ext-queues", extension=name),
            }
        )
        for name in EXISTING_STATUS
    }
    config = always_open().model_copy(update={"teams": {**EXAMPLE.teams, **teams}})
    calls = "[lab]\n" + "".join(
        f"exten => {name},1,Answer()\n"
        " same => n,Set(AGENT_CHANNEL=support)\n"
        " same => n,Gosub(agent-new,s,1)\n"
        f" same => n,Goto(agent-team-x{name},s,1)\n"
        for name in EXISTING_STATUS
    )
    with Lab(config, tmp_path, calls + EXT_QUEUES, queues=STAFFED) as lab:
        for name in EXISTING_STATUS:
            lab.call(name)
        found = {}
        for name in EXISTING_STATUS:
            asked = lab.wait_for(
                name, lambda step: step.data.startswith("SHARED(AGENT_ARGUMENTS)=")
            )
            found[name] = asked.data.split(",")[4]
        # Nobody is left behind in the other system, and nobody watches any more.
        for _ in range(100):
            shown = lab.asterisk.cli("core show channels concise")
            if "ext-queues" not in shown and "agent-watch" not in shown:
                break
            time.sleep(0.1)
    assert found == EXISTING_STATUS
    assert "ext-queues" not in shown
    assert "agent-watch" not in shown


# --- The night switch ---------------------------------------------------------------------------


def test_the_night_switch(tmp_path: Path) -> None:
    with Lab(always_open(), tmp_path, "") as lab:
        files = [lab.config.overrides_directory / name for name in EXAMPLE.channels]
        now = datetime.now(UTC)

        def dial(code: str, prompt: str) -> list[str]:
            before = len(lab.steps(code))
            lab.call(code, "from-phones")
            for _ in range(100):
                steps = lab.steps(code)[before:]
                if any(step.application == "Hangup" for step in steps):
                    break
                time.sleep(0.1)
            played = [step.data for step in steps if step.application == "Playback"]
            assert played == [f"{lab.folder}/dialplan/sounds/{prompt}"]
            states = [overrides.read(file.parent, file.name) for file in files]
            assert [overrides.in_force(state, now) for state in states] == states
            return [str(state.state) if state else "none" for state in states]

        def lamp() -> str:
            (line,) = (
                row for row in lab.asterisk.cli("core show hints").splitlines() if "*28@" in row
            )
            return re.search(r"State:(\S+)", line)[1]  # type: ignore[index]

        assert dial("*281", "switched-open") == ["open", "open"]
        assert lamp() == "Idle"
        assert dial("*282", "switched-closed") == ["closed", "closed"]
        assert lamp() == "InUse"
        assert dial("*283", "switched-people") == ["people", "people"]
        assert lamp() == "Idle"
        assert dial("*280", "switched-schedule") == ["none", "none"]
        # Once more the same key: closed, and back.
        assert dial("*28", "switched-closed") == ["closed", "closed"]
        assert lamp() == "InUse"
        assert dial("*28", "switched-schedule") == ["none", "none"]
        assert lamp() == "Idle"
        # One channel closed by hand is not all of them.
        files[0].write_text("closed 0\n")
        assert dial("*28", "switched-closed") == ["closed", "closed"]
        # What cannot be written is said.
        files[1].unlink()
        files[1].mkdir()
        assert dial("*281", "switch-failed")[0] == "open"
        told = [step.data for step in lab.steps("*282") if step.application == "UserEvent"]
        assert told[0].startswith("AgentOverride,State: closed")
        # A trunk does not reach it.
        lab.call("*282", "from-trunk")
        time.sleep(0.5)
        assert len([s for s in lab.steps("*282") if s.application == "UserEvent"]) == 1


def test_the_night_switch_counts_for_the_next_call(tmp_path: Path) -> None:
    """With service and script gone: the override file is read by the dialplan alone."""
    calls = (
        "[lab]\nexten => _X!,1,Set(AGENT_RESCUE=/missing)\n"
        f" same => n,Goto(asterisk-agent,{SUPPORT},1)\n"
    )
    with Lab(always_open(), tmp_path, calls) as lab:
        file = lab.config.overrides_directory / "support"
        soon, past = int(time.time()) + 600, int(time.time()) - 5
        cases = {
            "1": ("closed 0\n", "closed", ""),
            "2": (f"closed {soon}\n", "closed", ""),
            "3": (f"closed {past}\n", "open", ""),
            "4": ("people 0", "open", "1"),
            "5": ('op"en) ${EXTEN} 0\n', "open", ""),
            "6": ("closed 0\nclosed 0\n", "open", ""),
            "7": ("closed 0" + " " * 100, "open", ""),
            "8": ("", "open", ""),
            "9": ("closed 123456789012", "open", ""),
        }
        for extension, (text, state, people) in cases.items():
            file.write_text(text)
            lab.call(extension)
            lab.wait_for(
                extension, lambda step: step.place.startswith("arrival@agent-static-support:2")
            )
            steps = [step.data for step in lab.steps(extension)]
            assert [data for data in steps if data.startswith("AGENT_STATE=")][
                -1
            ] == f"AGENT_STATE={state}"
            assert f"AGENT_PEOPLE={people}" in steps, text


# --- Whoever picks up ---------------------------------------------------------------------------


async def test_the_phone_that_rings_shows_which_call_it_is(
    tmp_path: Path, new_phone: NewPhone
) -> None:
    call = (
        "[lab]\nexten => x,1,Answer()\n"
        " same => n,Set(CALLERID(all)=Pat Caller <+15557654321>)\n"
        " same => n,Set(AGENT_CHANNEL=support)\n same => n,Set(AGENT_LABEL=Customer support)\n"
        " same => n,Gosub(agent-new,s,1)\n same => n,Set(AGENT_UUID=0a-1b)\n"
        " same => n,Set(AGENT_NOTE=Call for support. The caller said: It's leaking)\n"
        " same => n,Set(AGENT_RECORD=http://127.0.0.1:8095/calls/0a-1b)\n"
        " same => n,Goto(agent-team-support,s,1)\n"
    )
    support = EXAMPLE.teams["support"]
    short = support.queue.model_copy(update={"wait": timedelta(seconds=6)})
    teams = {**EXAMPLE.teams, "support": support.model_copy(update={"queue": short})}
    config = always_open().model_copy(update={"teams": teams})
    with Lab(config, tmp_path, call) as lab:
        member = await new_phone("member")
        password = lab.asterisk.passwords["101"]
        await member.register("101", password, port=lab.asterisk.sip_port)
        lab.call("x")
        ringing = await member.wait_for("incoming")
        assert ringing["name"] == "Customer support: Pat Caller"
        assert ringing["uri"].startswith("sip:+15557654321@")
        assert ringing["headers"]["X-Agent-Call"] == "0a-1b"
        assert ringing["headers"]["X-Agent-Brief"].endswith("The caller said: It's leaking")
        assert ringing["headers"]["X-Agent-Record"] == "http://127.0.0.1:8095/calls/0a-1b"
        await member.reject()
        # The next team sees the caller's name, not two labels.
        back = lab.wait_for("x", lambda step: step.place == "back@agent-caller:2")
        assert back.data == "CALLERID(name)=Pat Caller"
