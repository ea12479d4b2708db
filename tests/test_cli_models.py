"""``models list | pull | verify`` as an operator and a script see them."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from model_server import FileServer
from typer.testing import CliRunner

import asterisk_agent.cli.models  # noqa: F401 - registers the commands
from asterisk_agent.cli.app import app
from asterisk_agent.engines import catalogue
from asterisk_agent.engines.catalogue import Catalogue, Model

EXAMPLE = Path(__file__).parent.parent / "etc"
DATA = b"weights"


def entry(kind, engine, url):
    file = {"sha256": sha256(DATA).hexdigest(), "size": len(DATA)}
    about = {"kind": kind, "engine": engine, "languages": ["en"], "licence": "MIT"}
    return {**about, "files": {"w": file}, "sources": [{"url": url}]}


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("ASTERISK_AGENT_DATA", str(tmp_path))
    return tmp_path / "models"


@pytest.fixture
def server(monkeypatch, root):
    """Five models of which the first cannot be had."""
    with FileServer({"/w": DATA}) as server:
        good, gone = server.url + "/{file}", server.url + "/gone/{file}"
        models = {
            "vosk-model-small-en-us-0.15": entry("stt", "vosk", gone),
            "whisper-base": entry("stt", "whisper", good),
            "smollm2-135m-instruct": entry("llm", "llama", good),
            "en_US-joe-medium": entry("tts", "piper", good),
        }
        models["silero-vad-6.2"] = entry("vad", "silero", good)
        *ids, detector = models
        own = {"vad": [detector], "stt": ids[:2], "llm": ids[2:3], "tts": ids[3:]}
        defaults = {"en": own, "*": {}}
        known = Catalogue.model_validate({"models": models, "defaults": defaults})
        monkeypatch.setattr(catalogue, "read", lambda: known)
        yield server


def run(*arguments):
    return CliRunner().invoke(app, ["models", *arguments])


def states():
    listed = json.loads(run("list", "--json").stdout)["models"]
    return {model["id"]: model["state"] for model in listed}


def test_list_of_an_empty_machine(root):
    result = run("list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["MODEL", "KIND", "LANGUAGES", "SIZE", "LICENCE", "STATE"]
    assert "whisper-base                 stt    many          148 MB   MIT         missing" in lines
    assert lines[-1] == f"in {root}"


def test_list_as_json(root):
    result = json.loads(run("list", "--json").stdout)
    assert result["directory"] == str(root)
    whisper = next(model for model in result["models"] if model["id"] == "whisper-base")
    assert whisper == {
        "id": "whisper-base",
        "kind": "stt",
        "engine": "whisper",
        "languages": ["*"],
        "size": 147882941,
        "licence": "MIT",
        "state": "missing",
        "problems": [],
    }


def test_pull_takes_the_default_set_and_says_why_not_the_first(server):
    result = run("pull")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"silero-vad-6.2: installed from {server.url}",
        f"whisper-base: installed from {server.url}, in place of vosk-model-small-en-us-0.15",
        f"smollm2-135m-instruct: installed from {server.url}",
        f"en_US-joe-medium: installed from {server.url}",
    ]
    assert "answers 404" in result.stderr
    assert "taking whisper-base instead" in result.stderr
    assert states()["whisper-base"] == "installed"


def test_pull_goes_without_an_optional_model(server, monkeypatch):
    known = catalogue.read()
    gone = entry("embed", "minilm", server.url + "/gone/{file}")
    added = Model.model_validate({**gone, "id": "second", "optional": True})
    defaults = {**known.defaults, "en": {**known.defaults["en"], "embed": ("second",)}}
    models = {**known.models, "second": added}
    more = known.model_copy(update={"models": models, "defaults": defaults})
    monkeypatch.setattr(catalogue, "read", lambda: more)
    pulled = run("pull")
    assert (pulled.exit_code, "answers 404" in pulled.stderr) == (0, True)
    assert run("pull", "second").exit_code == 1  # who names it wants it


def test_pull_again_asks_nobody(server):
    run("pull")
    asked = len(server.requests)
    result = run("pull", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["already"] == [
        "silero-vad-6.2",
        "whisper-base",
        "smollm2-135m-instruct",
        "en_US-joe-medium",
    ]
    assert len(server.requests) == asked


def test_pull_by_name(server):
    result = run("pull", "en_US-joe-medium", "--json")
    assert json.loads(result.stdout) == {
        "pulled": [{"id": "en_US-joe-medium", "source": server.url}],
        "already": [],
        "failed": [],
    }


def test_pull_what_a_configuration_names(server):
    result = run("pull", "--config", str(EXAMPLE))
    assert result.exit_code == 0
    assert list(states().values()) == ["missing", *["installed"] * 4]


def test_pull_that_fails_goes_on_with_the_rest(server):
    result = run("pull", "vosk-model-small-en-us-0.15", "whisper-base", "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert [model["id"] for model in report["pulled"]] == ["whisper-base"]
    assert [model["id"] for model in report["failed"]] == ["vosk-model-small-en-us-0.15"]
    assert "no source gives it" in report["failed"][0]["problem"]


def test_pull_with_a_wrong_hash(server, root):
    server.files["/w"] = b"Weights"
    result = run("pull", "whisper-base")
    assert result.exit_code == 1
    assert sha256(DATA).hexdigest() in result.stderr
    assert sha256(b"Weights").hexdigest() in result.stderr
    assert not (root / "whisper-base").exists()


@pytest.mark.parametrize("command", ["pull", "verify"])
def test_unknown_model(root, command):
    result = run(command, "nope")
    assert result.exit_code == 1
    assert "no model 'nope'" in result.stderr
    assert "models list" in result.stderr


def test_verify_nothing(root):
    result = run("verify")
    assert result.exit_code == 1
    assert result.stdout == f"no model is installed in {root}\n"


def test_verify_whole_models(server):
    run("pull")
    result = run("verify")
    assert result.exit_code == 0
    assert "whisper-base: every byte is as published" in result.stdout


def test_verify_finds_a_changed_byte_and_pull_mends_it(server, root):
    run("pull")
    (root / "whisper-base" / "w").write_bytes(b"Weights")
    result = run("verify", "--json")
    assert result.exit_code == 1
    found = {model["id"]: model["state"] for model in json.loads(result.stdout)["models"]}
    assert found["whisper-base"] == "broken"
    assert "models pull whisper-base" in run("verify").stdout
    assert run("pull", "whisper-base").exit_code == 0
    assert run("verify").exit_code == 0


def test_verify_of_a_missing_model_by_name(root):
    result = run("verify", "whisper-base")
    assert result.exit_code == 1
    assert "whisper-base: missing. Hint: run: asterisk-agent models pull" in result.stdout


@pytest.mark.models
def test_the_default_models_of_this_machine_are_as_published():
    known = catalogue.read()
    for name in ("whisper-base", "smollm2-135m-instruct", "en_US-joe-medium"):
        result = run("verify", known[name].id)
        assert result.exit_code == 0, result.stdout
