"""A target that sends forms to the console: hostile fields, headers and cookies."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from web_console import Console

from asterisk_agent.config.schema import FILES
from asterisk_agent.web.app import ACTIONS
from asterisk_agent.web.throttle import Throttle
from fuzzing.harness import ONE_INPUT, folder, quiet

CALL = "11111111-2222-3333-4444-555555555555"
PATHS = ("/sign-in", "/sign-out", *sorted(ACTIONS))
USERS = (None, "vera", "anna", "anna", "anna", "anna")
"""Anna may change things; most inputs are hers, since others do not get far."""


@contextmanager
def web() -> Iterator[ONE_INPUT]:
    """``path user flags`` as three bytes, then lines: ``Header: value``, ``/part``, ``name=value``.

    No input makes a fault of ours; nothing changes without the rights and the form's token.
    """

    def one_input(data: bytes) -> None:
        path, user, flags = (*data[:3], 0, 0, 0)[:3]
        sent = Sent(PATHS[path % len(PATHS)], USERS[user % len(USERS)], data[3:])
        token = sessions.get(sent.user or "", "")
        session = console.desk.sessions.of(token)
        if session is None and sent.user is not None:  # it has signed out
            token = sessions[sent.user] = console.desk.sessions.begin(sent.user)
            session = console.desk.sessions.of(token)
        ours = flags & 3 != 3
        csrf = session.csrf if session is not None and ours else "forged"
        begun = console.reload.begun + console.check.begun
        status = loop.run_until_complete(_ask(console, sent, token, csrf))
        assert 200 <= status < 500 or status == 503, status
        console.desk.throttle = Throttle()
        after = _content(console.etc)
        if after != known or console.reload.begun + console.check.begun != begun:
            assert (sent.user, ours) == ("anna", True), "a change without the right to it"
        if after != known:
            shutil.rmtree(console.etc)
            shutil.copytree(where / "kept", console.etc)

    loop = asyncio.new_event_loop()
    with folder() as where, quiet():
        console = Console(where)
        known = _content(console.etc)
        shutil.copytree(console.etc, where / "kept")
        sessions = {user: console.desk.sessions.begin(user) for user in USERS if user is not None}
        yield one_input
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def _content(directory: Path) -> dict[str, bytes]:
    """Every file of the configuration and the documents."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and (path.name in FILES or "knowledge" in path.parts)
    }


class Sent:
    """An input, read as a request."""

    def __init__(self, path: str, user: str | None, rest: bytes) -> None:
        self.user = user
        self.headers: list[tuple[bytes, bytes]] = []
        fields: list[bytes] = []
        part = b"support" if "{channel}" in path else CALL.encode()
        for line in rest.split(b"\n")[:60]:
            name, colon, value = line.partition(b": ")
            if line.startswith(b"/"):
                part = line[1:]
            elif colon and name.replace(b"-", b"").isalnum():
                self.headers.append((name.lower(), value))
            else:
                name, _, value = line.partition(b"=")
                value = value.replace(b"\\n", b"\n")
                fields.append(_quoted(name) + b"=" + _quoted(value))
        self.fields = fields
        self.path = path.replace("{channel}", "{}").replace("{call}", "{}")
        self.path = self.path.format(part.decode("utf-8", "replace"))

    def body(self, csrf: str) -> bytes:
        """The form, with its token."""
        return b"&".join([b"csrf=" + csrf.encode(), *self.fields])


def _quoted(data: bytes) -> bytes:
    """As a browser would, but where the input wants to break that: with an ``&`` or a ``%``."""
    if b"%" in data or b"&" in data:
        return data
    return quote_from_bytes(data).encode()


async def _ask(console: Console, sent: Sent, token: str, csrf: str) -> int:
    body = sent.body(csrf)
    headers = {b"host": b"testserver", b"content-type": b"application/x-www-form-urlencoded"}
    headers[b"cookie"] = f"session={token}".encode()
    if "sign-in" in sent.path:
        headers[b"cookie"] = f"sign-in={csrf}".encode()
    found = [(name, value) for name, value in headers.items() if name not in dict(sent.headers)]
    scope: Mapping[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "scheme": "http", "path": sent.path, "raw_path": sent.path.encode(), "root_path": "",
        "query_string": b"", "headers": found + sent.headers, "client": ("127.0.0.1", 1),
        "server": ("testserver", 80), "state": {}, "extensions": {},
    }  # fmt: skip
    bodies = [{"type": "http.request", "body": body, "more_body": False}]
    statuses: list[int] = []

    async def receive() -> Any:
        return bodies.pop() if bodies else {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await console.app(scope, receive, send)
    return statuses[0]
