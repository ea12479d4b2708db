"""The Manager interface: panoramisk's client, made safe to leave alone.

What the wrapper adds: line breaks in a value are refused (a bare LF would inject a header),
every action has a deadline, nothing is replayed after a reconnect, and each login is announced
so that the state can be read again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from asterisk_agent.errors import AsteriskError

log = logging.getLogger(__name__)

ACTION_LIMIT_S = 2.0
MAX_LINE = 1_000
"""Asterisk cuts a line at 1,024 bytes."""

MAX_UNREAD = 1 << 20
"""Characters without an end of message; Asterisk's longest event is a fraction of that."""
_SINGLE = ("event", "response", "message", "actionid", "commandid", "subevent", "eventlist")
"""Headers of which panoramisk wants one."""
_SENSELESS = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What panoramisk raises for messages that no Asterisk sends."""

Headers = Mapping[str, str]


class AsteriskManager:
    """A connection to one Asterisk that comes back by itself. Calls never depend on it."""

    def __init__(
        self,
        host: str,
        port: int,
        username: str,
        secret: str,
        on_event: Callable[[Headers], None] = lambda _: None,
    ) -> None:
        self._logins: asyncio.Queue[None] = asyncio.Queue()
        self._on_event = on_event
        self._manager = _Manager(
            host=host,
            port=port,
            username=username,
            secret=secret,
            protocol_factory=Protocol,
            log=logging.getLogger("panoramisk"),
            on_login=self._logged_in,
            on_disconnect=self._disconnected,
        )
        self._manager.register_event("*", self._event)

    @property
    def connected(self) -> bool:
        """Whether Asterisk took our login on the present connection."""
        return bool(self._manager.authenticated)

    async def start(self) -> None:
        """Begin to connect, and go on trying. Does not wait."""
        self._manager.loop = asyncio.get_running_loop()
        self._manager.connect()

    async def stop(self) -> None:
        """Close, and do not come back."""
        self._manager.stop()

    async def sessions(self) -> AsyncIterator[None]:
        """Yield at each login: the moment to read Asterisk's state again."""
        while True:
            await self._logins.get()
            yield

    async def action(self, name: str, **headers: str) -> list[Headers]:
        """Send an action; return its responses, the events of a list included.

        Raises AsteriskError when not connected, refused, or not answered in time.
        """
        for key, value in headers.items():
            check_header(key, value)
        if not self.connected:
            raise AsteriskError(
                "not connected to Asterisk's manager interface",
                hint="check asterisk.ami in agent.yaml and manager.conf",
            )
        future = self._manager.send_action({"Action": name, **headers})
        try:
            async with asyncio.timeout(ACTION_LIMIT_S):
                answered = await future
        except TimeoutError:
            raise AsteriskError(f"Asterisk did not answer {name} in {ACTION_LIMIT_S} s") from None
        return responses_of(name, answered)

    def _logged_in(self, _: Any) -> None:
        self._logins.put_nowait(None)

    def _event(self, _: Any, message: Any) -> None:
        self._on_event(_headers(message))

    def _disconnected(self, manager: Any, error: Exception | None) -> None:
        manager.authenticated = False
        manager.awaiting_actions.clear()
        log.warning("ami: connection lost (%s)", error or "closed by Asterisk")


class Protocol(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """panoramisk's protocol, which ends the connection where the other side makes no sense."""

    def data_received(self, data: bytes) -> None:
        """Take bytes; what is no message does not pile up."""
        if sum(map(len, self.queue)) + len(data) > MAX_UNREAD:
            self._give_up(f"{MAX_UNREAD} bytes without an end of message")
            return
        super().data_received(data)

    def handle_message(self, message: Any) -> None:
        """Pass a message on; of a header that came several times, the first where one is due."""
        for key in _SINGLE:
            if isinstance(value := message.get(key), list):
                message[key] = value[0]
        try:
            super().handle_message(message)
        except _SENSELESS as error:
            self._give_up(f"a message without sense: {type(error).__name__}")

    def _give_up(self, why: str) -> None:
        log.error("ami: %s; connecting again", why)
        self.queue.clear()
        self.transport.abort()


class _Manager(Manager):  # type: ignore[misc]  # panoramisk has no types
    """panoramisk's Manager reconnects by ``call_later(connect)``; this one can be told to stop."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True
        self.close()

    def connect(self, *arguments: Any, **keywords: Any) -> Any:
        if self._stopped:
            return None
        return super().connect(*arguments, **keywords)

    def connection_made(self, future: Any) -> None:
        if self._stopped:
            return
        super().connection_made(future)

    def login(self, future: Any) -> Any:
        if future.cancelled() or isinstance(future.result(), list):  # no answer to a login
            self.protocol.transport.abort()
            return False
        accepted = super().login(future)
        if not accepted:
            log.error("ami: Asterisk refused the login; check username and secret_file")
        return accepted


def responses_of(name: str, answered: Any) -> list[Headers]:
    """The answer to an action as plain headers. Raises AsteriskError where it was refused."""
    responses = answered if isinstance(answered, list) else [answered]
    if not responses[0].success:
        raise AsteriskError(f"Asterisk refused {name}: {responses[0].message}")
    return [_headers(response) for response in responses]


def check_header(key: str, value: str) -> None:
    """Raise AsteriskError for a header that would not arrive as one header."""
    if any(character in key + value for character in "\r\n\0"):
        raise AsteriskError(f"manager header {key!r} holds a line break or NUL")
    if len(f"{key}: {value}".encode()) > MAX_LINE:
        raise AsteriskError(f"manager header {key!r} is longer than {MAX_LINE} bytes")


def _headers(message: Any) -> dict[str, str]:
    """Plain text values; of a header that came several times, the first."""
    return {
        str(key).lower(): str(value[0] if isinstance(value, list) else value)
        for key, value in message.items()
    }
