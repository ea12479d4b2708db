"""``scripts/lock``: write the lock files anew from setup.cfg. ``--upgrade``: newest versions.

Versions that are locked already stay, where setup.cfg still allows them. Which index they come
from is pip's own setting on this machine, and stands in no file of ours. uv does the work, from
an environment of its own, because it solves for every Python from 3.11 on at once and lists the
hashes of all files of a version: for other Pythons and processors than this machine's, too.

Standard library only: it must work where setup refuses a stale lock file.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

from asterisk_agent.config.paths import cache_directory
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import locks
from asterisk_agent.sandbox.locks import DEVELOPMENT, PRODUCT, TOOLS
from asterisk_agent.sandbox.steps import Steps

OLDEST = "3.11"
ELSEWHERE = ("sys_platform == 'win32'", "sys_platform == 'emscripten'")
"""Markers of what no Linux needs."""
HEADER = """\
# {what}
# Written by scripts/lock; do not change it by hand. For Linux, CPython {oldest} and later.
{origin}{digest}
"""
WHAT = {
    PRODUCT: "Python packages of the service, PostgreSQL's driver included.",
    DEVELOPMENT: "Python packages of the tests, the checks and the phone, beside the service's.",
    TOOLS: "Python packages that build llama-cpp-python, this package, and these files.",
}


def make(root: Path, steps: Steps, *, upgrade: bool = False) -> None:
    """Write all lock files, or none. Raises SandboxError."""
    setup_cfg = root / "setup.cfg"
    with tempfile.TemporaryDirectory(prefix="lock-") as folder, steps.step("solving dependencies"):
        solver = Solver(Path(folder), _uv(root, Path(folder), steps), steps)
        for file in () if upgrade else (PRODUCT, DEVELOPMENT, TOOLS):
            solver.prefer(root / file)
        everything = solver.solve(locks.everything(setup_cfg))
        solver.hold(everything)
        product = solver.solve(locks.requirements(setup_cfg, *locks.PRODUCT_EXTRAS))
        tools = solver.solve(locks.TOOL_REQUIREMENTS)
    rest = {name: entry for name, entry in everything.items() if name not in product}
    for file, chosen in ((PRODUCT, product), (DEVELOPMENT, rest), (TOOLS, tools)):
        header = HEADER.format(
            what=WHAT[file], oldest=OLDEST, origin=locks.ORIGIN, digest=locks.origin(setup_cfg)
        )
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(header + "".join(chosen.values()), encoding="utf-8")


class Solver:
    """uv, with what it has to keep to."""

    def __init__(self, folder: Path, uv: Path, steps: Steps) -> None:
        self._folder = folder
        self._uv = uv
        self._steps = steps
        self._index = index_of(uv.with_name("python"))
        self._preferred: dict[str, str] = {}
        self._held: list[str] = []

    def prefer(self, file: Path) -> None:
        """Versions to stay with where nothing speaks against them."""
        if file.exists():
            self._preferred |= locks.entries(file.read_text(encoding="utf-8"))

    def hold(self, entries: locks.Entries) -> None:
        """Versions to which everything solved later has to keep."""
        path = locks.write(self._folder / "held.txt", entries)
        self._held = ["--constraint", str(path)]

    def solve(self, wanted: Sequence[str]) -> dict[str, str]:
        """Everything that these need. Raises SandboxError."""
        asked, answer = self._folder / "asked.in", self._folder / "answer.lock"
        asked.write_text("\n".join(wanted) + "\n", encoding="utf-8")
        locks.write(answer, self._preferred)  # uv stays with what its output file has
        options = ["--no-config", "--universal", "--python-version", OLDEST, "--generate-hashes"]
        options += ["--no-header", "--no-annotate", "--quiet", "--output-file", str(answer)]
        command = [str(self._uv), "pip", "compile", str(asked), *self._held, *options]
        self._steps.run(command, env=self._index)
        found = locks.entries(answer.read_text(encoding="utf-8"))
        return {name: entry for name, entry in found.items() if not _is_elsewhere(entry)}


def _is_elsewhere(entry: str) -> bool:
    return any(marker in entry for marker in ELSEWHERE)


def index_of(python: Path) -> dict[str, str]:
    """The index of this Python's pip, in the words of uv; nothing where pip has its default."""
    command = [str(python), "-m", "pip", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():  # the environment's come first, and win
        name, _, value = line.partition("=")
        if name.rpartition(".")[2] == "index-url":
            return {"UV_DEFAULT_INDEX": value.strip("'\"")}
    return {}


def _uv(root: Path, folder: Path, steps: Steps) -> Path:
    """uv in an environment of its own: the locked one, with its hash, once there is one."""
    tools = root / TOOLS
    known = locks.entries(tools.read_text(encoding="utf-8")) if tools.exists() else {}
    environment = folder / "uv"
    venv.create(environment, with_pip=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--only-binary", ":all:"]
    if "uv" in known:
        only = locks.write(folder / "uv.lock", known, lambda name: name == "uv")
        steps.run([*pip, "--require-hashes", "-r", str(only)])
    else:
        steps.run([*pip, "uv"])
    return environment / "bin" / "uv"


def main(arguments: Sequence[str], root: Path) -> int:
    """Write the lock files; exit status 1 with a clear message if that is impossible."""
    parser = argparse.ArgumentParser(prog="scripts/lock", description=WHAT_IT_DOES)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    chosen = parser.parse_args(arguments)
    steps = Steps(cache_directory() / "lock.log")
    steps.log.unlink(missing_ok=True)
    try:
        make(root, steps, upgrade=chosen.upgrade)
    except SandboxError as error:
        steps.say(error.message)
        return 1
    return 0


WHAT_IT_DOES = "Write scripts/setup.d/*.lock anew from setup.cfg, by the index that pip uses."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parents[2]))
