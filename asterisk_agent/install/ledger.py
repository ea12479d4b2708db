"""The ledger: what an installation touched, how it was before, and how we left it.

It is written before each change, whole and in one step, so that an installation that was
interrupted anywhere can be undone or gone on with. The copies lie beside it, for root alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from asterisk_agent.errors import InstallError
from asterisk_agent.install import files
from asterisk_agent.install.files import Seen
from asterisk_agent.install.places import Places

NAME = "ledger.json"
VERSION = 1
FOLDER_MODE = 0o700
FILE_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Before:
    """A file as it was: its content is in ``copy``, a file of the ledger's folder."""

    copy: str
    sha256: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Touched:
    """A file that we changed (``before``) or made (no ``before``).

    ``target`` is what the line includes that we added; empty for a file that is all ours.
    ``after`` is the SHA-256 of what we wrote.
    """

    path: str
    after: str
    before: Before | None = None
    target: str = ""
    kept_by_default: bool = False
    """Part of the operator's configuration: goes with ``--purge`` alone."""


@dataclass(slots=True)
class Record:
    """Everything on record. ``reload_due``, ``unit_due``: Asterisk or systemd has to read again."""

    version: int = VERSION
    installed: str = ""
    config: str = ""
    state: str = ""
    dialplan: str = ""
    asterisk_etc: str = ""
    accounts: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    """Folders above ours that were not there either; they go when they are empty."""
    files: dict[str, Touched] = field(default_factory=dict)
    reload_due: bool = False
    unit_due: bool = False


class Ledger:
    """The ledger in ``folder``; read once, written at each change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = _read(folder / NAME)

    @property
    def exists(self) -> bool:
        """Whether something was installed from here."""
        return (self.folder / NAME).exists()

    def note_places(self, places: Places, now: datetime) -> None:
        """Where things are, for the removal; written down with the first change."""
        record = self.record
        record.installed = record.installed or now.isoformat(timespec="seconds")
        record.config, record.state = str(places.config), str(places.state)
        record.dialplan, record.asterisk_etc = str(places.dialplan), str(places.asterisk_etc)

    def save(self) -> None:
        """Write it down. Raises InstallError."""
        self.note_parents(self.folder)
        files.make_folder(self.folder, None, FOLDER_MODE)
        text = json.dumps(asdict(self.record), indent=1, sort_keys=True) + "\n"
        files.write(self.folder / NAME, text.encode(), None, FILE_MODE)

    def note_parents(self, folder: Path) -> None:
        """Which folders above this one have still to be made."""
        missing = [str(path) for path in folder.parents if not path.exists()]
        self.record.parents += [path for path in missing if path not in self.record.parents]

    def about_to_write(
        self, path: Path, content: bytes, seen: Seen | None, target: str, *, kept: bool = False
    ) -> None:
        """A file will be made or changed: keep a copy of what it was, the first time."""
        known = self.record.files.get(str(path))
        before = known.before if known is not None else self._copied(seen)
        after = files.digest(content)
        self.record.files[str(path)] = Touched(str(path), after, before, target, kept)
        self.save()

    def seen_before(self, touched: Touched) -> Seen | None:
        """The file as it was, from its copy. Raises InstallError where the copy is not whole."""
        if touched.before is None:
            return None
        before = touched.before
        copy = files.look(self.folder / before.copy)
        if copy is None or copy.sha256 != before.sha256:
            raise InstallError(
                f"the copy of {touched.path} in {self.folder / before.copy} is not whole",
                hint="take the line that asterisk-agent added out of the file by hand",
            )
        return Seen(
            Path(touched.path), copy.content, before.mode, before.uid, before.gid, before.mtime_ns
        )

    def forget(self, path: str) -> None:
        """A file is as it was; its copy goes."""
        touched = self.record.files.pop(path)
        self.save()
        if touched.before is not None:
            files.remove(self.folder / touched.before.copy)

    def close(self) -> None:
        """Nothing is on record any more: the ledger goes, and its folder."""
        files.remove(self.folder / NAME)
        parents = sorted(map(Path, self.record.parents), key=lambda path: -len(path.parts))
        for folder in (self.folder, *parents):
            with suppress(OSError):  # somebody keeps something there
                folder.rmdir()

    def _copied(self, seen: Seen | None) -> Before | None:
        if seen is None:
            return None
        name = f"{len(self.record.files):02}-{seen.path.name}"
        files.make_folder(self.folder, None, FOLDER_MODE)
        files.write(self.folder / name, seen.content, None, FILE_MODE)
        return Before(name, seen.sha256, seen.mode, seen.uid, seen.gid, seen.mtime_ns)


def _read(path: Path) -> Record:
    seen = files.look(path)
    if seen is None:
        return Record()
    try:
        tree = json.loads(seen.content)
        if tree["version"] != VERSION:
            raise ValueError(f"version {tree['version']}, expected {VERSION}")
        touched = {name: _touched(each) for name, each in tree.pop("files").items()}
        return Record(files=touched, **tree)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "take it back from a backup, or undo the installation by hand: docs/install.md"
        raise InstallError(f"{path} cannot be understood: {error}", hint=hint) from None


def _touched(tree: Mapping[str, Any]) -> Touched:
    before = tree["before"]
    return Touched(**{**tree, "before": None if before is None else Before(**before)})
