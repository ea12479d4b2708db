"""``calls`` and ``stats``: the log in the terminal, and what is done to it."""

import json
from datetime import UTC, datetime

import pytest
import yaml
from hours_config import FILES
from test_records import full_story, story
from typer.testing import CliRunner

from asterisk_agent.cli import main, moment
from asterisk_agent.cli.app import app
from asterisk_agent.records import WAITING_ROOM, CallLog, recorder

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
EVIL = "\x1b[31mred\x07 [bold]\x9b"


@pytest.fixture(autouse=True)
def _now(monkeypatch):
    monkeypatch.setattr(moment, "now", lambda: NOW)


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "etc"
    (folder / "knowledge").mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    with (folder / "agent.yaml").open("a") as file:
        file.write(f"records: {{database: 'sqlite:///{tmp_path}/calls.db'}}\n")
        file.write(f"state: {tmp_path}/data\n")
    return folder


@pytest.fixture
def log(site):
    log = CallLog(f"sqlite:///{site.parent}/calls.db")
    told = full_story()
    told.channel, told.caller = "front", "+15551234567"
    log.write(told.as_json())
    told = story(2)
    told.channel, told.outcome, told.ended = "front", "abandoned", NOW
    told.turns = full_story().turns[:1]
    told.turns[0].text = EVIL
    log.write(told.as_json())
    yield log
    log.close()


@pytest.fixture
def run(site, log):
    for name in main.COMMAND_MODULES:
        __import__(f"asterisk_agent.cli.{name}")

    def run(*words, status=0, **more):
        result = CliRunner().invoke(app, [*words, "--config", str(site)], **more)
        assert result.exit_code == status, result.output
        return result.output

    return run


def test_the_list_and_its_filters(run):
    listed = run("calls")
    assert "+15551234567" in listed
    assert "4:00" in listed
    assert "abandoned" in listed
    assert "+1555123" not in run("calls", "--outcome", "abandoned")
    assert "abandoned" not in run("calls", "--search", "visit", "--channel", "front")
    to_do = run("calls", "--tasks")
    assert "call back" in to_do
    assert "Call me" in to_do
    assert "00000000" in to_do
    assert "answered" not in run("calls", "--since", "30m")
    found = json.loads(run("calls", "--search", "visit", "--json"))
    assert [call["outcome"] for call in found] == ["answered"]
    assert "1 of 2 calls" in run("calls", "--limit", "1")
    assert "there is no channel" in run("calls", "--channel", "nowhere", status=1)
    assert "is not a time" in run("calls", "--since", "yesterday", status=1)


def test_one_call_is_told_as_a_timeline(run):
    told = run("calls", "show", "00000000-0000-0001")
    for words in (
        "from +15551234567",
        "1.00  caller How much is a visit?",
        "3.50  agent  It's $89.  [0.81 s]  [cut short after 2.0 s]",
        "from a.md: Price",
        "4.00  → team:b: asked (CONTINUE)",
        "PJSIP/1 picked up after 8 s",
        "4.50  · the caller interrupts",
        "4.75  · key 0",
        "message  Call me",
        "answered (person)  to do: call back",
    ):
        assert words in told
    assert json.loads(run("calls", "show", "00000000-0000-0001", "--json"))["outcome"] == "answered"
    assert "no single call" in run("calls", "show", "0", status=1)


def test_a_callers_words_do_not_steer_the_terminal(run):
    told = run("calls", "show", "00000000-0000-0002")
    assert "[31mred  [bold]" in told
    assert not {"\x1b", "\x07", "\x9b"} & set(told)
    told = run("calls", "show", "00000000-0000-0002", "--json")
    assert not {"\x1b", "\x07", "\x9b"} & set(told)
    assert json.loads(told)["turns"][0]["text"] == EVIL


def test_a_caller_is_exported_and_erased(run, log, site):
    waiting = story(7).as_json() | {"caller": "+1 555 123 4567"}
    file = site.parent / "data" / WAITING_ROOM
    recorder.append(file, waiting)
    known = json.loads(run("calls", "export", "--caller", "15551234567"))
    assert len(known["calls"]) == 2
    assert "add --yes" in run("calls", "erase", "--caller", "+15551234567", status=1)
    assert log.search().total == 2
    assert "erased: 2 calls" in run("calls", "erase", "--caller", "+15551234567", "--yes")
    assert log.search().total == 1
    assert recorder.size_of(file) == 0
    assert json.loads(run("calls", "export", "--caller", "+15551234567"))["calls"] == []
    assert "no number" in run("calls", "erase", "--caller", "x", "--yes", status=1)


def test_stats_are_bars_and_numbers(run):
    told = run("stats")
    assert "2 calls since 2026-01-31" in told
    assert "█" in told
    assert "handed over" in told
    found = json.loads(run("stats", "--json", "--since", "7d"))
    assert found["outcomes"] == {"handed over": 1, "abandoned": 1}
    assert found["month"]["front"]["calls"] == 2
    assert "0 calls" in run("stats", "--since", "1m")


def test_a_log_that_is_not_there_is_not_made(run, log, site):
    log.close()
    (site.parent / "calls.db").unlink()
    assert "no call log" in run("calls", status=1)
    assert not (site.parent / "calls.db").exists()


def test_a_channel_whose_minutes_are_used_up(run, log, site):
    path = site / "channels.yaml"
    channels = yaml.safe_load(path.read_text())
    channels["channels"]["front"]["ceiling"] = {"minutes": 1}
    path.write_text(yaml.safe_dump(channels, sort_keys=False))
    (front, *_) = json.loads(run("channels", "--json"))
    assert (front["minutes"], front["ceiling"], front["spent"]) == (1.02, 1, True)
    assert "1 / 1" in run("channels")
    now = json.loads(run("route", "+15550100", "--json"))
    assert now["path"][0]["to"] == "team:desk"
    assert "used up" in now["path"][0]["when"]
    later = json.loads(run("route", "+15550100", "--json", "--at", "2026-04-01 10:00"))
    assert later["path"][0]["to"] == "agent"
