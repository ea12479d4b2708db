"""The call log: searched, and one call told from beginning to end."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.responses import FileResponse, Response

from asterisk_agent.errors import AgentError
from asterisk_agent.recording import HEADER_BYTES
from asterisk_agent.records import CallFilter
from asterisk_agent.web import shown
from asterisk_agent.web.asked import Asked, Refused
from asterisk_agent.web.desk import Desk

PAGE_SIZE = 50
MOST_PAGES = 100_000


def show(desk: Desk, asked: Asked) -> Response:
    """A page of the log."""
    parameters, problem = asked.parameters, ""
    filters, wrong = _filters(parameters, desk.zone)
    page = None
    try:
        page = desk.log().search(filters, _number(parameters.get("page", "")), PAGE_SIZE)
    except AgentError as error:
        problem = error.message
    config = desk.survey().config
    kept = {k: v for k, v in parameters.items() if k != "page" and v}
    return desk.page(
        asked, "calls.html", page=page, problem=problem, wrong=wrong, parameters=parameters,
        query=urlencode(kept), labels=desk.labels(), filtered=bool(kept),
        outcomes=shown.OUTCOMES, teams=_teams(config),
    )  # fmt: skip


def _filters(parameters: Any, zone: ZoneInfo) -> tuple[CallFilter, list[str]]:
    wrong: list[str] = []

    def day(name: str, later: timedelta = timedelta()) -> datetime | None:
        text = parameters.get(name, "")
        if not text:
            return None
        try:
            return datetime.combine(date.fromisoformat(text) + later, time(), zone)
        except (ValueError, OverflowError):
            wrong.append(f"{text[:20]} is not a date.")
            return None

    return CallFilter(
        channel=parameters.get("channel") or None,
        outcome=parameters.get("outcome") or None,
        team=parameters.get("team") or None,
        since=day("since"),
        until=day("until", timedelta(days=1)),
        search=parameters.get("search", ""),
        tasks=parameters.get("tasks") == "on",
        recorded=parameters.get("recorded") == "on",
    ), wrong


def _number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1
    return min(max(1, number), MOST_PAGES)


def _teams(config: Any) -> dict[str, str]:
    return {} if config is None else {team.id: team.label for team in config.teams.values()}


def tell(desk: Desk, asked: Asked) -> Response:
    """One call: who said what and when, where it went, and what each answer rests on."""
    call = _call(desk, asked)
    return desk.page(
        asked, "call.html", call=call, labels=desk.labels(), teams=_teams(desk.survey().config),
        moments=moments(call), recorded=_recording(desk, call) is not None,
    )  # fmt: skip


def moments(call: dict[str, Any]) -> list[tuple[float, str, dict[str, Any]]]:
    """Everything that happened, in order: ``turn``, ``step``, ``attempt`` or ``event``."""
    found = [
        (float(one["at_s"]), kind, one)
        for kind, key in (("step", "path"), ("turn", "turns"), ("event", "events"))
        for one in call.get(key, ())
    ]
    found += [(float(one["at_s"]), "attempt", one) for one in call.get("attempts", ())]
    return sorted(found, key=lambda moment: moment[0])


def audio(desk: Desk, asked: Asked) -> Response:
    """The recording of a call."""
    path = _recording(desk, _call(desk, asked))
    if path is None:
        raise Refused(404, "This call was not recorded.")
    return FileResponse(path, media_type="audio/wav", headers={"cache-control": "no-store"})


def _call(desk: Desk, asked: Asked) -> dict[str, Any]:
    try:
        call = desk.log().story(asked.at("call"))
    except AgentError as error:
        raise Refused(503, error.message) from None
    if call is None:
        raise Refused(404, "There is no such call in the log.")
    return call


def _recording(desk: Desk, call: dict[str, Any]) -> Path | None:
    """The file of a call's audio, where it is one of ours: the log's word alone is not enough."""
    name = call.get("recording")
    if not name:
        return None
    root = (desk.began_with.state_directory / "recordings").resolve()
    path = (root / str(name)).resolve()
    if not (path.is_relative_to(root) and path.is_file()):
        return None
    return path if path.stat().st_size > HEADER_BYTES else None
