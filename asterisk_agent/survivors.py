"""The calls that outlive a service: kept on disk while they last, taken over by the next service.

What was told of a call so far is in the ``Journal``; where it is now, Asterisk knows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from asterisk_agent.config.schema import Channel
from asterisk_agent.engines.worker import Worker
from asterisk_agent.errors import AgentError, AsteriskError
from asterisk_agent.net.ami import Headers
from asterisk_agent.records import Journal, Left, Recorder, Story
from asterisk_agent.records.restoring import story_of
from asterisk_agent.recovery import (
    catch_up,
    interrupted,
    outcome_of_gone,
    person_with,
    place_of,
)
from asterisk_agent.site import Site
from asterisk_agent.visits import Visit, Visits
from asterisk_agent.wire.lifeline import Losses

log = logging.getLogger(__name__)

UNDER_WAY = "calls-now"
"""The journal's directory, in the state directory."""
STOPPED = "unknown: the service stopped"
"""How a call ended that was with people when the service stopped, until the next one knows more."""
TOUCH_AFTER = timedelta(seconds=5)
OUTCOMES_LIMIT_S = 3.0
_OURS = "agent-"
_ASKED = ("AGENT_CHANNEL", "AGENT_ARRIVED", "AGENT_STATE", "AGENT_UUID")

Action = Callable[..., Awaitable[list[Headers]]]
"""``AsteriskManager.action``. Raises AsteriskError."""


