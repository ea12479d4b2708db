import fcntl
import io
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from asterisk_agent.config.paths import models_directory
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import locks, setup
from asterisk_agent.sandbox.environment import Environment
from asterisk_agent.sandbox.setup import ModelsMark
from asterisk_agent.sandbox.steps import Steps

ROOT = Path(__file__).parent.parent


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("ASTERISK_AGENT_DATA", str(tmp_path / "data"))
    (tmp_path / "cache/asterisk-agent").mkdir(parents=True)
    folder = tmp_path / "clone"
    (folder / "models").mkdir(parents=True)
    (folder / "models/catalogue.yaml").write_text("models: {}\n")
    shutil.copy(ROOT / "setup.cfg", folder)
    shutil.copytree(ROOT / locks.FOLDER, folder / locks.FOLDER)
    return folder


def put(*names: str) -> None:
    for name in names:
        (models_directory() / name).mkdir(parents=True)


def test_models_are_there_until_one_is_deleted(root):
    mark = ModelsMark(root)
    assert not mark.holds()
    put("ear", "voice")
    mark.set(["ear", "voice"])
    assert mark.holds()
    (models_directory() / "voice").rmdir()
    assert not mark.holds()


def test_another_catalogue_or_place_is_looked_at_again(root, monkeypatch):
    put("ear")
    mark = ModelsMark(root)
    mark.set(["ear"])
    monkeypatch.setenv("ASTERISK_AGENT_DATA", "/elsewhere")
    assert not mark.holds()
    monkeypatch.undo()
    (root / "models/catalogue.yaml").write_text("models: {another: {}}\n")
    assert not mark.holds()


def test_no_models_at_all_are_not_enough(root):
    ModelsMark(root).set([])
    assert not ModelsMark(root).holds()


def pull_stand_in(root: Path, code: str) -> Environment:
    """An environment whose Python does ``code`` instead of the command line."""
    environment = Environment(root)
    environment.python.parent.mkdir(parents=True)
    environment.python.write_text(f"#!/bin/sh\n{code}\n")
    environment.python.chmod(0o755)
    return environment


def test_remembers_what_was_pulled(root):
    put("ear")
    listed = '{"models": [{"id": "ear", "state": "installed"}, {"id": "x", "state": "missing"}]}'
    code = f"case \"$*\" in *list*) echo '{listed}' ;; esac"
    setup.pull_models(root, pull_stand_in(root, code))
    assert ModelsMark(root).holds()


def test_a_failed_pull_is_said_and_repeated(root):
    with pytest.raises(SandboxError, match="could not all be fetched"):
        setup.pull_models(root, pull_stand_in(root, "exit 1"))
    assert not ModelsMark(root).holds()


def test_a_second_setup_waits_for_the_first(root, tmp_path):
    stream = io.StringIO()
    entered = threading.Event()

    def second() -> None:
        with setup.alone(Steps(tmp_path / "log", stream)):
            entered.set()

    with (tmp_path / "cache/asterisk-agent/setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        thread = threading.Thread(target=second)
        thread.start()
        while "waiting for another setup" not in stream.getvalue():
            time.sleep(0.01)
        assert not entered.is_set()
    thread.join(timeout=5)
    assert entered.is_set()


def test_says_what_is_wrong_and_fails(root, monkeypatch, capsys):
    def broken(_root, _steps):
        raise SandboxError("this machine lacks a compiler", hint="install one")

    monkeypatch.setattr(setup, "prepare", broken)
    assert setup.main(root) == 1
    assert "setup: this machine lacks a compiler. Hint: install one" in capsys.readouterr().err


def test_a_stale_lock_file_is_said(root, capsys):
    path = root / locks.DEVELOPMENT
    path.write_text(path.read_text().replace(locks.ORIGIN, f"{locks.ORIGIN}x"))
    assert setup.main(root) == 1
    assert "Hint: run scripts/lock" in capsys.readouterr().err


def test_an_interruption_is_no_traceback(root, monkeypatch, capsys):
    def interrupted(_root, _steps):
        raise KeyboardInterrupt

    monkeypatch.setattr(setup, "prepare", interrupted)
    assert setup.main(root) == 130
    assert "run it again" in capsys.readouterr().err


def test_needs_nothing_but_python():
    """Setup runs before anything is installed: no import of it may need a package."""
    code = "import sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p]; "
    code += f"sys.path.insert(0, {str(ROOT)!r}); import asterisk_agent.sandbox.setup"
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
