"""A root folder like that of a machine with Asterisk, for tests of the installation."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from asterisk_agent.cli.install_look import look
from asterisk_agent.install import planning
from asterisk_agent.install.execution import Execution
from asterisk_agent.install.ledger import Ledger
from asterisk_agent.install.machine import Ran, examine
from asterisk_agent.install.places import Owner, under
from asterisk_agent.install.planning import Site
from asterisk_agent.install.removal import Removal
from asterisk_agent.install.removal import plan as removal_plan
from asterisk_agent.install.starting import Wishes

STOCK = {
    "asterisk.conf": b"[options]\n;verbose = 3\n",
    "extensions.conf": b"[globals]\nTRUNK=PJSIP/x\n\n[from-trunk]\nexten => 1,1,Hangup()\n",
    "queues.conf": b"[general]\r\npersistentmembers = yes\r\n",
    "voicemail.conf": b"[general]\nformat=wav",
    "manager.conf": b'[general]\nenabled = yes\nport = 5038\n#include "manager.d/*.conf"\n',
    "manager.d/README.conf": b"; empty\n",
}
OLD_NS = 1_600_000_000_000_000_000


@dataclass
class Commands:
    """Stands for the machine's programs: notes each command, and answers as told.

    ``answers`` maps the beginning of a command line, from any word on, to what it says; the
    command that writes the dialplan writes it.
    """

    dialplan: Path
    answers: dict[str, Ran] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    overwrites: Path | None = None

    def __call__(self, command: Sequence[str], owner: Owner | None = None) -> Ran:
        line = " ".join(command)
        self.said.append(line)
        for part, answer in self.answers.items():
            if part in line:
                return answer
        if "dialplan write" in line:
            return self._write()
        if "dialplan show" in line:
            return Ran(0, "[ Context 'asterisk-agent' created by 'pbx_config' ]\n")
        return Ran(0, "{}")

    def _write(self) -> Ran:
        if self.overwrites is not None:
            self.overwrites.write_text("; generated\n")
        path = self.dialplan / "extensions.conf"
        if path.exists():
            return Ran(0, '{"changed": []}')
        (self.dialplan / "sounds").mkdir()
        (self.dialplan / "sounds" / "apology.wav").write_bytes(b"RIFF")
        path.write_text("; generated\n")
        return Ran(0, json.dumps({"changed": [str(path)]}))


def make_root(folder: Path, stock: dict[str, bytes] | None = None) -> Path:
    """Asterisk's files under ``folder/root``, all of them old, and a program of Asterisk's."""
    root = folder / "root"
    for name, content in (STOCK if stock is None else stock).items():
        path = root / "etc" / "asterisk" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o640)
        os.utime(path, ns=(OLD_NS, OLD_NS))
    for name in ("usr/sbin", "etc/systemd/system", "var/lib"):
        (root / name).mkdir(parents=True)
    (root / "usr/sbin/asterisk").write_text("#!/bin/sh\n")
    return root


def site_of(root: Path, **wishes: str) -> Site:
    """What ``install --root`` finds there."""
    return look(root, None, None, "", Wishes(**wishes))


@dataclass
class Installer:
    """``install`` and ``uninstall`` on a root folder, with the commands of ``run`` alone faked."""

    root: Path
    run: Commands
    told: list[tuple[str, bool]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def install(self) -> bool:
        """Whether something was changed."""
        site = site_of(self.root)
        ledger = Ledger(site.places.ledger)
        ledger.note_places(site.places, datetime(2026, 11, 23, tzinfo=UTC))
        self.told = []
        execution = Execution(
            site.places,
            site.machine,
            ledger,
            self.run,
            lambda step, did: self.told.append((step.says, did)),
        )
        try:
            execution.carry_out(planning.plan(site))
        finally:
            self.notes = execution.notes
        return execution.changed

    def uninstall(self, *, purge: bool = False, force: bool = False) -> list[str]:
        """What was done."""
        places = under(self.root, None, None, None)
        ledger, machine = Ledger(places.ledger), examine(places)
        done: list[str] = []
        removal = Removal(ledger, machine, self.run, lambda step: done.append(step.says))
        try:
            removal.carry_out(removal_plan(ledger, machine, purge=purge), force=force)
        finally:
            self.notes = removal.notes
        return done


def installer(folder: Path, stock: dict[str, bytes] | None = None) -> Installer:
    """A machine with Asterisk, before the installation."""
    root = make_root(folder, stock)
    return Installer(root, Commands(root / "etc/asterisk/agent"))


def tree(root: Path) -> dict[str, str]:
    """Every file and link under ``root``: mode, times, and hash of content or where it leads."""
    found = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        if path.is_symlink():
            found[str(path.relative_to(root))] = f"-> {os.readlink(path)}"
        elif path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path.relative_to(root))] = (
                f"{status.st_mode:o} {status.st_uid}:{status.st_gid} {status.st_mtime_ns} {digest}"
            )
        else:
            found[str(path.relative_to(root))] = f"{status.st_mode:o}"
    return found
