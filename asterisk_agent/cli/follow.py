"""Following calls: live from the service while it runs, from the call log when they have ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asterisk_agent.cli import live, moment, timeline
from asterisk_agent.errors import AgentError
from asterisk_agent.net.control import follow as following
from asterisk_agent.records import CallFilter
from asterisk_agent.wire.control import Watch

if TYPE_CHECKING:
    from asterisk_agent.records import CallLog

AGAIN_S = 1.0
"""How soon a service that is gone is looked for again."""
LOOK_EVERY_S = 1.0
"""How often the call log is looked at for calls that have ended."""
LOOK_SELDOM_S = 5.0
"""The same while the service tells of ends itself: for calls too short, or of other machines."""
LATE_S = 5.0
"""By when the call log should know how a call ended."""
LONGEST = timedelta(hours=6)
"""What began earlier is not looked for."""
MOST_FOLLOWED = 200

Show = Callable[[live.Event, bool], None]
"""Shows an event. The flag: whether the call was followed while it lasted."""


class Follower:
    """``run`` it. ``notice`` is told, once each time, that the service is gone or back."""

    def __init__(
        self,
        socket: Path,
        log: CallLog,
        channel: str | None,
        *,
        show: Show,
        notice: Callable[[str], None],
    ) -> None:
        self._socket = socket
        self._log = log
        self._channel = channel
        self._show = show
        self._notice = notice
        self._live: bool | None = None
        self._named = False
        self._calls: dict[str, live.LiveCall] = {}
        self._gone: dict[str, float] = {}
        """Calls whose end is not known yet, and since when, on the loop's clock."""
        self._ended: set[str] = set()
        self._began = moment.now()
        self._wake = asyncio.Event()
        self._log_problem = ""

    async def run(self) -> None:
        """Follow until cancelled."""
        tasks = {asyncio.create_task(self._watch()), asyncio.create_task(self._find_ends())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # --- Live -----------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            try:
                async with aclosing(following(self._socket, Watch())) as answers:
                    async for told in answers:
                        self._take(told)
            except AgentError as error:
                self._lose(error)
            await asyncio.sleep(AGAIN_S)

    def _lose(self, error: AgentError) -> None:
        if self._live is not False:
            self._notice(f"{error}: until it is there, calls are shown when they have ended")
        self._live = False
        self._wake.set()

    def _take(self, told: Mapping[str, Any]) -> None:
        """Raises AgentError for a refusal, or what is not understood."""
        if "error" in told:
            raise AgentError(timeline.plain(str(told["error"])))
        if self._live is False:
            self._notice("the service is there: calls are shown live")
        self._live = True
        self._name(told.get("health"))
        if "call" in told:
            self._change(told["call"])
        elif "gone" in told and str(told["gone"]) in self._calls:
            self._gone[str(told["gone"])] = asyncio.get_running_loop().time()
            self._wake.set()

    def _name(self, health: Any) -> None:
        """Say once whose calls are live, where there are several services."""
        if self._named or not isinstance(health, dict):
            return
        self._named = True
        if len(health.get("nodes") or ()) > 1:
            name = timeline.plain(str(health.get("node") or "without a name"))
            self._notice(f"live are the calls of service {name}; others show when they have ended")

    def _change(self, told: Any) -> None:
        try:
            call_id, channel = str(told["id"]), str(told["channel"])
            if self._channel not in {None, channel} or call_id in self._ended:
                return
            call = self._calls.get(call_id)
            if call is None:
                call = live.LiveCall(call_id, channel)
                self._show(call.arrived(told), True)
                self._calls[call_id] = call
        except (KeyError, TypeError):
            raise live.unknown_form() from None
        for event in call.changes(told):
            self._show(event, True)

    # --- Ended ----------------------------------------------------------------------------------

    async def _find_ends(self) -> None:
        while True:
            self._wake.clear()
            try:
                self._look()
                self._log_problem = ""
            except AgentError as error:
                if str(error) != self._log_problem:
                    self._notice(str(error))
                self._log_problem = str(error)
            self._tell_late()
            seldom = self._live and not self._gone
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SELDOM_S if seldom else LOOK_EVERY_S):
                    await self._wake.wait()

    def _look(self) -> None:
        """Show the calls that have ended since the last look. Raises AgentError."""
        some = CallFilter(channel=self._channel, since=moment.now() - LONGEST)
        for row in reversed(self._log.search(some, size=MOST_FOLLOWED).rows):
            if not row.ended or row.id in self._ended:
                continue
            if datetime.fromisoformat(row.ended) < self._began and row.id not in self._calls:
                continue
            if (record := self._log.story(row.id)) is not None:
                self._end(record)

    def _end(self, record: Mapping[str, Any]) -> None:
        call_id = record["id"]
        self._ended.add(call_id)
        self._gone.pop(call_id, None)
        call = self._calls.pop(call_id, None)
        for event in call.ended(record) if call is not None else (live.end(record),):
            self._show(event, call is not None)

    def _tell_late(self) -> None:
        now = asyncio.get_running_loop().time()
        for call_id, since in list(self._gone.items()):
            if now - since >= LATE_S:
                del self._gone[call_id]
                self._show(self._calls[call_id].gone(), True)
