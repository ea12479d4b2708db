"""The light caller's SIP and RTP: bytes in, bytes out."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_agent.errors import ProtocolError
from asterisk_agent.sandbox import bench_rtp
from asterisk_agent.sandbox.bench_sip import SipCall, State
from asterisk_agent.sandbox.sip_text import headers_of

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=audio 12000 RTP/AVP 0\r\n"


@pytest.fixture
def call():
    return SipCall("+15550001", "sip:100@127.0.0.1:5060", "127.0.0.1", 5070, 40000, "token")


def answer(code, body="", cseq="1 INVITE"):
    head = f"SIP/2.0 {code} X\r\nVia: v\r\nTo: <sip:100@h>;tag=far\r\nCSeq: {cseq}\r\n"
    return f"{head}Contact: <sip:far@127.0.0.1:5060>\r\n\r\n{body}".encode()


def first_line(message):
    return message.decode().splitlines()[0]


def test_the_invitation_offers_our_audio(call):
    text = call.invite().decode()
    assert text.startswith("INVITE sip:100@127.0.0.1:5060 SIP/2.0\r\n")
    assert "m=audio 40000 RTP/AVP 0 101\r\n" in text
    body = text.partition("\r\n\r\n")[2]
    assert headers_of(text)["Content-Length"] == str(len(body))


def test_a_call_rings_and_is_answered_and_acknowledged(call):
    assert call.take(answer(100)) == []
    assert call.state is State.CALLING
    assert call.take(answer(180)) == []
    assert call.state is State.RINGING
    (ack,) = call.take(answer(200, SDP))
    assert call.state is State.CONNECTED
    assert call.media == ("127.0.0.1", 12000)
    assert first_line(ack) == "ACK sip:far@127.0.0.1:5060 SIP/2.0"
    assert headers_of(ack.decode())["To"] == "<sip:100@h>;tag=far"


def test_a_refusal_ends_the_call(call):
    (ack,) = call.take(answer(486))
    assert (call.state, call.code) == (State.ENDED, 486)
    assert first_line(ack).startswith("ACK sip:100@")
    assert "branch=z9hG4bKtokenINVITE" in ack.decode()


def test_hanging_up(call):
    call.take(answer(200, SDP))
    assert first_line(call.bye()) == "BYE sip:far@127.0.0.1:5060 SIP/2.0"
    assert call.take(answer(200, cseq="2 BYE")) == []
    assert call.state is State.ENDED


def test_giving_up_before_the_answer(call):
    assert first_line(call.bye()) == "CANCEL sip:100@127.0.0.1:5060 SIP/2.0"
    call.take(answer(200, cseq="1 CANCEL"))
    call.take(answer(487))
    assert (call.state, call.code) == (State.ENDED, 487)


def test_the_far_end_hangs_up(call):
    call.take(answer(200, SDP))
    request = "BYE sip:x SIP/2.0\r\nVia: v1\r\nCall-ID: token@h\r\nCSeq: 7 BYE\r\n\r\n"
    (reply,) = call.take(request.encode())
    assert first_line(reply) == "SIP/2.0 200 OK"
    assert headers_of(reply.decode())["CSeq"] == "7 BYE"
    assert (call.state, call.code) == (State.ENDED, 200)


def test_a_new_offer_in_mid_call_is_taken(call):
    call.take(answer(200, SDP))
    (reply,) = call.take(b"INVITE sip:x SIP/2.0\r\nCSeq: 3 INVITE\r\n\r\n")
    assert "m=audio 40000" in reply.decode()
    assert call.take(b"ACK sip:x SIP/2.0\r\nCSeq: 3 ACK\r\n\r\n") == []
    assert call.state is State.CONNECTED


@given(st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused(data):
    call = SipCall("1", "sip:2@h", "127.0.0.1", 1, 2, "t")
    with contextlib.suppress(ProtocolError):
        call.take(data)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_packet_or_refused(data):
    try:
        packet = bench_rtp.parse(data)
    except ProtocolError:
        return
    assert len(packet.payload) <= len(data)


def test_a_packet_comes_back_as_it_was():
    built = bench_rtp.build(65_537, 160, 7, bench_rtp.SILENCE, first=True)
    packet = bench_rtp.parse(built)
    assert packet == bench_rtp.Packet(0, 1, 160, bench_rtp.SILENCE)


def test_extensions_and_padding_are_no_audio():
    header = bytes([0x80 | 0x20 | 0x10 | 0x01, 0]) + bytes(10)
    extended = header + bytes(4) + b"\0\0\0\1abcd" + b"sound" + b"\0\0\3"
    assert bench_rtp.parse(extended).payload == b"sound"


def test_mu_law_is_the_standard_one():
    # ITU-T G.711: the ends of the scale, and silence.
    pcm = np.array([0, 32124, -32124, 8, -8, 1000], "<i2").tobytes()
    assert bench_rtp.encode(pcm)[:3] == bytes([0xFF, 0x80, 0x00])
    back = np.frombuffer(bench_rtp.decode(bench_rtp.encode(pcm)), "<i2")
    assert back.tolist() == [0, 32124, -32124, 8, -8, 988]


def test_every_mu_law_code_survives():
    codes = bytes(range(256))
    again = bench_rtp.encode(bench_rtp.decode(codes))
    assert again.replace(b"\x7f", b"\xff") == codes.replace(b"\x7f", b"\xff")
    assert bench_rtp.decode(b"\xff\x7f" * 80) == b""


def test_a_key_press_ends_three_times():
    payloads = bench_rtp.key_press("#")
    assert {payload[0] for payload in payloads} == {11}
    durations = [int.from_bytes(payload[2:], "big") for payload in payloads]
    assert durations == [160, 320, 480, 640, 800, 960, 960, 960, 960]
    assert [bool(payload[1] & 0x80) for payload in payloads] == [False] * 6 + [True] * 3


@pytest.mark.parametrize("key", ["", "12", "x"])
def test_what_is_no_key_is_refused(key):
    with pytest.raises(ProtocolError):
        bench_rtp.key_press(key)
