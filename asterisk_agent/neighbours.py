"""Several services look after each other, so that none is lost with callers on the line.

A service that is killed ends its connections, and the dialplan goes on. One whose machine is gone,
or which stands still, does not: its callers would be in silence. The first of the others takes
them out of their conversations; the dialplan then asks for them as for any lost conversation. It
also marks that service in Asterisk, so that no new caller waits for it. Asterisk takes the mark
away where it reaches the service itself: then the way between the two services is broken, and not
the service, whose callers are left alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from asterisk_agent.config.schema import Address, Node
from asterisk_agent.errors import AsteriskError
from asterisk_agent.net.ami import Headers

log = logging.getLogger(__name__)

EVERY_S = 0.25
LIMIT_S = 0.5
MISSES = 3
"""So many questions in a row without an answer make a service silent: after 2.3 s at most."""
LATE_S = 0.3
"""Where a question took so much longer than it may, it was we who stood still."""

Action = Callable[..., Awaitable[list[Headers]]]
Ask = Callable[[Address, float], Awaitable[bool]]


class Neighbours:
    """The other services of ``nodes``, in the dialplan's order; ``own`` is this one's name.

    One that is none of them looks after nobody.
    """

    def __init__(
        self,
        nodes: Callable[[], Mapping[str, Node]],
        own: str,
        action: Action,
        ask: Ask,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._nodes = nodes
        self._own = own
        self._action = action
        self._ask = ask
        self._missed: dict[str, int] = {}
        self._marked: set[str] = set()
        self._reached: set[str] = set()
        """Those that do not answer us, and Asterisk."""

    @property
    def silent(self) -> tuple[str, ...]:
        """Those that do not answer now."""
        return tuple(name for name, missed in self._missed.items() if missed >= MISSES)

    async def watch(self) -> None:
        """Look after the others for good."""
        while True:
            if self._own in self._nodes():
                await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Ask each of them once, and act on what is new."""
        nodes = self._nodes()
        others = {name: node for name, node in nodes.items() if name != self._own}
        began = self._clock()
        found = await asyncio.gather(*(self._ask(n.fastagi, LIMIT_S) for n in others.values()))
        if self._clock() - began > LIMIT_S + LATE_S:
            return
        self._missed = {
            name: 0 if there else self._missed.get(name, 0) + 1
            for name, there in zip(others, found, strict=True)
        }
        for name in self.silent:
            await self._without(name, list(nodes), others[name])
        for name in self._marked - set(self.silent):
            log.info("neighbours: %s answers again", name)
            self._marked.discard(name)
            self._reached.discard(name)
            if name in others:
                await self._mark(list(nodes).index(name) + 1, "")

    async def _without(self, name: str, order: list[str], node: Node) -> None:
        if name not in self._marked:
            self._marked.add(name)
            log.error("neighbours: %s does not answer", name)
            await self._mark(order.index(name) + 1, "1")
        elif await self._is_marked(order.index(name) + 1):
            self._reached.discard(name)
        elif name not in self._reached:
            self._reached.add(name)
            log.error("neighbours: %s answers Asterisk, but not us: is a firewall between?", name)
        if name not in self._reached and self._is_first(order):
            await self._rescue(node)

    def _is_first(self, order: list[str]) -> bool:
        """Whether we are the one that acts, of those that answer."""
        return self._own == next((name for name in order if name not in self.silent), self._own)

    async def _mark(self, number: int, value: str) -> None:
        """Tell Asterisk that a service is to be passed over, or to be asked again."""
        try:
            await self._action("Setvar", Variable=f"AGENT_DOWN_{number}", Value=value)
        except AsteriskError as error:
            log.warning("neighbours: not told to Asterisk: %s", error)

    async def _is_marked(self, number: int) -> bool:
        """Whether Asterisk still passes over a service; where it cannot be asked, it does.

        The dialplan writes the time of its own next try over our mark. An empty value may be
        missing from the answer.
        """
        try:
            answers = await self._action("Getvar", Variable=f"AGENT_DOWN_{number}")
        except AsteriskError as error:
            log.warning("neighbours: %s", error)
            return True
        return any(headers.get("value", "") for headers in answers)

    async def _rescue(self, node: Node) -> None:
        """Take the callers out of their conversations with a service that is silent."""
        try:
            for channel in await self._action("CoreShowChannels"):
                data = channel.get("applicationdata", "")
                if channel.get("application") == "AudioSocket" and data.endswith(f",{node.media}"):
                    log.warning("neighbours: a caller is taken out of a silent conversation")
                    await self._action(
                        "Redirect",
                        Channel=channel["channel"],
                        Context="agent-ask",
                        Exten="next",
                        Priority="1",
                    )
        except AsteriskError as error:
            log.warning("neighbours: %s", error)
