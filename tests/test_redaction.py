"""Numbers and speech stay out of the log."""

import io
import logging
from uuid import UUID

import pytest

from asterisk_agent.errors import AgentError
from asterisk_agent.redaction import Redactor, redacted


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("from +15551234567", "from +…67"),
        ("caller=0047 21 98 76 54, waiting", "caller=…54, waiting"),
        ("(555) 123 4567", "(555) 123 4567".replace("555) 123 45", "…")),
        ("'4721987654'", "'…54'"),
        ("took 12.5 s on 127.0.0.1:9092", "took 12.5 s on 127.0.0.1:9092"),
        ("pid 123456", "pid 123456"),
        (str(UUID(int=5 << 64)), str(UUID(int=5 << 64))),
        ("asterisk 1772460000.12", "asterisk 1772460000.12"),
        ("2026-03-02T14:00:00", "2026-03-02T14:00:00"),
    ],
)
def test_numbers_are_cut(text, written):
    assert redacted(text) == written


@pytest.fixture
def log():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Redactor())
    handler.setFormatter(logging.Formatter("%(message)s %(caller)s", defaults={"caller": ""}))
    log = logging.Logger("a test's own")
    log.addHandler(handler)
    return log, stream


def test_messages_arguments_and_fields_are_redacted(log):
    logger, stream = log
    logger.info("call from %s", "+4721987654", extra={"caller": "+15551234567"})
    assert stream.getvalue() == "call from +…54 +…67\n"


def test_an_error_is_told_without_words_that_may_be_a_callers(log):
    logger, stream = log
    try:
        try:
            {}["my name is Pat"]
        except KeyError as error:
            raise AgentError("the model is gone, 15551234567") from error
    except AgentError:
        logger.exception("call: lost")
    told = stream.getvalue()
    assert "Pat" not in told.replace('{}["my name is Pat"]', "")
    assert "KeyError\n" in told
    assert "AgentError: the model is gone, …67" in told
    assert told.count("Traceback") == 2


def test_every_error_of_a_group_is_told(log):
    logger, stream = log
    try:
        raise ExceptionGroup("two", [ValueError("I am Pat"), OSError("disk full")])
    except ExceptionGroup:
        logger.exception("call: lost")
    told = stream.getvalue()
    assert "I am Pat" not in told.replace('ValueError("I am Pat")', "")
    assert "OSError: disk full" in told
    assert "ValueError\n" in told
