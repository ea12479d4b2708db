"""What the console and the service say to each other: one JSON object to a line, both ways.

The console asks with ``Watch``, ``Figures`` or ``TakeOver``. The service answers with one object,
``Watch`` with one for each change until somebody hangs up. An object with ``error`` is a refusal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asterisk_agent.errors import ProtocolError

MAX_REQUEST = 4_096
MAX_ANSWER = 4 << 20
"""A call of ten minutes is 50 kB; what Prometheus reads is less."""
_TARGET = re.compile(r"(team|on-call|phone):([a-z][a-z0-9-]{0,30})")
_USER = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True, slots=True)
class Watch:
    """Tell every call under way now, and from now on what changes."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What Prometheus reads, as text under ``text``."""


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Send a call to a team, to its channel's on-call phone, or to a user's phone; ``by`` whom."""

    call: UUID
    kind: str
    target: str
    by: str


Request = Watch | Figures | TakeOver


class Lines:
    """Bytes in, objects out. Raises ProtocolError for what is no object, or longer than ``limit``.

    Nothing may be fed behind an error.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting = bytearray()

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Yield every object that is complete with ``data``."""
        self._waiting += data
        while (end := self._waiting.find(b"\n")) >= 0:
            self._check(end)
            line = bytes(self._waiting[:end])
            del self._waiting[: end + 1]
            yield _object(line)
        self._check(len(self._waiting))

    def _check(self, length: int) -> None:
        if length > self._limit:
            raise ProtocolError(f"control line is longer than {self._limit} bytes")


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ProtocolError("control line is no JSON") from None
    if not isinstance(found, dict):
        raise ProtocolError("control line is no JSON object")
    return found


def encode(message: Mapping[str, Any]) -> bytes:
    """An object as a line."""
    line = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    return line.encode("utf-8", "replace") + b"\n"  # half a character cannot be sent


def fields_of(request: Request) -> dict[str, str]:
    """A request as an object."""
    match request:
        case Watch():
            return {"do": "watch"}
        case Figures():
            return {"do": "figures"}
        case TakeOver(call, kind, target, by):
            return {"do": "take-over", "call": str(call), "to": f"{kind}:{target}", "by": by}


def request_of(fields: Mapping[str, Any]) -> Request:
    """An object as a request. Raises ProtocolError."""
    if any(not isinstance(value, str) for value in fields.values()):
        raise ProtocolError("control request holds something other than text")
    match fields.get("do"), fields.keys() - {"do"}:
        case "watch", rest if not rest:
            return Watch()
        case "figures", rest if not rest:
            return Figures()
        case "take-over", rest if rest == {"call", "to", "by"}:
            return _take_over(fields)
    raise ProtocolError(f"control request is unknown: {str(fields.get('do'))[:40]!r}")


def _take_over(fields: Mapping[str, str]) -> TakeOver:
    to = _TARGET.fullmatch(fields["to"])
    if to is None:
        raise ProtocolError(f"{fields['to'][:40]!r} is no team, on-call phone or user's phone")
    if not _USER.fullmatch(fields["by"]):
        raise ProtocolError(f"{fields['by'][:40]!r} is no user")
    try:
        call = UUID(fields["call"])
    except ValueError:
        raise ProtocolError(f"{fields['call'][:40]!r} is no call") from None
    return TakeOver(call, to[1], to[2], fields["by"])
