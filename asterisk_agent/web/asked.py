"""What a browser has asked, read and held to limits: nothing of it is trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request

from asterisk_agent.web.sessions import Session
from asterisk_agent.web.users import Role

MAX_BODY = 256 << 10
MAX_FIELDS = 2_000
MAX_PARAMETER = 200


class Refused(Exception):
    """The request is not answered: an HTTP ``status``, and why in a sentence."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Form:
    """The fields of a form. A missing one is empty text."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = ()) -> None:
        self._fields: dict[str, list[str]] = {}
        for name, value in pairs:
            self._fields.setdefault(name, []).append(value.replace("\r\n", "\n"))

    def get(self, name: str) -> str:
        """The first value of a field, without space around it."""
        return self._fields.get(name, [""])[0].strip()

    def raw(self, name: str) -> str:
        """The first value of a field as it was typed."""
        return self._fields.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """Every value of a field, in order."""
        return [value.strip() for value in self._fields.get(name, [])]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of somebody who is signed in; ``session`` is None on the few pages for anybody."""

    request: Request
    session: Session | None
    form: Form = field(default_factory=Form)

    @property
    def user(self) -> str:
        """Who asks."""
        return self.session.user if self.session is not None else ""

    @property
    def may_edit(self) -> bool:
        """Whether they may change things."""
        return self.session is not None and self.session.role is Role.EDIT

    @property
    def csrf(self) -> str:
        """What stands in every form."""
        return self.session.csrf if self.session is not None else ""

    @property
    def parameters(self) -> Mapping[str, str]:
        """What stands behind the ``?``, each cut to a sane length."""
        pairs = self.request.query_params.items()
        return {name: value.strip()[:MAX_PARAMETER] for name, value in pairs}

    def at(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])


async def read_form(request: Request) -> Form:
    """The form of a request. Raises Refused for what is too long or no form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Refused(415, "Only forms are taken.")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            raise Refused(413, "That is too much at once.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError:
        raise Refused(400, "The form cannot be read.") from None
    return Form(pairs)
