"""What the service and its engine process say to each other: bytes in, messages out.

A message is a header (its number, and two lengths), a JSON object, and a body: audio as it is.
Numbers are given by the service; an answer bears the number of its question. Both ends are ours,
but a process whose libraries have gone astray may write anything: every length is limited.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from dataclasses import fields as fields_of
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from asterisk_agent.errors import AgentError, ConfigError, EngineError, ProtocolError
from asterisk_agent.events import Action, Exchange, Reply, Source, Transcript

HEADER = struct.Struct("!III")
MAX_FIELDS_BYTES = 1 << 20
MAX_BODY_BYTES = 1 << 26
"""Over half an hour of audio at 16 kHz."""

LOAD, BUILD, FORGET, LIKELY = "load", "build", "forget", "likely"
RECOGNISE, THINK, SPEAK, CANCEL = "recognise", "think", "speak", "cancel"
PIECE, DONE, FAILED, LOG = "piece", "done", "failed", "log"
BEAT = "beat"
"""The engine process is alive: it says so by itself, several times a second."""


@dataclass(frozen=True, slots=True)
class Message:
    """A question, or (a part of) its answer. ``number`` 0 is the load, and what nobody asked."""

    number: int
    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""


def encode(message: Message) -> bytes:
    """A message as bytes. Raises ProtocolError where it is too long to be understood."""
    fields = json.dumps({**message.fields, "kind": message.kind}).encode()
    _check(len(fields), len(message.body))
    return HEADER.pack(message.number, len(fields), len(message.body)) + fields + message.body


class Decoder:
    """Bytes, however they were cut, to messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take bytes; yield the messages that are complete. Raises ProtocolError on nonsense."""
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            number, fields, body = HEADER.unpack_from(self._buffer)
            _check(fields, body)
            end = HEADER.size + fields + body
            if len(self._buffer) < end:
                return
            text = bytes(self._buffer[HEADER.size : HEADER.size + fields])
            audio = bytes(self._buffer[HEADER.size + fields : end])
            del self._buffer[:end]
            yield _message(number, text, audio)


def _check(fields: int, body: int) -> None:
    if fields > MAX_FIELDS_BYTES or body > MAX_BODY_BYTES:
        raise ProtocolError(f"engine message of {fields} and {body} bytes is too long")


def _message(number: int, text: bytes, body: bytes) -> Message:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("engine message is not JSON") from error
    kind = fields.pop("kind", None) if isinstance(fields, dict) else None
    if not isinstance(kind, str):
        raise ProtocolError("engine message has no kind")
    return Message(number, kind, fields, body)


# --- What the messages carry ----------------------------------------------------------------------


def failure(error: AgentError) -> dict[str, Any]:
    """The fields of ``FAILED``."""
    if isinstance(error, ConfigError):
        return {"problems": error.problems}
    return {"problem": str(error), "hint": error.hint}


def error_of(fields: Mapping[str, Any]) -> AgentError:
    """The error that ``FAILED`` tells of: ConfigError or EngineError."""
    problems = fields.get("problems")
    if isinstance(problems, list):
        return ConfigError([str(problem) for problem in problems])
    return EngineError(str(fields.get("problem", "")), hint=str(fields.get("hint", "")))


def transcript_of(fields: Mapping[str, Any]) -> Transcript:
    """What ``asdict`` made of a transcript. Raises ProtocolError where it is none."""
    return _value(Transcript, fields, "transcript")


def reply_of(fields: Mapping[str, Any]) -> Reply:
    """What ``asdict`` made of a reply. Raises ProtocolError where it is none."""
    return _value(Reply, fields, "reply")


V = TypeVar("V", Transcript, Reply)
_ADAPTERS: Mapping[type, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Transcript, Reply)
}


def _value(kind: type[V], fields: Mapping[str, Any], what: str) -> V:
    """Each field with its own type: halves of characters, too, are no text."""
    if fields.keys() - {known.name for known in fields_of(kind)}:
        raise ProtocolError(f"engine message is no {what}")
    try:
        json.dumps(fields, ensure_ascii=False).encode()
        found: V = _ADAPTERS[kind].validate_python(dict(fields))
    except (ValidationError, UnicodeEncodeError):
        raise ProtocolError(f"engine message is no {what}") from None
    return found


def history_fields(history: tuple[Exchange, ...]) -> list[dict[str, Any]]:
    """A conversation so far, for JSON."""
    return [asdict(turn) for turn in history]


def history_of(turns: list[dict[str, Any]]) -> tuple[Exchange, ...]:
    """What ``history_fields`` made of a conversation."""
    return tuple(
        Exchange(
            turn["who"],
            turn["text"],
            Action(turn["action"]) if turn["action"] is not None else None,
            _source(turn["source"]),
        )
        for turn in turns
    )


def _source(fields: Mapping[str, str] | None) -> Source | None:
    return Source(**fields) if fields is not None else None
