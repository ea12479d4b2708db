"""The lock files: every Python package that setup installs, pinned, with the hashes of its files.

``scripts/lock`` writes them, setup installs from them with ``pip --require-hashes``. They are in
pip's own format, so ``pip install --require-hashes -r`` takes them without us.

Standard library only: setup uses this before anything is installed.
"""

from __future__ import annotations

import configparser
import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from asterisk_agent.errors import SandboxError

FOLDER = Path("scripts/setup.d")
PRODUCT = FOLDER / "requirements.lock"
"""What the service needs, with PostgreSQL's driver."""
DEVELOPMENT = FOLDER / "development.lock"
"""What tests, checks and the phone need beside it."""
TOOLS = FOLDER / "tools.lock"
"""What builds: the language model's library, this package, and the lock files themselves."""
PRODUCT_EXTRAS = ("postgres",)
DEVELOPMENT_EXTRAS = ("phone", "test")
INSTALLERS = ("pip", "setuptools>=69")
"""What installs the package itself, editable."""
TOOL_REQUIREMENTS = (*INSTALLERS, "cmake", "ninja", "scikit-build-core", "uv")
ORIGIN = "# Made from: "

Entries = Mapping[str, str]
"""``name`` → its lines, all versions of it (one Python may need another than the next)."""


def requirements(setup_cfg: Path, *extras: str) -> list[str]:
    """The package's own dependencies and those of these extras, sorted."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(setup_cfg.read_text(encoding="utf-8"))
    sections = [parser["options"]["install_requires"]]
    sections += [parser["options.extras_require"][extra] for extra in extras]
    lines = "\n".join(sections).splitlines()
    return sorted({line.strip() for line in lines if line.strip()})


def everything(setup_cfg: Path) -> list[str]:
    """What both lock files of packages hold: the service's, the tests', and what installs them."""
    return [*requirements(setup_cfg, *PRODUCT_EXTRAS, *DEVELOPMENT_EXTRAS), *INSTALLERS]


def origin(setup_cfg: Path) -> str:
    """Stands for everything that the lock files were made from."""
    wanted = [*everything(setup_cfg), *TOOL_REQUIREMENTS]
    return hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:16]


def read(root: Path, *files: Path) -> dict[str, str]:
    """The entries of these lock files of the clone at ``root``.

    Raises SandboxError where one is missing, or was made from other dependencies than setup.cfg
    has now.
    """
    found: dict[str, str] = {}
    for file in files:
        try:
            text = (root / file).read_text(encoding="utf-8")
        except OSError as error:
            raise SandboxError(f"{file}: {error.strerror}", hint="run scripts/lock") from None
        if f"{ORIGIN}{origin(root / 'setup.cfg')}\n" not in text:
            raise SandboxError(
                f"{file} was made from other dependencies than setup.cfg asks for",
                hint="run scripts/lock, and commit what it writes",
            )
        found |= entries(text)
    return found


def entries(text: str) -> dict[str, str]:
    """A lock file's entries by name. Lines before the first are passed over."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines(keepends=True):
        if match := re.match(r"([a-z0-9][a-z0-9-]*)==", line):
            name = match[1]
        if name:
            found[name] = found.get(name, "") + line
    return found


def pinned(entry: str) -> list[str]:
    """The versions of an entry."""
    return re.findall(r"^[a-z0-9-]+==([^ ;\\\n]+)", entry, re.MULTILINE)


def write(path: Path, chosen: Entries, keep: Callable[[str], bool] = lambda _: True) -> Path:
    """Write those entries whose name passes ``keep``, as a requirements file for pip."""
    path.write_text("".join(chosen[name] for name in chosen if keep(name)), encoding="utf-8")
    return path
