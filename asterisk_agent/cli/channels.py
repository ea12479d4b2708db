"""``channels``: which number does what, now; and which of them the agent answers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Column, Table

from asterisk_agent.cli import moment
from asterisk_agent.cli.app import (
    DEFAULT_CONFIG,
    ConfigDirectory,
    Json,
    app,
    out,
    print_json,
    reports_errors,
)
from asterisk_agent.errors import AgentError

if TYPE_CHECKING:
    from asterisk_agent.config.schema import Channel, Config
    from asterisk_agent.records import Usage
    from asterisk_agent.routing import Standing

commands = typer.Typer(
    help="The channels: their numbers, whether the agent answers, and where they stand now.",
    invoke_without_command=True,
)
app.add_typer(commands, name="channels")

Numbers = Annotated[
    list[str],
    typer.Argument(metavar="NUMBER", help="Numbers, with or without +, or ids of channels."),
]


@commands.callback()
@reports_errors
def channels(
    context: typer.Context, config: ConfigDirectory = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """List the channels, with their state now and until when."""
    if context.invoked_subcommand is not None:
        return
    from asterisk_agent.config.load import load

    settings = load(config)
    standings, used = _standings(settings), month_used(settings)
    if as_json:
        print_json([_as_json(c, standings[c.id], used) for c in settings.channels.values()])
    else:
        out.print(_table(settings, standings, used))


@commands.command()
@reports_errors
def assign(
    numbers: Numbers, config: ConfigDirectory = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Let the agent answer the channels with these numbers.

    Writes `agent: on` into channels.yaml, and keeps its last version as channels.yaml.bak.
    """
    _assign(config, numbers, True, as_json)


@commands.command()
@reports_errors
def unassign(
    numbers: Numbers, config: ConfigDirectory = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Let people answer the channels with these numbers.

    Writes `agent: off` into channels.yaml, and keeps its last version as channels.yaml.bak.
    """
    _assign(config, numbers, False, as_json)


def _assign(directory: Path, numbers: list[str], agent: bool, as_json: bool) -> None:
    from asterisk_agent.config.edit import assign as assign_agent

    done = assign_agent(directory, numbers, agent=agent)
    if as_json:
        print_json({"agent": agent, "changed": done.changed, "already": done.already})
        return
    who = "the agent answers" if agent else "people answer"
    for channel in done.already:
        out.print(f"{channel}: {who} already", markup=False)
    for channel in done.changed:
        out.print(f"{channel}: {who} from the next reload on", markup=False)
    if done.changed:
        where = "" if directory == DEFAULT_CONFIG else f" --config {directory}"
        out.print(f"now run: asterisk-agent reload{where}", markup=False, soft_wrap=True)


# --- The table ----------------------------------------------------------------------------------


def _standings(config: Config) -> dict[str, Standing]:
    """Where each channel stands now, overrides included."""
    from asterisk_agent import overrides
    from asterisk_agent.config.compiling import plan_for
    from asterisk_agent.routing import state_at

    now = moment.now()
    plan = plan_for(config, now)
    return {
        channel.id: state_at(
            channel, plan, overrides.read(config.overrides_directory, channel.id), now
        )
        for channel in plan.channels.values()
    }


def month_used(config: Config) -> Mapping[str, Usage] | None:
    """What each channel used this month; None where the call log cannot be read."""
    from asterisk_agent.records import CallLog

    try:
        log = CallLog(config.records.database, timezone=config.timezone, make=False)
        with closing(log):
            return log.usages(log.month(moment.now()))
    except AgentError:
        return None


def _minutes(channel: Channel, used: Mapping[str, Usage] | None) -> str:
    """``12 / 3000``: used, and the ceiling if there is one."""
    from asterisk_agent.ceilings import minutes_used

    if used is None:
        return "-"
    minutes = f"{minutes_used(channel, used):.0f}"
    return minutes if channel.ceiling is None else f"{minutes} / {channel.ceiling.minutes}"


def _as_json(
    channel: Channel, standing: Standing, used: Mapping[str, Usage] | None
) -> dict[str, Any]:
    from asterisk_agent.ceilings import is_spent, minutes_used

    return {
        "minutes": None if used is None else round(minutes_used(channel, used), 2),
        "ceiling": None if channel.ceiling is None else channel.ceiling.minutes,
        "spent": used is not None and is_spent(channel, used),
        "id": channel.id,
        "numbers": channel.number,
        "label": channel.label,
        "workspace": channel.workspace,
        "agent": channel.agent,
        "hours": channel.hours,
        "state": standing.state,
        "because": standing.because,
        "until": moment.iso(standing.until),
        "people_first": standing.people or channel.in_hours.answer == "team",
        "handoff": channel.in_hours.handoff,
    }


def _table(
    config: Config, standings: dict[str, Standing], used: Mapping[str, Usage] | None
) -> Table:
    heads: tuple[str, ...] = (
        "number",
        "label",
        "workspace",
        "agent",
        "hours",
        "now",
        "until",
        "teams",
    )
    counted = any(channel.ceiling is not None for channel in config.channels.values())
    heads = (*heads, "minutes") if counted else heads
    broken = ("label", "until")  # an id that is cut off cannot be typed
    columns = (Column(head, no_wrap=head not in broken, overflow="fold") for head in heads)
    table = Table(*columns, box=None)
    for channel in config.channels.values():
        standing = standings[channel.id]
        table.add_row(
            "\n".join(channel.number),
            channel.label,
            channel.workspace,
            "on" if channel.agent else "off",
            channel.hours or "always",
            "people" if standing.people else str(standing.state),
            _until(standing, moment.zone_of(config, channel)),
            "\n".join(channel.in_hours.handoff) or "-",
            *([_minutes(channel, used)] if counted else []),
        )
    return table


def _until(standing: Standing, zone: ZoneInfo) -> str:
    """Within a week the day's name will do."""
    if standing.until is None:
        return "-"
    soon = standing.until - moment.now() < timedelta(days=6)
    return f"{standing.until.astimezone(zone):{'%a' if soon else '%Y-%m-%d'} %H:%M}"
