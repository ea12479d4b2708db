"""The rough caller's SIP, codecs and weather: bytes in, bytes out."""

import asyncio

import numpy as np
import pytest

from asterisk_agent.sandbox.bench_weather import Weather
from asterisk_agent.sandbox.rough_caller import RoughCaller
from asterisk_agent.sandbox.rough_scenarios import SCENARIOS
from asterisk_agent.sandbox.rough_sip import ALAW, PLAIN, SLIN16, Manner, RoughCall, decode_alaw
from asterisk_agent.sandbox.sip_text import headers_of


def call(**manner):
    return RoughCall(
        "+15550001",
        "sip:100@127.0.0.1:5060",
        "127.0.0.1",
        5070,
        40000,
        "token",
        manner=Manner(**manner),
    )


def answered(one, cseq="1 INVITE"):
    head = f"SIP/2.0 200 OK\r\nTo: <sip:100@h>;tag=far\r\nCSeq: {cseq}\r\n"
    return one.take(f"{head}Contact: <sip:far@h:5060>\r\n\r\nm=audio 9 RTP/AVP 0\r\n".encode())


def test_a_name_stands_in_the_invitation_as_it_is():
    text = call(name='a"b${X}', headers=("X-Y: z",)).invite().decode()
    assert headers_of(text)["From"].startswith('"a"b${X}" <sip:+15550001@')
    assert headers_of(text)["X-Y"] == "z"


def test_the_offer_tells_codec_and_packet_size():
    text = call(codec=ALAW, ptime_ms=30, silence_is_noise=True).invite().decode()
    assert "RTP/AVP 8 13 101\r\n" in text
    assert "a=rtpmap:8 PCMA/8000\r\n" in text
    assert "a=ptime:30\r\n" in text


def test_without_an_offer_the_acknowledgement_answers():
    one = call(offers=False)
    assert "m=audio" not in one.invite().decode()
    (ack,) = answered(one)
    assert "m=audio 40000" in ack.decode()
    assert headers_of(ack.decode())["Content-Length"] != "0"


def test_a_hold_is_a_new_invitation_with_its_own_acknowledgement():
    one = call()
    answered(one)
    text = one.invite_again("sendonly").decode()
    assert headers_of(text)["CSeq"] == "2 INVITE"
    assert "a=sendonly\r\n" in text
    (ack,) = answered(one, "2 INVITE")
    assert headers_of(ack.decode())["CSeq"] == "2 ACK"
    info = one.inside("INFO", ("Content-Type: application/dtmf-relay",), "Signal=1\r\n").decode()
    assert headers_of(info)["CSeq"] == "3 INFO"
    assert info.endswith("Content-Length: 10\r\n\r\nSignal=1\r\n")


def test_a_law_is_the_standard_one():
    # ITU-T G.711: the smallest steps, and the ends of the scale.
    pcm = np.array([8, -8, 24, 1008, -1008, 32256, -32256], "<i2")
    codes = ALAW.encode(pcm.tobytes())
    assert codes == bytes([0xD5, 0x55, 0xD4, 0xFA, 0x7A, 0xAA, 0x2A])
    assert np.frombuffer(decode_alaw(codes), "<i2").tolist() == pcm.tolist()
    assert ALAW.encode(decode_alaw(bytes(range(256)))) == bytes(range(256))


def test_wide_audio_is_big_endian_and_comes_back():
    tone = (8000 * np.sin(np.arange(800) / 5)).astype("<i2").tobytes()
    wide = SLIN16.encode(tone)
    assert len(wide) == pytest.approx(2 * len(tone), abs=8)
    back = np.frombuffer(SLIN16.decode(wide), "<i2")[:700].astype(int)
    assert np.abs(back - np.frombuffer(tone, "<i2")[:700]).mean() < 300


def test_the_weather_is_the_same_for_the_same_seed():
    lost = [[weather.loses() for _ in range(4000)] for weather in (Weather(0.2), Weather(0.2))]
    assert lost[0] == lost[1]
    assert sum(lost[0]) / 4000 == pytest.approx(0.2, abs=0.03)
    assert 0 < Weather(jitter_s=0.06).late_s() < 0.06
    assert (Weather().loses(), Weather().late_s()) == (False, 0.0)


async def test_a_phone_on_hold_sends_nothing_until_the_hold_is_over(monkeypatch):
    caller = RoughCaller("x", PLAIN)
    sent = []
    monkeypatch.setattr(RoughCaller, "call", property(lambda _: call()))
    monkeypatch.setattr(caller, "send_sip", lambda datagram: sent.append(datagram.decode()))
    monkeypatch.setattr(caller, "_transmit", lambda packet, _: sent.append("audio"))
    sending = asyncio.create_task(caller._send(("127.0.0.1", 9)))
    await caller.hold(0.1, sends=False)
    sending.cancel()
    first, second, *rest = sent
    assert "a=sendonly\r\n" in first
    assert "a=sendrecv\r\n" in second
    assert set(rest) == {"audio"}


def test_each_scenario_has_a_name_of_its_own():
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names)
    assert 10 <= sum(scenario.short for scenario in SCENARIOS) <= 20
