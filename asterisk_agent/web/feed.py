"""The calls under way, as the service tells them: one connection, for all browsers together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from asterisk_agent.errors import AgentError
from asterisk_agent.net.control import follow
from asterisk_agent.wire.control import Request, Watch

log = logging.getLogger(__name__)

AGAIN_S = 1.0
MOST_WAITING = 500
"""Changes that a browser may lag behind; then it is hung up on, and comes back."""

Call: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class News:
    """``kind`` is ``new`` (a call is new), ``call``, ``gone`` or ``health``.

    ``html`` is made once for all browsers; nothing of ``new``, which differs among users.
    """

    kind: str
    call: str = ""
    html: str = ""


class Feed:
    """``run`` it as a task. ``calls`` and ``health`` are what was told last."""

    def __init__(
        self,
        socket: Path,
        render: Callable[[Call], str],
        connect: Callable[[Path, Request], AsyncGenerator[dict[str, Any], None]] = follow,
    ) -> None:
        self.calls: dict[str, Call] = {}
        self.health: Mapping[str, Any] | None = None
        """How the service is; None while it cannot be asked."""
        self._socket = socket
        self._render = render
        self._connect = connect
        self._browsers: set[asyncio.Queue[News | None]] = set()

    @property
    def browsers(self) -> int:
        """How many are watching."""
        return len(self._browsers)

    async def run(self) -> None:
        """Follow the service, and come back to it whenever it is gone; never returns."""
        while True:
            try:
                async for told in self._connect(self._socket, Watch()):
                    self._take(told)
            except AgentError as error:
                if self.health is not None:
                    log.warning("console: the service cannot be followed: %s", error)
            self._lose()
            await asyncio.sleep(AGAIN_S)

    @contextmanager
    def watching(self) -> Iterator[asyncio.Queue[News | None]]:
        """What happens from now on. None: this browser is too slow, and shall come back."""
        queue: asyncio.Queue[News | None] = asyncio.Queue()
        self._browsers.add(queue)
        try:
            yield queue
        finally:
            self._browsers.discard(queue)

    def _take(self, told: Mapping[str, Any]) -> None:
        if "health" in told:
            changed = self.health != told["health"]
            self.health = told["health"]
            if changed:
                self._tell(News("health"))
        elif "gone" in told:
            self.calls.pop(told["gone"], None)
            self._tell(News("gone", told["gone"]))
        elif "call" in told:
            call = told["call"]
            kind = "call" if call["id"] in self.calls else "new"
            self.calls[call["id"]] = call
            if self._browsers:
                self._tell(News(kind, call["id"], self._render(call)))

    def _lose(self) -> None:
        """Nothing that was told still holds."""
        if self.health is not None:
            self.health = None
            self._tell(News("health"))
        for call_id in list(self.calls):
            del self.calls[call_id]
            self._tell(News("gone", call_id))

    def _tell(self, news: News) -> None:
        for browser in list(self._browsers):
            if browser.qsize() > MOST_WAITING:
                self._browsers.discard(browser)
                browser.put_nowait(None)
            else:
                browser.put_nowait(news)
