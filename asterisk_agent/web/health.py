"""How everything is: what the service says, what ``check`` finds, what the log holds."""

from __future__ import annotations

import hmac
from base64 import b64decode
from datetime import timedelta

from anyio import from_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from asterisk_agent.errors import AgentError
from asterisk_agent.net.control import ask
from asterisk_agent.web.asked import Asked, Refused
from asterisk_agent.web.desk import Desk
from asterisk_agent.web.guard import desk_of
from asterisk_agent.wire.control import Figures

FRESH = timedelta(minutes=2)
"""What ``check`` has found is looked at again after this long, when somebody looks."""
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
LOOPBACK = ("127.0.0.1", "::1")
FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")


def show(desk: Desk, asked: Asked) -> Response:
    """Everything in one page; a check that is old is begun anew."""
    last = desk.check.last
    if not desk.check.running and (last is None or desk.moment() - last.at > FRESH):
        from_thread.run_sync(desk.check.begin)
    return _page(desk, asked, "health.html")


def part(desk: Desk, asked: Asked) -> Response:
    """The changing part of it."""
    return _page(desk, asked, "health_part.html")


def _page(desk: Desk, asked: Asked, template: str) -> Response:
    log_state, log_problem = None, ""
    try:
        log_state = desk.log().health()
    except AgentError as error:
        log_problem = error.message
    return desk.page(
        asked, template, survey=desk.survey(), health=desk.feed.health, log_state=log_state,
        log_problem=log_problem, browsers=desk.feed.browsers,
    )  # fmt: skip


def look_again(desk: Desk, asked: Asked) -> Response:
    """Run ``check`` now."""
    from_thread.run_sync(desk.check.begin)
    return RedirectResponse("/health/details", 303)


def reload(desk: Desk, asked: Asked) -> Response:
    """Let the service take the configuration over, as ``asterisk-agent reload`` does."""
    desk.audit.note(asked.user, "reloaded the configuration")
    from_thread.run_sync(desk.reload.begin)
    return RedirectResponse("/health/details", 303)


def reloading(desk: Desk, asked: Asked) -> Response:
    """How the last reload is going, as a banner."""
    return desk.page(asked, "reloading.html")


def changes(desk: Desk, asked: Asked) -> Response:
    """Who changed what."""
    return desk.page(asked, "changes.html", changes=desk.audit.latest())


# --- For machines -------------------------------------------------------------------------------


async def healthy(request: Request) -> Response:
    """For load balancers: 200 while calls can be answered, else 503. Nothing secret in it."""
    health = desk_of(request).feed.health
    state = "down" if health is None else "stopping" if health["stopping"] else health["state"]
    return JSONResponse({"state": state}, 200 if state in ("up", "full") else 503)


async def metrics(request: Request) -> Response:
    """For Prometheus: from this machine, or with a user's name and password."""
    desk = desk_of(request)
    if not _is_local(request) and not await run_in_threadpool(_knows_password, desk, request):
        headers = {"www-authenticate": 'Basic realm="asterisk-agent"'}
        return PlainTextResponse("who are you?\n", 401, headers)
    try:
        told = await ask(desk.began_with.control_socket, Figures())
        text = f"{told['text']}# TYPE asterisk_agent_up gauge\nasterisk_agent_up 1\n"
    except AgentError:
        text = "# TYPE asterisk_agent_up gauge\nasterisk_agent_up 0\n"
    watching = (
        f"# TYPE asterisk_agent_browsers gauge\nasterisk_agent_browsers {desk.feed.browsers}\n"
    )
    return Response(text + watching, media_type=PROMETHEUS)


def _is_local(request: Request) -> bool:
    forwarded = any(name in request.headers for name in FORWARDED)
    return request.client is not None and request.client.host in LOOPBACK and not forwarded


def _knows_password(desk: Desk, request: Request) -> bool:
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic" or len(given) > 1000:
        return False
    try:
        name, _, password = b64decode(given, validate=True).decode().partition(":")
    except ValueError:
        return False
    keys = (f"user {name}",)
    if desk.throttle.wait_s(keys, desk.clock()):
        raise Refused(429, "Too many attempts.")
    known = desk.scraper
    if known is not None and hmac.compare_digest(known.encode(), given.encode()):
        return True
    if desk.users.check(name, password) is None:
        desk.throttle.failed(keys, desk.clock())
        return False
    desk.scraper = given
    return True
