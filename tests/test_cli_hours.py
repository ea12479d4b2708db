"""``asterisk-agent hours``: the calendar as drawn, and as JSON."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hours_config import MONDAY_10, Run, runner

from asterisk_agent.cli import moment
from asterisk_agent.overrides import Override, OverrideState, write


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(tmp_path, monkeypatch)


def schedules(run: Run, *arguments: str) -> dict[str | None, dict[str, Any]]:
    result = run("hours", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return {one["schedule"]: one for one in json.loads(result.stdout)["schedules"]}


def test_a_week_drawn(run: Run) -> None:
    lines = run("hours", "--week", "--channel", "front").stdout.splitlines()
    assert lines == [
        "office (America/New_York): front",
        "  now open until Mon 2026-06-01 12:00 EDT: hours of mon 08:00-12:00",
        "                   0     6     12    18",
        "> Mon 2026-06-01   ········████·█████······  08:00-12:00 13:00-18:00",
        "  Tue 2026-06-02   ········████·█████······  08:00-12:00 13:00-18:00",
        "  Wed 2026-06-03   ························  holiday: A day with a name so long",
        "                                             that it does not stand in one line",
        "  Thu 2026-06-04   ········████·█████······  08:00-12:00 13:00-18:00",
        "  Fri 2026-06-05   ········████············  08:00-12:00, Short Friday",
        "  Sat 2026-06-06   ························  closed",
        "  Sun 2026-06-07   ························  closed",
    ]


def test_every_schedule_has_its_calendar(run: Run) -> None:
    text = run("hours").stdout
    assert max(map(len, text.splitlines())) <= 80
    blocks = [line for line in text.splitlines() if line[:1].isalpha()]
    assert blocks == [
        "no hours (America/New_York): always",
        "late (Asia/Kolkata): night",
        "office (America/New_York): front",
        "unused (America/New_York): no channel has these hours",
    ]
    assert "  Sat 2026-06-06   ██····················██  00:00-02:00 22:00-24:00" in text
    assert "  Sat 2026-06-06   ··········▄███··········  10:30-14:00" in text
    assert text.count("Mon ") - text.count("until Mon") == 3 * 4


def test_the_day_on_which_the_clock_changes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moment, "now", lambda: datetime(2026, 3, 6, 12, tzinfo=UTC))
    week = run("hours", "--week", "--channel", "front").stdout
    assert "  Sun 2026-03-08   ························  closed, clock 02:00 -> 03:00" in week
    assert week.count("clock") == 1
    monkeypatch.setattr(moment, "now", lambda: datetime(2026, 10, 30, 12, tzinfo=UTC))
    week = run("hours", "--week", "--channel", "front").stdout
    assert "  Sun 2026-11-01   ························  closed, clock 02:00 -> 01:00" in week
    (kolkata,) = schedules(run, "--weeks", "52", "--channel", "night").values()
    assert {day["clock_change"] for day in kolkata["days"]} == {None}


def test_the_json(run: Run) -> None:
    found = schedules(run, "--week")
    assert list(found) == [None, "late", "office", "unused"]
    office = found["office"]
    days = office.pop("days")
    assert office == {
        "schedule": "office",
        "timezone": "America/New_York",
        "channels": ["front"],
        "override": None,
        "override_until": None,
        "state": "open",
        "because": "hours of mon 08:00-12:00",
        "until": "2026-06-01T16:00:00+00:00",
        "today": "2026-06-01",
    }
    assert [day["date"] for day in days] == [f"2026-06-0{n}" for n in range(1, 8)]
    assert days[4] == {
        "date": "2026-06-05",
        "intervals": [["08:00", "12:00"]],
        "holiday": False,
        "name": "Short Friday",
        "clock_change": None,
    }
    assert (days[2]["holiday"], days[2]["intervals"]) == (True, [])
    assert found[None]["days"][0]["intervals"] == [["00:00", "24:00"]]
    assert found["unused"]["channels"] == []
    assert found["unused"]["until"] == "2026-06-06T14:30:00+00:00"


OPENED = ([["08:00", "24:00"]], [["00:00", "12:00"], ["13:00", "18:00"]])
SHUT = ([["08:00", "10:00"]], [["09:30", "12:00"], ["13:00", "18:00"]])


@pytest.mark.parametrize(
    ("state", "drawn"), [("open", OPENED), ("people", OPENED), ("closed", SHUT)]
)
def test_an_override_is_drawn_from_now_to_its_end(
    run: Run, tmp_path: Path, state: str, drawn: tuple[list[list[str]], ...]
) -> None:
    until = datetime(2026, 6, 2, 13, 30, tzinfo=UTC)
    write(tmp_path / "data" / "overrides", "front", Override(OverrideState(state), until))
    front = schedules(run, "--week", "--channel", "front")["office"]
    assert (front["override"], front["override_until"]) == (state, until.isoformat())
    assert [day["intervals"] for day in front["days"][:3]] == [*drawn, []]


def test_a_permanent_override_has_no_end_and_leaves_what_is_past(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "data" / "overrides", "always", Override(OverrideState.CLOSED))
    (always,) = schedules(run, "--weeks", "2", "--channel", "always").values()
    assert always["days"][0]["intervals"] == [["00:00", "10:00"]]
    assert {len(day["intervals"]) for day in always["days"][1:]} == {0}
    assert len(always["days"]) == 14
    drawn = run("hours", "--week", "--channel", "always").stdout
    assert "> Mon 2026-06-01   ██████████··············  00:00-10:00" in drawn


def test_channels_with_different_overrides_stand_apart(run: Run, tmp_path: Path) -> None:
    channels = tmp_path / "etc" / "channels.yaml"
    written = channels.read_text()
    channels.write_text(written.replace("hours: late", "hours: office"))
    together = json.loads(run("hours", "--json").stdout)["schedules"]
    assert ["front", "night"] in [one["channels"] for one in together]
    write(tmp_path / "data" / "overrides", "night", Override(OverrideState.CLOSED))
    apart = json.loads(run("hours", "--json").stdout)["schedules"]
    office = [one["channels"] for one in apart if one["schedule"] == "office"]
    assert office == [["front"], ["night"]]


def test_this_week_begins_on_monday(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(7):
        monkeypatch.setattr(moment, "now", lambda n=n: MONDAY_10 + timedelta(days=n))
        front = schedules(run, "--week", "--channel", "front")["office"]
        assert front["days"][0]["date"] == "2026-06-01"
        assert front["today"] == (date(2026, 6, 1) + timedelta(days=n)).isoformat()


def test_an_unknown_channel(run: Run) -> None:
    result = run("hours", "--channel", "x")
    assert result.exit_code == 1
    assert "there is no channel 'x'" in result.stderr
    assert "known: front, night, always" in result.stderr


def test_how_many_weeks(run: Run) -> None:
    assert len(schedules(run, "--weeks", "3")["office"]["days"]) == 21
    assert run("hours", "--weeks", "0").exit_code == 2
