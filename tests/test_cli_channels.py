"""``asterisk-agent channels``: the table, its JSON, and changes to channels.yaml."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hours_config import MONDAY_10, Run, runner

from asterisk_agent.cli import channels, moment  # noqa: F401 - it registers
from asterisk_agent.overrides import Override, OverrideState, write


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(tmp_path, monkeypatch)


@pytest.fixture
def file(tmp_path: Path, run: Run) -> Path:
    return tmp_path / "etc" / "channels.yaml"


def test_the_json(run: Run) -> None:
    front, night, always = json.loads(run("channels", "--json").stdout)
    assert front == {
        "id": "front",
        "numbers": ["+15550100", "200"],
        "label": "Front desk",
        "workspace": "inbox",
        "agent": True,
        "hours": "office",
        "state": "open",
        "because": "hours of mon 08:00-12:00",
        "until": "2026-06-01T16:00:00+00:00",
        "people_first": False,
        "handoff": ["desk", "store"],
        "minutes": None,
        "ceiling": None,
        "spent": False,
    }
    assert (night["state"], night["people_first"]) == ("closed", True)
    assert (always["agent"], always["hours"], always["until"]) == (False, None, None)


def test_the_table(run: Run) -> None:
    head, *rows = run("channels").stdout.splitlines()
    assert head.split()[:4] == ["number", "label", "workspace", "agent"]
    text = "\n".join(rows)
    for word in ("+15550100", "200", "300", "400", "Front", "office", "always", "desk", "store"):
        assert word in text
    assert text.split("400")[1].split()[:3] == ["always", "inbox", "off"]
    assert "12:00" in text
    assert "…" not in text


def test_a_state_by_hand(run: Run, tmp_path: Path) -> None:
    until = MONDAY_10 + timedelta(days=30)
    write(tmp_path / "data" / "overrides", "front", Override(OverrideState.PEOPLE, until))
    front, *_ = json.loads(run("channels", "--json").stdout)
    assert (front["state"], front["people_first"]) == ("open", True)
    assert front["until"] == until.isoformat()
    table = run("channels").stdout
    assert "people" in table
    assert "2026-07-01" in table


def test_a_holiday(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moment, "now", lambda: datetime(2026, 6, 3, 14, tzinfo=UTC))
    front, *_ = json.loads(run("channels", "--json").stdout)
    assert front["state"] == "holiday"
    assert "A day with a name" in front["because"]


def test_unassign_and_assign(run: Run, file: Path) -> None:
    before = file.read_text()
    result = run("channels", "unassign", "15550100", "300")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "front: people answer from the next reload on",
        "night: people answer from the next reload on",
        f"now run: asterisk-agent reload --config {file.parent}",
    ]
    assert [c["agent"] for c in json.loads(run("channels", "--json").stdout)] == [False] * 3
    assert file.read_text() == before.replace(
        '    number: ["+15550100", "200"]\n', '    number: ["+15550100", "200"]\n    agent: off\n'
    ).replace('    number: "300"\n', '    number: "300"\n    agent: off\n')
    assert file.with_name("channels.yaml.bak").read_text() == before
    assert run("channels", "assign", "+400").stdout.startswith("always: the agent answers from")
    assert [c["agent"] for c in json.loads(run("channels", "--json").stdout)] == [
        False,
        False,
        True,
    ]


def test_already_so(run: Run, file: Path) -> None:
    before = file.read_text()
    result = run("channels", "assign", "200", "front")
    assert (result.exit_code, result.stdout) == (0, "front: the agent answers already\n")
    assert file.read_text() == before


def test_the_json_of_a_change(run: Run) -> None:
    found = json.loads(run("channels", "unassign", "300", "400", "--json").stdout)
    assert found == {"agent": False, "changed": ["night"], "already": ["always"]}


@pytest.mark.parametrize("command", ["assign", "unassign"])
def test_an_unknown_number(run: Run, file: Path, command: str) -> None:
    before = file.read_text()
    result = run("channels", command, "300", "999")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "asterisk-agent: no channel has the number 999",
        "  known: +15550100, 200 (front); 300 (night); 400 (always)",
    ]
    assert file.read_text() == before


def test_an_invalid_configuration_is_not_changed(run: Run, file: Path) -> None:
    file.write_text(file.read_text().replace("hours: late", "hours: lte"))
    before = file.read_text()
    result = run("channels", "unassign", "200")
    assert result.exit_code == 1
    assert 'channels.night.hours: "lte" is not one of the hours' in result.stderr
    assert file.read_text() == before


def test_a_change_that_would_be_invalid(run: Run, file: Path) -> None:
    """Where nobody can be reached, the agent may not be given the calls: whom would it ask?"""
    text = file.read_text().replace("    in_hours: {handoff: desk, un", "    in_hours: {un")
    file.write_text(text)
    result = run("channels", "assign", "400")
    assert result.exit_code == 1
    assert "channels.always.in_hours.handoff: expected at least one team" in result.stderr
    assert file.read_text() == text


@pytest.mark.parametrize("arguments", [(), ("assign",), ("unassign",)])
def test_help(run: Run, arguments: tuple[str, ...]) -> None:
    result = run("channels", *arguments, "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout
