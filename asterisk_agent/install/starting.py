"""The configuration to start from: the operator's own, an example, or a small one to fill in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from string import Template

from asterisk_agent.config import schema
from asterisk_agent.errors import InstallError
from asterisk_agent.install.places import Places

TEMPLATES = Path(__file__).parent / "start"
FILES = tuple(schema.FILES)
KNOWLEDGE = "knowledge"
NOBODYS_NUMBER = "+10000000000"
NOBODYS_PHONE = "PJSIP/100"
MOST_FILES = 2000
_ZONES = "zoneinfo/"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator said about the configuration to start with."""

    number: str = NOBODYS_NUMBER
    phone: str = NOBODYS_PHONE
    like: Path | None = None


def exists(directory: Path) -> bool:
    """Whether a configuration is there, whole or not: any of its files."""
    return any((directory / name).exists() for name in FILES)


def content(wishes: Wishes, places: Places, manager_port: int) -> dict[str, bytes]:
    """The files to start with, by their path in the configuration's folder; documents first.

    Raises InstallError for an example that cannot be read.
    """
    if wishes.like is not None:
        return _copied(wishes.like)
    values = {
        "number": wishes.number,
        "phone": wishes.phone,
        "zone": zone(places.root),
        "port": str(manager_port),
        "database": str(places.state / "calls.db"),
        "dialplan": str(places.dialplan),
        "state": str(places.state),
    }
    found = {
        name: Template((TEMPLATES / name).read_text(encoding="utf-8")).substitute(values).encode()
        for name in FILES
    }
    return {f"{KNOWLEDGE}/company/about.md": (TEMPLATES / "about.md").read_bytes(), **found}


def zone(root: Path) -> str:
    """The machine's time zone, by its name; UTC where it does not say."""
    try:
        _, found, name = os.readlink(root / "etc/localtime").partition(_ZONES)
        return name if found else "UTC"
    except OSError:
        pass
    try:
        return (root / "etc/timezone").read_text(encoding="utf-8").strip() or "UTC"
    except (OSError, UnicodeDecodeError):
        return "UTC"


def _copied(folder: Path) -> dict[str, bytes]:
    if not exists(folder):
        raise InstallError(
            f"{folder} holds no configuration",
            hint=f"name a folder with {', '.join(FILES)}",
        )
    try:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        if len(paths) > MOST_FILES:
            raise InstallError(f"{folder} holds {len(paths)} files", hint="name another folder")
        names = [str(path.relative_to(folder)) for path in paths]
        return {
            name: (folder / name).read_bytes() for name in sorted(names, key=FILES.__contains__)
        }
    except OSError as error:
        raise InstallError(f"{error.filename} cannot be read: {error.strerror}") from None
