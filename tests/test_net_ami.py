"""What may stand in a manager action's header."""

import pytest

from asterisk_agent.errors import AsteriskError
from asterisk_agent.net.ami import MAX_LINE, AsteriskManager, check_header


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
