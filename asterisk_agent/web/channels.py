"""The channels: which number does what, now; who answers; and what a call would get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from anyio import from_thread
from starlette.responses import RedirectResponse, Response

from asterisk_agent.config import edit
from asterisk_agent.config.schema import Channel, Config
from asterisk_agent.errors import AgentError
from asterisk_agent.outlook import Outlook
from asterisk_agent.records import Insights, Usage
from asterisk_agent.routing import AgentHealth
from asterisk_agent.web.asked import Asked, Refused
from asterisk_agent.web.audit import differences
from asterisk_agent.web.desk import Desk

YEARS = range(2000, 2101)


@dataclass(frozen=True, slots=True)
class Line:
    """A channel in the table."""

    channel: Channel
    outlook: Outlook
    zone: ZoneInfo
    usage: Usage | None


def show(desk: Desk, asked: Asked) -> Response:
    """The table."""
    found = desk.survey()
    if found.config is None:
        return desk.page(asked, "broken.html", problems=found.problems)
    workspace, logged = asked.parameters.get("workspace", ""), _logged(desk)
    lines = _lines(desk, found.config, workspace, logged)
    workspaces = sorted({channel.workspace for channel in found.config.channels.values()})
    return desk.page(
        asked, "channels.html", lines=lines, workspaces=workspaces,
        log_problem=logged.problem, today=logged.today, workspace=workspace,
        teams={team.id: team.label for team in found.config.teams.values()},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Logged:
    """What the call log adds to the table; ``problem`` says why it does not."""

    usages: Mapping[str, Usage] = field(default_factory=dict)
    today: Insights | None = None
    problem: str = ""


def _lines(desk: Desk, config: Config, workspace: str, logged: Logged) -> list[Line]:
    forecast, now, usages = desk.forecast(), desk.moment(), logged.usages
    return [
        Line(
            channel,
            forecast.at(channel, now, desk.agent_at(channel, now)),
            zone_of(config, channel),
            usages.get(channel.id),
        )
        for channel in config.channels.values()
        if workspace in ("", channel.workspace)
    ]


def _logged(desk: Desk) -> Logged:
    now = desk.moment()
    midnight = datetime.combine(now.astimezone(desk.zone).date(), time(), desk.zone)
    try:
        log = desk.log()
        return Logged(log.usages(log.month(now)), log.insights(midnight, now))
    except AgentError as error:
        return Logged(problem=str(error))


def zone_of(config: Config, channel: Channel) -> ZoneInfo:
    """The time zone in which a channel's times are written."""
    own = config.hours[channel.hours].timezone if channel.hours is not None else None
    return ZoneInfo(own or config.timezone)


def assign(desk: Desk, asked: Asked) -> Response:
    """Let the agent answer a channel, or not."""
    channel = channel_of(desk, asked)
    agent = asked.form.get("agent") == "on"
    before = {"channels.yaml": (desk.directory / "channels.yaml").read_bytes()}
    done = edit.assign(desk.directory, [channel.id], agent=agent)
    if done.changed:
        after = {"channels.yaml": (desk.directory / "channels.yaml").read_bytes()}
        what = f"{'assigned the agent to' if agent else 'took the agent from'} {channel.id}"
        desk.audit.note(asked.user, what, "channels.yaml", differences(before, after))
        from_thread.run_sync(desk.reload.begin)
    return RedirectResponse("/channels", 303)


def channel_of(desk: Desk, asked: Asked) -> Channel:
    """The channel that the path names. Raises Refused."""
    channel = desk.config.channels.get(asked.at("channel"))
    if channel is None:
        raise Refused(404, "There is no such channel.")
    return channel


# --- Testing ------------------------------------------------------------------------------------


def test(desk: Desk, asked: Asked) -> Response:
    """How to call the channel, and what would happen now, or at another time."""
    config, channel = desk.config, channel_of(desk, asked)
    zone = zone_of(config, channel)
    then, problem = instant(asked.parameters.get("at", ""), zone, desk.moment())
    down = asked.parameters.get("agent") == "down"
    agent = AgentHealth.DOWN if down else desk.agent_at(channel, then)
    return desk.page(
        asked, "channel_test.html", channel=channel, then=then, there=zone, problem=problem,
        outlook=desk.forecast().at(channel, then, agent), down=down,
        teams={team.id: team.label for team in config.teams.values()},
    )  # fmt: skip


def instant(text: str, zone: ZoneInfo, otherwise: datetime) -> tuple[datetime, str]:
    """A date and time as a form sends it, on the channel's wall clock; else ``otherwise``."""
    if not text:
        return otherwise, ""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return otherwise, "That is no date and time."
    if found.year not in YEARS:
        return otherwise, f"The year must be from {YEARS[0]} to {YEARS[-1]}."
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    return found.astimezone(UTC), ""
