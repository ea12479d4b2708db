"""``asterisk-agent route``: numbers, times, JSON and words."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hours_config import Run, runner

from asterisk_agent.overrides import Override, OverrideState, write

NEW_YORK_10 = "2026-06-01 10:00"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(tmp_path, monkeypatch)


def answers(run: Run, *arguments: str, stdin: str | None = None) -> list[dict[str, Any]]:
    result = run("route", *arguments, "--json", stdin=stdin)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_json_that_other_programs_rely_on(run: Run) -> None:
    (answer,) = answers(run, "+15550100", "--at", NEW_YORK_10)
    assert answer == {
        "channel": "front",
        "state": "open",
        "because": "hours of mon 08:00-12:00",
        "until": "2026-06-01T16:00:00+00:00",
        "path": [
            {"to": "agent", "when": "the call arrives: the agent answers", "seconds": 300},
            {
                "to": "team:desk",
                "when": "the agent can't help, or a person is asked for",
                "seconds": 90,
            },
            {"to": "team:store", "when": "nobody of desk answers in 90 s", "seconds": None},
            {
                "to": "on-call:front",
                "when": "an emergency, and no team answers",
                "seconds": 30,
            },
            {
                "to": "agent",
                "when": "nobody of store answers; it takes a message",
                "seconds": 300,
            },
            {"to": "voicemail:desk", "when": "the agent takes no message", "seconds": None},
        ],
    }


@pytest.mark.parametrize("number", ["+15550100", "15550100", "200", "+200"])
def test_a_number_with_or_without_plus(run: Run, number: str) -> None:
    assert answers(run, number, "--at", NEW_YORK_10)[0]["channel"] == "front"


@pytest.mark.parametrize("number", ["555", "", "front", "[red]"])
def test_an_unknown_number_lists_the_known_ones(run: Run, number: str) -> None:
    result = run("route", "--", number)
    assert result.exit_code == 1
    assert f"no channel has the number {number!r}" in result.stderr
    assert "known: +15550100 (front), 200 (front), 300 (night), 400 (always)" in result.stderr


@pytest.mark.parametrize(
    ("at", "state", "until"),
    [
        ("12:00", "closed", "2026-06-01T17:00:00+00:00"),  # still to come today
        ("9:59", "open", "2026-06-02T16:00:00+00:00"),  # tomorrow
        ("2026-06-01 12:00", "closed", "2026-06-01T17:00:00+00:00"),
        ("2026-06-01T15:59:59Z", "open", "2026-06-01T16:00:00+00:00"),
        ("2026-06-01T18:00+02:00", "closed", "2026-06-01T17:00:00+00:00"),
        ("2026-06-03 10:00", "holiday", "2026-06-04T04:00:00+00:00"),
        ("2026-06-05 11:00", "open", "2026-06-05T16:00:00+00:00"),
        ("2026-06-05 13:00", "closed", "2026-06-08T12:00:00+00:00"),
        ("2026-12-07", "closed", "2026-12-07T13:00:00+00:00"),
        ("2031-06-02 10:00", "open", "2031-06-02T16:00:00+00:00"),
    ],
)
def test_times(run: Run, at: str, state: str, until: str) -> None:
    (answer,) = answers(run, "200", "--at", at)
    assert (answer["state"], answer["until"]) == (state, until)


def test_times_are_those_of_the_channels_zone(run: Run) -> None:
    (late,) = answers(run, "300", "--at", "2026-06-06 01:30")
    assert (late["state"], late["until"]) == ("open", "2026-06-05T20:30:00+00:00")
    assert [step["to"] for step in late["path"]] == ["team:desk", "agent", "voicemail:desk"]
    (always,) = answers(run, "400", "--at", "2026-06-06 01:30")
    assert (always["state"], always["until"]) == ("open", None)
    assert always["because"] == "no hours are set, so always open"


def test_without_a_time_it_is_now(run: Run) -> None:
    (now,) = answers(run, "200", stdin="")
    assert now["because"] == "hours of mon 08:00-12:00"


@pytest.mark.parametrize(
    "at",
    ["25:00", "10:60", "noon", "", "2026-02-30", "1999-12-31", "9999-12-31T23:59-12:00", "[b]"],
)
def test_a_time_that_is_none(run: Run, at: str) -> None:
    result = run("route", "200", "--at", at)
    assert (result.exit_code, result.stdout) == (1, "")
    assert 'write 18:00, "2026-12-24 12:00" or 2026-12-24T12:00+01:00' in result.stderr


@pytest.mark.parametrize(
    "stdin",
    [
        "2026-06-01 10:00\n2026-06-01 12:00\n",
        "\n 2026-06-01 10:00\r\n\n2026-06-01T16:00Z",
        '["2026-06-01 10:00", "2026-06-01T12:00"]',
        '\n[\n"2026-06-01 10:00",\n"2026-06-01T12:00"\n]\n',
    ],
)
@pytest.mark.parametrize("at", [(), ("--at", "-")])
def test_many_times_from_standard_input(run: Run, stdin: str, at: tuple[str, ...]) -> None:
    found = answers(run, "200", *at, stdin=stdin)
    assert [answer["state"] for answer in found] == ["open", "closed"]


@pytest.mark.parametrize(
    ("stdin", "problem"),
    [
        ("", "holds no time"),
        ("\n\n", "holds no time"),
        ("[]", "holds no time"),
        ("2026-06-01 10:00\nx\n", "'x' is not a time"),
        ('["2026-06-01 10:00", 5]', "5 is not a time"),
        ('["2026-06-01 10:00"', "no JSON array"),
        ("[" * 100_000, "no JSON array"),
    ],
)
def test_a_list_with_a_mistake_answers_nothing(run: Run, stdin: str, problem: str) -> None:
    result = run("route", "200", "--json", "--at", "-", stdin=stdin)
    assert (result.exit_code, result.stdout) == (1, "")
    assert problem in result.stderr


def test_a_pipe_is_read_and_a_silent_one_is_not_waited_for(run: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "asterisk_agent.cli.main", "route", "200", "--json"]
    times = "".join(f"2026-06-01 {hour:02}:00\n" for hour in range(24))
    done = subprocess.run(command, input=times, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 24
    silent, writer = os.pipe()
    with os.fdopen(silent), os.fdopen(writer, "w"):
        done = subprocess.run(
            command, stdin=silent, capture_output=True, text=True, check=True, timeout=60
        )
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("health", "first"), [("up", "agent"), ("down", "team:desk"), ("full", "team:desk")]
)
def test_the_agents_health(run: Run, health: str, first: str) -> None:
    (answer,) = answers(run, "200", "--at", NEW_YORK_10, "--agent", health)
    assert answer["path"][0]["to"] == first
    assert run("route", "200", "--agent", "asleep").exit_code == 2


def test_an_override_counts_until_its_end(run: Run, tmp_path: Path) -> None:
    ends = datetime(2026, 6, 1, 15, 0, tzinfo=UTC)
    write(tmp_path / "data" / "overrides", "front", Override(OverrideState.CLOSED, ends))
    before, after = answers(
        run, "200", "--at", "-", stdin=f"{ends - timedelta(seconds=1)}\n{ends}\n"
    )
    assert (before["state"], after["state"]) == ("closed", "open")
    assert before["because"] == "override: closed until 2026-06-01 11:00 EDT"
    assert before["until"] == "2026-06-01T15:00:00+00:00"
    write(tmp_path / "data" / "overrides", "front", Override(OverrideState.CLOSED))
    (for_ever,) = answers(run, "200", "--at", "2030-06-03 10:00")
    assert (for_ever["state"], for_ever["until"]) == ("closed", None)


def test_in_words(run: Run) -> None:
    result = run("route", "200", "--at", NEW_YORK_10, "--agent", "down")
    assert result.stdout.splitlines() == [
        "200 (Front desk), Mon 2026-06-01 10:00 EDT",
        "open until Mon 2026-06-01 12:00 EDT: hours of mon 08:00-12:00",
        "  1. team:desk         90 s  the call arrives: the agent is down",
        "  2. team:store              nobody of desk answers in 90 s",
        "  3. voicemail:desk          nobody of store answers",
    ]
    always = run("route", "400", "--at", NEW_YORK_10).stdout
    assert "open: no hours are set, so always open" in always
    up = run("route", "200", "--at", NEW_YORK_10).stdout
    assert "  1. agent            5 min  the call arrives: the agent answers" in up
    assert max(map(len, up.splitlines())) <= 80
