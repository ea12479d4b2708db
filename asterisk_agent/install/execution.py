"""Taking the steps of a plan, with the ledger written before each change."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asterisk_agent import dialplan
from asterisk_agent.errors import InstallError
from asterisk_agent.install import files
from asterisk_agent.install.asterisk import Console
from asterisk_agent.install.ledger import Ledger
from asterisk_agent.install.machine import Machine, Ran, Run, may_use
from asterisk_agent.install.places import UNIT, Places
from asterisk_agent.install.steps import (
    Account,
    Command,
    File,
    Folder,
    Generate,
    Line,
    Models,
    Reload,
    Step,
    Usable,
    When,
)

GENERATED = ("extensions.conf", "queues.conf", "voicemail.conf", *dialplan.HAND_WRITTEN)
Say = Callable[[Step, bool], None]
"""Told after each step: the step, and whether it changed something."""


@dataclass(slots=True)
class Execution:
    """One installation. ``notes`` are what the operator has to know behind it."""

    places: Places
    machine: Machine
    ledger: Ledger
    run: Run
    say: Say
    notes: list[str] = field(default_factory=list)
    changed: bool = False
    _lines: list[str] = field(default_factory=list)

    def carry_out(self, steps: Sequence[Step]) -> None:
        """Take every step. Raises InstallError at the first that cannot be taken.

        What was done until then is on record: run it again, or undo it.
        """
        for step in steps:
            did = step.needed and self._do(step)
            self.changed |= did
            self.say(step, did)

    def _do(self, step: Step) -> bool:
        match step:
            case Account():
                return self._make_account(step)
            case Usable():
                may_use(self.run, self.machine)
                return False
            case Folder():
                return self._make_folder(step)
            case File():
                return self._write(step)
            case Line():
                return self._add(step)
            case Models():
                return self._copy(step)
            case Generate():
                return self._generate(step)
            case Command():
                return self._command(step)
            case Reload():
                return self._reload()

    def _make_account(self, step: Account) -> bool:
        if step.name not in self.ledger.record.accounts:
            self.ledger.record.accounts.append(step.name)
        self.ledger.save()
        command = ("useradd", "--system", "--user-group", "--no-create-home", "--home-dir")
        shell = ("--shell", "/usr/sbin/nologin")
        _expect(self.run((*command, str(step.home), *shell, step.name)), step.says)
        return True

    def _make_folder(self, step: Folder) -> bool:
        folders = self.ledger.record.folders
        if not step.path.exists() and str(step.path) not in folders:
            folders.append(str(step.path))
        self.ledger.note_parents(step.path)
        self.ledger.save()
        files.make_folder(step.path, step.owner, step.mode)
        return True

    def _write(self, step: File) -> bool:
        seen = files.look(step.path)
        if step.path == self.places.unit:
            self.ledger.record.unit_due = True
        elif step.path.is_relative_to(self.places.asterisk_etc):
            self.ledger.record.reload_due = True
        self.ledger.about_to_write(step.path, step.content, seen, "", kept=step.kept)
        files.write(step.path, step.content, step.owner, step.mode)
        return True

    def _add(self, step: Line) -> bool:
        path = step.path if step.seen is None else step.seen.path
        self.ledger.record.reload_due = True
        self.ledger.about_to_write(path, step.content, step.seen, str(step.target))
        self._lines.append(str(path))
        if step.seen is None:
            files.write(path, step.content, step.owner, 0o640)
        else:
            files.edit(step.seen, step.content)
        return True

    def _copy(self, step: Models) -> bool:
        part = step.target.with_name(f"{step.target.name}.part")
        _expect(self.run(("rm", "-rf", str(part))), step.says)
        _expect(self.run(("cp", "-r", str(step.source), str(part))), step.says)
        if step.owner is not None:
            owner = f"{step.owner.user}:{step.owner.group}"
            _expect(self.run(("chown", "-R", "--no-dereference", owner, str(part))), step.says)
        _expect(self.run(("mv", str(part), str(step.target))), step.says)
        return True

    def _generate(self, step: Generate) -> bool:
        """Files of that name that were there before us are kept as copies, too."""
        for name in (*GENERATED, dialplan.PLAN_FILE):
            path = step.folder / name
            if str(step.folder) in self.ledger.record.folders:
                break
            if (seen := files.look(path)) is not None and str(path) not in self.ledger.record.files:
                self.ledger.about_to_write(path, seen.content, seen, "")
        sounds = step.folder / dialplan.SOUNDS
        if not sounds.exists():
            self.ledger.record.folders.append(str(sounds))
            self.ledger.save()
        ran = _expect(self.run(step.command, step.owner), step.says)
        did = _listed(ran, ("changed",))
        if did:
            self.ledger.record.reload_due = True
            self.ledger.save()
        return did

    def _command(self, step: Command) -> bool:
        if step.when is When.UNIT_CHANGED and not self.ledger.record.unit_due:
            return False
        if step.when is When.SERVICE_DOWN and self._service_runs():
            return False
        ran = self.run(step.command, step.owner)
        if ran.status != 0 and step.hint:
            self.notes.append(f"Could not {step.says}: {ran.last_words}. {step.hint}")
            return False
        _expect(ran, step.says)
        if step.when is When.UNIT_CHANGED:
            self.ledger.record.unit_due = False
            self.ledger.save()
            if self._is("is-active"):
                self.notes.append(
                    "The service runs by its old unit until: systemctl restart asterisk-agent "
                    "(its calls are handed to people then)."
                )
        return _listed(ran, step.listed) if step.listed else True

    def _service_runs(self) -> bool:
        return self._is("is-active") and self._is("is-enabled")

    def _is(self, question: str) -> bool:
        return self.run(("systemctl", question, "--quiet", UNIT)).status == 0

    def _reload(self) -> bool:
        if not self.ledger.record.reload_due:
            return False
        console = Console(self.machine.asterisk_command, self.run)
        did = console.answers
        if did:
            console.reload()
            if not console.has_our_dialplan:
                self._take_back(console)
        else:
            self.notes.append("Asterisk does not run; it reads its files when it starts.")
        self.ledger.record.reload_due = False
        self.ledger.save()
        return did

    def _take_back(self, console: Console) -> None:
        """Asterisk goes on with what it has loaded, but what it reads at its next start counts."""
        for path in self._lines:
            touched = self.ledger.record.files[path]
            seen = self.ledger.seen_before(touched)
            if seen is None:
                files.remove(Path(path))
            else:
                files.restore(seen)
            self.ledger.forget(path)
        console.reload()
        raise InstallError(
            "Asterisk did not take our dialplan over, so its files are as they were before",
            hint="its log tells why; is pbx_config loaded, and extensions.conf in use?",
        )


def _expect(ran: Ran, what: str) -> Ran:
    if ran.status != 0:
        hint = "mend that, and run it again: what was done already is known"
        raise InstallError(f"could not {what}: {ran.last_words}", hint=hint)
    return ran


def _listed(ran: Ran, keys: Sequence[str]) -> bool:
    """Whether a command's JSON lists something under one of these keys."""
    try:
        told = json.loads(ran.said.strip().splitlines()[-1])
        return any(told.get(key) for key in keys)
    except (ValueError, IndexError, AttributeError):
        return True
