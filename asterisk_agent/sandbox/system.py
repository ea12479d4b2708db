"""What the machine itself must have: a few of the distribution's packages.

Standard library only: setup uses this before anything is installed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.distribution import find
from asterisk_agent.sandbox.fetch import KEYRING
from asterisk_agent.sandbox.steps import Steps

PIP_MODULE = "ensurepip"


@dataclass(frozen=True, slots=True)
class Need:
    """Something of the machine's: Debian's package, what it is for, and whether it is there."""

    package: str
    what_for: str
    is_there: Callable[[], bool]


def needs(*, compiler: bool) -> list[Need]:
    """Everything that setup, the demo and the tests take from the distribution.

    ``compiler``: whether the language model's library has still to be compiled.
    """
    venv = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    wanted = [
        Need(venv, "makes virtual environments", _has_ensurepip),
        Need("libgomp1", "lets the engines use all cores", lambda: _has_library("libgomp.so.1")),
        Need("faketime", "moves the clock in tests", _has_faketime),
        Need("chromium", "shows the console's pages in tests", _has_chromium),
        Need("postgresql", "is a database in tests", lambda: postgres_programs() is not None),
        Need("debian-archive-keyring", "verifies the private Asterisk", _has_keyring),
    ]
    if compiler:
        wanted.append(Need("build-essential", "compiles llama.cpp", _has_compiler))
    return wanted


def missing(wanted: list[Need]) -> list[Need]:
    """Those that are not there."""
    return [need for need in wanted if not need.is_there()]


def install(lacking: list[Need], steps: Steps) -> None:
    """Install packages with apt. Raises SandboxError saying what to install where it cannot."""
    if not lacking:
        return
    packages = [need.package for need in lacking]
    by_hand = f"install {', '.join(packages)}"
    if shutil.which("apt-get") is None:
        uses = "; ".join(f"{need.package} {need.what_for}" for need in lacking)
        raise SandboxError(
            f"this machine lacks {', '.join(packages)} ({uses})",
            hint=f"{by_hand} under the names that your distribution gives them",
        )
    prefix = _as_root()
    if prefix is None:
        raise SandboxError(
            f"this machine lacks {', '.join(packages)}",
            hint=f"run as root: apt-get install {' '.join(packages)}",
        )
    quiet: Mapping[str, str] = {"DEBIAN_FRONTEND": "noninteractive"}
    apt = [*prefix, "apt-get", "-q", "-y", "--no-install-recommends"]
    with steps.step(f"installing {', '.join(packages)}"):
        # Lists that were never fetched, or are older than the mirror, make the first try fail.
        try:
            steps.run([*apt, "install", *packages], env=quiet)
        except SandboxError:
            steps.run([*prefix, "apt-get", "-q", "update"], env=quiet)
            steps.run([*apt, "install", *packages], env=quiet)


def _as_root() -> list[str] | None:
    """What to put before a command so that root runs it; None where that is not possible."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    quietly = ["sudo", "--non-interactive"]
    done = subprocess.run([*quietly, "true"], capture_output=True, check=False)
    return quietly if done.returncode == 0 else None


def _has_ensurepip() -> bool:
    return importlib.util.find_spec(PIP_MODULE) is not None


def _has_compiler() -> bool:
    return shutil.which("g++") is not None and shutil.which("make") is not None


def _has_library(name: str) -> bool:
    folders = ("/lib", "/usr/lib", "/lib64", "/usr/lib64")
    return any(
        next(Path(folder).glob(pattern), None) is not None
        for folder in folders
        for pattern in (name, f"*/{name}")
    )


def _has_faketime() -> bool:
    return any(_has_library(f"{folder}libfaketimeMT.so.1") for folder in ("faketime/", ""))


def _has_chromium() -> bool:
    return shutil.which("chromium") is not None


def postgres_programs() -> Path | None:
    """The folder of the newest PostgreSQL server's programs, which stand in no search path."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda program: float(program.parts[-3]), default=None)
    return None if newest is None else newest.parent


def _has_keyring() -> bool:
    return KEYRING.exists() or find() is not None
