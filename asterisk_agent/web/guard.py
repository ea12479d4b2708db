"""Every page and every form passes here: who asks, may they, and does the form come from us?"""

from __future__ import annotations

import hmac
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from asterisk_agent.web.asked import Asked, Form, Refused, read_form
from asterisk_agent.web.desk import Desk
from asterisk_agent.web.sessions import Session
from asterisk_agent.web.users import Role

Handler: TypeAlias = Callable[[Desk, Asked], Response | Awaitable[Response]]
"""A page: on a thread of its own unless it is a coroutine function."""
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
HSTS = "max-age=31536000"


def page(handler: Handler) -> Endpoint:
    """A page for everybody who is signed in. Others are sent to sign in."""

    async def endpoint(request: Request) -> Response:
        desk = desk_of(request)
        session = session_of(request)
        if session is None:
            return _to_sign_in(request)
        return await answer(handler, desk, Asked(request, session))

    return endpoint


def action(handler: Handler, role: Role = Role.EDIT) -> Endpoint:
    """A form of ours, sent by somebody who may change things."""

    async def endpoint(request: Request) -> Response:
        session = session_of(request)
        if session is None:
            return _to_sign_in(request)
        check_origin(request)
        form = await read_form(request)
        check_token(form, session.csrf)
        if role is Role.EDIT and session.role is not Role.EDIT:
            raise Refused(403, "You may look, but not change anything.")
        return await answer(handler, desk_of(request), Asked(request, session, form))

    return endpoint


async def answer(handler: Handler, desk: Desk, asked: Asked) -> Response:
    """Run a handler where it belongs."""
    if inspect.iscoroutinefunction(handler):
        found: Response = await handler(desk, asked)
        return found
    made: Any = await run_in_threadpool(handler, desk, asked)
    return made  # type: ignore[no-any-return]


def desk_of(request: Request) -> Desk:
    """What the application works with."""
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk


def cookie_name(desk: Desk) -> str:
    """``__Host-``: no other host, and no page without TLS, can set such a cookie."""
    return "__Host-session" if desk.secure else "session"


def session_of(request: Request) -> Session | None:
    """Who asks, by their cookie."""
    desk = desk_of(request)
    return desk.sessions.of(request.cookies.get(cookie_name(desk), "")[:200])


def check_origin(request: Request) -> None:
    """A browser says from where a form was sent: no other site's is taken. Raises Refused."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise Refused(403, "This form was not sent from here.")
    origin = request.headers.get("origin")
    if origin is not None and _host_of(origin) != request.headers.get("host"):
        raise Refused(403, "This form was not sent from here.")


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # half a bracket
        return None


def check_token(form: Form, expected: str) -> None:
    """Raise Refused unless the form holds the token that we gave this browser."""
    given = form.get("csrf")
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Refused(403, "This form is too old, or not ours. Go back, load the page again.")


def safe_next(path: str) -> str:
    """A path of our own to go to; the start for anything else."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours and "\\" not in path else "/"


def _to_sign_in(request: Request) -> Response:
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"hx-redirect": "/sign-in"})
    if request.method != "GET":
        return RedirectResponse("/sign-in", 303)
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(path, safe='')}", 303)


class Headers:
    """Puts what browsers shall refuse on every answer."""

    def __init__(self, app: ASGIApp, secure: bool) -> None:
        self._app = app
        self._headers = HEADERS | ({"strict-transport-security": HSTS} if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                ours = {**self._headers, "cache-control": "no-store"}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.encode(), value.encode())
                        for name, value in ours.items()
                        if name.encode() not in given
                    ),
                ]
            await send(message)

        await self._app(scope, receive, with_headers)
