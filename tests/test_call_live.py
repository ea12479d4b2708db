"""Whole calls: a real SIP phone, a real Asterisk, the service with its real models.

Everything is judged by what the phones heard. The office is always open here, so that the tests
mean the same at any hour.
"""

import asyncio
import os
import re
import shutil
import signal
import sqlite3
import time
import wave
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from real_models import spoken, voice

from asterisk_agent.audio import resample
from asterisk_agent.records import WAITING_ROOM, CallLog
from asterisk_agent.records.waiting import size_of
from asterisk_agent.sandbox.pbx import Pbx

pytestmark = [pytest.mark.asterisk, pytest.mark.models]

EXAMPLE = Path(__file__).parent.parent / "etc"
SUPPORT, BILLING = "+15551230100", "+15551230200"
DRAIN = "How much does it cost to unblock a drain?"
GUARANTEE = "Do you give a guarantee on your work?"
PERSON = "I would like to speak to a person please."


@pytest.fixture(scope="module")
def always_open(tmp_path_factory):
    """The example configuration without hours: always open. Its calls are recorded."""
    directory = tmp_path_factory.mktemp("open") / "etc"
    shutil.copytree(EXAMPLE, directory)
    channels = directory / "channels.yaml"
    text = channels.read_text(encoding="utf-8")
    channels.write_text(re.sub(r"(?m)^\s+hours:.*\n", "", text), encoding="utf-8")
    agent = directory / "agent.yaml"
    text = agent.read_text(encoding="utf-8")
    text = text.replace("can_record: false", "can_record: on").replace("audio: off ", "audio: 30d ")
    agent.write_text(text, encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def pbx(always_open, tmp_path_factory):
    with Pbx(always_open, tmp_path_factory.mktemp("live")) as pbx:
        yield pbx


@pytest.fixture(scope="module")
def say():
    """Text to a clip at 16 kHz."""
    voice()  # loaded before the first call, not in the middle of one
    return spoken


async def dial(pbx, new_phone, number=SUPPORT, name="caller"):
    """A caller who has heard the greeting to its end."""
    phone = await new_phone(name)
    await phone.identify("+15559876543", name="Pat Caller")
    await phone.dial(pbx.uri(number))
    await phone.wait_for("connected")
    await phone.wait_for_sound(10)
    await phone.wait_for_quiet(1.0)
    return phone


async def ask(phone, clip, hear, expected="", limit_s=30):
    """Say something; return the words that came back, once ``expected`` is among them.

    On a busy machine "One moment." comes first, and then nothing for a while.
    """
    said = await phone.play(clip, 16_000)
    began = await phone.wait_for_sound(15, after=said.end)
    while True:
        ended = await phone.wait_for_quiet(1.5)
        words = hear(phone.heard(began - 0.2, ended + 1.2))
        if expected in words or ended > said.end + limit_s:
            assert expected in words
            return words
        await phone.wait_for_sound(limit_s, after=ended)


async def member(pbx, new_phone, user="101"):
    phone = await new_phone(user)
    await phone.register(user, pbx.password(user), port=pbx.asterisk.sip_port)
    await phone.auto_answer(0.5)
    return phone


async def talk_through(caller, colleague, say, hear):
    """Both sides are connected: what one says, the other hears."""
    await asyncio.sleep(1.0)
    said = await caller.play(say("Hello, can you help me with my boiler?"), 16_000)
    await asyncio.sleep(0.7)
    assert "boiler" in hear(colleague.heard(said.start - 0.2, said.end + 0.6))


async def test_answers_and_hands_over_with_a_brief(pbx, new_phone, say, hear):
    colleague = await member(pbx, new_phone)
    caller = await dial(pbx, new_phone)
    assert "automated" in hear(caller.heard())
    await ask(caller, say(DRAIN), hear, "165")
    await ask(caller, say(GUARANTEE), hear, "warranty")
    await ask(caller, say(PERSON), hear, "put you through")
    answered = await colleague.wait_for("connected", 20)
    await colleague.wait_for_sound(5, after=answered.at)
    await colleague.wait_for_quiet(1.0)
    assert "person" in hear(colleague.heard(answered.at))
    await talk_through(caller, colleague, say, hear)


async def test_two_callers_at_once_each_get_their_own_answer(pbx, new_phone, say, hear):
    first, second = await asyncio.gather(
        dial(pbx, new_phone, name="first"), dial(pbx, new_phone, name="second")
    )
    await asyncio.gather(
        ask(first, say(DRAIN), hear, "165"), ask(second, say(GUARANTEE), hear, "year")
    )


async def test_zero_brings_a_person(pbx, new_phone, say, hear):
    colleague = await member(pbx, new_phone)
    caller = await dial(pbx, new_phone)
    await caller.dtmf("0")
    await colleague.wait_for("connected", 20)
    await asyncio.sleep(4)  # the brief
    await talk_through(caller, colleague, say, hear)


async def test_who_has_a_question_at_the_goodbye_is_answered(pbx, new_phone, say, hear):
    caller = await dial(pbx, new_phone)
    said = await caller.play(say("Thank you, goodbye."), 16_000)
    await caller.wait_for_sound(15, after=said.end)  # "Thank you for calling. Goodbye."
    await ask(caller, say(DRAIN), hear, "165")


async def offered_a_message(pbx, new_phone, say, hear):
    """A caller who asked for a person while no phone is there, and whom the agent took back."""
    caller = await dial(pbx, new_phone)
    await ask(caller, say(PERSON), hear, "press star")
    return caller


async def test_nobody_there_means_a_message_on_disk(pbx, new_phone, say, hear):
    caller = await offered_a_message(pbx, new_phone, say, hear)
    await caller.dtmf("*")
    await caller.wait_for_sound(10)
    await caller.wait_for_quiet(2.0)
    await caller.play(say("This is Pat. Please call me back about my boiler."), 16_000)
    await asyncio.sleep(0.5)
    await caller.hangup()
    for _ in range(50):
        messages = list(pbx.asterisk.spool.glob("voicemail/agent/600/INBOX/msg*.wav"))
        if messages:
            break
        await asyncio.sleep(0.1)
    assert messages
    assert "leave a message" in hear(caller.heard()[-16_000 * 2 * 20 :])


async def test_the_agent_takes_a_message_itself(pbx, new_phone, say, hear):
    caller = await offered_a_message(pbx, new_phone, say, hear)
    await caller.play(say("This is Pat. Please call me back about my boiler."), 16_000)
    await caller.wait_for("disconnected", 60)  # twice seven seconds of silence are in it
    assert "noted" in hear(caller.heard()[-16_000 * 2 * 8 :])
    call = await logged(pbx, "I have noted")
    assert call["outcome"] == "message"
    assert call["tasks"] == ["call_back"]
    assert "boiler" in call["message"].lower()


async def logged(pbx, words, than=None):
    """The newest call in the log in which these words are, once it has ended; another ``than``."""
    log = CallLog(pbx.config.records.database)
    try:
        for _ in range(100):
            for call in log.latest(1):
                said = " ".join(turn["text"] for turn in call["turns"])
                if call["ended"] and words in said and call["id"] != than:
                    return call
            await asyncio.sleep(0.1)
    finally:
        log.close()
    raise AssertionError(f"no call with {words!r} at the end of the log")


async def test_the_log_tells_the_call(pbx, new_phone, say, hear):
    with closing(sqlite3.connect(pbx.state_dir / "calls.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # nobody else may write: no call minds
        caller = await dial(pbx, new_phone)
        assert "recorded" in hear(caller.heard())
        await ask(caller, say(DRAIN), hear, "165")
        await caller.hangup()
        waiting = pbx.state_dir / WAITING_ROOM
        async with asyncio.timeout(30):
            while size_of(waiting) == 0:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        other.execute("ROLLBACK")
    call = await logged(pbx, "165")
    assert size_of(waiting) == 0
    left, right = sides(Path(call["recording"]))
    heard = 2 * int(call["turns"][2]["at_s"] * 16_000)
    assert "165" in hear(right[heard:])
    assert "drain" in hear(left[:heard])
    assert "165" not in hear(left)
    assert call["outcome"] == "resolved"
    assert call["reason"] == "hangup"
    who = [turn["who"] for turn in call["turns"]]
    assert who == ["agent", "caller", "agent"]
    answer = call["turns"][2]
    assert answer["source"]["file"].startswith("support/")
    assert 0 < answer["delay_ms"]["total"] < 10_000


def sides(file):
    """Left and right of a recording, at 16 kHz."""
    with wave.open(str(file)) as opened:
        both = np.frombuffer(opened.readframes(opened.getnframes()), "<i2").reshape(-1, 2)
    return [resample(both[:, side].tobytes(), 8_000, 16_000) for side in (0, 1)]


async def test_a_lost_service_takes_its_caller_to_the_queue_and_is_back_for_the_next(
    always_open, start_pbx, new_phone, say, hear
):
    pbx = start_pbx(always_open)
    colleague = await member(pbx, new_phone)
    caller = await dial(pbx, new_phone)
    said = await caller.play(say(GUARANTEE), 16_000)
    await in_the_middle_of_an_answer(caller, said.end)
    frozen, lost = time.monotonic(), pbx.service_pid
    pbx.freeze_service()
    await colleague.wait_for("connected", 25)
    assert silence_after(caller, frozen) < 3.0
    await talk_through(caller, colleague, say, hear)
    await another_service(pbx, lost)
    await asyncio.sleep(3)  # it asks Asterisk where the caller is
    await caller.hangup()
    call = await logged(pbx, "automated")
    assert (call["outcome"], call["reason"]) == ("answered", "lost")
    assert (call["team"], call["picked_up_by"]) == (None, "PJSIP/101")
    conversation, queue = call["path"]
    assert (conversation["to"], conversation["result"]) == ("agent", "lost")
    assert queue["to"] == "team:support"
    details = [event["detail"] for event in call["events"]]
    assert "the service was lost while the agent spoke" in details

    second = await dial(pbx, new_phone, name="second")
    assert "automated" in hear(second.heard())
    lost = pbx.service_pid
    os.kill(lost, signal.SIGKILL)
    await second.hangup()
    await another_service(pbx, lost)
    call = await logged(pbx, "automated", than=call["id"])
    assert (call["outcome"], call["picked_up_by"]) == ("unknown", None)
    assert call["events"][-1]["detail"].startswith("the service was lost")

    pbx.kill_service()  # with its supervisor: nobody starts another
    await second.dial(pbx.uri(SUPPORT))
    await colleague.wait_for("connected", 25)
    await talk_through(second, colleague, say, hear)


async def in_the_middle_of_an_answer(phone, after):
    """Wait until the agent has spoken for a second: longer than "One moment." takes."""
    async with asyncio.timeout(60):
        while True:
            after = await phone.wait_for_sound(30, after=after)
            await asyncio.sleep(max(0.0, after + 1.0 - time.monotonic()))
            if phone.recording.quiet_since() is None:
                return
            after = time.monotonic()


def silence_after(phone, moment):
    """How long the caller heard nothing when what they heard broke off at this moment."""
    segments = phone.spoken_segments()
    last = [segment.end for segment in segments if segment.start < moment][-1]
    again = next(segment.start for segment in segments if segment.start > moment)
    return again - last


async def another_service(pbx, lost):
    """Wait until the supervisor has started another service, and it takes calls."""
    async with asyncio.timeout(60):
        while pbx.service_pid in (None, lost):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_a_stopping_service_says_so_and_hands_over(
    always_open, start_pbx, new_phone, say, hear
):
    pbx = start_pbx(always_open)
    colleague = await member(pbx, new_phone)
    caller = await dial(pbx, new_phone)
    stopping = asyncio.create_task(asyncio.to_thread(pbx.stop_service))
    await colleague.wait_for("connected", 25)
    assert "stop here" in hear(caller.heard())
    await stopping
    await asyncio.sleep(4)  # the brief
    await talk_through(caller, colleague, say, hear)


async def test_without_the_service_callers_reach_the_queue(
    always_open, start_pbx, new_phone, say, hear
):
    pbx = start_pbx(always_open, service=False)
    colleague = await member(pbx, new_phone)
    for number in (SUPPORT, SUPPORT.removeprefix("+"), "+4799999999"):
        caller = await new_phone(f"caller{number}")
        await caller.identify("+15559876543", name="Pat Caller")
        await caller.dial(pbx.uri(number))
        await colleague.wait_for("connected", 25)
        await talk_through(caller, colleague, say, hear)
        await caller.hangup()
        await colleague.wait_for("disconnected")
