"""A short talk with Asterisk's manager interface, for commands: ask, read the answer, go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from asterisk_agent.errors import AsteriskError

ANSWER_LIMIT_S = 2.0
"""Asterisk answers a manager action at once, or something is wrong."""


class ManagerSession:
    """A short talk with Asterisk's manager interface: ask, read the answer, go."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._asked = 0
        self._lost = False

    async def greeting(self) -> str:
        """The first line that Asterisk says by itself."""
        return (await self._reader.readline()).decode("utf-8", "replace").strip()

    async def ask(self, action: str, **headers: str) -> list[Mapping[str, str]]:
        """Send an action; the response and, where it begins a list, the list's events.

        Raises AsteriskError where Asterisk refuses, hangs up, or takes longer than 2 s; behind
        such a silence nothing is waited for again.
        """
        if self._lost:
            raise AsteriskError(f"{action} was not asked: Asterisk fell silent")
        self._asked += 1
        number = str(self._asked)
        lines = {"Action": action, "ActionID": number, **headers}
        text = "".join(f"{key}: {value}\r\n" for key, value in lines.items())
        self._writer.write(f"{text}\r\n".encode())
        answer: list[Mapping[str, str]] = []
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                while not answer or _goes_on(answer):
                    message = await self._message()
                    if message.get("actionid") == number:
                        answer.append(message)
        except (TimeoutError, OSError, EOFError, ValueError):
            self._lost = True
            raise AsteriskError(f"Asterisk did not answer {action}") from None
        if answer[0].get("response") != "Success":
            raise AsteriskError(f"Asterisk refused {action}: {answer[0].get('message', '')}")
        return answer

    async def _message(self) -> Mapping[str, str]:
        """The next message; keys in lower case."""
        message: dict[str, str] = {}
        while True:
            line = await self._reader.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            if not line.strip():
                return message
            key, _, value = line.decode("utf-8", "replace").partition(":")
            message.setdefault(key.strip().lower(), value.strip())


def _goes_on(answer: list[Mapping[str, str]]) -> bool:
    """Whether a list was begun and its end has not come."""
    begun = answer[0].get("eventlist", "").lower() == "start"
    return begun and answer[-1].get("eventlist", "").lower() != "complete"


@asynccontextmanager
async def manager_session(
    host: str, port: int, username: str, secret: str
) -> AsyncIterator[ManagerSession]:
    """Log in to a manager interface within 2 s. Raises AsteriskError saying what to mend."""
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            reader, writer = await asyncio.open_connection(host, port)
    except OSError as error:  # a TimeoutError is one
        reason = error.strerror or "no answer"
        raise AsteriskError(
            f"Asterisk's manager interface cannot be reached at {host}:{port}: {reason}",
            hint="start Asterisk, and set enabled = yes and this port in manager.conf",
        ) from None
    try:
        session = ManagerSession(reader, writer)
        await _log_in(session, f"{host}:{port}", username, secret)
        yield session
    finally:
        writer.close()


async def _log_in(session: ManagerSession, place: str, username: str, secret: str) -> None:
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            greeting = await session.greeting()
    except (OSError, ValueError):
        greeting = ""
    if not greeting.startswith("Asterisk Call Manager"):
        raise AsteriskError(
            f"what answers at {place} is not Asterisk's manager interface",
            hint="give asterisk.ami the port of manager.conf",
        )
    try:
        await session.ask("Login", Username=username, Secret=secret, Events="off")
    except AsteriskError as error:
        raise AsteriskError(
            str(error),
            hint=f"manager.conf needs [{username}] with the secret that stands in secret_file, "
            "and permit for this machine",
        ) from None
