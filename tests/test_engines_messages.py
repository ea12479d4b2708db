"""The pipe's messages: any content, cut anywhere; nonsense is one documented error."""

import contextlib
import json
import struct
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_agent.engines import messages
from asterisk_agent.engines.messages import Decoder, Message, encode
from asterisk_agent.errors import ConfigError, EngineError, ModelError, ProtocolError
from asterisk_agent.events import Action, Exchange, Reply, Source, ThinkingTime, Transcript

FIELDS = st.dictionaries(
    st.text(min_size=1, max_size=8).filter(lambda key: key != "kind"),
    st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=3),
    max_size=4,
)
MESSAGES = st.builds(Message, st.integers(0, 2**32 - 1), st.text(), FIELDS, st.binary())


@given(st.lists(MESSAGES, max_size=4), st.integers(1, 40))
def test_what_is_encoded_is_decoded_however_it_is_cut(sent, size):
    data = b"".join(map(encode, sent))
    decoder = Decoder()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert [message for piece in pieces for message in decoder.feed(piece)] == sent


@given(st.binary(max_size=200))
def test_nonsense_is_one_error_or_nothing(data):
    with contextlib.suppress(ProtocolError):
        list(Decoder().feed(data))


@pytest.mark.parametrize(
    ("header", "text", "problem"),
    [
        ((1, 2**20 + 1, 0), b"", "too long"),
        ((1, 2, 2**26 + 1), b"", "too long"),
        ((1, 2, 0), b"{]", "not JSON"),
        ((1, 2, 0), b"\xff\xff", "not JSON"),
        ((1, 2, 0), b"[]", "no kind"),
        ((1, 2, 0), b"{}", "no kind"),
        ((1, 10, 0), b'{"kind":1}', "no kind"),
        ((1, 100_000, 0), b"[" * 100_000, "not JSON"),
    ],
)
def test_each_nonsense_is_named(header, text, problem):
    with pytest.raises(ProtocolError, match=problem):
        list(Decoder().feed(struct.pack("!III", *header) + text))


def test_what_nobody_could_read_is_not_sent():
    with pytest.raises(ProtocolError, match="too long"):
        encode(Message(1, "speak", {"text": "x" * 2**20}))


@pytest.mark.parametrize(
    "reply",
    [
        Reply("Yes.", Action.SMALLTALK),
        Reply(
            "It costs 165.",
            Action.ANSWER,
            team="support",
            source=Source("a.md", "Prices"),
            confidence=0.8,
            ms=ThinkingTime(1.0, 2.0, 3.0),
            unanswered=True,
        ),
    ],
)
def test_a_reply_travels(reply):
    assert messages.reply_of(json.loads(json.dumps(asdict(reply)))) == reply


def test_a_transcript_travels():
    transcript = Transcript("hello", 0.5, 1.25, 0.1)
    assert messages.transcript_of(json.loads(json.dumps(asdict(transcript)))) == transcript


def test_a_conversation_travels():
    history = (
        Exchange("caller", "hi"),
        Exchange("agent", "yes", Action.ANSWER, Source("a.md", "A")),
    )
    assert messages.history_of(json.loads(json.dumps(messages.history_fields(history)))) == history


@pytest.mark.parametrize("fields", [{}, {"text": "x", "size": 1}])
def test_no_transcript(fields):
    with pytest.raises(ProtocolError, match="no transcript"):
        messages.transcript_of(fields)


@pytest.mark.parametrize(
    "change", [{"action": "sing"}, {"ms": None}, {"source": {"file": "a"}}, {"mood": "good"}]
)
def test_no_reply(change):
    with pytest.raises(ProtocolError, match="no reply"):
        messages.reply_of({**asdict(Reply("Yes.", Action.ANSWER)), **change})


@pytest.mark.parametrize("kind", [EngineError, ModelError])
def test_an_engines_error_keeps_problem_and_hint(kind):
    error = messages.error_of(messages.failure(kind("no model", hint="pull it")))
    assert isinstance(error, EngineError)
    assert (str(error), error.hint) == ("no model", "pull it")


def test_a_configurations_error_keeps_every_problem():
    error = messages.error_of(messages.failure(ConfigError(["one", "two"])))
    assert isinstance(error, ConfigError)
    assert error.problems == ["one", "two"]


@pytest.mark.parametrize(
    "change",
    [
        {"text": 5},
        {"text": "\ud800"},
        {"team": ["a"]},
        {"options": [{"file": 1, "heading": "b"}]},
        {"ms": {"total": "soon"}},
        {"tokens": "many"},
    ],
)
def test_a_reply_of_other_types_is_none(change):
    with pytest.raises(ProtocolError, match="no reply"):
        messages.reply_of({**asdict(Reply("Yes.", Action.ANSWER)), **change})


@pytest.mark.parametrize("fields", [{"text": None, "confidence": 1}, {"text": "a"}])
def test_a_transcript_of_other_types_is_none(fields):
    with pytest.raises(ProtocolError, match="no transcript"):
        messages.transcript_of(fields)
