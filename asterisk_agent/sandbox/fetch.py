"""Fetch a private Asterisk with apt, into the cache, without installing anything.

``python -m asterisk_agent.sandbox.fetch`` does it where the machine has no Asterisk. Safe to
interrupt and to repeat: what was downloaded is kept, and the result appears under its name only
when it is complete.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.distribution import Distribution, find, private_root, unpacked

RELEASE = "forky"
"""The Debian release that carries Asterisk 22."""
PACKAGES = ("asterisk", "asterisk-modules", "asterisk-core-sounds-en-wav")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
REMEDY = "install Asterisk 18 or later with the system's package manager, then run this again"

Say = Callable[[str], None]


def ensure(say: Say = lambda _line: None) -> Distribution:
    """The Asterisk to use; fetched now where the machine has none. Raises SandboxError."""
    present = find()
    if present is not None:
        return present
    root = private_root()
    root.mkdir(parents=True, exist_ok=True)
    with _lock(root / ".lock"):
        return find() or _fetch(root, say)


def _fetch(root: Path, say: Say) -> Distribution:
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise SandboxError(f"no Asterisk here, and no {tool} to fetch one with", hint=REMEDY)
    if not KEYRING.exists():
        raise SandboxError(f"{KEYRING} is missing", hint="apt-get install debian-archive-keyring")
    partial = root / "partial"
    apt = PrivateApt(partial / "apt", mirror=debian_mirror())
    say(f"asterisk: reading the package list of Debian {RELEASE}")
    apt.run("update")
    say("asterisk: downloading about 160 packages, 95 MB")
    apt.run("--yes", "--download-only", "install", *PACKAGES)
    packages = sorted(apt.archives.glob("*.deb"))
    version = package_version(packages)
    say(f"asterisk: unpacking {version}")
    staging = partial / "root"
    shutil.rmtree(staging, ignore_errors=True)
    for package in packages:
        _run(["dpkg-deb", "--extract", str(package), str(staging)])
    _tidy(staging)
    unpacked(staging)
    os.replace(staging, root / version)
    shutil.rmtree(partial)
    return unpacked(root / version)


class PrivateApt:
    """apt with lists, cache and an (empty) record of installed packages in ``directory``."""

    def __init__(self, directory: Path, *, mirror: str) -> None:
        self.archives = directory / "cache" / "archives"
        for folder in (
            *(
                directory / "etc" / part
                for part in ("apt.conf.d", "preferences.d", "trusted.gpg.d")
            ),
            directory / "etc" / "sources.list.d",
            directory / "state" / "lists" / "partial",
            self.archives / "partial",
        ):
            folder.mkdir(parents=True, exist_ok=True)
        (directory / "status").touch()
        source = f"deb [signed-by={KEYRING}] {mirror} {RELEASE} main\n"
        (directory / "etc" / "sources.list").write_text(source, encoding="utf-8")
        self._options = [
            f"-o{name}={value}"
            for name, value in (
                ("Dir::Etc", directory / "etc"),
                ("Dir::State", directory / "state"),
                ("Dir::State::status", directory / "status"),
                ("Dir::Cache", directory / "cache"),
                ("Dir::Log", directory),
                ("APT::Sandbox::User", "root"),
                ("APT::Install-Recommends", "false"),
                # A mirror may be a snapshot whose lists have formally expired.
                ("Acquire::Check-Valid-Until", "false"),
                ("Acquire::Retries", "3"),
            )
        ]

    def run(self, *arguments: str) -> None:
        """``apt-get`` with these arguments. Raises SandboxError with apt's own last words."""
        _run(["apt-get", "-qq", *self._options, *arguments])


def debian_mirror() -> str:
    """The Debian mirror that this machine's own apt uses. Raises SandboxError."""
    mirror = _known_mirror()
    if mirror is None and os.geteuid() == 0:
        _run(["apt-get", "-qq", "update"])
        mirror = _known_mirror()
    if mirror is None:
        raise SandboxError(
            "apt knows no Debian mirror",
            hint=f"on Debian run apt-get update first; elsewhere {REMEDY}",
        )
    return mirror


def _known_mirror() -> str | None:
    target = "$(COMPONENT)\t$(ORIGIN)\t$(REPO_URI)"
    for line in _run(["apt-get", "indextargets", "--format", target]).splitlines():
        component, origin, mirror = line.split("\t")
        # The origin is known only once the lists were read; the path tells nearly as well.
        is_debian = origin == "Debian" or (not origin and mirror.rstrip("/").endswith("/debian"))
        if component == "main" and is_debian and "security" not in mirror:
            return mirror
    return None


def package_version(packages: list[Path]) -> str:
    """Asterisk's version from the name of its package: "22.10.1". Raises SandboxError."""
    for package in packages:
        if match := re.match(r"asterisk_(?:\d+%3a)?(\d+(?:\.\d+)+)", package.name):
            return match[1]
    raise SandboxError("apt downloaded no asterisk package", hint=REMEDY)


def _tidy(staging: Path) -> None:
    for surplus in ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info"):
        shutil.rmtree(staging / surplus, ignore_errors=True)
    sounds = staging / "usr/share/asterisk/sounds"
    if not (sounds / "en").exists():
        (sounds / "en").symlink_to("en_US_f_Allison")


def _run(command: list[str]) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    if done.returncode != 0:
        last_words = " ".join(done.stderr.split()[-60:]) or f"exit status {done.returncode}"
        raise SandboxError(f"{' '.join(command[:2])} failed: {last_words}", hint=REMEDY)
    return done.stdout


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Fetch, saying each step on standard error."""
    try:
        ensure(lambda line: print(line, file=sys.stderr, flush=True))
    except SandboxError as error:
        print(f"setup: {error.message}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
