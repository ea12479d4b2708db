"""The scripted phone against a real Asterisk, without the agent."""

import asyncio
import time

import numpy as np
import psutil
import pytest

from asterisk_agent.audio import read_wav, rms_dbfs
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.phone import Phone

pytestmark = pytest.mark.asterisk


def tone(seconds: float, hz: float = 440.0, rate_hz: int = 16_000) -> bytes:
    moments = np.arange(int(seconds * rate_hz)) / rate_hz
    return (8000 * np.sin(2 * np.pi * hz * moments)).astype("<i2").tobytes()


def loudest_hz(pcm: bytes, rate_hz: int = 16_000) -> float:
    spectrum = np.abs(np.fft.rfft(np.frombuffer(pcm, dtype="<i2")))
    return float(np.argmax(spectrum) * rate_hz / (len(pcm) / 2))


def uri(asterisk, extension: str) -> str:
    return f"sip:{extension}@{asterisk.host}:{asterisk.sip_port}"


@pytest.fixture
async def caller(new_phone) -> Phone:
    phone = await new_phone("caller")
    await phone.identify("+15557654321", name="Ann Baker")
    return phone


async def connect(phone: Phone, asterisk, extension: str) -> float:
    await phone.dial(uri(asterisk, extension))
    return (await phone.wait_for("connected")).at


async def test_hears_a_known_sound_and_the_hang_up(bench_asterisk, caller):
    connected = await connect(caller, bench_asterisk, "hello")
    began = await caller.wait_for_sound(5)
    ended = await caller.wait_for("disconnected")
    assert 0.4 < began - connected < 0.9
    assert ended["code"] == 200
    (said,) = caller.spoken_segments()
    original, rate_hz = read_wav(bench_asterisk.sounds / "hello-world.wav")
    assert said.seconds == pytest.approx(len(original) / 2 / rate_hz, abs=0.35)


async def test_echo_comes_back_soon_and_as_it_was(bench_asterisk, caller):
    await connect(caller, bench_asterisk, "echo")
    delays = []
    for _ in range(3):
        said = await caller.play(tone(0.4))
        heard = await caller.wait_for_sound(2, after=said.start)
        assert said.seconds == pytest.approx(0.4, abs=0.03)
        delays.append(heard - said.start)
        await caller.wait_for_quiet(0.3)
    assert min(delays) > 0.0
    assert sorted(delays)[1] < 0.15
    segments = caller.spoken_segments()
    assert [round(segment.seconds, 1) for segment in segments] == [0.4, 0.4, 0.4]
    assert loudest_hz(caller.heard(segments[0].start, segments[0].end)) == pytest.approx(440, abs=5)


async def test_plays_queued_clips_back_to_back(bench_asterisk, caller):
    await connect(caller, bench_asterisk, "silent")
    first = await caller.queue(tone(0.33))
    second = await caller.queue(tone(0.33, rate_hz=8000), rate_hz=8000)
    begin, end = await caller.spoken(first), await caller.spoken(second)
    assert end.end - begin.start == pytest.approx(0.66, abs=0.03)
    assert len(caller.recording.segments("said", pause_s=0.03)) == 1


async def test_falls_silent_when_told(bench_asterisk, caller):
    await connect(caller, bench_asterisk, "silent")
    clip = await caller.queue(tone(5.0))
    await caller.wait_for("clip_began")
    await asyncio.sleep(0.3)
    await caller.stop_playing()
    assert (await caller.spoken(clip)).seconds < 1.0


async def test_frames_come_every_20_ms(bench_asterisk, caller):
    await connect(caller, bench_asterisk, "tone")
    began = await caller.wait_for_sound(3)
    await asyncio.sleep(1.5)
    await caller.hangup()
    heard = caller.heard(began, began + 1.0)
    assert len(heard) == pytest.approx(32_000, abs=3 * 640)
    assert loudest_hz(heard) == pytest.approx(1004, abs=20)
    gaps = np.diff([frame.at for frame in caller.recording.frames])
    assert float(np.median(gaps)) == pytest.approx(0.02, abs=0.002)


async def test_an_idle_call_costs_little(bench_asterisk, caller):
    await connect(caller, bench_asterisk, "tone")
    process = psutil.Process(caller.pid)
    before, began = process.cpu_times(), time.monotonic()
    await asyncio.sleep(2)
    after, elapsed = process.cpu_times(), time.monotonic() - began
    used = after.user + after.system - before.user - before.system
    assert used / elapsed < 0.15


async def test_hears_early_media(bench_asterisk, caller):
    await caller.dial(uri(bench_asterisk, "early"))
    assert (await caller.wait_for("ringing"))["code"] == 183
    heard = await caller.wait_for_sound(5)
    assert heard < (await caller.wait_for("connected")).at


async def test_keys_go_both_ways(bench_asterisk, caller):
    await connect(caller, bench_asterisk, "keys")
    await asyncio.sleep(0.3)
    await caller.dtmf("12#")
    digits = [(await caller.wait_for("dtmf"))["digit"] for _ in range(2)]
    assert digits == ["1", "2"]


