import pytest

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import distribution


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setattr(distribution, "installed", lambda: None)
    return tmp_path / "asterisk-agent" / "asterisk"


def unpack(root, *, complete=True):
    library = root / "usr/lib/x86_64-linux-gnu"
    (library / "asterisk/modules").mkdir(parents=True)
    if complete:
        (library / "ld-linux-x86-64.so.2").touch()
    (root / "usr/sbin").mkdir()
    (root / "usr/sbin/asterisk").touch()


def test_the_newest_fetched_asterisk_runs_with_its_own_loader(cache):
    for version in ("22.9.0", "22.10.1"):
        unpack(cache / version)
    (cache / "partial").mkdir()
    found = distribution.find()
    root = cache / "22.10.1"
    library = root / "usr/lib/x86_64-linux-gnu"
    assert found.command == (
        str(library / "ld-linux-x86-64.so.2"),
        "--library-path",
        str(library),
        str(root / "usr/sbin/asterisk"),
    )
    assert found.modules == library / "asterisk/modules"
    assert found.data == root / "usr/share/asterisk"


def test_an_incomplete_one_is_named(cache):
    unpack(cache / "22.10.1", complete=False)
    with pytest.raises(SandboxError, match=r"22\.10\.1: not a complete Asterisk"):
        distribution.find()


def test_none_at_all_says_what_to_do(cache):
    assert distribution.find() is None
    with pytest.raises(SandboxError) as error:
        distribution.require()
    assert "scripts/setup" in error.value.hint


def test_directories_of_an_installed_asterisk(tmp_path):
    path = tmp_path / "asterisk.conf"
    path.write_text(
        "[directories](!) ; a template\nastmoddir => /opt/modules\nastdatadir=/opt/data\n"
        "[options]\nverbose = 3\n"
    )
    named = distribution.configured_directories(path)
    assert named == {"astmoddir": "/opt/modules", "astdatadir": "/opt/data"}
    assert distribution.configured_directories(tmp_path / "none") == {}


@pytest.mark.asterisk
def test_the_real_one_says_its_version():
    assert distribution.require().version().startswith("Asterisk ")
