import io
import stat
from pathlib import Path

import pytest

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import system
from asterisk_agent.sandbox.steps import Steps
from asterisk_agent.sandbox.system import Need


@pytest.fixture
def steps(tmp_path):
    return Steps(tmp_path / "setup.log", io.StringIO())


@pytest.fixture
def bin_folder(tmp_path, monkeypatch):
    """The only folder on PATH, beside a shell."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def script(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def need(package: str, there: bool = False) -> Need:
    return Need(package, "does something", lambda: there)


def test_what_is_there_is_not_missing():
    assert [need.package for need in system.missing([need("a"), need("b", True)])] == ["a"]


def test_a_compiler_is_needed_only_to_compile():
    packages = {need.package for need in system.needs(compiler=False)}
    assert {"faketime", "libgomp1", "debian-archive-keyring"} < packages
    both = {need.package for need in system.needs(compiler=True)}
    assert both - packages == {"build-essential"}


def test_each_need_can_tell(bin_folder, monkeypatch, tmp_path):
    monkeypatch.setattr(system, "PIP_MODULE", "no_such_module")
    monkeypatch.setattr(system, "KEYRING", tmp_path / "none")
    monkeypatch.setattr(system, "find", lambda: None)
    lacking = {need.package for need in system.missing(system.needs(compiler=True))}
    assert {"build-essential", "debian-archive-keyring"} <= lacking
    assert any(package.endswith("-venv") for package in lacking)


def test_nothing_to_install_runs_nothing(steps, bin_folder):
    system.install([], steps)
    assert not steps.log.exists()


def test_installs_all_at_once(steps, bin_folder, monkeypatch):
    apt = script(bin_folder, "apt-get", 'echo "$*" >> "$0.log"')
    monkeypatch.setattr("os.geteuid", lambda: 0)
    system.install([need("a"), need("b")], steps)
    called = Path(f"{apt}.log").read_text()
    assert called == "-q -y --no-install-recommends install a b\n"


def test_reads_the_lists_again_where_the_first_try_fails(steps, bin_folder, monkeypatch):
    body = (
        'echo "$*" >> "$0.log"; case "$*" in *update*) : > "$0.new" ;; *) [ -e "$0.new" ] ;; esac'
    )
    apt = script(bin_folder, "apt-get", body)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    system.install([need("a")], steps)
    called = Path(f"{apt}.log").read_text().splitlines()
    assert [line.split()[-1] for line in called] == ["a", "update", "a"]


def test_uses_sudo_where_it_asks_nothing(steps, bin_folder, monkeypatch):
    script(bin_folder, "apt-get", "exit 9")
    sudo = script(bin_folder, "sudo", 'echo "$*" >> "$0.log"')
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    system.install([need("a")], steps)
    last = Path(f"{sudo}.log").read_text().splitlines()[-1]
    assert last == "--non-interactive apt-get -q -y --no-install-recommends install a"


@pytest.mark.parametrize("sudo", [None, "exit 1"])
def test_says_what_to_install_where_it_may_not(steps, bin_folder, monkeypatch, sudo):
    script(bin_folder, "apt-get", "exit 9")
    if sudo:
        script(bin_folder, "sudo", sudo)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(SandboxError, match="this machine lacks a, b") as error:
        system.install([need("a"), need("b")], steps)
    assert error.value.hint == "run as root: apt-get install a b"


def test_says_what_for_where_there_is_no_apt(steps, bin_folder):
    with pytest.raises(SandboxError, match=r"lacks a \(a does something\)"):
        system.install([need("a")], steps)
