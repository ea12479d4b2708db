"""The Asterisk program and its read-only files: the machine's own, or a private copy.

Debian 12 carries no Asterisk, Debian testing does. Its packages are downloaded with apt into a
folder of ours and unpacked there, never installed: the program runs from that folder with the
C library that came along.
"""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from asterisk_agent.config.paths import cache_directory
from asterisk_agent.errors import SandboxError


@dataclass(frozen=True, slots=True)
class Distribution:
    """An Asterisk that can be started.

    ``command`` is the program with its loader, if it needs one; ``modules`` and ``data`` are
    Asterisk's ``astmoddir`` and ``astdatadir``.
    """

    command: tuple[str, ...]
    modules: Path
    data: Path

    def version(self) -> str:
        """As Asterisk says it: "Asterisk 22.10.1"."""
        done = subprocess.run([*self.command, "-V"], capture_output=True, text=True, check=False)
        return done.stdout.strip()


def private_root() -> Path:
    """The folder that holds one private Asterisk per version."""
    return cache_directory() / "asterisk"


def find() -> Distribution | None:
    """The machine's Asterisk, else the newest private one, else None."""
    return installed() or fetched()


def require() -> Distribution:
    """Like ``find``, but raises SandboxError with the remedy where there is none."""
    found = find()
    if found is None:
        raise SandboxError(
            "there is no Asterisk on this machine",
            hint="run scripts/setup, or install the package: apt-get install asterisk",
        )
    return found


def fetched() -> Distribution | None:
    """The newest private Asterisk in the cache."""
    versions = [path.parents[2] for path in private_root().glob("[0-9]*/usr/sbin/asterisk")]
    if not versions:
        return None
    return unpacked(max(versions, key=lambda path: _version_key(path.name)))


def unpacked(root: Path) -> Distribution:
    """The Asterisk in a folder of unpacked packages. Raises SandboxError where parts miss."""
    loader = next(root.glob("usr/lib/*-linux-gnu*/ld-linux*.so.*"), None)
    modules = next(root.glob("usr/lib/*-linux-gnu*/asterisk/modules"), None)
    if loader is None or modules is None:
        raise SandboxError(f"{root}: not a complete Asterisk", hint="delete it, run scripts/setup")
    program = str(root / "usr/sbin/asterisk")
    command = (str(loader), "--library-path", str(loader.parent), program)
    return Distribution(command, modules, root / "usr/share/asterisk")


def installed() -> Distribution | None:
    """The Asterisk on PATH, with the directories that its own asterisk.conf names."""
    program = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        return None
    named = configured_directories(Path("/etc/asterisk/asterisk.conf"))
    modules = _first_directory(
        named.get("astmoddir"),
        *sorted(map(str, Path("/usr/lib").glob("*/asterisk/modules"))),
        "/usr/lib/asterisk/modules",
        "/usr/lib64/asterisk/modules",
    )
    data = _first_directory(
        named.get("astdatadir"), "/usr/share/asterisk", "/var/lib/asterisk", holding="documentation"
    )
    if modules is None or data is None:
        return None
    return Distribution((program,), modules, data)


def configured_directories(path: Path) -> dict[str, str]:
    """The ``[directories]`` of an asterisk.conf; empty where it is missing or unreadable."""
    parser = configparser.ConfigParser(
        delimiters=("=>", "="), comment_prefixes=(";",), strict=False, interpolation=None
    )
    try:
        parser.read_string(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, configparser.Error):
        return {}
    return dict(parser["directories"]) if parser.has_section("directories") else {}


def _first_directory(*candidates: str | None, holding: str = "") -> Path | None:
    for candidate in candidates:
        if candidate and (Path(candidate) / holding).is_dir():
            return Path(candidate)
    return None


def _version_key(name: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", name))
