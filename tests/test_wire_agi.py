"""FastAGI: every cut of a conversation, every limit, and bytes from nobody we know."""

import shlex

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from asterisk_agent.errors import ProtocolError
from asterisk_agent.wire import agi
from asterisk_agent.wire.agi import MAX_HEADERS, MAX_LINE, Answer, CallerGone, Decoder, Event

HEADERS = {
    "agi_network": "yes",
    "agi_network_script": "start",
    "agi_callerid": "+15551230000",
    "agi_arg_1": "support",
    "agi_arg_2": "",
    "agi_arg_3": "a: b",
}
REQUEST = "".join(f"{key}: {value}\n" for key, value in HEADERS.items()).encode() + b"\n"
REPLIES = (
    b"200 result=1\n"
    b"200 result=0 (the value)\n"
    b"200 result=-1 endpos=1234\n"
    b"HANGUP\n"
    b"510 Invalid or unknown command\n"
    b"511 Command Not Permitted on a dead channel or intercept routine\n"
    b"520-Invalid command syntax.  Proper usage follows:\n"
    b"Usage: SET VARIABLE <name> <value>\n"
    b"\tSets a variable.\n"
    b"520 End of proper usage.\n"
    b"200 result=1\n"
)
ANSWERS = [
    Answer(200, 1, ""),
    Answer(200, 0, "the value"),
    Answer(200, -1, ""),
    CallerGone(),
    Answer(510, None, "Invalid or unknown command"),
    Answer(511, None, "Command Not Permitted on a dead channel or intercept routine"),
    Answer(
        520,
        None,
        "Invalid command syntax.  Proper usage follows:\n"
        "Usage: SET VARIABLE <name> <value>\n\tSets a variable.",
    ),
    Answer(200, 1, ""),
]
EVENTS: list[Event] = [agi.Request("start", ("support", "", "a: b"), HEADERS), *ANSWERS]
STREAM = REQUEST + REPLIES


def asked() -> Decoder:
    decoder = Decoder()
    decoder.feed(REQUEST)
    return decoder


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_a_conversation_cut_anywhere_gives_the_same_events(cut: int) -> None:
    decoder = Decoder()
    assert decoder.feed(STREAM[:cut]) + decoder.feed(STREAM[cut:]) == EVENTS


def test_a_conversation_byte_by_byte_gives_the_same_events() -> None:
    decoder = Decoder()
    assert [event for byte in STREAM for event in decoder.feed(bytes([byte]))] == EVENTS


def test_lines_may_end_in_cr_lf() -> None:
    assert Decoder().feed(STREAM.replace(b"\n", b"\r\n")) == EVENTS


def test_the_first_of_a_key_counts() -> None:
    (request,) = Decoder().feed(
        b"agi_network_script: start\nagi_arg_1: mine\nagi_network_script: evil\nagi_arg_1: x\n\n"
    )
    assert isinstance(request, agi.Request)
    assert (request.path, request.arguments) == ("start", ("mine",))


def test_only_one_space_is_taken_from_a_value_and_bad_utf8_is_replaced() -> None:
    (request,) = Decoder().feed(b"agi_network_script:start\nagi_calleridname:  J\xff \n\n")
    assert isinstance(request, agi.Request)
    assert request.variables["agi_calleridname"] == " J\ufffd "


def test_arguments_end_at_the_first_gap() -> None:
    (request,) = Decoder().feed(b"agi_network_script: x\nagi_arg_1: a\nagi_arg_3: c\n\n")
    assert isinstance(request, agi.Request)
    assert request.arguments == ("a",)


@pytest.mark.parametrize(
    ("sent", "events"),
    [
        (b"HANGUP\n200 result=1\n", [CallerGone(), Answer(200, 1, "")]),
        (b"200 result=1\nHANGUP\n", [Answer(200, 1, ""), CallerGone()]),
        (b"HANGUP\nHANGUP\n", [CallerGone(), CallerGone()]),
        (b"200\n", [Answer(200, None, "")]),
    ],
)
def test_hangup_stands_before_or_beside_a_reply(sent: bytes, events: list[Event]) -> None:
    assert asked().feed(sent) == events


@pytest.mark.parametrize("line", [b"agi_x", b"x: y", b"HANGUP", b"AGI_X: y"])
def test_a_request_of_other_lines_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError, match="no agi_ variable"):
        Decoder().feed(line + b"\n")


