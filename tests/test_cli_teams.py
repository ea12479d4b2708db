"""``asterisk-agent teams``: who takes calls, and from where."""

import json
from pathlib import Path

import pytest
from hours_config import Run, runner

from asterisk_agent.cli import teams  # noqa: F401 - it registers


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(tmp_path, monkeypatch)


def test_the_json(run: Run) -> None:
    assert json.loads(run("teams", "--json").stdout) == [
        {
            "id": "desk",
            "label": "desk",
            "extension": "700",
            "existing": None,
            "members": ["PJSIP/701"],
            "mailbox": "700",
            "email": None,
            "channels": ["front", "night", "always"],
            "voicemail_of": ["front", "night", "always"],
        },
        {
            "id": "store",
            "label": "store",
            "extension": None,
            "existing": {"context": "ext-queues", "extension": "710"},
            "members": [],
            "mailbox": None,
            "email": None,
            "channels": ["front"],
            "voicemail_of": [],
        },
    ]


def test_the_table(run: Run) -> None:
    head, desk, *_, store = run("teams").stdout.splitlines()
    assert head.split() == ["id", "label", "extension", "phones", "mailbox", "callers", "from"]
    assert desk.split() == ["desk", "desk", "700", "PJSIP/701", "700", "front"]
    assert store.split() == ["store", "store", "710@ext-queues", "-", "-", "front"]


def test_a_mistake_in_the_configuration(run: Run, tmp_path: Path) -> None:
    (tmp_path / "etc" / "teams.yaml").write_text("teams: {}")
    result = run("teams")
    assert result.exit_code == 1
    assert "teams.yaml:1: teams: expected at least one, got none." in result.stderr
