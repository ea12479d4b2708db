"""The Python environment: heavy dependencies once per machine, a thin ``.venv`` per clone.

``CACHE/env/KEY`` is a virtual environment with every dependency; KEY stands for the lock files,
the Python, and the processor (a compiled wheel is made for it). A clone's ``.venv`` sees its
packages through a .pth file, and has nothing of its own but this package, editable. So a second
clone is ready in seconds, and what the lock files change for one clone changes nothing for
another.

pip takes no file whose hash is not in a lock file, and with few exceptions (``SOURCES``) runs
nothing of a package when installing it (``--only-binary``). The one package that is compiled here,
from a source of which we know the hash, is compiled by tools that are locked as well.

Standard library only: setup uses this before anything is installed.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import platform
import re
import shutil
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from asterisk_agent.config.paths import cache_directory
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import locks
from asterisk_agent.sandbox.locks import DEVELOPMENT, PRODUCT, TOOLS
from asterisk_agent.sandbox.steps import Steps

COMPILED = "llama-cpp-python"
"""The one dependency that package indexes carry only as source."""
CMAKE_ARGS = "-DGGML_NATIVE=ON -DLLAVA_BUILD=OFF"
"""For this very processor; without the image encoder, which we do not use."""
RECIPE = "2"
"""Change this when environments must be built anew though the lock files are the same."""
INSTALLERS = ("pip", "setuptools")
LOCKED = ("--require-hashes", "--no-input")
SOURCES = ("srt",)
"""Packages that indexes carry only as source, of nothing but Python: they are built as they are
installed, by the setuptools that is locked.
"""
BINARY = ("--only-binary", ":all:")
FINISHED = "finished"


def commands(setup_cfg: Path) -> list[str]:
    """The commands that installing this package makes."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(setup_cfg.read_text(encoding="utf-8"))
    lines = parser["options.entry_points"]["console_scripts"].splitlines()
    return sorted(line.partition("=")[0].strip() for line in lines if line.strip())


