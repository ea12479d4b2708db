"""Calls in progress: what is said as it is said, and the hand on the switch."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import UUID

from starlette.responses import RedirectResponse, Response, StreamingResponse

from asterisk_agent.config.schema import Config
from asterisk_agent.errors import AgentError, ProtocolError
from asterisk_agent.net.control import ask
from asterisk_agent.web.asked import Asked, Refused
from asterisk_agent.web.desk import Desk
from asterisk_agent.web.feed import Call, News
from asterisk_agent.web.guard import cookie_name
from asterisk_agent.wire.control import TakeOver, request_of

BEAT_S = 15.0
"""A stream that says nothing for longer is cut by some proxies."""
NO_BUFFER = {"x-accel-buffering": "no"}


async def show(desk: Desk, asked: Asked) -> Response:
    """Every call under way, as it stands."""
    calls = sorted(desk.feed.calls.values(), key=lambda call: str(call["started"]), reverse=True)
    cards = [_card(desk, asked, call) for call in calls]
    problem = asked.parameters.get("problem", "")
    return desk.page(asked, "live.html", cards=cards, health=desk.feed.health, problem=problem)


def _card(desk: Desk, asked: Asked, call: Call) -> str:
    inner = desk.renderer.call(call)
    targets = destinations(desk.survey().config, asked.user, call) if asked.may_edit else {}
    return desk.renderer.page(
        "live_card.html", call=call, inner=inner, targets=targets, csrf=asked.csrf
    )


def destinations(config: Config | None, user: str, call: Call) -> dict[str, str]:
    """Where this user may send a call: what the form sends → what it says."""
    if config is None:
        return {}
    found = {"phone:" + user: "My phone"} if user in config.web.phones else {}
    teams = [team for team in config.teams.values() if team.reachable]
    found |= {f"team:{team.id}": team.label for team in teams}
    if call.get("on_call"):
        found[f"on-call:{call['channel']}"] = "On-call phone"
    return found


async def take_over(desk: Desk, asked: Asked) -> Response:
    """Send the caller to a team or to a phone, now."""
    call = _id_of(asked.at("call"))
    to = asked.form.get("to")
    try:
        wanted = request_of({"do": "take-over", "call": str(call), "to": to, "by": asked.user})
    except ProtocolError:
        raise Refused(422, "A call cannot be sent there.") from None
    assert isinstance(wanted, TakeOver)
    try:
        await ask(desk.began_with.control_socket, wanted)
    except AgentError as error:
        desk.audit.note(asked.user, f"could not take a call over: {error}", str(call))
        raise Refused(409, error.message) from None
    desk.audit.note(asked.user, f"took a call over, to {to}", str(call))
    return RedirectResponse("/live", 303)


def _id_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused(404, "There is no such call.") from None


async def stream(desk: Desk, asked: Asked) -> Response:
    """The same, as it changes."""
    return StreamingResponse(
        _events(desk, asked), media_type="text/event-stream", headers=NO_BUFFER
    )


async def _events(desk: Desk, asked: Asked) -> AsyncIterator[str]:
    token = asked.request.cookies.get(cookie_name(desk), "")
    with desk.feed.watching() as news:
        for call in desk.feed.calls.values():
            yield _event("new", str(call["id"]), _card(desk, asked, call))
        yield _event("health", "", _health(desk))
        while True:
            try:
                async with asyncio.timeout(BEAT_S):
                    found = await news.get()
            except TimeoutError:
                if desk.sessions.of(token) is None:
                    return
                yield ": still here\n\n"
                continue
            if found is None:
                return
            yield _told(desk, asked, found)


def _told(desk: Desk, asked: Asked, news: News) -> str:
    if news.kind == "new":
        call = desk.feed.calls.get(news.call)
        return _event("new", news.call, _card(desk, asked, call)) if call is not None else ""
    if news.kind == "health":
        return _event("health", "", _health(desk))
    return _event(news.kind, news.call, news.html)


def _health(desk: Desk) -> str:
    return desk.renderer.page("live_health.html", health=desk.feed.health)


def _event(kind: str, call: str, html: str) -> str:
    return f"event: {kind}\ndata: {json.dumps({'id': call, 'html': html})}\n\n"
