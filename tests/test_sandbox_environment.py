"""The environments. Building them for real is what setup does on every new machine."""

import io
import shutil
import sys
from pathlib import Path

import pytest

from asterisk_agent.sandbox import environment as environment_module
from asterisk_agent.sandbox.environment import Environment, processor, requirements
from asterisk_agent.sandbox.steps import Steps

ROOT = Path(__file__).parent.parent


@pytest.fixture
def environment(tmp_path, monkeypatch) -> Environment:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "clone"
    root.mkdir()
    shutil.copy(ROOT / "setup.cfg", root)
    return Environment(root)


class RecordedSteps(Steps):
    """Writes commands down instead of running them; does what pip would leave behind."""

    def __init__(self, log: Path) -> None:
        super().__init__(log, io.StringIO())
        self.commands: list[list[str]] = []
        self.wheel = "llama_cpp_python-0.3.16-py3-none-linux_x86_64.whl"

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


def test_requirements_of_the_package_and_its_extras():
    wanted = requirements(ROOT / "setup.cfg")
    names = {line.split(">")[0] for line in wanted}
    assert {"llama-cpp-python", "pjsua2-python", "pytest", "vosk", "types-PyYAML"} <= names
    assert wanted == sorted(wanted)


def test_processor_is_a_plain_word():
    assert processor().replace("-", "").replace("_", "").isalnum()
    assert processor() == processor()


def test_builds_everything_once(environment, steps):
    assert not environment.is_ready()
    environment.build(steps)
    assert environment.is_ready()
    assert steps.pip() == ["wheel", "install", "install", "install"]
    steps.commands.clear()
    environment.build(steps)
    assert steps.commands == []


def test_the_clone_sees_the_shared_packages(environment, steps):
    environment.build(steps)
    (link,) = environment.thin.glob("lib/python*/site-packages/shared.pth")
    assert link.read_text().strip() == str(environment.shared / "lib/python3.11/site-packages")


def test_a_second_clone_shares_the_heavy_part(environment, steps, tmp_path):
    environment.build(steps)
    steps.commands.clear()
    second = tmp_path / "second"
    second.mkdir()
    shutil.copy(ROOT / "setup.cfg", second)
    Environment(second).build(steps)
    assert steps.pip() == ["install"]
    assert steps.commands[0][-1] == str(second)


def test_another_dependency_is_another_environment(environment, steps):
    environment.build(steps)
    path = environment.root / "setup.cfg"
    path.write_text(path.read_text().replace("vosk>=0.3.45", "vosk>=0.3.46"))
    assert not environment.is_ready()
    steps.commands.clear()
    environment.build(steps)
    assert steps.pip() == ["install", "install", "install"]  # the wheel was there


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


@pytest.mark.parametrize("stage", range(4))
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
