"""Log lines for people, and for systemd's journal."""

import logging
import os
import socket
import struct
from pathlib import Path

import pytest

from asterisk_agent import logs


def record(message="call: %s", *values, **extra) -> logging.LogRecord:
    made = logging.LogRecord("agent.x", logging.WARNING, "f", 1, message, values, None)
    vars(made).update(extra)
    return made


def test_values_stand_behind_a_constant_message():
    line = logs.Fields("%(levelname)s %(message)s").format(record("call: %s", "over", call="ab"))
    assert line == "WARNING call: over call=ab"


def test_the_same_again_and_again_is_written_seldom():
    seldom = logs.Seldom(seconds=10)
    flood = [record(f"no descriptor left\nsocket: {n}", created=100.0 + n / 20) for n in range(100)]
    assert [seldom.filter(line) for line in flood] == [True] + 99 * [False]
    assert seldom.filter(record("something else", created=105.0))
    later = record("no descriptor left\nsocket: 7", created=110.0)
    assert seldom.filter(later)
    assert later.left_out == 99
    assert not seldom.filter(record("no descriptor left", created=111.0))
    assert seldom.filter(record("no descriptor left", created=50.0)), "the clock was set back"


def fields(data: bytes) -> dict[str, str]:
    """The journal's native protocol, read back."""
    found = {}
    while data:
        key, _mark, rest = data.partition(b"\n")
        if b"=" in key:
            name, _, value = key.partition(b"=")
            data = rest
        else:
            (length,) = struct.unpack("<Q", rest[:8])
            name, value, data = key, rest[8 : 8 + length], rest[8 + length + 1 :]
        found[name.decode()] = value.decode()
    return found


@pytest.fixture
def journal(tmp_path: Path):
    path = tmp_path / "journal"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.settimeout(5)
        yield path, receiver


def test_each_value_is_a_field_of_the_journal(journal):
    path, receiver = journal
    handler = logs.Journal(str(path))
    handler.emit(record("call: over", call="ab-cd", to="a\nMESSAGE=forged"))
    handler.close()
    found = fields(receiver.recv(65_536))
    assert found["AGENT_CALL"] == "ab-cd"
    assert found["AGENT_TO"] == "a\nMESSAGE=forged"
    assert found["MESSAGE"].startswith("call: over call=ab-cd")
    assert (found["PRIORITY"], found["SYSLOG_IDENTIFIER"]) == ("4", "asterisk-agent")


def test_a_journal_that_is_gone_leaves_standard_error(tmp_path, capsys):
    handler = logs.Journal(str(tmp_path / "none"))
    handler.emit(record("call: over"))
    handler.close()
    assert capsys.readouterr().err == "WARNING call: over\n"


def test_the_journal_is_used_where_standard_error_is_it(monkeypatch):
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    assert not logs._is_journal()

    status = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    assert logs._is_journal()


def test_what_a_stranger_sent_begins_no_line_of_its_own():
    told = record("call: %s", "a\r\n2026 ERROR forged\x1b[2J", call="x\ny\u2028z")
    line = logs.Fields("%(levelname)s %(message)s").format(told)
    assert line == "WARNING call: a\\r\\n2026 ERROR forged\\x1b[2J call=x\\ny\\u2028z"


def test_a_traceback_keeps_its_lines():
    told = record("broke")
    told.exc_text = "Traceback\n  line\nValueError"
    line = logs.Fields("%(message)s").format(told)
    assert line.splitlines() == ["broke", "Traceback", "  line", "ValueError"]


def test_nobody_waits_for_a_reader_that_has_stopped():
    reader, writer = os.pipe()
    with open(writer, "w") as stream, open(reader, "rb") as read:
        handler = logging.StreamHandler(logs.Patient(stream))
        for _ in range(3000):
            handler.emit(record("x" * 100))
        taken = os.read(read.fileno(), 1 << 20)
        assert 4096 <= len(taken) <= 1 << 17
        handler.emit(record("read again"))
        assert os.read(read.fileno(), 1 << 20) == b"read again\n"
