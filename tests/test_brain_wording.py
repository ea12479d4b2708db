"""Whose words: by the configuration, or by what was measured on this machine."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from brain_fakes import EXAMPLE, ScriptedModel, WordEmbedder
from typer.testing import CliRunner

from asterisk_agent.brain.wording import FILE, Score, compare, store, wording
from asterisk_agent.cli import evaluate
from asterisk_agent.cli.app import app
from asterisk_agent.cli.main import gather
from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Config
from asterisk_agent.engines import loader
from asterisk_agent.errors import AgentError

assert evaluate  # importing it registers its command

NOW = datetime(2026, 3, 11, tzinfo=UTC)
OWN = Score(0, 0.95, 60)
BETTER = Score(0, 0.96, 900, 0.5)


def config(tmp_path: Path, **llm: Any) -> Config:
    """The example, with its state in a folder of the test's."""
    loaded = load(EXAMPLE)
    engines = loaded.engines.model_copy(
        update={"llm": loaded.engines.llm.model_copy(update={"answers": "auto", **llm})}
    )
    return loaded.model_copy(update={"engines": engines, "state": str(tmp_path)})


@pytest.mark.parametrize(
    ("generative", "why"),
    [
        (Score(1, 1.0, 900, 0.5), "1 wrong"),
        (Score(0, 0.94, 900, 0.5), "94.0% right"),
        (Score(0, 0.99, 2500, 0.5), "2500 ms"),
        (Score(0, 0.95, 900, 0.1), "10% of the answers"),
    ],
)
def test_a_model_must_be_worth_it(generative: Score, why: str) -> None:
    found = compare(OWN, generative, "m")
    assert not found.generative
    assert why in found.why


def test_a_model_that_is_better_words_the_answers() -> None:
    assert compare(OWN, BETTER, "m").kind == "generative"


@pytest.mark.parametrize(("answers", "generative"), [("generative", True), ("extractive", False)])
def test_who_decides_is_obeyed(tmp_path: Path, answers: str, generative: bool) -> None:
    assert wording(config(tmp_path, answers=answers)).generative is generative
    assert not wording(config(tmp_path, engine="none")).generative


def test_a_result_holds_for_its_model_documents_and_version(tmp_path: Path) -> None:
    here = config(tmp_path)
    assert "not measured here" in wording(here).why
    assert store(here, OWN, BETTER, NOW).generative
    assert wording(here).generative
    assert "another model" in wording(config(tmp_path, model="qwen2.5-1.5b-instruct")).why
    other = here.model_copy(update={"directory": tmp_path})  # other documents: none
    assert not wording(other).generative


@pytest.mark.parametrize("written", ["", "[]", "{}", '{"key": 1, "extractive": {}}', "\0"])
def test_a_damaged_result_is_none(tmp_path: Path, written: str) -> None:
    here = config(tmp_path)
    store(here, OWN, BETTER, NOW)
    (tmp_path / FILE).write_text(written)
    assert "not measured here" in wording(here).why
    scored = {"wrong": "0", "right": 1, "p95_ms": 1, "worded": 1}
    damaged = {"key": "k", "extractive": scored, "generative": scored}
    (tmp_path / FILE).write_text(json.dumps(damaged))
    assert "not measured here" in wording(here).why


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AgentError, match="cannot be written"):
        store(config(tmp_path / "file"), OWN, BETTER, NOW)


def test_the_command_measures_both_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model's one answer is in other words than the document's, and right."""
    monkeypatch.setenv("ASTERISK_AGENT_DATA", str(tmp_path))
    monkeypatch.setattr(loader, "load_embedder", lambda _: WordEmbedder())
    monkeypatch.setattr(loader, "load_model", lambda *_: ScriptedModel("The visit costs $89."))
    questions = tmp_path / "questions.yaml"
    questions.write_text('answerable:\n  - {q: "how much is the call-out fee", facts: ["$89"]}\n')
    gather()  # a lone command would be the whole program
    command = ["evaluate", str(questions), "--config", str(EXAMPLE), "--compare", "--json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["wording"]["kind"] == "generative"
    stored = json.loads((tmp_path / FILE).read_text())
    assert (stored["extractive"]["worded"], stored["generative"]["worded"]) == (0.0, 1.0)
    refused = CliRunner().invoke(app, [*command, "--speech"])
    assert refused.exit_code == 1
    assert "--compare is by text" in refused.stderr
