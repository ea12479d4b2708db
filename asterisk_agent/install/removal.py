"""Undoing an installation by its ledger: first Asterisk's own files, then ours.

A file that nobody changed since is put back byte for byte, with its owner, mode and times. Out of
one that somebody changed, our line alone is taken. The configuration, the call log and the accounts
that own them stay, unless everything shall go.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from asterisk_agent import dialplan, status
from asterisk_agent.errors import InstallError
from asterisk_agent.install import files, lines
from asterisk_agent.install.asterisk import Console
from asterisk_agent.install.execution import GENERATED
from asterisk_agent.install.ledger import Ledger, Touched
from asterisk_agent.install.machine import Machine, Run
from asterisk_agent.install.places import UNIT


class How(Enum):
    """What becomes of a file."""

    RESTORED = "put back {} as it was, byte for byte"
    LINE_TAKEN = "take our line out of {}, and leave what else was changed there since"
    DELETED = "delete {}"
    LEFT = "leave {} as it is: nothing of ours is in it"


@dataclass(frozen=True, slots=True)
class Stop:
    """The service ends, and does not start with the machine any more."""

    says: str = "stop the service, which hands its calls to people"


@dataclass(frozen=True, slots=True)
class PutBack:
    """One file of the ledger."""

    touched: Touched
    how: How

    @property
    def says(self) -> str:
        """What is done, for people."""
        return self.how.value.format(self.touched.path)


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """Asterisk forgets us."""

    says: str = "let Asterisk read its files again"


@dataclass(frozen=True, slots=True)
class Generated:
    """The generated files, in a folder that may hold others."""

    folder: Path

    @property
    def says(self) -> str:
        """What is done, for people."""
        return f"delete the generated files in {self.folder}"


@dataclass(frozen=True, slots=True)
class Purge:
    """A folder that we made, with everything in it."""

    folder: Path

    @property
    def says(self) -> str:
        """What is done, for people."""
        return f"delete {self.folder} and everything in it"


@dataclass(frozen=True, slots=True)
class DropAccount:
    """The system user that we made."""

    name: str

    @property
    def says(self) -> str:
        """What is done, for people."""
        return f"remove the system user and group {self.name}"


Undo: TypeAlias = Stop | PutBack | ReadAgain | Generated | Purge | DropAccount


def plan(ledger: Ledger, machine: Machine, *, purge: bool) -> list[Undo]:
    """What would be undone, in its order. Raises InstallError where nothing is on record."""
    record = ledger.record
    if not ledger.exists:
        raise InstallError(
            f"nothing is on record in {ledger.folder}",
            hint="what was installed by hand is removed by hand: docs/install.md",
        )
    ours = [each for each in record.files.values() if purge or not each.kept_by_default]
    etc = Path(record.asterisk_etc)
    found: list[Undo] = []
    if machine.systemd and any(each.path.endswith(f"/{UNIT}") for each in ours):
        found.append(Stop())
    # What includes goes before what is included, or Asterisk would miss it.
    back = [PutBack(each, _how(each, etc)) for each in ours]
    back.sort(key=lambda each: not each.touched.target)
    found += back
    if any(Path(each.path).is_relative_to(etc) for each in ours) and machine.asterisk_command:
        found.append(ReadAgain())
    if record.dialplan and Path(record.dialplan).is_dir():
        found.append(Generated(Path(record.dialplan)))
    if purge:
        generated = Path(record.dialplan)
        made = map(Path, record.folders)
        tops = [path for path in made if not path.is_relative_to(generated)]
        found += [Purge(path) for path in tops if not any(p in tops for p in path.parents)]
        found += [DropAccount(name) for name in record.accounts]
    return found


def left(ledger: Ledger) -> list[str]:
    """What stays without ``--purge``."""
    record = ledger.record
    return [path for path in (record.config, record.state) if path and Path(path).is_dir()]


@dataclass(slots=True)
class Removal:
    """One removal. ``notes`` are what the operator has to know behind it."""

    ledger: Ledger
    machine: Machine
    run: Run
    say: Callable[[Undo], None]
    notes: list[str] = field(default_factory=list)
    _restored: set[Path] = field(default_factory=set)

    def carry_out(self, steps: Sequence[Undo], *, force: bool) -> None:
        """Undo everything. Raises InstallError at the first that cannot be undone.

        Refuses while calls are in our dialplan, and while a service runs that we cannot stop,
        unless forced.
        """
        console = Console(self.machine.asterisk_command, self.run)
        if not force and steps:
            self._look_for_callers(console)
        for step in steps:
            self._do(step, console)
            self.say(step)
        self._close()

    def _do(self, step: Undo, console: Console) -> None:
        match step:
            case Stop():
                self.run(("systemctl", "disable", "--now", UNIT))
            case PutBack():
                self._put_back(step)
            case ReadAgain():
                if console.answers:
                    console.reload()
                else:
                    self.notes.append("Asterisk does not run; it reads its files when it starts.")
            case Generated():
                self._clear(step.folder)
            case Purge():
                shutil.rmtree(step.folder, ignore_errors=True)
                if step.folder.exists():
                    self.notes.append(f"{step.folder} could not be deleted whole.")
                self._forget_folder(step.folder)
            case DropAccount():
                ran = self.run(("userdel", step.name))
                if ran.status != 0:
                    self.notes.append(f"The user {step.name} stays: {ran.last_words}")
                self.ledger.record.accounts.remove(step.name)
                self.ledger.save()

    def _put_back(self, step: PutBack) -> None:
        touched, path = step.touched, Path(step.touched.path)
        if step.how is How.RESTORED:
            before = self.ledger.seen_before(touched)
            assert before is not None
            files.restore(before)
            self._restored.add(path)
        elif step.how is How.DELETED:
            files.remove(path)
        elif step.how is How.LINE_TAKEN:
            etc = Path(self.ledger.record.asterisk_etc)
            seen = files.look(path)
            if seen is not None:
                files.edit(seen, lines.removed(seen.content, Path(touched.target), etc))
                self.notes.append(f"{path} was changed since: only our line was taken out.")
        if path.name == UNIT:
            self.run(("systemctl", "daemon-reload"))
        self.ledger.forget(touched.path)

    def _clear(self, folder: Path) -> None:
        """Only what we write there by name; somebody's own files stay, and the folder with them."""
        for name in (*GENERATED, dialplan.PLAN_FILE):
            if folder / name not in self._restored:
                files.remove(folder / name)
        if str(folder / dialplan.SOUNDS) in self.ledger.record.folders:
            shutil.rmtree(folder / dialplan.SOUNDS, ignore_errors=True)
            self._forget_folder(folder / dialplan.SOUNDS)
        if str(folder) in self.ledger.record.folders:
            try:
                folder.rmdir()
            except OSError:
                self.notes.append(f"{folder} stays: there is something in it that is not ours.")
            self._forget_folder(folder)

    def _forget_folder(self, folder: Path) -> None:
        record = self.ledger.record
        record.folders = [each for each in record.folders if not Path(each).is_relative_to(folder)]
        self.ledger.save()

    def _look_for_callers(self, console: Console) -> None:
        if console.answers and (calls := console.calls):
            raise InstallError(
                f"{calls} channels are in our dialplan now, and would lose their way",
                hint="take our contexts out of the trunk's, wait for these calls to end, and try "
                "again; or --force",
            )
        state = self.ledger.record.state
        running = status.read(Path(state)) if state and not self.machine.systemd else None
        if running is not None:
            raise InstallError(
                f"the service runs (pid {running.pid}), and not under systemd",
                hint=f"stop it first: kill {running.pid}; or --force",
            )

    def _close(self) -> None:
        """The ledger stays for a later ``--purge`` while something is on it."""
        record = self.ledger.record
        record.folders = [folder for folder in record.folders if Path(folder).exists()]
        if not (record.files or record.folders or record.accounts):
            self.ledger.close()


def _how(touched: Touched, etc: Path) -> How:
    path = Path(touched.path)
    seen = files.look(path) if os.path.lexists(path) else None
    before = touched.before
    if seen is None:
        return How.RESTORED if before is not None and not touched.target else How.LEFT
    if before is not None and (seen.sha256 == before.sha256):
        return How.RESTORED  # its mode or its times may be others
    if seen.sha256 == touched.after or not touched.target:
        return How.DELETED if before is None else How.RESTORED
    if lines.removed(seen.content, Path(touched.target), etc) != seen.content:
        return How.LINE_TAKEN
    return How.LEFT