def processor() -> str:
    """Stands for the instructions of this processor that compilers make use of."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    interesting = r"(sse|ssse|avx|fma|f16c|bmi|amx|asimd|sve|fp16|i8mm|bf16|gfni|vpclmul).*"
    flags = sorted(
        {flag for flag in (found[1] if found else "").split() if re.fullmatch(interesting, flag)}
    )
    digest = hashlib.sha256(" ".join(flags).encode()).hexdigest()[:8]
    return f"{platform.machine()}-{digest}"


@dataclass(frozen=True, slots=True)
class Environment:
    """The two environments of the clone at ``root``."""

    root: Path

    @property
    def key(self) -> str:
        """Stands for everything that the shared environment depends on. Raises SandboxError."""
        packages = locks.read(self.root, PRODUCT, DEVELOPMENT)
        parts = [RECIPE, packages, sys.implementation.cache_tag, processor(), CMAKE_ARGS]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    @property
    def shared(self) -> Path:
        """The environment with the dependencies."""
        return cache_directory() / "env" / self.key

    @property
    def thin(self) -> Path:
        """The clone's own."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The clone's Python."""
        return self.thin / "bin" / "python"

    @property
    def wheels(self) -> Path:
        """Compiled wheels for this processor."""
        return cache_directory() / "wheels" / processor()

    @property
    def wheel(self) -> Path | None:
        """The compiled wheel of the locked version, where it is there. Raises SandboxError."""
        (version,) = locks.pinned(locks.read(self.root, PRODUCT)[COMPILED])
        name = COMPILED.replace("-", "_")
        return next(self.wheels.glob(f"{name}-{version}-*.whl"), None)

    def has_shared(self) -> bool:
        """Whether the shared environment is complete."""
        return (self.shared / FINISHED).exists()

    def has_thin(self) -> bool:
        """Whether the clone's environment is complete, of this clone, and on this shared one."""
        try:
            mark = (self.thin / FINISHED).read_text(encoding="utf-8")
        except OSError:
            return False
        return mark == self._mark() and os.access(self.python, os.X_OK)

    def is_ready(self) -> bool:
        """Whether nothing is to be done."""
        return self.has_thin() and self.has_shared()

    def build(self, steps: Steps) -> None:
        """Make what is missing. Raises SandboxError."""
        if not self.has_shared():
            self._build_shared(steps, self.wheel or self._compile(steps))
        if not self.has_thin():
            self._build_thin(steps)

    def _compile(self, steps: Steps) -> Path:
        partial = _emptied(self.wheels / "partial")
        tools = _emptied(self.wheels / "tools")
        venv.create(tools, with_pip=True)
        helpers = locks.read(self.root, TOOLS)
        source = locks.read(self.root, PRODUCT)
        needed = locks.write(tools / "tools.lock", helpers, lambda name: name != "uv")
        wanted = locks.write(tools / "source.lock", source, lambda name: name == COMPILED)
        cores = os.cpu_count() or 1
        label = (
            f"compiling {COMPILED}, once for this machine: about {8.5 / cores + 0.5:.0f} minutes"
        )
        with steps.step(label):
            pip = [str(tools / "bin" / "python"), "-m", "pip"]
            steps.run([*pip, "install", *LOCKED, *BINARY, "-r", str(needed)])
            wheel = [*pip, "wheel", *LOCKED, "--no-deps", "--no-build-isolation", "--verbose"]
            steps.run(
                [*wheel, "--wheel-dir", str(partial), "-r", str(wanted)],
                env={
                    "CMAKE_ARGS": f"{CMAKE_ARGS} {os.environ.get('CMAKE_ARGS', '')}".strip(),
                    "PATH": f"{tools / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
                },
            )
        for made in partial.glob("*.whl"):
            os.replace(made, self.wheels / made.name)
        shutil.rmtree(partial)
        shutil.rmtree(tools)
        if self.wheel is None:
            raise SandboxError(f"pip made no wheel of {COMPILED}", hint=f"see {steps.log}")
        return self.wheel

    def _build_shared(self, steps: Steps, wheel: Path) -> None:
        # A name of its own: a pip that outlived its setup may still write into the former one.
        for abandoned in self.shared.parent.glob(f"{self.key}.partial-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        partial = _emptied(self.shared.with_name(f"{self.key}.partial-{os.getpid()}"))
        with steps.step("installing Python packages, about 300 MB"):
            venv.create(partial, with_pip=True)
            pip = [str(partial / "bin" / "python"), "-m", "pip", "install"]
            packages = locks.read(self.root, PRODUCT, DEVELOPMENT)
            others = locks.write(partial / "locked.txt", packages, lambda name: name != COMPILED)
            first = locks.write(partial / "first.txt", packages, lambda name: name in INSTALLERS)
            steps.run([*pip, *LOCKED, *BINARY, "-r", str(first)])
            steps.run([*pip, "--no-deps", "--no-index", str(wheel)])
            source = [*BINARY, "--no-binary", ",".join(SOURCES), "--no-build-isolation"]
            steps.run([*pip, *LOCKED, *source, "-r", str(others)])
        (partial / FINISHED).touch()
        shutil.rmtree(self.shared, ignore_errors=True)
        os.replace(partial, self.shared)

    def _build_thin(self, steps: Steps) -> None:
        with steps.step("installing the package into .venv"):
            _emptied(self.thin)
            venv.create(self.thin, with_pip=False)
            packages = next(self.thin.glob("lib/python*/site-packages"))
            theirs = next(self.shared.glob("lib/python*/site-packages"))
            (packages / "shared.pth").write_text(f"{theirs}\n", encoding="utf-8")
            pip = [str(self.python), "-m", "pip", "install", "--no-deps", "--no-build-isolation"]
            steps.run([*pip, "--editable", str(self.root)])
            (self.thin / "bin" / "ruff").symlink_to(self.shared / "bin" / "ruff")
        (self.thin / FINISHED).write_text(self._mark(), encoding="utf-8")

    def _mark(self) -> str:
        return f"{self.key} {self.root} {' '.join(commands(self.root / 'setup.cfg'))}\n"


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
