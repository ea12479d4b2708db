"""FastAGI, the server's side, as bytes in and events out.

Asterisk connects, sends ``agi_…: value`` lines and an empty line, then answers each command
line with a reply. Source: Asterisk's ``res_agi.c`` (22.10).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from asterisk_agent.errors import ProtocolError

MAX_LINE = 8_192
"""Bytes in a line, either way: the size of Asterisk's own buffer."""
MAX_HEADERS = 200

_REPLY = re.compile(
    r"^([0-9]{3})(?: result=(-?[0-9]{1,10})(?: ?\((.*)\))?(?: endpos=\d+)?| (.*)|)$"
)
_VARIABLE_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,79}")


@dataclass(frozen=True, slots=True)
class Request:
    """A dialplan's question: the path of its ``agi://`` address, and the arguments after it.

    ``variables`` holds the ``agi_`` lines; of a key sent twice, the first, because a caller's
    name can carry anything.
    """

    path: str
    arguments: tuple[str, ...]
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to one command: ``200 result=1 (data)``, 510, 511, or 520."""

    code: int
    result: int | None
    data: str


@dataclass(frozen=True, slots=True)
class CallerGone:
    """``HANGUP``: the caller hung up. May come at any moment, and twice."""


Event = Request | Answer | CallerGone


class Decoder:
    """Takes bytes as they come and returns the events they complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._headers: dict[str, str] | None = {}
        self._header_lines = 0
        self._usage: list[str] | None = None

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes of any length; raises ProtocolError on a line that AGI does not allow."""
        self._buffer += data
        events: list[Event] = []
        while (end := self._buffer.find(b"\n")) >= 0:
            if end > MAX_LINE:
                raise ProtocolError(f"agi line of {end} bytes, expected at most {MAX_LINE}")
            line = self._buffer[:end].decode("utf-8", errors="replace").removesuffix("\r")
            del self._buffer[: end + 1]
            event = self._header(line) if self._headers is not None else self._reply(line)
            if event is not None:
                events.append(event)
        if len(self._buffer) > MAX_LINE:
            raise ProtocolError(f"agi line of more than {MAX_LINE} bytes")
        return events

    def _header(self, line: str) -> Event | None:
        assert self._headers is not None
        if line == "":
            headers, self._headers = self._headers, None
            return _request(headers)
        self._header_lines += 1
        if self._header_lines > MAX_HEADERS:
            raise ProtocolError(f"agi request of more than {MAX_HEADERS} lines")
        key, colon, value = line.partition(":")
        if not colon or not key.startswith("agi_"):
            raise ProtocolError("agi request holds a line that is no agi_ variable")
        self._headers.setdefault(key, value.removeprefix(" "))
        return None

    def _reply(self, line: str) -> Event | None:
        if self._usage is not None:
            return self._usage_line(line)
        if line == "HANGUP":
            return CallerGone()
        if line.startswith("520-"):
            self._usage = [line[4:]]
            return None
        match = _REPLY.match(line)
        if match is None:
            raise ProtocolError("agi reply is neither a code with a result nor HANGUP")
        code, result, data, text = match.groups()
        return Answer(int(code), None if result is None else int(result), data or text or "")

    def _usage_line(self, line: str) -> Event | None:
        """Collect ``520-…`` up to its last line, ``520 End of proper usage.``"""
        assert self._usage is not None
        if not line.startswith("520 "):
            self._usage.append(line)
            if len(self._usage) > MAX_HEADERS:
                raise ProtocolError(f"agi usage text of more than {MAX_HEADERS} lines")
            return None
        usage, self._usage = self._usage, None
        return Answer(520, None, "\n".join(usage))


def _request(headers: dict[str, str]) -> Request:
    path = headers.get("agi_network_script")
    if path is None:
        raise ProtocolError("agi request has no agi_network_script")
    arguments: list[str] = []
    while (key := f"agi_arg_{len(arguments) + 1}") in headers:
        arguments.append(headers[key])
    return Request(path, tuple(arguments), headers)


def quote(value: str) -> str:
    """Quote an argument. CR, LF and NUL cannot be escaped in AGI and raise ProtocolError."""
    if any(character in value for character in "\r\n\0"):
        raise ProtocolError("agi argument holds a line break or NUL")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def set_variable(name: str, value: str) -> bytes:
    """The command line that sets one channel variable, one leading ``_`` per inheritance."""
    assert _VARIABLE_NAME.fullmatch(name), name
    return _command(f"SET VARIABLE {name} {quote(value)}")


def verbose(text: str) -> bytes:
    """The command line that writes ``text`` to Asterisk's console."""
    return _command(f"VERBOSE {quote(text)} 1")


def _command(line: str) -> bytes:
    encoded = line.encode() + b"\n"
    if len(encoded) > MAX_LINE:
        raise ProtocolError(f"agi command of {len(encoded)} bytes, expected at most {MAX_LINE}")
    return encoded
