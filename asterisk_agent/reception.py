"""What the dialplan asks at each step of a call, and what it is told: where to go now."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from asterisk_agent import overrides, routing
from asterisk_agent.brief import note
from asterisk_agent.config.schema import Channel
from asterisk_agent.errors import ProtocolError
from asterisk_agent.records import Story
from asterisk_agent.recovery import catch_up, place_before
from asterisk_agent.routing import AgentHealth, Decision, Facts, Kind, Outcome, Stage, State
from asterisk_agent.site import Site
from asterisk_agent.visits import Visit, Visits
from asterisk_agent.wire import agi

log = logging.getLogger(__name__)

ELSEWHERE = "elsewhere"
"""The action of an answer that leaves a call to the other services."""
_NO_AGENT_HERE = (AgentHealth.FULL, AgentHealth.DOWN)
_COUNT = re.compile(r"[0-9]{1,4}")


class Reception:
    """Answers ``start`` and ``next``. Knows no sockets: ``service`` connects it to them."""

    def __init__(
        self,
        visits: Visits,
        site: Callable[[], Site],
        health: Callable[[Channel], AgentHealth],
        finish: Callable[[Visit, str], Awaitable[None]],
        *,
        now: Callable[[], datetime],
        clock: Callable[[], float],
    ) -> None:
        self._visits = visits
        self._site = site
        self._health = health
        self._finish = finish
        self._now = now
        self._clock = clock

    async def start(self, request: agi.Request) -> Mapping[str, str]:
        """``start,CHANNEL,WAITED,ID,MORE``: a call has arrived, or waits for a free agent.

        ``WAITED`` is 1 when it has waited long enough. ``MORE`` is 1 when other services can be
        asked: where only our agent is missing, the call is left to them, and is not ours.
        """
        waited = request.arguments[1:2] == ("1",)
        known = self._visits.by_asterisk(_asterisk_id(request))
        visit = known or self._new(request)
        visit.lost_at = None  # where it is, it says itself
        facts = Facts(Stage.ARRIVAL, agent=self._health(visit.channel), waited=waited)
        decision = self._decide(visit, facts)
        if request.arguments[3:4] == ("1",) and facts.agent in _NO_AGENT_HERE:
            there = replace(facts, agent=AgentHealth.UP)
            if self._decide(visit, there).kind is Kind.AGENT:
                return {"AGENT_ACTION": ELSEWHERE}
        answer = self._answer(self._visits.add(visit), decision)
        if self._visits.is_over(visit):  # the caller did not wait for it
            if visit.story.node:  # … or not for us: another service tells of it
                self._visits.remove(visit)
            else:
                await self._finish(visit, "abandoned")
        return answer

    async def ping(self, _: agi.Request) -> Mapping[str, str]:
        """``ping``: whether we answer at all."""
        return {}

    async def next(self, request: agi.Request) -> Mapping[str, str]:
        """``next,CHANNEL,UUID,STAGE,STATE,STATUS,TRIED,ARRIVED,TURNS,ID,…``: a stage is over."""
        padded = [*request.arguments[:8], *[""] * 8]
        _, uuid, stage, state, status, tried, arrived, turns = padded[:8]
        visit = (
            self._visits.get(id_of(uuid))
            or self._known_otherwise(request, id_of(uuid))
            or self._stranger(request, uuid)
        )
        facts = Facts(
            stage=member(Stage, stage) or Stage.AGENT,
            state=member(State, state),
            arrived=_moment(arrived) or visit.story.started,
            agent=self._health(visit.channel),
            outcome=visit.call.outcome if visit.call is not None else None,
            wanted_team=visit.story.team,
            tried=tuple(part for part in tried.split(".") if part),
            status=status,
            turns=int(turns) if _COUNT.fullmatch(turns) else 0,
        )
        if visit.lost_at is not None:
            before = place_before(facts.stage, visit.channel.id, facts.tried)
            catch_up(visit.story, before, "", self._now())
            visit.lost_at = None
        if visit.story.path:
            heard = facts.stage is Stage.AGENT
            result = str(facts.outcome or Outcome.LOST) if heard else status
            visit.story.left(result, self._now())
        decision = self._decide(visit, facts)
        answer = self._answer(visit, decision)
        if decision.kind is Kind.GOODBYE:
            await self._finish(visit, final_outcome(visit, facts))
        elif self._visits.is_over(visit):  # written down when it ended, or soon
            self._visits.remove(visit)
        return answer

    def _known_otherwise(self, request: agi.Request, call_id: UUID) -> Visit | None:
        """The call by Asterisk's id of it. Where it has an id of another service's, it is theirs:
        what we began of it, when we were too late or full, is forgotten.
        """
        visit = self._visits.by_asterisk(_asterisk_id(request))
        if visit is not None and visit.story.node and call_id.int:
            self._visits.remove(visit)
            return None
        return visit

    def _decide(self, visit: Visit, facts: Facts) -> Decision:
        plan, channel_id = visit.site.plan, visit.channel.id
        now = self._now()
        switched = overrides.current(visit.site.config.overrides_directory, channel_id, now)
        facts = replace(facts, override=switched)
        return routing.decide(facts, plan.channels[channel_id], plan, now)

    def _answer(self, visit: Visit, decision: Decision) -> dict[str, str]:
        story = visit.story
        story.state = decision.state
        story.add_tasks(decision.tasks)
        to = f"{decision.kind}:{decision.target}" if decision.target else str(decision.kind)
        story.went(to, decision.because, self._now())
        log.info("call: %s", decision.kind, extra={"call": str(story.id), "to": decision.target})
        if decision.kind is Kind.AGENT:
            visit.announce(decision.purpose, self._clock())
        brief = visit.brief
        return {
            "AGENT_UUID": str(story.id),
            "AGENT_STATE": decision.state,
            "AGENT_ACTION": decision.kind,
            "AGENT_TARGET": decision.target,
            "AGENT_MESSAGE": decision.message,
            "AGENT_PROMPT": decision.prompt,
            "AGENT_BRIEF": str(brief.with_suffix("")) if brief is not None else "",
            "AGENT_NOTE": note(story.brief or ""),
            "AGENT_RECORD": f"http://{visit.site.config.listen.web}/calls/{story.id}",
            "AGENT_BYPASSED": "1" if decision.bypassed else "",
            "AGENT_FIRST": "1" if decision.first_in_line else "",
        }

    def _new(self, request: agi.Request) -> Visit:
        """A call that nobody has counted yet."""
        site = self._site()
        channel = self._channel(request, site)
        story = Story(
            channel=channel.id,
            caller=request.variables.get("agi_callerid", ""),
            state="",
            started=self._now(),
            unique_id=_asterisk_id(request),
            node=site.config.node,
        )
        return Visit(story, site, channel)

    def _stranger(self, request: agi.Request, uuid: str) -> Visit:
        """A call that began before this service did: its record begins here."""
        visit = self._new(request)
        visit.lost_at = self._now()
        known = id_of(uuid)
        if known.int:
            visit.story.id = known
            visit.story.continues = True
        return self._visits.add(visit)

    def _channel(self, request: agi.Request, site: Site) -> Channel:
        name = request.arguments[0] if request.arguments else ""
        channel = site.config.channels.get(name)
        if channel is None:
            raise ProtocolError(f"agi {request.path!r} asks for the unknown channel {name[:40]!r}")
        return channel


def final_outcome(visit: Visit, facts: Facts) -> str:
    """How a call ended, in one word for the log."""
    reason = visit.call.outcome if visit.call is not None else None
    if facts.stage is Stage.VOICEMAIL:
        return "voicemail"
    if facts.stage is Stage.TEAM:
        if visit.story.picked_up_by or facts.status == "CONTINUE":
            return "answered"
        return "abandoned"
    if facts.stage is Stage.ON_CALL:
        return "answered" if facts.status == "ANSWER" else "abandoned"
    if reason in (Outcome.RESOLVED, Outcome.NO_INPUT, Outcome.MESSAGE):
        return str(reason)
    if reason is Outcome.HANGUP and visit.story.message:
        return str(Outcome.MESSAGE)
    if reason is Outcome.HANGUP and visit.story.served:
        return str(Outcome.RESOLVED)
    return "abandoned"


def id_of(text: str) -> UUID:
    """A call's id, or the nil UUID where the text is none."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _moment(text: str) -> datetime | None:
    """Epoch seconds as an instant; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        return None
    return datetime.fromtimestamp(int(text), UTC)


def _asterisk_id(request: agi.Request) -> str:
    """Asterisk's id of the caller's channel: the last argument.

    The dialplan asks on a line of its own, so ``agi_uniqueid`` is that line's.
    """
    place = 2 if request.path.partition("?")[0] == "start" else 8
    named = request.arguments[place : place + 1]
    return named[0] if named and named[0] else request.variables.get("agi_uniqueid", "")


M = TypeVar("M", bound=StrEnum)


def member(kind: type[M], text: str) -> M | None:
    """The member of an enumeration with this value, or None."""
    return kind(text) if text in {member.value for member in kind} else None