async def test_a_registered_member_sees_who_calls_and_answers(bench_asterisk, caller, new_phone):
    member = await new_phone("member")
    await member.register("101", bench_asterisk.passwords["101"], port=bench_asterisk.sip_port)
    await caller.dial(uri(bench_asterisk, "team"))
    invite = await member.wait_for("incoming")
    assert invite["name"] == "Support: Ann Baker"
    assert invite["uri"].startswith("sip:+15557654321@")
    assert invite["headers"]["X-Channel"] == "helpdesk"
    await caller.wait_for("ringing")
    await member.answer()
    await caller.wait_for("connected")
    await member.wait_for("connected")
    said = await caller.play(tone(0.5))
    assert await member.wait_for_sound(3, after=said.start) - said.start < 0.3
    said = await member.play(tone(0.5, hz=880))
    heard = await caller.wait_for_sound(3, after=said.start)
    await caller.wait_for_quiet(0.2)
    assert loudest_hz(caller.heard(heard, heard + 0.4)) == pytest.approx(880, abs=10)
    await member.hangup()
    assert (await caller.wait_for("disconnected"))["code"] == 200


async def test_answers_the_queue_by_itself(bench_asterisk, caller, new_phone):
    member = await new_phone("member")
    await member.register("101", bench_asterisk.passwords["101"], port=bench_asterisk.sip_port)
    await member.auto_answer(0.4)
    await connect(caller, bench_asterisk, "queue")
    ringing = (await member.wait_for("incoming")).at
    answered = (await member.wait_for("connected")).at
    assert 0.35 < answered - ringing < 1.0


async def test_a_busy_phone_and_a_refusal(bench_asterisk, caller, new_phone):
    member = await new_phone("member")
    await member.register("101", bench_asterisk.passwords["101"], port=bench_asterisk.sip_port)
    await caller.dial(uri(bench_asterisk, "team"))
    await member.wait_for("incoming")
    await member.reject(486)
    assert (await caller.wait_for("disconnected"))["code"] == 486


async def test_hold_silences_the_far_end(bench_asterisk, caller):
    await connect(caller, bench_asterisk, "tone")
    await caller.wait_for_sound(3)
    await caller.hold()
    held = await caller.wait_for_quiet(0.5, timeout_s=5)
    await caller.resume()
    assert await caller.wait_for_sound(5, after=held + 0.5) > held


async def test_a_message_reaches_the_mailbox(bench_asterisk, caller):
    await connect(caller, bench_asterisk, "mailbox")
    await caller.wait_for_sound(5)
    await caller.wait_for_quiet(0.3)
    await caller.play(tone(2.0, hz=600))
    await caller.dtmf("#")
    await caller.wait_for("disconnected", timeout_s=15)
    inbox = bench_asterisk.spool / "voicemail" / "agent" / "100" / "INBOX"
    (message,) = inbox.glob("*.wav")
    pcm, rate_hz = read_wav(message)
    assert len(pcm) / 2 / rate_hz == pytest.approx(2.0, abs=0.7)
    assert rms_dbfs(pcm) > -30


async def test_saves_both_sides(bench_asterisk, caller, tmp_path):
    await connect(caller, bench_asterisk, "echo")
    await caller.play(tone(0.4))
    await caller.wait_for_quiet(0.3)
    path = tmp_path / "call.wav"
    caller.save_stereo(path)
    mixed, rate_hz = read_wav(path)
    assert rate_hz == 16_000
    assert len(mixed) == len(caller.heard()) == len(caller.recording.pcm("said"))


async def test_says_why_a_call_failed(bench_asterisk, caller):
    await caller.dial(uri(bench_asterisk, "nowhere"))
    ended = await caller.wait_for("disconnected")
    assert (ended["code"], ended["reason"]) == (404, "Not Found")


async def test_a_wrong_password_is_refused(bench_asterisk, new_phone):
    phone = await new_phone("stranger")
    with pytest.raises(SandboxError, match=r"registration: 40[13]"):
        await phone.register("101", "guess", port=bench_asterisk.sip_port)


async def test_names_what_it_waited_for_and_what_came_instead(bench_asterisk, caller):
    with pytest.raises(SandboxError, match=r"caller: no connected within 0\.1 s; saw: ready"):
        await caller.wait_for("connected", timeout_s=0.1)


async def test_refuses_commands_without_a_call(bench_asterisk, caller):
    with pytest.raises(SandboxError, match="caller: hangup: no call"):
        await caller.hangup()


async def test_a_phone_that_vanished_says_so(bench_asterisk, caller):
    await connect(caller, bench_asterisk, "silent")
    await caller.vanish()
    with pytest.raises(SandboxError, match="caller: "):
        await caller.dtmf("1")


async def test_16_khz_codec(bench_asterisk, new_phone):
    phone = await new_phone("wide", codecs=("G722/16000",))
    await phone.identify("+15550002222")
    await connect(phone, bench_asterisk, "echo")
    said = await phone.play(tone(0.4, hz=6000))
    heard = await phone.wait_for_sound(2, after=said.start)
    await phone.wait_for_quiet(0.3)
    assert loudest_hz(phone.heard(heard, heard + 0.3)) == pytest.approx(6000, abs=50)
