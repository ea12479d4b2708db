"""The environments. Building them for real is what setup does on every new machine."""

import io
import shutil
import sys
from pathlib import Path

import pytest

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import environment as environment_module
from asterisk_agent.sandbox import locks
from asterisk_agent.sandbox.environment import COMPILED, Environment, processor
from asterisk_agent.sandbox.steps import Steps

ROOT = Path(__file__).parent.parent
(VERSION,) = locks.pinned(locks.read(ROOT, locks.PRODUCT)[COMPILED])


def clone(root: Path) -> Environment:
    root.mkdir()
    shutil.copy(ROOT / "setup.cfg", root)
    shutil.copytree(ROOT / locks.FOLDER, root / locks.FOLDER)
    return Environment(root)


@pytest.fixture
def environment(tmp_path, monkeypatch) -> Environment:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return clone(tmp_path / "clone")


def relock(environment: Environment, name: str, old: str, new: str) -> None:
    path = environment.root / locks.PRODUCT
    text = path.read_text()
    assert f"{name}=={old}" in text
    path.write_text(text.replace(f"{name}=={old}", f"{name}=={new}"))


class RecordedSteps(Steps):
    """Writes commands down instead of running them; does what pip would leave behind."""

    def __init__(self, log: Path) -> None:
        super().__init__(log, io.StringIO())
        self.commands: list[list[str]] = []
        self.wheel = f"llama_cpp_python-{VERSION}-py3-none-linux_x86_64.whl"

    def run(self, command, *, env=None) -> None:
        self.commands.append(command)
        if "wheel" in command[:4]:
            (Path(command[command.index("--wheel-dir") + 1]) / self.wheel).touch()

    def pip(self) -> list[str]:
        """What pip was told, without the options that are everywhere the same."""
        return [command[3] for command in self.commands]


@pytest.fixture
def steps(tmp_path, monkeypatch) -> RecordedSteps:
    def create(folder, with_pip):
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        (folder / "bin/python").symlink_to(sys.executable)
        (folder / "lib/python3.11/site-packages").mkdir(parents=True)

    monkeypatch.setattr(environment_module.venv, "create", create)
    return RecordedSteps(tmp_path / "log")


def test_processor_is_a_plain_word():
    assert processor().replace("-", "").replace("_", "").isalnum()
    assert processor() == processor()


def test_builds_everything_once(environment, steps):
    assert not environment.is_ready()
    environment.build(steps)
    assert environment.is_ready()
    assert steps.pip() == ["install", "wheel", "install", "install", "install", "install"]
    steps.commands.clear()
    environment.build(steps)
    assert steps.commands == []


def test_takes_nothing_whose_hash_is_not_locked(environment, steps):
    environment.build(steps)
    *fetching, own = steps.commands
    assert own[-2:] == ["--editable", str(environment.root)]
    assert "--no-build-isolation" in own  # which would fetch what builds it
    for command in fetching:
        ours = "--no-index" in command and str(environment.wheel) in command
        assert ours or "--require-hashes" in command, command
        if "--require-hashes" in command and command[3] == "install":
            assert "--only-binary" in command


def test_of_the_locked_packages_all_are_installed(environment, steps):
    environment.build(steps)
    wanted = locks.read(ROOT, locks.PRODUCT, locks.DEVELOPMENT)
    locked = locks.entries((environment.shared / "locked.txt").read_text())
    assert locked.keys() == wanted.keys() - {COMPILED}


def test_a_wheel_of_another_version_is_compiled_anew(environment, steps):
    environment.build(steps)
    relock(environment, COMPILED, VERSION, "9.9.9")
    assert environment.wheel is None
    steps.commands.clear()
    steps.wheel = "llama_cpp_python-9.9.9-py3-none-linux_x86_64.whl"
    environment.build(steps)
    assert "wheel" in steps.pip()


def test_a_wheel_that_did_not_come_is_said(environment, steps):
    steps.wheel = "another-1.0-py3-none-any.whl"
    with pytest.raises(SandboxError, match="no wheel of llama-cpp-python"):
        environment.build(steps)


def test_the_clone_sees_the_shared_packages(environment, steps):
    environment.build(steps)
    (link,) = environment.thin.glob("lib/python*/site-packages/shared.pth")
    assert link.read_text().strip() == str(environment.shared / "lib/python3.11/site-packages")


def test_a_second_clone_shares_the_heavy_part(environment, steps, tmp_path):
    environment.build(steps)
    steps.commands.clear()
    second = clone(tmp_path / "second")
    second.build(steps)
    assert steps.pip() == ["install"]
    assert steps.commands[0][-1] == str(second.root)


def test_another_version_is_another_environment(environment, steps):
    environment.build(steps)
    relock(environment, "vosk", "0.3.45", "0.3.46")
    assert not environment.is_ready()
    steps.commands.clear()
    environment.build(steps)
    assert steps.pip() == ["install"] * 4  # the wheel was there


def test_a_dependency_that_is_not_locked_is_refused(environment, steps):
    path = environment.root / "setup.cfg"
    path.write_text(path.read_text().replace("vosk>=0.3.45", "vosk>=0.3.46"))
    with pytest.raises(SandboxError, match=r"other dependencies than setup\.cfg") as caught:
        environment.build(steps)
    assert "scripts/lock" in caught.value.hint
    assert steps.commands == []


def test_other_words_in_setup_cfg_change_nothing(environment, steps):
    environment.build(steps)
    path = environment.root / "setup.cfg"
    path.write_text(path.read_text().replace("Development Status :: 3 - Alpha", "x"))
    assert environment.is_ready()


def test_another_command_is_another_installation_of_the_package_alone(environment, steps):
    environment.build(steps)
    path = environment.root / "setup.cfg"
    path.write_text(path.read_text().replace("console_scripts =", "console_scripts =\n    x = y:z"))
    assert not environment.is_ready()
    steps.commands.clear()
    environment.build(steps)
    assert steps.pip() == ["install"]
    assert environment.is_ready()


def test_notices_that_the_shared_part_is_gone(environment, steps):
    environment.build(steps)
    shutil.rmtree(environment.shared)
    assert not environment.is_ready()
    environment.build(steps)
    assert environment.is_ready()


def test_notices_that_the_clone_was_moved(environment, steps, tmp_path):
    environment.build(steps)
    moved = tmp_path / "moved"
    environment.root.rename(moved)
    assert not Environment(moved).is_ready()


def test_notices_that_its_python_is_gone(environment, steps):
    environment.build(steps)
    environment.python.unlink()
    assert not environment.is_ready()


@pytest.mark.parametrize("stage", range(6))
def test_goes_on_after_an_interruption(environment, steps, stage):
    run, left = steps.run, [stage]

    def interrupted(command, *, env=None):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        run(command, env=env)

    steps.run = interrupted
    with pytest.raises(KeyboardInterrupt):
        environment.build(steps)
    assert not environment.is_ready()
    steps.run = run
    environment.build(steps)
    assert environment.is_ready()
    assert not list(environment.shared.parent.glob("*.partial*"))
