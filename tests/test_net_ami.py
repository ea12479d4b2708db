"""What may stand in a manager action's header."""

from collections import deque

import pytest

from asterisk_agent.errors import AsteriskError
from asterisk_agent.net.ami import (
    MAX_LINE,
    MAX_UNREAD,
    AsteriskManager,
    Headers,
    Protocol,
    check_header,
)


class FakeTransport:
    """What a protocol needs of a connection."""

    aborted = False

    def write(self, data: bytes) -> None:
        """Nobody reads it."""

    def abort(self) -> None:
        self.aborted = True


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "\r\nAction: Originate"])
def test_a_line_break_or_nul_is_refused_in_key_and_value(bad: str) -> None:
    with pytest.raises(AsteriskError, match="line break or NUL"):
        check_header("Channel", f"PJSIP/101{bad}")
    with pytest.raises(AsteriskError, match="line break or NUL"):
        check_header(f"Channel{bad}", "PJSIP/101")


def test_a_header_fits_a_line_in_bytes() -> None:
    longest = MAX_LINE - len("Key: ")
    check_header("Key", "x" * longest)
    check_header("Key", "")
    with pytest.raises(AsteriskError, match="longer than"):
        check_header("Key", "x" * (longest + 1))
    with pytest.raises(AsteriskError, match="longer than"):
        check_header("Key", "å" * (longest // 2 + 1))


async def test_an_action_is_checked_first_and_needs_a_connection() -> None:
    manager = AsteriskManager("127.0.0.1", 5038, "agent", "secret")
    assert not manager.connected
    with pytest.raises(AsteriskError, match="line break"):
        await manager.action("Redirect", Exten="1\nAction: Command")
    with pytest.raises(AsteriskError, match="not connected") as raised:
        await manager.action("Ping")
    assert "manager.conf" in raised.value.hint


def connected(seen: list[Headers]) -> tuple[Protocol, FakeTransport]:
    manager = AsteriskManager("127.0.0.1", 5038, "agent", "secret", seen.append)
    protocol, transport = Protocol(), FakeTransport()
    protocol.connection_made(transport)
    protocol.queue, protocol.factory = deque(), manager._manager
    return protocol, transport


def test_a_flood_without_an_end_of_message_ends_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    protocol, transport = connected([])
    for _ in range(MAX_UNREAD // 65_536 + 1):
        protocol.data_received(b"x" * 65_536)
    assert transport.aborted
    assert sum(map(len, protocol.queue)) <= MAX_UNREAD
    assert "without an end of message" in caplog.text


@pytest.mark.parametrize(
    "twice", ["Event: a\r\nEvent: b", "Event: a\r\nActionID: 1\r\nActionID: 2"]
)
def test_of_a_header_that_comes_twice_the_first_counts(twice: str) -> None:
    seen: list[Headers] = []
    protocol, transport = connected(seen)
    protocol.data_received(f"{twice}\r\nX: 1\r\nX: 2\r\n\r\n".encode())
    assert not transport.aborted
    assert [(event["event"], event["x"]) for event in seen] == [("a", "1")]


async def test_a_message_without_sense_ends_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    protocol, transport = connected([])
    protocol.send({"Action": "CoreShowChannels", "ActionID": "1"}, as_list=None)
    protocol.data_received(
        b"Response: Success\r\nActionID: 1\r\nMessage: successfully queued\r\n\r\n"
    )
    assert transport.aborted
    assert "KeyError" in caplog.text
