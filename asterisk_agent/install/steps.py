"""What an installation consists of. Data alone: ``execution`` does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from asterisk_agent.install.files import Seen
from asterisk_agent.install.places import Owner


@dataclass(frozen=True, slots=True)
class Account:
    """A system user with a group of its own."""

    name: str
    home: Path
    needed: bool

    @property
    def says(self) -> str:
        """What is done, for people."""
        return f"make the system user and group {self.name}"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder, its owner and its mode. ``kept``: goes with ``uninstall --purge`` alone."""

    path: Path
    owner: Owner | None
    mode: int
    needed: bool
    kept: bool = False

    @property
    def says(self) -> str:
        """What is done, for people."""
        who = f" {self.owner.user}:{self.owner.group}" if self.owner is not None else ""
        return f"make the folder {self.path}{who} {self.mode:04o}"


@dataclass(frozen=True, slots=True)
class File:
    """A file that is all ours. ``kept``: goes with ``uninstall --purge`` alone."""

    path: Path
    content: bytes
    owner: Owner | None
    mode: int
    needed: bool
    about: str
    kept: bool = False

    @property
    def says(self) -> str:
        """What is done, for people."""
        return f"write {self.path}: {self.about}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line at the end of a file of Asterisk's, which includes ``target``."""

    path: Path
    target: Path
    content: bytes
    seen: Seen | None
    owner: Owner | None
    needed: bool

    @property
    def says(self) -> str:
        """What is done, for people."""
        return f"include {self.target} in {self.path}, with one line at its end"


class When(Enum):
    """Whether a command is needed: known before, or only while the steps are taken."""

    ALWAYS = "always"
    UNIT_CHANGED = "if the unit changed"
    SERVICE_DOWN = "if the service does not run, or not from the start of the machine on"


@dataclass(frozen=True, slots=True)
class Command:
    """A command; ``owner`` runs it, or root.

    ``listed``: it prints JSON, and has changed something where one of these keys is not empty.
    """

    command: Sequence[str]
    about: str
    owner: Owner | None = None
    when: When = When.ALWAYS
    listed: Sequence[str] = ()
    hint: str = ""
    """For a command that may fail without the rest being worthless: what tells why."""

    @property
    def needed(self) -> bool:
        """Told while the steps are taken."""
        return True

    @property
    def says(self) -> str:
        """What is done, for people."""
        return self.about


@dataclass(frozen=True, slots=True)
class Generate:
    """``dialplan write``: the files that Asterisk includes."""

    command: Sequence[str]
    folder: Path
    owner: Owner | None

    @property
    def needed(self) -> bool:
        """Told while the steps are taken."""
        return True

    @property
    def says(self) -> str:
        """What is done, for people."""
        return f"write dialplan, queues, mailboxes and prompts into {self.folder}"


@dataclass(frozen=True, slots=True)
class Models:
    """Models that are on this machine already: copied, where there are none."""

    source: Path
    target: Path
    owner: Owner | None
    needed: bool

    @property
    def says(self) -> str:
        """What is done, for people."""
        return f"copy the models in {self.source} to {self.target}"


@dataclass(frozen=True, slots=True)
class Usable:
    """Both users are seen to be able to start our programs."""

    @property
    def needed(self) -> bool:
        """It changes nothing."""
        return True

    @property
    def says(self) -> str:
        """What is done, for people."""
        return "see that the service's user and Asterisk's can start our programs"


@dataclass(frozen=True, slots=True)
class Reload:
    """Asterisk reads its files again, and is asked whether it took ours over."""

    asterisk: Sequence[str]

    @property
    def needed(self) -> bool:
        """Told while the steps are taken."""
        return True

    @property
    def says(self) -> str:
        """What is done, for people."""
        return "let Asterisk read manager, dialplan, queues and voicemail again"


Step: TypeAlias = Account | Usable | Folder | File | Line | Models | Command | Generate | Reload
