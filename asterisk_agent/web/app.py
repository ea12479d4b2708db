"""The application: every address, and what is answered where something goes wrong."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from asterisk_agent.errors import AgentError
from asterisk_agent.web import calls, channels, editing, health, insights, knowledge, live, signin
from asterisk_agent.web.asked import Asked, Refused
from asterisk_agent.web.desk import Desk
from asterisk_agent.web.guard import Handler, Headers, action, desk_of, page, session_of
from asterisk_agent.web.render import STATIC
from asterisk_agent.web.users import Role

PAGES: Mapping[str, Handler] = {
    "/channels": channels.show,
    "/channels/{channel}": editing.show,
    "/channels/{channel}/test": channels.test,
    "/live": live.show,
    "/live/stream": live.stream,
    "/calls": calls.show,
    "/calls/{call}": calls.tell,
    "/calls/{call}/audio": calls.audio,
    "/insights": insights.show,
    "/knowledge": knowledge.show,
    "/knowledge/passage": knowledge.edit_form,
    "/health/details": health.show,
    "/health/part": health.part,
    "/reloading": health.reloading,
    "/changes": health.changes,
}
"""For everybody who is signed in."""
ACTIONS: Mapping[str, Handler] = {
    "/channels/{channel}": editing.sent,
    "/channels/{channel}/preview": editing.preview,
    "/channels/{channel}/agent": channels.assign,
    "/live/{call}/take-over": live.take_over,
    "/knowledge/passage": knowledge.save,
    "/health/check": health.look_again,
    "/health/reload": health.reload,
}
"""For those who may change things."""


class Static(StaticFiles):
    """Files whose address changes with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, to be kept by the browser."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def application(desk: Desk) -> Starlette:
    """The console."""
    routes: list[BaseRoute] = [
        Route("/", start),
        Route("/sign-in", signin.show),
        Route("/sign-in", signin.sign_in, methods=["POST"]),
        Route("/sign-out", action(signin.sign_out, Role.VIEW), methods=["POST"]),
        Route("/health", health.healthy),
        Route("/metrics", health.metrics),
        *(Route(path, page(handler)) for path, handler in PAGES.items()),
        *(Route(path, action(handler), methods=["POST"]) for path, handler in ACTIONS.items()),
        Mount("/static", Static(directory=STATIC)),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Headers, secure=desk.secure)],
        exception_handlers={
            Refused: refused,
            AgentError: failed,
            HTTPException: not_there,
            Exception: crashed,
        },
    )
    app.state.desk = desk
    return app


async def start(request: Request) -> Response:
    """The first page is the channels'."""
    return RedirectResponse("/channels", 303)


async def refused(request: Request, error: Exception) -> Response:
    """What was asked is not done."""
    assert isinstance(error, Refused)
    return _problem(request, error.status, error.why)


async def failed(request: Request, error: Exception) -> Response:
    """Something of the operator's is not as it should be, and the message says what."""
    assert isinstance(error, AgentError)
    return _problem(request, 503, str(error), error.hint)


async def not_there(request: Request, error: Exception) -> Response:
    """An address that is none, or not for this."""
    assert isinstance(error, HTTPException)
    return _problem(request, error.status_code, error.detail)


async def crashed(request: Request, error: Exception) -> Response:
    """A fault of ours; the server logs it."""
    return _problem(request, 500, "A fault of the console. Its log says more.")


def _problem(request: Request, status: int, why: str, hint: str = "") -> Response:
    session = session_of(request)
    asked = Asked(request, session)
    return desk_of(request).page(
        asked, "problem.html", status, status_code=status, why=why, hint=hint
    )
