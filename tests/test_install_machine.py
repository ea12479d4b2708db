"""What the machine is like, and how commands are run on it."""

import os
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
from install_site import make_root

from asterisk_agent.errors import InstallError
from asterisk_agent.install import machine
from asterisk_agent.install.machine import Machine, Ran, examine, may_use, runner
from asterisk_agent.install.places import Owner, Places, under

Process = namedtuple("Process", "info")
NOBODY = Machine(None, None, (), ("/opt/x/asterisk-agent",), "/opt/x/asterisk-agent-rescue", False)


@pytest.fixture
def here(tmp_path):
    """The machine's own root, but with Asterisk's files elsewhere."""
    etc = tmp_path / "asterisk"
    etc.mkdir()
    return Places(Path("/"), tmp_path / "config", etc, etc / "agent", tmp_path / "state")


def processes(monkeypatch, *found):
    rows = [Process({"name": name, "username": user}) for name, user in found]
    monkeypatch.setattr(machine.psutil, "process_iter", lambda names: iter(rows))


def test_in_another_root_everything_belongs_to_whoever_installs(tmp_path):
    root = make_root(tmp_path)
    found = examine(under(root, None, None, None))
    assert (found.service, found.asterisk, found.systemd) == (None, None, False)
    assert found.asterisk_command == (f"{root}/usr/sbin/asterisk",)


def test_asterisks_user_is_that_of_the_asterisk_that_runs(here, monkeypatch):
    processes(monkeypatch, ("sh", "root"), ("asterisk", "daemon"))
    assert examine(here).asterisk == Owner("daemon", "daemon")


def test_else_it_is_the_one_that_its_file_names(here, monkeypatch):
    processes(monkeypatch)
    (here.asterisk_etc / "asterisk.conf").write_text("[options]\nrunuser = mail ; who\n")
    assert examine(here).asterisk == Owner("mail", "mail")


def test_else_it_is_whoever_is_called_so_or_root(here, monkeypatch):
    processes(monkeypatch)
    found = examine(here).asterisk
    assert found is not None
    assert found.user in ("asterisk", "root")


def test_a_user_that_does_not_exist_is_told(here):
    with pytest.raises(InstallError, match="there is no user nobody-here") as caught:
        examine(here, "nobody-here")
    assert "--asterisk-user" in caught.value.hint


def test_a_program_that_asterisk_cannot_start_is_told():
    owners = replace(NOBODY, asterisk=Owner("asterisk", "asterisk"))

    def run(command, owner=None):
        return Ran(127, "", "Permission denied")

    with pytest.raises(InstallError, match="asterisk cannot start the rescue program") as caught:
        may_use(run, owners)
    assert "/opt" in caught.value.hint
    may_use(run, NOBODY)


def test_commands_get_a_plain_environment_and_their_words_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "kept")
    monkeypatch.setenv("PYTHONPATH", "not kept")
    run = runner(under(tmp_path, None, None, None))
    code = "import os,sys; print(sorted(os.environ)); print('oops', file=sys.stderr); sys.exit(3)"
    ran = run((sys.executable, "-c", code))
    assert (ran.status, ran.last_words) == (3, "oops")
    assert "PIP_INDEX_URL" in ran.said
    assert "ASTERISK_AGENT_DATA" in ran.said
    assert "PYTHONPATH" not in ran.said
    assert run((os.fspath(tmp_path / "none"),)).status == 127
