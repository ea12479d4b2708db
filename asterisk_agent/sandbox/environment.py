"""The Python environment: heavy dependencies once per machine, a thin ``.venv`` per clone.

``CACHE/env/KEY`` is a virtual environment with every dependency; KEY stands for what setup.cfg
asks for, the Python, and the processor (a compiled wheel is made for it). A clone's ``.venv``
sees its packages through a .pth file, and has nothing of its own but this package, editable. So
a second clone is ready in seconds, and what setup.cfg changes for one clone changes nothing for
another.

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
from asterisk_agent.sandbox.steps import Steps

EXTRAS = ("phone", "test")
COMPILED = "llama-cpp-python"
"""The one dependency that package indexes carry only as source."""
CMAKE_ARGS = "-DGGML_NATIVE=ON -DLLAVA_BUILD=OFF"
"""For this very processor; without the image encoder, which we do not use."""
RECIPE = "1"
"""Change this when environments must be built anew though setup.cfg is the same."""
FINISHED = "finished"


def requirements(setup_cfg: Path) -> list[str]:
    """The package's own dependencies and those of its extras."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(setup_cfg.read_text(encoding="utf-8"))
    sections = [parser["options"]["install_requires"]]
    sections += [parser["options.extras_require"][extra] for extra in EXTRAS]
    lines = "\n".join(sections).splitlines()
    return sorted({line.strip() for line in lines if line.strip()})


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
        """Stands for everything that the shared environment depends on."""
        parts = [RECIPE, requirements(self.root / "setup.cfg"), sys.implementation.cache_tag]
        parts += [processor(), CMAKE_ARGS]
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

    def has_wheel(self) -> bool:
        """Whether the compiled wheel is there."""
        return any(self.wheels.glob(f"{COMPILED.replace('-', '_')}-*.whl"))

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
            if not self.has_wheel():
                self._compile(steps)
            self._build_shared(steps)
        if not self.has_thin():
            self._build_thin(steps)

    def _compile(self, steps: Steps) -> None:
        requirement = next(
            line for line in requirements(self.root / "setup.cfg") if line.startswith(COMPILED)
        )
        partial = _emptied(self.wheels / "partial")
        tools = _emptied(self.wheels / "tools")
        venv.create(tools, with_pip=True)
        cores = os.cpu_count() or 1
        label = (
            f"compiling {COMPILED}, once for this machine: about {8.5 / cores + 0.5:.0f} minutes"
        )
        with steps.step(label):
            pip = [str(tools / "bin" / "python"), "-m", "pip", "wheel", "--no-deps"]
            steps.run(
                [*pip, "--verbose", "--wheel-dir", str(partial), requirement],
                env={"CMAKE_ARGS": f"{CMAKE_ARGS} {os.environ.get('CMAKE_ARGS', '')}".strip()},
            )
        for wheel in partial.glob("*.whl"):
            os.replace(wheel, self.wheels / wheel.name)
        shutil.rmtree(partial)
        shutil.rmtree(tools)

    def _build_shared(self, steps: Steps) -> None:
        # A name of its own: a pip that outlived its setup may still write into the former one.
        for abandoned in self.shared.parent.glob(f"{self.key}.partial-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        partial = _emptied(self.shared.with_name(f"{self.key}.partial-{os.getpid()}"))
        with steps.step("installing Python packages, about 300 MB"):
            venv.create(partial, with_pip=True)
            pip = [str(partial / "bin" / "python"), "-m", "pip", "install"]
            steps.run([*pip, "--upgrade", "pip", "setuptools>=69", "wheel"])
            only = ["--only-binary", COMPILED, "--find-links", str(self.wheels)]
            steps.run([*pip, *only, *requirements(self.root / "setup.cfg")])
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
