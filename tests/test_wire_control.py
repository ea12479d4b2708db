"""The control socket's lines and requests: nothing that is not exactly one of ours gets through."""

import contextlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_agent.errors import ProtocolError
from asterisk_agent.wire.control import (
    Figures,
    Lines,
    TakeOver,
    Watch,
    encode,
    fields_of,
    request_of,
)

CALL = UUID("11111111-2222-3333-4444-555555555555")
REQUESTS = (
    Watch(),
    Figures(),
    TakeOver(CALL, "team", "support", "anna"),
    TakeOver(CALL, "on-call", "support", "anna"),
    TakeOver(CALL, "phone", "anna", "anna"),
)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: type(request).__name__)
def test_requests_survive_the_way(request_) -> None:
    (fields,) = Lines(1000).feed(encode(fields_of(request_)))
    assert request_of(fields) == request_


def test_objects_come_out_whole_however_the_bytes_are_cut() -> None:
    data = encode({"call": {"text": "é\n"}}) + encode({"gone": "x"})
    lines = Lines(100)
    found = [one for byte in data for one in lines.feed(bytes([byte]))]
    assert found == [{"call": {"text": "é\n"}}, {"gone": "x"}]
    assert data.count(b"\n") == 2


@pytest.mark.parametrize(
    "line", [b"nonsense", b"[1]", b'"text"', b"\xff{}", b"", b'{"a":1', b"[" * 90]
)
def test_a_line_that_is_no_object_is_an_error(line: bytes) -> None:
    with pytest.raises(ProtocolError, match="control line is no JSON"):
        list(Lines(100).feed(line + b"\n"))


@pytest.mark.parametrize("data", [b"x" * 11, b"x" * 11 + b"\n", b"{}\n" + b"x" * 11])
def test_a_line_has_a_limit_also_before_its_end_comes(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="longer than 10 bytes"):
        list(Lines(10).feed(data))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"do": "reboot"}, "unknown: 'reboot'"),
        ({"do": ""}, "unknown"),
        ({"more": "x"}, "unknown"),
        ({"to": "exten:911"}, "'exten:911' is no team"),
        ({"to": "team:support,1"}, "is no team"),
        ({"to": "team:support\n"}, "is no team"),
        ({"to": "PJSIP/trunk/911"}, "is no team"),
        ({"to": 7}, "other than text"),
        ({"by": "anna\r\nAction: Originate"}, "is no user"),
        ({"by": ""}, "is no user"),
        ({"call": "latest"}, "is no call"),
    ],
)
def test_what_is_not_exactly_a_request_is_refused(change, why: str) -> None:
    good = {"do": "take-over", "call": str(CALL), "to": "team:support", "by": "anna"}
    assert request_of(good)
    with pytest.raises(ProtocolError, match=why):
        request_of(good | change)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    try:
        for fields in Lines(200).feed(data + b"\n"):
            request_of(fields)
    except ProtocolError:
        pass


@given(
    st.dictionaries(
        st.sampled_from(["do", "to", "by", "call", "x"]),
        st.one_of(st.text(max_size=20), st.sampled_from(["watch", "figures", "take-over"])),
    )
)
def test_no_fields_raise_anything_else(fields) -> None:
    with contextlib.suppress(ProtocolError):
        request_of(fields)


def test_half_a_character_is_sent_as_a_question_mark():
    assert encode({"text": "a\ud800"}) == b'{"text":"a?"}\n'
