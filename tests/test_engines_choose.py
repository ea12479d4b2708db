"""From the configuration's words to folders, whatever happens to be installed."""

from hashlib import sha256
from pathlib import Path

import pytest

from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Stt
from asterisk_agent.engines import catalogue, choose
from asterisk_agent.engines.catalogue import Catalogue
from asterisk_agent.errors import EngineError, ModelError

EXAMPLE = Path(__file__).parent.parent / "etc"
DATA = b"weights"


def entry(engine, languages):
    file = {"sha256": sha256(DATA).hexdigest(), "size": len(DATA)}
    about = {"kind": "stt", "engine": engine, "languages": languages, "licence": "MIT"}
    return {**about, "files": {"w": file}, "sources": [{"url": "http://h/{file}"}]}


@pytest.fixture
def known(monkeypatch):
    models = {"v-en": entry("vosk", ["en"]), "w": entry("whisper", ["*"])}
    defaults = {"en": {"stt": ["v-en", "w"]}, "*": {"stt": ["w"]}}
    small = Catalogue.model_validate({"models": models, "defaults": defaults})
    monkeypatch.setattr(catalogue, "read", lambda: small)
    return small


@pytest.fixture
def install(known, tmp_path, monkeypatch):
    monkeypatch.setenv("ASTERISK_AGENT_DATA", str(tmp_path))

    def install(name):
        (tmp_path / "models" / name).mkdir(parents=True)
        (tmp_path / "models" / name / "w").write_bytes(DATA)

    return install


def test_auto_takes_vosk_where_it_is_installed(install, tmp_path):
    install("w")
    install("v-en")
    assert choose.recogniser_folder(Stt(), "en") == ("vosk", tmp_path / "models" / "v-en")


def test_auto_takes_whisper_otherwise(install, tmp_path):
    install("w")
    assert choose.recogniser_folder(Stt(), "en") == ("whisper", tmp_path / "models" / "w")


def test_auto_hears_only_the_language(install):
    install("v-en")
    install("w")
    assert choose.recogniser_folder(Stt(), "nb")[0] == "whisper"


def test_nothing_installed_names_the_command(install):
    with pytest.raises(EngineError, match="model w is missing") as raised:
        choose.recogniser_folder(Stt(), "en")
    assert raised.value.hint == "run: asterisk-agent models pull w"


def test_named_engine_is_obeyed(install):
    install("v-en")
    install("w")
    assert choose.recogniser_folder(Stt(engine="whisper"), "en")[0] == "whisper"


def test_engine_without_a_model_for_the_language(install):
    with pytest.raises(EngineError, match="no model of vosk for the language 'nb'") as raised:
        choose.recogniser_folder(Stt(engine="vosk"), "nb")
    assert "engine: whisper" in raised.value.hint


def test_named_model_tells_its_engine(install, tmp_path):
    install("v-en")
    chosen = choose.recogniser_folder(Stt(model="v-en"), "en")
    assert chosen == ("vosk", tmp_path / "models" / "v-en")


def test_path_needs_its_engine(install, tmp_path):
    with pytest.raises(EngineError, match="needs its engine named"):
        choose.recogniser_folder(Stt(model=str(tmp_path)), "en")
    assert choose.recogniser_folder(Stt(engine="vosk", model=str(tmp_path)), "en") == (
        "vosk",
        tmp_path,
    )


def test_path_that_is_not_there(tmp_path):
    with pytest.raises(EngineError, match="no such file or folder"):
        choose.folder_of(str(tmp_path / "none"))


def test_broken_model_says_how(install, tmp_path):
    install("w")
    (tmp_path / "models" / "w" / "w").write_bytes(b"cut")
    with pytest.raises(EngineError, match="model w is broken: w: has 3 bytes, expected 7"):
        choose.folder_of("w")


def test_unknown_name(install):
    with pytest.raises(ModelError, match="no model 'x'"):
        choose.folder_of("x")


def test_what_the_example_needs():
    config, known = load(EXAMPLE), catalogue.read()
    needed = [[model.id for model in one] for one in choose.models_for(config, known)]
    assert needed == [
        ["silero-vad-6.2"],
        ["vosk-model-small-en-us-0.15", "whisper-base"],
        ["smollm2-135m-instruct"],
        ["en_US-joe-medium"],
        ["all-mpnet-base-v2", "all-minilm-l6-v2-int8"],
    ]


def test_paths_and_no_language_model_need_only_detector_and_embedder():
    config = load(EXAMPLE)
    engines = config.engines.model_validate(
        {
            "stt": {"engine": "vosk", "model": "/srv/v"},
            "llm": {"engine": "none"},
            "tts": {"voice": "/srv/p.onnx"},
        }
    )
    other = config.model_copy(update={"engines": engines})
    needed = choose.models_for(other, catalogue.read())
    names = [[model.id for model in one] for one in needed]
    assert names == [["silero-vad-6.2"], ["all-mpnet-base-v2", "all-minilm-l6-v2-int8"]]
