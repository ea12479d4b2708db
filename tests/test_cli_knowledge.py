from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from brain_fakes import DATA, EXAMPLE
from typer.testing import CliRunner

import asterisk_agent.cli.evaluate
import asterisk_agent.cli.knowledge  # noqa: F401
from asterisk_agent.cli.app import app

RUN = CliRunner()
GARAGE = str(DATA / "garage")


def test_list() -> None:
    listed = RUN.invoke(app, ["knowledge", "list", "--config", GARAGE])
    assert listed.exit_code == 0
    assert "garage/work.md > Tyres  (" in listed.stdout
    assert "channel workshop" in listed.stdout
    written = json.loads(
        RUN.invoke(
            app, ["knowledge", "list", "--config", GARAGE, "--channel", "showroom", "--json"]
        ).stdout
    )
    assert {p["file"] for p in written["passages"]} == {"garage/visit.md", "sales/cars.md"}


@pytest.mark.models
def test_search_and_check() -> None:
    found = RUN.invoke(
        app, ["knowledge", "search", "how much is an MOT", "--config", GARAGE, "--json"]
    )
    hits = json.loads(found.stdout)["hits"]
    assert hits[0]["heading"] == "How much is an MOT?"
    assert hits[0]["confidence"] > hits[1]["confidence"]
    shown = RUN.invoke(app, ["knowledge", "search", "MOT", "--config", GARAGE, "--limit", "1"])
    assert "garage/work.md" in shown.stdout
    checked = RUN.invoke(
        app, ["knowledge", "check", "--config", str(EXAMPLE), "--questions",
              str(EXAMPLE / "questions.yaml")]
    )  # fmt: skip
    assert checked.exit_code == 0, checked.stdout
    assert "unanswered: how long has the company been around" in checked.stdout


@pytest.mark.models
def test_evaluate(tmp_path: Path) -> None:
    questions = {
        "answerable": [{"q": "how much is an MOT", "facts": ["£45"]}],
        "unanswerable": [{"q": "do you take bitcoin"}],
        "person": [{"q": "accounts please", "team": "sales"}],
    }
    file = tmp_path / "q.yaml"
    file.write_text(yaml.safe_dump(questions))
    command = ["evaluate", str(file), "--config", GARAGE]
    good = RUN.invoke(app, [*command, "--json", "--require", "right=100%,wrong=0"])
    assert good.exit_code == 0
    written = json.loads(good.stdout)
    assert written["figures"] == {
        "wrong": 0,
        "right": 1.0,
        "at_once": 1.0,
        "handed_over": 1.0,
        "person": 1.0,
        "team": 0.0,
    }
    bad = RUN.invoke(app, [*command, "--require", "team=0.5"])
    assert bad.exit_code == 1
    assert "FAILED: team is 0.0%, not 50.0%" in bad.stdout
    assert "other team person: accounts please" in bad.stdout
    assert RUN.invoke(app, [*command, "--require", "luck=1"]).exit_code == 1
    assert RUN.invoke(app, [*command, "--require", "right=lots"]).exit_code == 1


@pytest.mark.models
def test_evaluate_by_voice(tmp_path: Path) -> None:
    file = tmp_path / "q.yaml"
    file.write_text('person: [{q: "I would like to speak to a person"}]\n')
    command = ["evaluate", str(file), "--config", GARAGE, "--speech", "--json"]
    spoken = RUN.invoke(app, command)
    assert json.loads(spoken.stdout)["figures"]["person"] == 1.0
    assert json.loads(spoken.stdout)["delay_ms"]["p50"] > 20
    assert RUN.invoke(app, [*command, "--voice", "flite:nobody"]).exit_code == 1
