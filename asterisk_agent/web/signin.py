"""Signing in and out."""

from __future__ import annotations

import secrets

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from asterisk_agent.web.asked import Asked, read_form
from asterisk_agent.web.desk import Desk
from asterisk_agent.web.guard import (
    check_origin,
    check_token,
    cookie_name,
    desk_of,
    safe_next,
    session_of,
)
from asterisk_agent.web.sessions import LONGEST

FORM_COOKIE = "sign-in"
WRONG = "That name and password do not go together."


async def show(request: Request) -> Response:
    """The form. Whoever is signed in goes on."""
    goes_to = safe_next(request.query_params.get("next", "/")[:500])
    if session_of(request) is not None:
        return RedirectResponse(goes_to, 303)
    return _form(desk_of(request), request, goes_to)


async def sign_in(request: Request) -> Response:
    """Look at the password, unless too many were wrong before."""
    desk = desk_of(request)
    check_origin(request)
    form = await read_form(request)
    check_token(form, request.cookies.get(_form_cookie(desk), "")[:200])
    goes_to, name = safe_next(form.get("next")[:500]), form.get("user").lower()[:64]
    keys = (f"user {name}", f"address {_address(request)}")
    wait_s = desk.throttle.wait_s(keys, desk.clock())
    if wait_s:
        return _form(desk, request, goes_to, name=name, problem=_wait(wait_s), status=429)
    user = await run_in_threadpool(desk.users.check, name, form.raw("password"))
    if user is None:
        desk.throttle.failed(keys, desk.clock())
        desk.audit.note(name, "could not sign in", _address(request))
        return _form(desk, request, goes_to, name=name, problem=WRONG, status=403)
    desk.throttle.succeeded(keys)
    desk.audit.note(name, "signed in", _address(request))
    response = RedirectResponse(goes_to, 303)
    _set(response, desk, cookie_name(desk), desk.sessions.begin(name))
    response.delete_cookie(_form_cookie(desk), httponly=True, samesite="strict", secure=desk.secure)
    return response


def sign_out(desk: Desk, asked: Asked) -> Response:
    """End the session."""
    desk.sessions.end(asked.request.cookies.get(cookie_name(desk), ""))
    desk.audit.note(asked.user, "signed out")
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(cookie_name(desk), httponly=True, samesite="strict", secure=desk.secure)
    return response


def _form(
    desk: Desk,
    request: Request,
    goes_to: str,
    *,
    name: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    token = request.cookies.get(_form_cookie(desk), "")[:200] or secrets.token_urlsafe(32)
    response = desk.page(
        Asked(request, None),
        "sign_in.html",
        status,
        token=token,
        goes_to=goes_to,
        name=name,
        problem=problem,
        nobody=not desk.users.all(),
    )
    _set(response, desk, _form_cookie(desk), token)
    return response


def _form_cookie(desk: Desk) -> str:
    return f"__Host-{FORM_COOKIE}" if desk.secure else FORM_COOKIE


def _set(response: Response, desk: Desk, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=round(LONGEST.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=desk.secure,
        path="/",
    )


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else "unknown"


def _wait(seconds: float) -> str:
    whole = max(1, round(seconds))
    return f"Too many attempts. Try again in {whole} second{'s' if whole > 1 else ''}."