def test_a_request_without_a_script_is_refused() -> None:
    with pytest.raises(ProtocolError, match="agi_network_script"):
        Decoder().feed(b"agi_network: yes\n\n")


@pytest.mark.parametrize(
    "line",
    [b"", b"20 result=1", b"2000 result=1", b"hangup", b"200result=1"],
)
def test_a_reply_of_another_form_is_refused(line: bytes) -> None:
    decoder = asked()
    with pytest.raises(ProtocolError, match="neither a code"):
        decoder.feed(line + b"\n200 result=1\n")


def test_a_result_of_thousands_of_digits_is_no_number() -> None:
    """Python refuses to turn so many digits into an int, with an error of its own."""
    assert asked().feed(b"200 result=" + b"9" * 5_000 + b"\n") == [
        Answer(200, None, "result=" + "9" * 5_000)
    ]


def test_the_longest_line_passes_and_one_byte_more_does_not() -> None:
    line = b"200 result=1 (" + b"x" * (MAX_LINE - 15) + b")"
    assert asked().feed(line + b"\n") == [Answer(200, 1, "x" * (MAX_LINE - 15))]
    with pytest.raises(ProtocolError, match="bytes"):
        asked().feed(b"x" + line + b"\n")


def test_a_line_without_end_is_refused_as_soon_as_it_is_too_long() -> None:
    decoder = Decoder()
    assert decoder.feed(b"x" * MAX_LINE) == []
    with pytest.raises(ProtocolError, match="more than"):
        decoder.feed(b"x")


def test_a_request_without_end_is_refused() -> None:
    decoder = Decoder()
    decoder.feed(b"agi_x: y\n" * MAX_HEADERS)
    with pytest.raises(ProtocolError, match="lines"):
        decoder.feed(b"agi_x: y\n")


def test_a_usage_text_without_end_is_refused() -> None:
    decoder = asked()
    decoder.feed(b"520-Usage\n" + b"more\n" * (MAX_HEADERS - 1))
    with pytest.raises(ProtocolError, match="usage"):
        decoder.feed(b"more\n")


@given(st.lists(st.binary(max_size=60), max_size=10), st.booleans())
def test_hostile_bytes_give_events_or_a_protocol_error(pieces: list[bytes], known: bool) -> None:
    decoder = asked() if known else Decoder()
    try:
        for piece in pieces:
            assert all(isinstance(found, Event) for found in decoder.feed(piece))
    except ProtocolError:
        event("refused")


@given(st.lists(st.from_regex(r"[0-9²٣]{3} result=-?[0-9²٣]{1,9}.{0,9}", fullmatch=True)))
def test_hostile_replies_give_events_or_a_protocol_error(lines: list[str]) -> None:
    decoder = asked()
    for line in lines:
        try:
            events = decoder.feed(line.encode() + b"\n")
        except ProtocolError:
            return
        assert all(isinstance(found, Event) for found in events)


@pytest.mark.parametrize("bad", ["\r", "\n", "\0"])
def test_what_agi_cannot_carry_is_refused(bad: str) -> None:
    for make in (agi.quote, agi.verbose, lambda value: agi.set_variable("X", value)):
        with pytest.raises(ProtocolError, match="line break or NUL"):
            make(f"a{bad}b")


@given(st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"])))
def test_a_quoted_value_is_one_word_again(value: str) -> None:
    assert shlex.split(agi.quote(value)) == [value]


def test_commands_are_one_line() -> None:
    assert agi.set_variable("_AGENT_X", 'a "b" \\c') == b'SET VARIABLE _AGENT_X "a \\"b\\" \\\\c"\n'
    assert agi.verbose("hallå") == 'VERBOSE "hallå" 1\n'.encode()


@pytest.mark.parametrize("name", ["", "a", "A B", "A\n", "1A", "A" * 81])
def test_a_variable_name_is_ours(name: str) -> None:
    with pytest.raises(AssertionError):
        agi.set_variable(name, "x")


def test_a_command_longer_than_asterisk_reads_is_refused() -> None:
    longest = MAX_LINE - len('SET VARIABLE X ""\n')
    assert len(agi.set_variable("X", "x" * longest)) == MAX_LINE
    with pytest.raises(ProtocolError, match="at most"):
        agi.set_variable("X", "x" * (longest + 1))
