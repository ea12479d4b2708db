"""Who may sign in, with a password's hash and a role; one small file in the state directory."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from asterisk_agent.errors import AgentError

FILE = "users.json"
MAX_BYTES = 1_000_000
SHORTEST, LONGEST = 10, 200
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


class Role(StrEnum):
    """What a user may do: look, or change things too."""

    VIEW = "view"
    EDIT = "edit"


@dataclass(frozen=True, slots=True)
class User:
    """``hash`` is argon2's, with its salt and parameters in it."""

    name: str
    hash: str
    role: Role

    @property
    def mark(self) -> str:
        """Changes with the password and the role: sessions that carry another one are void."""
        return hashlib.sha256(f"{self.hash} {self.role}".encode()).hexdigest()[:16]


class Users:
    """The users' file, read again when it has changed."""

    def __init__(self, directory: Path, hasher: PasswordHasher | None = None) -> None:
        self._path = directory / FILE
        self._hasher = hasher or PasswordHasher()
        self._seen: tuple[int, int] | None = None
        self._users: dict[str, User] = {}
        self._nobody = self._hasher.hash("nobody has this password")
        self._one_at_a_time = Lock()

    def all(self) -> Mapping[str, User]:
        """Every user by name. A file that cannot be read holds none: then nobody gets in."""
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                self._users, self._seen = _read(self._path), seen
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._users, self._seen = {}, None
        return self._users

    def check(self, name: str, password: str) -> User | None:
        """The user whose password this is. An unknown name takes as long as a wrong password."""
        user = self.all().get(name)
        known = user.hash if user is not None else self._nobody
        with self._one_at_a_time:  # each takes 64 MiB and a core
            try:
                self._hasher.verify(known, password[:LONGEST])
            except (VerificationError, InvalidHashError):
                return None
        return user

    def put(self, name: str, password: str, role: Role) -> None:
        """Add a user, or change their password and role. Raises AgentError."""
        if not _NAME.fullmatch(name):
            hint = "up to 31 lower-case letters, digits and hyphens, a letter first"
            raise AgentError(f"{name[:40]!r} is no user's name", hint=hint)
        if not SHORTEST <= len(password) <= LONGEST or not password.isprintable():
            raise AgentError(
                f"a password has {SHORTEST} to {LONGEST} printable characters",
                hint="four or five words that nobody would guess are good",
            )
        users = dict(self.all())
        users[name] = User(name, self._hasher.hash(password), role)
        self._write(users)

    def remove(self, name: str) -> None:
        """Take a user away. Raises AgentError for one who is not known."""
        users = dict(self.all())
        if users.pop(name, None) is None:
            raise AgentError(f"nobody is called {name[:40]!r}")
        self._write(users)

    def _write(self, users: Mapping[str, User]) -> None:
        kept = {user.name: asdict(user) for user in users.values()}
        try:
            write_private(self._path, json.dumps(kept, indent=1))
        except OSError as error:
            raise AgentError(
                f"{self._path} cannot be written: {error.strerror}",
                hint="run this as the user that the service runs as",
            ) from error


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; nobody but its owner may read it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, path)


def _read(path: Path) -> dict[str, User]:
    with path.open("rb") as file:
        found: dict[str, Any] = json.loads(file.read(MAX_BYTES))
    return {name: User(name, str(user["hash"]), Role(user["role"])) for name, user in found.items()}
