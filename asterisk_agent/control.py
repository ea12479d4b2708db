"""What the service tells the console about the calls under way, and does for it.

Calls are looked at a few times a second, while somebody watches: so watching costs a call nothing,
and no part of a conversation has to know that anybody does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from asterisk_agent.config.schema import Config
from asterisk_agent.errors import AgentError, AsteriskError
from asterisk_agent.facts import Kind
from asterisk_agent.net.ami import Headers
from asterisk_agent.records import TurnRecord
from asterisk_agent.visits import Visit, Visits
from asterisk_agent.wire.control import Figures, Request, TakeOver, Watch

LOOK_S = 0.25
"""How often the calls are looked at."""
BEAT_S = 2.0
"""How often the service tells that it is there, and how it is."""
LATEST_TURNS = 40

Action = Callable[..., Awaitable[list[Headers]]]
"""``AsteriskManager.action``."""


class Control:
    """Answers the console's requests."""

    def __init__(
        self,
        visits: Visits,
        config: Callable[[], Config],
        action: Action,
        *,
        now: Callable[[], datetime],
        health: Callable[[], Mapping[str, Any]],
        figures: Callable[[], str],
    ) -> None:
        self._visits = visits
        self._config = config
        self._action = action
        self._now = now
        self._health = health
        self._figures = figures

    async def answers(self, request: Request) -> AsyncGenerator[Mapping[str, Any], None]:
        """The answers to a request; only ``Watch`` has more than one. Raises AgentError."""
        match request:
            case Figures():
                yield {"text": self._figures()}
            case TakeOver():
                await self._take_over(request)
                yield {"done": True}
            case Watch():
                async for answer in self._watch():
                    yield answer

    async def _watch(self) -> AsyncGenerator[Mapping[str, Any], None]:
        """``{"call": …}`` for a call that has changed, ``{"gone": id}``, ``{"health": …}``."""
        told: dict[str, dict[str, Any]] = {}
        looks = 0
        while True:
            if looks % round(BEAT_S / LOOK_S) == 0:
                yield {"health": self._health()}
            looks += 1
            calls = {str(visit.story.id): live_call(visit) for visit in self._visits}
            for gone in told.keys() - calls.keys():
                yield {"gone": gone}
            for call_id, call in calls.items():
                if told.get(call_id) != call:
                    yield {"call": call}
            told = calls
            await asyncio.sleep(LOOK_S)

    async def _take_over(self, wanted: TakeOver) -> None:
        """Send the caller elsewhere, by the same steps of the dialplan that a decision takes."""
        visit = self._visits.get(wanted.call)
        if visit is None:
            raise AgentError("this call has ended")
        kind, target = self._allowed(wanted, visit)
        channel = await self._channel_of(visit)
        variables = {"AGENT_TARGET": target, "AGENT_PROMPT": "handed-over", "AGENT_BRIEF": ""}
        for name, value in variables.items():
            await self._action("Setvar", Channel=channel, Variable=name, Value=value)
        await self._action(
            "Redirect", Channel=channel, Context="agent-ask", Exten=f"do-{kind}", Priority="1"
        )
        visit.taken_by = wanted.by
        to = f"{wanted.kind}:{wanted.target}"
        visit.story.went(to, f"{wanted.by} took the call over", self._now())

    def _allowed(self, wanted: TakeOver, visit: Visit) -> tuple[str, str]:
        """The kind of destination, and what the dialplan calls it. Raises AgentError."""
        config = self._config()
        if wanted.kind == "team":
            team = config.teams.get(wanted.target)
            if team is not None and team.reachable:
                return Kind.TEAM, team.id
        elif wanted.kind == "phone":
            if wanted.target == wanted.by and wanted.by in config.web.phones:
                return "phone", wanted.by
        elif wanted.target == visit.channel.id and visit.channel.after_hours.on_call is not None:
            return Kind.ON_CALL, visit.channel.id
        raise AgentError(
            f"no call can be sent to {wanted.kind}:{wanted.target}",
            hint="to a team with phones, to the channel's on-call phone, or to web.phones of yours",
        )

    async def _channel_of(self, visit: Visit) -> str:
        """Asterisk's name of the caller's channel. Raises AgentError where there is none."""
        for shown in await self._action("CoreShowChannels"):
            if visit.story.unique_id and shown.get("uniqueid") == visit.story.unique_id:
                return shown["channel"]
        raise AsteriskError("Asterisk does not know this call any more")


def live_call(visit: Visit) -> dict[str, Any]:
    """A call under way as the console shows it; equal while nothing has happened in it."""
    story = visit.story
    last = story.path[-1] if story.path else None
    call = visit.call if visit.talking else None
    return {
        "id": str(story.id),
        "channel": story.channel,
        "label": visit.channel.label,
        "caller": story.caller,
        "state": str(story.state),
        "started": story.started.isoformat(),
        "stage": "agent" if visit.talking else last.to if last is not None else "",
        "where": _label_of(visit, last.to) if last is not None else "",
        "since_s": last.at_s if last is not None else 0.0,
        "team": story.team,
        "picked_up_by": story.picked_up_by,
        "on_call": visit.channel.after_hours.on_call is not None,
        "turns": [_turn(turn) for turn in story.turns[-LATEST_TURNS:]],
        "saying": call.saying if call is not None else "",
        "hearing": call is not None and call.caller_speaking,
    }


def _label_of(visit: Visit, to: str) -> str:
    """What a team is called."""
    team = visit.site.config.teams.get(to.partition(":")[2])
    return team.label if team is not None else ""


def _turn(turn: TurnRecord) -> dict[str, Any]:
    # By hand: asdict() copies deeply, and this is done for every turn at every look.
    return {
        "who": turn.who,
        "text": turn.text,
        "at_s": turn.at_s,
        "heard_s": turn.heard_s,
        "source": turn.source,
        "action": turn.action,
        "delay_ms": turn.delay_ms.total if turn.delay_ms is not None else None,
    }
