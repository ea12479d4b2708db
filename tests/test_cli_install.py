"""``install`` and ``uninstall`` as an operator types them."""

import json
import os

import pytest
from install_site import Commands, make_root, tree
from typer.testing import CliRunner

from asterisk_agent.cli import install as commands  # noqa: F401
from asterisk_agent.cli.app import app
from asterisk_agent.install import machine
from asterisk_agent.install.machine import Ran


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A root folder, with the commands of an installation in it faked."""
    root = make_root(tmp_path)
    fake = Commands(root / "etc/asterisk/agent")
    fake.answers["check --config"] = Ran(0, "ok       everything\n")
    monkeypatch.setattr(machine, "runner", lambda places: fake)
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    return root


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def test_a_dry_run_tells_and_changes_nothing(root):
    before = tree(root)
    done = run("install", "--root", root, "--dry-run")
    assert done.exit_code == 0
    assert f"would      include {root}/etc/asterisk/agent/queues.conf" in done.output
    assert "systemd does not run here" in done.output
    assert tree(root) == before


def test_it_asks_first_and_without_anybody_to_ask_does_nothing(root):
    before = tree(root)
    done = run("install", "--root", root)
    assert done.exit_code == 1
    assert "give --yes" in done.output
    assert tree(root) == before


def test_it_tells_what_it_did_what_check_says_and_what_is_left(root):
    done = run("install", "--root", root, "--yes")
    assert done.exit_code == 0, done.output
    assert f"done       write {root}/etc/asterisk-agent/hours.yaml: to start from" in done.output
    assert "ok       everything" in done.output
    assert "include => asterisk-agent" in done.output
    assert "your number in" in done.output
    again = run("install", "--root", root, "--yes")
    assert "Nothing had to be changed." in again.output
    assert "done " not in again.output


def test_it_tells_programs_the_same(root):
    told = json.loads(run("install", "--root", root, "--yes", "--json").output)
    assert told["changed"]
    assert told["check"]
    assert {"step", "changed"} == set(told["steps"][0])
    plan = json.loads(run("install", "--root", root, "--dry-run", "--json").output)
    assert not any(step["needed"] for step in plan["steps"] if step["step"].startswith("include"))


def test_problems_of_check_are_its_exit_status(root, monkeypatch):
    fake = Commands(root / "etc/asterisk/agent")
    fake.answers["check --config"] = Ran(1, "problem  engines: no model\n")
    monkeypatch.setattr(machine, "runner", lambda places: fake)
    done = run("install", "--root", root, "--yes")
    assert done.exit_code == 1
    assert "no model" in done.output


def test_without_the_check_only_a_step_that_failed_counts(root, monkeypatch):
    fake = Commands(root / "etc/asterisk/agent")
    fake.answers["check --config"] = Ran(1, "problem  Asterisk does not run\n")
    monkeypatch.setattr(machine, "runner", lambda places: fake)
    done = run("install", "--root", root, "--yes", "--no-check")
    assert done.exit_code == 0, done.output
    assert "asterisk-agent check:" not in done.output
    told = json.loads(run("install", "--root", root, "--yes", "--no-check", "--json").output)
    assert told["check"] is None
    assert not any("check --config" in line for line in fake.said)
    (root / "etc/asterisk/agent/extensions.conf").unlink()
    fake.answers["dialplan write"] = Ran(1, "no space left on the disk\n")
    failed = run("install", "--root", root, "--yes", "--no-check")
    assert failed.exit_code == 1
    assert "no space left" in failed.output


def test_uninstall_tells_what_it_keeps(root):
    before = tree(root)
    run("install", "--root", root, "--yes")
    told = run("uninstall", "--root", root, "--dry-run")
    assert "would    put back" in told.output
    done = run("uninstall", "--root", root, "--yes")
    assert done.exit_code == 0
    assert f"Kept: {root}/etc/asterisk-agent, {root}/var/lib/asterisk-agent" in done.output
    run("uninstall", "--root", root, "--yes", "--purge")
    assert tree(root) == before


def test_only_root_may_install_on_the_machine_itself(root, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    done = run("uninstall", "--yes")
    assert done.exit_code == 1
    assert "only root may uninstall" in done.output
    assert "sudo asterisk-agent uninstall" in done.output


def test_a_start_may_be_a_copy(root, tmp_path):
    done = run("install", "--root", root, "--yes", "--from", tmp_path)
    assert done.exit_code == 1
    assert "holds no configuration" in done.output
