"""The lock files as they are committed, and what reads and writes them."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import lock, locks
from asterisk_agent.sandbox.steps import Steps

ROOT = Path(__file__).parent.parent
FILES = (locks.PRODUCT, locks.DEVELOPMENT, locks.TOOLS)


@pytest.mark.parametrize("file", FILES)
def test_every_line_is_a_pin_or_a_hash(file):
    lines = (ROOT / file).read_text().splitlines()
    pin = re.compile(r"[a-z0-9-]+==[0-9][\w.+!]*( ; [^\\]+)? \\")
    checksum = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
    for line in lines[3:]:
        assert pin.fullmatch(line) or checksum.fullmatch(line), line
    assert all(line.startswith("# ") for line in lines[:3])
    assert all("--hash=" in entry for entry in locks.read(ROOT, file).values())


def test_all_that_setup_cfg_asks_for_is_locked():
    locked = locks.read(ROOT, locks.PRODUCT, locks.DEVELOPMENT)
    for line in locks.everything(ROOT / "setup.cfg"):
        wanted = Requirement(line)
        versions = locks.pinned(locked[canonicalize_name(wanted.name)])
        assert versions
        assert all(wanted.specifier.contains(version) for version in versions), line


def test_the_service_needs_nothing_of_the_tests():
    product, tests = locks.read(ROOT, locks.PRODUCT), locks.read(ROOT, locks.DEVELOPMENT)
    assert {"vosk", "psycopg", "psycopg-binary"} <= product.keys()
    assert {"pytest", "mypy", "pjsua2-python"} <= tests.keys()
    assert product.keys().isdisjoint(tests)


def test_what_is_installed_here_is_what_is_locked():
    """Of the packages that this Python sees, each has a version that is locked."""
    from importlib.metadata import distributions

    locked = locks.read(ROOT, locks.PRODUCT, locks.DEVELOPMENT)
    seen = 0
    for found in distributions():
        name = canonicalize_name(found.name)
        if name == "asterisk-call-agent":
            continue
        assert found.version in locks.pinned(locked.get(name, "")), name
        seen += 1
    assert seen > 80


def test_entries_of_several_versions_stay_together():
    text = """# made by hand
a==1 ; python_version < '3.12' \\
    --hash=sha256:00
a==2 ; python_version >= '3.12' \\
    --hash=sha256:01
b-c==3.post1 \\
    --hash=sha256:02
"""
    found = locks.entries(text)
    assert list(found) == ["a", "b-c"]
    assert locks.pinned(found["a"]) == ["1", "2"]
    assert locks.pinned(found["b-c"]) == ["3.post1"]
    assert "".join(found.values()) in text


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(SandboxError, match=r"requirements\.lock: No such file") as caught:
        locks.read(tmp_path, locks.PRODUCT)
    assert caught.value.hint == "run scripts/lock"


class Uv(Steps):
    """Answers as uv does, for a world of four packages."""

    WORLD = (
        ("alpha", ""),
        ("colorama", " ; sys_platform == 'win32'"),
        ("pytest", ""),
        ("uv", ""),
    )

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "log", io.StringIO())
        self.asked: list[tuple[list[str], str]] = []
        self.installed: list[list[str]] = []

    def run(self, command, *, env=None):
        if "compile" not in command:
            self.installed.append(list(command))
            return
        wanted = Path(command[command.index("compile") + 1]).read_text()
        answer = Path(command[command.index("--output-file") + 1])
        self.asked.append((wanted.split(), answer.read_text()))
        answer.write_text(
            "".join(
                f"{name}==1{marker} \\\n    --hash=sha256:{'0' * 64}\n"
                for name, marker in self.WORLD
                if name in wanted or (name == "colorama" and "alpha" in wanted)
            )
        )


@pytest.fixture
def clone(tmp_path, monkeypatch):
    monkeypatch.setattr(lock.venv, "create", lambda folder, with_pip: None)
    monkeypatch.setattr(lock, "index_of", lambda python: {})
    (tmp_path / "setup.cfg").write_text(
        "[options]\ninstall_requires =\n    alpha>=1\n[options.extras_require]\n"
        "postgres =\nphone =\ntest =\n    pytest>=1\n"
    )
    return tmp_path


def test_the_files_are_made_of_setup_cfg(clone):
    steps = Uv(clone)
    lock.make(clone, steps)
    product, tests, tools = (locks.read(clone, file) for file in FILES)
    assert list(product) == ["alpha"]  # what only Windows needs is left out
    assert list(tests) == ["pytest"]
    assert list(tools) == ["uv"]
    assert "--require-hashes" not in steps.installed[0]  # nothing is locked yet


def test_versions_stay_unless_newer_ones_are_asked_for(clone):
    lock.make(clone, Uv(clone))
    again, upgrade = Uv(clone), Uv(clone)
    lock.make(clone, again)
    assert "alpha==1" in again.asked[0][1]
    assert "--require-hashes" in again.installed[0]  # uv itself, as locked
    lock.make(clone, upgrade, upgrade=True)
    assert upgrade.asked[0][1] == ""


def test_the_index_is_that_of_pip(tmp_path):
    python = tmp_path / "python"
    for said, index in (
        ("global.timeout='60'", {}),
        ("global.extra-index-url='https://b.invalid/'", {}),
        (
            ":env:.index-url='https://a.invalid/'\nglobal.index-url='https://b.invalid/'",
            {"UV_DEFAULT_INDEX": "https://a.invalid/"},
        ),
    ):
        python.write_text(f'#!/bin/sh\ncat <<"E"\n{said}\nE\n')
        python.chmod(0o755)
        assert lock.index_of(python) == index


def test_needs_nothing_but_python():
    code = "import sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p]; "
    code += f"sys.path.insert(0, {str(ROOT)!r}); import asterisk_agent.sandbox.lock"
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