class Survivors:
    """Keeps the journal, and works out what became of the calls in it."""

    def __init__(
        self,
        visits: Visits,
        recorder: Recorder,
        directory: Path,
        *,
        files: Worker,
        clerk: Worker,
        action: Action,
        now: Callable[[], datetime],
    ) -> None:
        self._visits = visits
        self._recorder = recorder
        self._journal = Journal(directory / UNDER_WAY)
        self._briefs = directory / "briefs"
        self._files = files
        self._clerk = clerk
        self._action = action
        self._now = now
        self._kept: dict[UUID, tuple[object, datetime]] = {}
        self._looked_for = False

    async def keep(self) -> None:
        """Bring the journal up to date: what is new of each call, and which are over."""
        for visit in self._visits:
            now = self._now()
            left, mark = _left(visit, now), _mark(visit)
            kept, since = self._kept.get(left.story.id, (None, now))
            if mark != kept:
                self._kept[left.story.id] = mark, now
                await self._files.run(self._journal.write, left.story.id, left.as_json())
            elif now - since > TOUCH_AFTER:
                self._kept[left.story.id] = mark, now
                await self._files.run(self._journal.touch, left.story.id)
        there = {visit.story.id for visit in self._visits}
        for gone in self._kept.keys() - there:
            if not self._recorder.holds(str(gone)):
                del self._kept[gone]
                await self._files.run(self._journal.remove, gone)

    async def adopt(self, site: Site, losses: Losses) -> None:
        """Take over what the service before us left, before anybody asks for it."""
        left = await self._files.run(self._journal.read)
        over = await self._outcomes([str(one.story.id) for one in left])
        lost_at = _moment(losses.at)
        for one in left:
            outcome = over.get(str(one.story.id))
            self._kept[one.story.id] = None, self._now()
            channel = site.config.channels.get(one.story.channel)
            if outcome not in (None, STOPPED):
                continue
            at = one.seen if lost_at is None else max(lost_at, one.seen)
            why = "the service was lost" if outcome is None else "the service stopped"
            interrupted(one.story, at, why, talking=one.talking, saying=one.saying)
            log.warning("call: taken over", extra={"call": str(one.story.id), "why": why})
            if channel is not None:
                self._take(one.story, site, channel, at)
            else:  # it is no longer in the configuration
                one.story.over(outcome_of_gone(one.story), at)
                self._recorder.put(one.story.as_json())

    async def settle(
        self,
        site: Site,
        finish: Callable[[Visit, str, datetime | None], Awaitable[None]],
        write: Callable[[Story], None],
    ) -> bool:
        """Ask Asterisk where the calls are; whether all that can be known is known now.

        ``finish`` closes those that are gone, ``write`` is given those whose story went on.
        Raises AsteriskError.
        """
        before = list(self._visits)  # a call that comes meanwhile is not in the answer
        rows = [row for row in await self._action("CoreShowChannels") if row.get("uniqueid")]
        there = {row["uniqueid"]: row for row in rows}
        for visit in before:
            row = there.get(visit.story.unique_id)
            if row is not None and visit.lost_at is not None:
                self._found(visit, row, rows, write)
            elif row is None and not visit.talking:
                known = visit.lost_at is not None
                outcome = outcome_of_gone(visit.story) if known else "unknown"
                await finish(visit, outcome, visit.lost_at)
        if not self._looked_for:
            self._looked_for = True
            for row in rows:
                with suppress(AsteriskError):  # its caller has hung up meanwhile
                    await self._discover(row, rows, site, write)
        return all(visit.lost_at is None for visit in self._visits)

    def _found(
        self, visit: Visit, row: Headers, rows: list[Headers], write: Callable[[Story], None]
    ) -> None:
        place = place_of(row)
        if catch_up(visit.story, place, person_with(row, rows), self._now()):
            write(visit.story)
        if place:
            visit.lost_at = None

    async def _discover(
        self, row: Headers, rows: list[Headers], site: Site, write: Callable[[Story], None]
    ) -> None:
        """A call that came while no service was there: its record begins here."""
        name = row.get("channel", "")
        ours = row.get("context", "").startswith(_OURS) and not name.startswith("Local/")
        if not ours or self._visits.by_asterisk(row["uniqueid"]) is not None:
            return
        number = site.config.node_number
        if number and await self._value(name, "AGENT_NODE") != str(number):
            return  # another service's
        known = {variable: await self._value(name, variable) for variable in _ASKED}
        channel = site.config.channels.get(known["AGENT_CHANNEL"])
        if channel is None or self._visits.by_asterisk(row["uniqueid"]) is not None:
            return
        story = await self._told_before(known["AGENT_UUID"], row["uniqueid"]) or Story(
            channel=channel.id,
            caller=row.get("calleridnum", "").replace("<unknown>", ""),
            state=known["AGENT_STATE"],
            started=_arrived(known["AGENT_ARRIVED"]) or self._now(),
            unique_id=row["uniqueid"],
            id=_id(known["AGENT_UUID"]) or uuid4(),
        )
        log.warning("call: found under way", extra={"call": str(story.id)})
        self._found(self._take(story, site, channel, self._now()), row, rows, write)

    def _take(self, story: Story, site: Site, channel: Channel, lost_at: datetime) -> Visit:
        brief = self._briefs / f"{story.id}.wav"
        visit = Visit(story, site, channel, lost_at=lost_at)
        visit.brief = brief if brief.exists() else None
        visit.over.set()
        return self._visits.add(visit)

    async def _told_before(self, call_id: str, unique_id: str) -> Story | None:
        """What the log has of a call that the journal has lost."""
        if _id(call_id) is None:
            return None
        with suppress(AgentError, ValueError):
            told = await self._clerk.run(lambda: self._recorder.open().story(call_id))
            return None if told is None else story_of(told, unique_id)
        return None

    async def _value(self, channel: str, variable: str) -> str:
        answered = await self._action("Getvar", Channel=channel, Variable=variable)
        return answered[0].get("value", "")

    async def _outcomes(self, call_ids: list[str]) -> dict[str, str]:
        """How these calls ended; a database that cannot be asked keeps nobody from starting."""
        if not call_ids:
            return {}
        with suppress(TimeoutError):
            async with asyncio.timeout(OUTCOMES_LIMIT_S):
                return await self._clerk.run(self._recorder.outcomes, call_ids)
        return {}


def _left(visit: Visit, now: datetime) -> Left:
    return Left(visit.story, now, *_doing(visit))


def _doing(visit: Visit) -> tuple[bool, bool]:
    """Whether the caller talks with the agent, and whether that says something."""
    talking = visit.talking
    return talking, talking and visit.call is not None and bool(visit.call.saying)


def _mark(visit: Visit) -> object:
    """Something that is another as soon as there is more to tell of a call."""
    story = visit.story
    return (
        (*_doing(visit), story.state, story.team, story.picked_up_by, story.reason),
        (len(story.turns), len(story.path), len(story.events), len(story.tasks)),
        (story.answered, story.brief, story.message, story.path[-1].result if story.path else ""),
    )


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _arrived(text: str) -> datetime | None:
    """Epoch seconds, as the dialplan tells them."""
    plain = text.isascii() and text.isdigit() and len(text) <= 10
    return datetime.fromtimestamp(int(text), UTC) if plain else None


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
