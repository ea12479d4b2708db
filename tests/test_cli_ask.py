from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from brain_fakes import EXAMPLE, ScriptedModel, WordEmbedder
from click.testing import Result
from typer.testing import CliRunner

from asterisk_agent.cli import ask, models
from asterisk_agent.cli.app import app
from asterisk_agent.engines import choose, loader
from asterisk_agent.errors import EngineError

assert ask, models  # importing them registers their commands

FEE = "How much is the call-out fee?"


@pytest.fixture(autouse=True)
def _no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTERISK_AGENT_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(loader, "load_embedder", lambda _: WordEmbedder())

    def load_model(*_: object) -> None:
        raise AssertionError("the language model is not needed")

    monkeypatch.setattr(loader, "load_model", load_model)


def run(*arguments: str, stdin: str | bytes | None = None, config: Path = EXAMPLE) -> Result:
    return CliRunner().invoke(app, ["ask", "--config", str(config), *arguments], input=stdin)


def answers(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_has_the_keys_that_other_programs_rely_on() -> None:
    (reply,) = answers(run(FEE, "--channel", "support", "--json"))
    assert reply["answer"].startswith("A visit costs $89.")
    assert reply["action"] == "answer"
    assert reply["team"] is None
    assert reply["source"] == {"file": "support/prices.md", "heading": FEE}
    assert 0.6 < reply["confidence"] <= 1
    assert set(reply["ms"]) == {"retrieve", "model", "total"}
    assert reply["ms"]["total"] >= reply["ms"]["retrieve"] > 0


def test_the_first_channel_is_the_default() -> None:
    (reply,) = answers(run("can I get a copy of my invoice", "--json"))
    assert reply["source"] is None  # it stands in other documents than these
    (reply,) = answers(run("can I get a copy of my invoice", "--json", "--channel", "billing"))
    assert reply["source"]["file"] == "billing/invoices.yaml"


def test_a_person_reads_the_answer_and_where_it_is_from() -> None:
    result = run(FEE)
    assert result.exit_code == 0
    assert result.stdout.startswith("A visit costs $89.")
    assert f"(answer, support/prices.md > {FEE}, " in result.stdout
    assert "handoff, team billing," in run("my invoice is wrong").stdout


def test_a_question_a_line_each_on_its_own() -> None:
    lines = f"{FEE}\r\n\nsay that again\n".encode() + b"na\xefve \xff zzz qqq vvv\n"
    found = answers(run("-", "--json", stdin=lines))
    assert [reply["action"] for reply in found] == ["answer", "clarify", "clarify", "handoff"]


def test_no_lines_no_answers() -> None:
    assert answers(run("-", "--json", stdin="")) == []


def test_a_session_remembers(tmp_path: Path) -> None:
    session = str(tmp_path / "talk.jsonl")
    (first,) = answers(run(FEE, "--json", "--session", session))
    (second,) = answers(run("could you repeat that", "--json", "--session", session))
    assert (second["action"], second["answer"]) == ("repeat", first["answer"])
    assert second["source"] == first["source"]
    turns = [json.loads(line) for line in Path(session).read_text().splitlines()]
    assert [turn["who"] for turn in turns] == ["caller", "agent"] * 2


def test_lines_of_a_session_are_one_conversation(tmp_path: Path) -> None:
    lines = f"{FEE}\nsay that again\n"
    found = answers(run("-", "--json", "--session", str(tmp_path / "talk"), stdin=lines))
    assert [reply["action"] for reply in found] == ["answer", "repeat"]


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"who": "dog", "text": "a"}',
        '{"who": "agent"}',
        '{"who": "agent", "text": "a", "action": "x"}',
        '{"who": "agent", "text": "a", "source": 3}',
    ],
)
def test_a_file_that_is_no_session(tmp_path: Path, content: str) -> None:
    session = tmp_path / "talk"
    session.write_text('{"who": "caller", "text": "hi"}\n' + content)
    result = run(FEE, "--session", str(session))
    assert result.exit_code == 1
    assert f"{session}:2: no turn of a conversation" in result.stderr
    assert "remove the file" in result.stderr
    assert session.read_text().endswith(content), "nothing is added to it"


def test_a_session_that_cannot_be_written(tmp_path: Path) -> None:
    result = run(FEE, "--session", str(tmp_path / "missing" / "talk"))
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_an_unknown_channel() -> None:
    result = run(FEE, "--channel", "sales")
    assert result.exit_code == 1
    assert "no channel is called 'sales'" in result.stderr
    assert "channels are support, billing" in result.stderr


def test_a_configuration_that_is_none(tmp_path: Path) -> None:
    result = run(FEE, config=tmp_path)
    assert result.exit_code == 1
    assert "agent.yaml" in result.stderr


def configured(directory: Path, llm: str) -> Path:
    """The example with other answers."""
    copy = directory / "etc"
    copy.mkdir()
    for file in EXAMPLE.iterdir():
        if file.name != "agent.yaml":
            (copy / file.name).symlink_to(file)
    agent = (EXAMPLE / "agent.yaml").read_text()
    assert "answers: auto" in agent
    (copy / "agent.yaml").write_text(agent.replace("answers: auto", llm))
    return copy


def test_generative_answers_load_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "load_model", lambda *_: ScriptedModel("The visit costs $89."))
    config = configured(tmp_path, "answers: generative")
    (reply,) = answers(run(FEE, "--json", config=config))
    assert reply["answer"] == "The visit costs $89."


def test_auto_says_why_it_does_without(tmp_path: Path) -> None:
    config = configured(tmp_path, "answers: auto")
    (reply,) = answers(run(FEE, "--json", config=config))
    assert reply["wording"]["kind"] == "extractive"
    assert "evaluate --compare" in reply["wording"]["why"]


def test_auto_does_without_a_model_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def folder_of(name: str) -> Path:
        raise EngineError("model is missing")

    monkeypatch.setattr(choose, "folder_of", folder_of)
    assert answers(run(FEE, "--json"))[0]["action"] == "answer"


def test_extractive_answers_never_look_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(choose, "folder_of")
    config = configured(tmp_path, "answers: extractive")
    assert answers(run(FEE, "--json", config=config))[0]["action"] == "answer"
