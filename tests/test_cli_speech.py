"""``hear`` and ``say`` with the real models: what one says, the other hears."""

import json
import re

import pytest
from typer.testing import CliRunner

import asterisk_agent.cli.speech  # noqa: F401 - registers the commands
from asterisk_agent.audio import read_wav, write_wav
from asterisk_agent.cli.app import app


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def wav(tmp_path):
    return tmp_path / "f.wav"


@pytest.mark.models
def test_round_trip_over_a_telephone_line(wav):
    said = run("say", "How much does it cost to fix a leaking tap?", wav, "--rate", 8000, "--json")
    assert said.exit_code == 0, said.stderr
    report = json.loads(said.stdout)
    assert report["rate_hz"] == read_wav(wav)[1] == 8000
    assert 1.5 < report["seconds"]["audio"] < 5
    heard = run("hear", wav, "--json")
    assert heard.exit_code == 0, heard.stderr
    result = json.loads(heard.stdout)
    assert set(result) == {"text", "confidence", "engine", "seconds"}
    assert set(result["seconds"]) == {"audio", "compute"}
    words = re.findall(r"[a-z]+", result["text"].lower())
    assert words == ["how", "much", "does", "it", "cost", "to", "fix", "a", "leaking", "tap"]
    assert result["confidence"] > 0.5
    assert result["seconds"]["audio"] == report["seconds"]["audio"]
    assert result["seconds"]["compute"] > 0


@pytest.mark.models
def test_numbers_survive_the_round_trip(wav):
    assert run("say", "It costs $89.50.", wav).exit_code == 0
    heard = run("hear", wav)
    assert heard.exit_code == 0
    assert re.search(r"89|eighty[- ]nine", heard.stdout.lower())


@pytest.mark.models
def test_silence_is_no_speech(wav):
    write_wav(wav, bytes(16_000), 8000)
    assert run("hear", wav).stdout == "(no speech)\n"
    result = json.loads(run("hear", wav, "--json").stdout)
    assert (result["text"], result["confidence"]) == ("", 0.0)


@pytest.mark.models
def test_nothing_to_say(wav):
    result = run("say", "...", wav)
    assert result.exit_code == 1
    assert "nothing to say" in result.stderr
    assert not wav.exists()


@pytest.mark.models
def test_file_that_cannot_be_written(tmp_path):
    result = run("say", "Hello.", tmp_path / "none" / "f.wav")
    assert result.exit_code == 1
    assert "No such file" in result.stderr


def test_file_that_is_no_recording(wav):
    wav.write_bytes(b"not a recording")
    result = run("hear", wav)
    assert result.exit_code == 1
    assert "not a readable WAV file" in result.stderr


def test_no_models(wav, tmp_path, monkeypatch):
    monkeypatch.setenv("ASTERISK_AGENT_DATA", str(tmp_path / "empty"))
    write_wav(wav, bytes(16_000), 8000)
    heard = run("hear", wav)
    assert heard.exit_code == 1
    assert "run: asterisk-agent models pull whisper-base" in heard.stderr
    said = run("say", "Hello.", wav)
    assert said.exit_code == 1
    assert "run: asterisk-agent models pull en_US-joe-medium" in said.stderr


def test_configuration_that_is_not_there(wav, tmp_path):
    write_wav(wav, bytes(16_000), 8000)
    assert run("hear", wav, "--config", tmp_path / "none").exit_code == 1


@pytest.mark.parametrize("rate", ["0", "7999", "96000", "fast"])
def test_impossible_rate(wav, rate):
    assert run("say", "Hello.", wav, "--rate", rate).exit_code == 2
