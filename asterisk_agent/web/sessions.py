"""Who is signed in. A browser holds a random token, we hold its hash."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from asterisk_agent.web.users import Role, Users, write_private

FILE = "sessions.json"
IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
MOST = 1_000


@dataclass(slots=True)
class Session:
    """``mark`` is the user's when they signed in; ``csrf`` stands in every form."""

    user: str
    role: Role
    mark: str
    csrf: str
    began: float
    seen: float


class Sessions:
    """Every session, kept over a restart of the console."""

    def __init__(self, directory: Path, users: Users, now: Callable[[], datetime]) -> None:
        self._path = directory / FILE
        self._users = users
        self._now = now
        self._sessions = _read(self._path)

    def begin(self, name: str) -> str:
        """A token for a user who has shown their password."""
        user = self._users.all()[name]
        token, now = secrets.token_urlsafe(32), self._now().timestamp()
        self._tidy(now)
        session = Session(name, user.role, user.mark, secrets.token_urlsafe(32), now, now)
        self._sessions[_key(token)] = session
        self._write()
        return token

    def of(self, token: str) -> Session | None:
        """The session of a token; None where it is over, or was never one."""
        session = self._sessions.get(_key(token)) if token else None
        if session is None:
            return None
        now = self._now().timestamp()
        if not self._valid(session, now):
            self.end(token)
            return None
        session.seen = now
        return session

    def end(self, token: str) -> None:
        """Sign out."""
        if self._sessions.pop(_key(token), None) is not None:
            self._write()

    def _valid(self, session: Session, now: float) -> bool:
        user = self._users.all().get(session.user)
        return (
            user is not None
            and user.mark == session.mark
            and now - session.seen < IDLE.total_seconds()
            and now - session.began < LONGEST.total_seconds()
        )

    def _tidy(self, now: float) -> None:
        for key, session in list(self._sessions.items()):
            if not self._valid(session, now):
                del self._sessions[key]
        while len(self._sessions) >= MOST:
            del self._sessions[next(iter(self._sessions))]

    def _write(self) -> None:
        kept = {key: asdict(session) for key, session in self._sessions.items()}
        with suppress(OSError):  # then everybody signs in again behind a restart
            write_private(self._path, json.dumps(kept))


def _key(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _read(path: Path) -> dict[str, Session]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {
            key: Session(**{**session, "role": Role(session["role"])})
            for key, session in found.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
