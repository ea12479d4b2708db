"""``asterisk-agent override``: what it writes, for how long, and what it refuses."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hours_config import Run, runner

from asterisk_agent.cli import moment
from asterisk_agent.overrides import Override, OverrideState, read


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(tmp_path, monkeypatch)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data" / "overrides"


def told(run: Run, *arguments: str) -> dict[str, dict[str, Any]]:
    result = run("override", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return {channel["channel"]: channel for channel in json.loads(result.stdout)["channels"]}


@pytest.mark.parametrize("state", OverrideState)
def test_until_each_channels_next_scheduled_change(run: Run, directory: Path, state: str) -> None:
    assert set(told(run, state)) == {"front", "night", "always"}
    ends = {
        "front": datetime(2026, 6, 1, 16, 0, tzinfo=UTC),  # noon in New York
        "night": datetime(2026, 6, 5, 16, 30, tzinfo=UTC),  # Friday 22:00 in Kolkata
        "always": None,  # no change is scheduled
    }
    for channel, until in ends.items():
        assert read(directory, channel) == Override(OverrideState(state), until)


@pytest.mark.parametrize(
    ("until", "front", "night"),
    [
        ("18:00", "2026-06-01T22:00", "2026-06-02T12:30"),  # in Kolkata it is 19:30 already
        ("2026-12-24 12:00", "2026-12-24T17:00", "2026-12-24T06:30"),
        ("2026-12-24T12:00Z", "2026-12-24T12:00", "2026-12-24T12:00"),
    ],
)
def test_until_a_time_of_the_channels_zone(
    run: Run, directory: Path, until: str, front: str, night: str
) -> None:
    told(run, "closed", "--until", until, "--channel", "front", "--channel", "night")
    for channel, utc in (("front", front), ("night", night)):
        end = datetime.fromisoformat(f"{utc}+00:00")
        assert read(directory, channel) == Override(OverrideState.CLOSED, end)
    assert read(directory, "always") is None


def test_permanent_and_reset(run: Run, directory: Path) -> None:
    told(run, "people", "--permanent", "--channel", "front")
    assert read(directory, "front") == Override(OverrideState.PEOPLE)
    told(run, "closed", "--permanent", "--channel", "always")
    answer = told(run, "reset", "--channel", "front")
    assert answer["front"]["override"] is None
    assert read(directory, "front") is None
    assert told(run)["always"]["override"] == "closed"
    assert [channel["override"] for channel in told(run, "reset").values()] == [None] * 3
    assert run("override", "reset").exit_code == 0


def test_what_is_in_force_as_json(run: Run) -> None:
    told(run, "closed", "--until", "11:00", "--channel", "front")
    assert told(run, "--channel", "front") == {
        "front": {
            "channel": "front",
            "override": "closed",
            "override_until": "2026-06-01T15:00:00+00:00",
            "state": "closed",
            "because": "override: closed until 2026-06-01 11:00 EDT",
            "until": "2026-06-01T15:00:00+00:00",
        }
    }
    assert told(run)["always"] == {
        "channel": "always",
        "override": None,
        "override_until": None,
        "state": "open",
        "because": "no hours are set, so always open",
        "until": None,
    }


def test_what_is_in_force_in_words(run: Run) -> None:
    run("override", "people", "--until", "18:00", "--channel", "front")
    assert run("override").stdout.splitlines() == [
        "front: open until Mon 2026-06-01 18:00 EDT: "
        "override: people answer until 2026-06-01 18:00 EDT",
        "night: closed until Fri 2026-06-05 22:00 IST: mon 19:30 is outside hours",
        "always: open: no hours are set, so always open",
    ]


def test_an_override_that_is_over_is_not_in_force(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(run, "closed", "--until", "11:00")
    monkeypatch.setattr(moment, "now", lambda: datetime(2026, 6, 1, 15, 0, tzinfo=UTC))
    assert told(run)["front"]["override"] is None


@pytest.mark.parametrize(
    ("arguments", "problem", "hint"),
    [
        (
            ["open", "--channel", "frnt"],
            "there is no channel 'frnt'",
            "known: front, night, always",
        ),
        (["--channel", "[b]"], "there is no channel '[b]'", "known: front"),
        (["reset", "--channel", "x"], "there is no channel 'x'", "known: front"),
        (["open", "--until", "2026-06-01 09:59"], "'2026-06-01 09:59' is past", "a time to come"),
        (["open", "--until", "2026-06-01 10:00"], "'2026-06-01 10:00' is past", "a time to come"),
        (["open", "--until", "soon"], "'soon' is not a time", "write 18:00"),
        (["open", "--until", "18:00", "--permanent"], "exclude each other", "one of them"),
    ],
)
def test_what_is_refused_changes_nothing(
    run: Run, directory: Path, arguments: list[str], problem: str, hint: str
) -> None:
    result = run("override", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert problem in result.stderr
    assert hint in result.stderr
    assert not directory.exists()


def test_a_time_that_is_past_for_one_channel_changes_none(run: Run, directory: Path) -> None:
    """15:00 of this Monday is to come in New York, and past in Kolkata."""
    result = run("override", "open", "--until", "2026-06-01 15:00")
    assert result.exit_code == 1
    assert not directory.exists()


@pytest.mark.parametrize("arguments", [("open",), ("reset", "--channel", "front")])
def test_a_directory_that_cannot_be_written(
    run: Run, directory: Path, arguments: tuple[str, ...]
) -> None:
    directory.parent.mkdir()
    directory.write_text("a file in its place")
    result = run("override", *arguments)
    assert result.exit_code == 1
    assert "overrides cannot be written" in result.stderr
    assert "as the user of the service" in result.stderr
