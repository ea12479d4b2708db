"""Callers' numbers and words stay out of the service's log, whatever a message or an error holds.

A ``Redactor`` stands on a handler and changes what passes it, so it serves every format.
"""

from __future__ import annotations

import logging
import re
import traceback

from asterisk_agent.errors import AgentError

_NUMBER = re.compile(r"(?<![\w.:/-])(\+?)[0-9][0-9 ()]{4,18}([0-9]{2})(?![\w:/-]|\.[0-9])")
ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; the rest are fields of its own."""


def redacted(text: str) -> str:
    """The text with all but the last two digits of each telephone number taken out."""
    return _NUMBER.sub(r"\1…\2", text)


def without_words(error: BaseException) -> str:
    """A traceback in which only our own errors, and the system's, say more than their kind.

    What a library says of a value may be what a caller said.
    """
    lines = []
    for part in reversed(list(_chain(error))):
        if part.__traceback__ is not None:
            lines += ["Traceback (most recent call last):\n"]
            lines += traceback.format_tb(part.__traceback__)
        told = isinstance(part, AgentError | OSError) and str(part)
        lines.append(f"{type(part).__name__}: {told}\n" if told else f"{type(part).__name__}\n")
        if isinstance(part, BaseExceptionGroup):
            lines += [without_words(inner) + "\n" for inner in part.exceptions]
    return redacted("".join(lines).rstrip("\n"))


def _chain(error: BaseException) -> list[BaseException]:
    """An error, and what it came from."""
    found: list[BaseException] = []
    part: BaseException | None = error
    while part is not None and part not in found:
        found.append(part)
        part = part.__cause__ or (None if part.__suppress_context__ else part.__context__)
    return found


class Redactor(logging.Filter):
    """Lets every record pass, without telephone numbers and without strangers' words."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record in place."""
        record.msg, record.args = redacted(record.getMessage()), ()
        for key, value in vars(record).items():
            if key not in ORDINARY and isinstance(value, str):
                setattr(record, key, redacted(value))
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = without_words(record.exc_info[1])
            record.exc_info = None
        return True
