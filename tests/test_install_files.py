"""Files are replaced in one step, keep what they had, and come back as they were."""

import os
import stat

import pytest

from asterisk_agent.errors import InstallError
from asterisk_agent.install import files

OLD_NS = 1_600_000_000_123_456_789


@pytest.fixture
def conf(tmp_path):
    path = tmp_path / "extensions.conf"
    path.write_bytes(b"[x]\n")
    path.chmod(0o604)
    os.utime(path, ns=(OLD_NS, OLD_NS))
    return path


def test_an_edited_file_keeps_its_mode_and_comes_back_with_its_times(conf):
    seen = files.look(conf)
    files.edit(seen, b"[y]\n")
    assert conf.read_bytes() == b"[y]\n"
    assert stat.S_IMODE(conf.stat().st_mode) == 0o604
    assert conf.stat().st_mtime_ns > OLD_NS, "Asterisk must see that it changed"
    files.restore(seen)
    assert files.look(conf) == seen
    assert [path.name for path in conf.parent.iterdir()] == [conf.name]


def test_a_read_only_file_is_edited_all_the_same(conf):
    conf.chmod(0o400)
    files.edit(files.look(conf), b"new")
    assert conf.read_bytes() == b"new"
    assert stat.S_IMODE(conf.stat().st_mode) == 0o400


def test_a_link_stays_a_link(conf):
    link = conf.with_name("link.conf")
    link.symlink_to(conf.name)
    files.edit(files.look(link), b"new")
    assert link.is_symlink()
    assert conf.read_bytes() == b"new"


def test_a_file_with_two_names_stays_one(conf):
    other = conf.with_name("other.conf")
    os.link(conf, other)
    files.edit(files.look(conf), b"new")
    assert other.read_bytes() == b"new"
    assert other.stat().st_ino == conf.stat().st_ino


def test_attributes_are_kept(conf):
    try:
        os.setxattr(conf, "user.test", b"1")
    except OSError:  # a file system without them has none to keep
        return
    files.edit(files.look(conf), b"new")
    assert os.getxattr(conf, "user.test") == b"1"


def test_a_dangling_link_is_told(tmp_path):
    (tmp_path / "a.conf").symlink_to("nowhere")
    with pytest.raises(InstallError, match="is a link to nowhere, which does not exist"):
        files.look(tmp_path / "a.conf")


def test_what_is_no_file_is_told(tmp_path):
    with pytest.raises(InstallError, match="is no regular file"):
        files.look(tmp_path)


def test_a_folder_is_given_its_mode(tmp_path):
    files.make_folder(tmp_path / "a" / "b", None, 0o2750)
    assert files.has(tmp_path / "a" / "b", None, 0o2750)
    assert not files.has(tmp_path / "a" / "c", None, 0o2750)


def test_a_linked_folder_is_not_followed(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "a").symlink_to("etc")
    with pytest.raises(InstallError, match="cannot be made"):
        files.make_folder(tmp_path / "a", None, 0o700)


def test_a_new_file_has_its_mode_from_the_beginning(tmp_path):
    files.write(tmp_path / "secret", b"s", None, 0o640)
    assert files.has(tmp_path / "secret", None, 0o640)
