import stat
import threading
from pathlib import Path

import pytest

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import distribution, fetch


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A folder of stand-ins for apt-get and dpkg-deb, alone on PATH, and an empty cache."""
    folder = tmp_path / "bin"
    folder.mkdir()
    keyring = tmp_path / "keyring.gpg"
    keyring.touch()
    monkeypatch.setattr(fetch, "KEYRING", keyring)
    monkeypatch.setattr(distribution, "installed", lambda: None)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def script(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text("#!/bin/sh\n" + body)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


APT = r"""
echo "$*" >> "$0.log"
case "$*" in
  *indextargets*) printf 'main\tDebian\thttp://mirror.example/debian/\n' ;;
  *download-only*)
    for o; do case "$o" in -oDir::Cache=*) dir="${o#-oDir::Cache=}/archives" ;; esac; done
    touch "$dir/asterisk_1%3a22.10.1+dfsg-1_amd64.deb" "$dir/libc6_2.43-7_amd64.deb" ;;
esac
"""
DPKG = r"""
mkdir -p "$3/usr/lib/x86_64-linux-gnu/asterisk/modules" "$3/usr/sbin" "$3/usr/share/doc" \
    "$3/usr/share/asterisk/sounds/en_US_f_Allison"
touch "$3/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" "$3/usr/sbin/asterisk"
"""


def test_fetches_into_the_cache_under_its_version(tools, tmp_path):
    script(tools, "apt-get", APT)
    script(tools, "dpkg-deb", DPKG)
    said = []
    found = fetch.ensure(said.append)
    root = tmp_path / "cache/asterisk-agent/asterisk"
    assert found.data == root / "22.10.1/usr/share/asterisk"
    assert (found.data / "sounds/en").is_dir()
    assert not (root / "22.10.1/usr/share/doc").exists()
    assert [path.name for path in root.iterdir() if path.is_dir()] == ["22.10.1"]
    assert any("unpacking 22.10.1" in line for line in said)
    commands = (tools / "apt-get.log").read_text()
    assert f"-oDir::State={root}/partial/apt/state" in commands


def test_fetches_once_also_for_two_at_once(tools):
    script(tools, "apt-get", APT)
    script(tools, "dpkg-deb", DPKG)
    threads = [threading.Thread(target=fetch.ensure) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tools / "apt-get.log").read_text().count("--download-only") == 1


def test_a_broken_download_leaves_nothing_under_a_version(tools, tmp_path):
    script(tools, "apt-get", APT)
    script(tools, "dpkg-deb", "echo 'unexpected end of file' >&2; exit 2")
    with pytest.raises(SandboxError, match="dpkg-deb --extract failed: unexpected end of file"):
        fetch.ensure()
    assert distribution.find() is None
    script(tools, "dpkg-deb", DPKG)
    assert fetch.ensure() == distribution.find()


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (r"main\tDebian\thttp://a.example/debian/", "http://a.example/debian/"),
        (
            r"main\tDebian\thttp://a.example/debian-security/\nmain\tOther\thttp://b.example/\n"
            r"main\tDebian\thttp://c.example/debian/",
            "http://c.example/debian/",
        ),
        (r"main\t\thttp://a.example/debian", "http://a.example/debian"),
    ],
)
def test_takes_the_mirror_from_the_machines_own_apt(tools, targets, expected):
    script(tools, "apt-get", f"printf '{targets}\\n'")
    assert fetch.debian_mirror() == expected


def test_no_mirror_says_what_to_do(tools):
    script(tools, "apt-get", "true")
    with pytest.raises(SandboxError, match="apt knows no Debian mirror"):
        fetch.debian_mirror()


def test_needs_apt(tools, monkeypatch):
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(SandboxError, match="no apt-get to fetch one with"):
        fetch.ensure()


def test_needs_the_keyring(tools, monkeypatch):
    script(tools, "apt-get", APT)
    monkeypatch.setattr(fetch, "KEYRING", Path("/nowhere/keyring.gpg"))
    with pytest.raises(SandboxError, match=r"keyring\.gpg is missing"):
        fetch.ensure()


def test_version_of_the_package():
    name = "asterisk_1%3a22.10.1+dfsg+~cs6.17.60671434-1_amd64.deb"
    assert (
        fetch.package_version([Path("asterisk-modules_1%3a1_amd64.deb"), Path(name)]) == "22.10.1"
    )
    assert fetch.package_version([Path("asterisk_20.4.0-1_arm64.deb")]) == "20.4.0"
    with pytest.raises(SandboxError, match="no asterisk package"):
        fetch.package_version([])
