"""The log: a constant message and its values, as ``key=value``, or as systemd's own fields.

Where standard error is systemd's journal, each value becomes a field of it, so that
``journalctl AGENT_CALL=…`` shows one call. Anywhere else a line is text.
"""

from __future__ import annotations

import logging
import math
import os
import select
import socket
import struct
import sys
from collections.abc import Mapping
from typing import TextIO

from asterisk_agent.config.paths import journal_stream
from asterisk_agent.redaction import ORDINARY, Redactor

JOURNAL = "/run/systemd/journal/socket"
MAX_MESSAGE = 60_000
"""A longer one does not fit a datagram; lines like that are cut."""
MOST_KINDS = 1000
"""Messages that ``Seldom`` knows apart at most."""
_PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


def to_stderr() -> None:
    """Log to the journal where there is one, else to standard error."""
    handler: logging.Handler
    if _is_journal():
        handler = Journal()
    else:
        handler = logging.StreamHandler(Patient(sys.stderr))
        handler.setFormatter(Fields("%(asctime)s %(levelname)s %(message)s"))
    handler.addFilter(Redactor())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for noisy in ("panoramisk", "httpx", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # Without a file descriptor left it complains a hundred times a second, with a traceback each.
    logging.getLogger("asyncio").addFilter(Seldom())


def one_line(text: str) -> str:
    """Text in which what a stranger sent begins no line of its own, and moves no cursor."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def values_of(record: logging.LogRecord) -> dict[str, object]:
    """What was given beside the message."""
    return {k: v for k, v in vars(record).items() if k not in ORDINARY}


class Patient:
    """A stream that is never waited for: what its reader has no room for is left out.

    Whoever collects a service's errors through a pipe may stop reading; calls go on all the same.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write a line, or nothing of it."""
        try:
            number = self._stream.fileno()
        except (OSError, ValueError):  # no file at all
            self._stream.write(text)
            return
        data = text.encode(errors="backslashreplace")
        for start in range(0, len(data), select.PIPE_BUF):  # as much as a pipe takes at once
            if not select.select([], [number], [], 0)[1]:
                return
            os.write(number, data[start : start + select.PIPE_BUF])

    def flush(self) -> None:
        """Everything is out already."""


class Seldom(logging.Filter):
    """Lets a message through once in ``seconds``; the next one tells how many were left out."""

    def __init__(self, seconds: float = 10.0) -> None:
        super().__init__()
        self._seconds = seconds
        self._last: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this one is written."""
        key = str(record.msg).partition("\n")[0]  # what follows names objects of one moment
        now = record.created
        if key not in self._last and len(self._last) >= MOST_KINDS:
            self._last.clear()
        at, left_out = self._last.get(key, (-math.inf, 0))
        if abs(now - at) < self._seconds:  # the computer's clock may be set back
            self._last[key] = at, left_out + 1
            return False
        self._last[key] = now, 0
        if left_out:
            vars(record)["left_out"] = left_out
        return True


class Fields(logging.Formatter):
    """A constant message, then its values as ``key=value``."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """One line, whatever is in it; a traceback comes behind."""
        values = (f"{key}={value}" for key, value in values_of(record).items())
        return one_line(" ".join([super().formatMessage(record), *values]))


class Journal(logging.Handler):
    """Sends records to systemd's journal; to standard error where that does not take them."""

    def __init__(self, address: str = JOURNAL) -> None:
        super().__init__()
        self._address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)  # the event loop never waits for a journal

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        message = record.getMessage()
        if record.exc_text:  # the redactor's; there is no other
            message += "\n" + record.exc_text
        try:
            self._socket.sendto(datagram(record, message), self._address)
        except OSError:
            Patient(sys.stderr).write(f"{record.levelname} {one_line(message)}\n")

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
        super().close()


def datagram(record: logging.LogRecord, message: str) -> bytes:
    """A record in the journal's native protocol: ``KEY=value`` lines, or lengths before bytes."""
    priority = next((p for level, p in _PRIORITIES if record.levelno >= level), 7)
    values = values_of(record)
    tail = "".join(f" {key}={value}" for key, value in values.items())
    fields: Mapping[str, object] = {
        "MESSAGE": message[:MAX_MESSAGE] + tail,
        "PRIORITY": priority,
        "SYSLOG_IDENTIFIER": "asterisk-agent",
        "AGENT_LOGGER": record.name,
        **{f"AGENT_{_key(key)}": value for key, value in values.items()},
    }
    return b"".join(_field(key, str(value)) for key, value in fields.items())


def _key(name: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in name.upper())[:48]


def _field(key: str, value: str) -> bytes:
    data = value.encode("utf-8", "replace")
    if b"\n" not in data:
        return key.encode() + b"=" + data + b"\n"
    return key.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"


def _is_journal() -> bool:
    """Whether standard error is the journal, as systemd says in ``$JOURNAL_STREAM``."""
    try:
        status = os.fstat(2)
    except OSError:
        return False
    return journal_stream() == f"{status.st_dev}:{status.st_ino}"
