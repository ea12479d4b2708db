"""Times as operators write them, on days when the clock changes too."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from asterisk_agent.cli import moment
from asterisk_agent.errors import AgentError

NEW_YORK = ZoneInfo("America/New_York")
SPRING = datetime(2026, 3, 7, 17, 0, tzinfo=UTC)  # Saturday, 12:00; the clock jumps that night


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("18:00", "2026-03-07T23:00"),
        ("12:00", "2026-03-08T16:00"),  # this very minute is past: tomorrow, by summer time
        ("12:01", "2026-03-07T17:01"),
        ("2:30", "2026-03-08T07:30"),  # skipped: what a clock that was not put on would show
        (" 2026-11-01 01:30 ", "2026-11-01T05:30"),  # twice: the first
        ("2026-11-01T01:30-05:00", "2026-11-01T06:30"),
        ("2026-12-24", "2026-12-24T05:00"),
        ("2026-12-24T12:00:30Z", "2026-12-24T12:00:30"),
    ],
)
def test_parse(text: str, utc: str) -> None:
    assert moment.parse(text, SPRING, NEW_YORK) == datetime.fromisoformat(f"{utc}+00:00")


@pytest.mark.parametrize(
    "text", ["24:00", "1:2", "x" * 1000, "\u0661\u0668:\u0660\u0660", "0001-01-01T00:00+14:00"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(AgentError) as error:
        moment.parse(text, SPRING, NEW_YORK)
    assert len(str(error.value)) < 100


def test_shown_and_now() -> None:
    assert moment.shown(SPRING, NEW_YORK) == "Sat 2026-03-07 12:00 EST"
    assert moment.now().tzinfo is UTC
