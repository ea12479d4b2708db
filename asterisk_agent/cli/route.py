"""``route``: the exact path that a call to a number takes at a time, and why."""

from __future__ import annotations

import io
import json
import select
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

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
from asterisk_agent.routing import AgentHealth, Standing

if TYPE_CHECKING:
    from asterisk_agent.config.schema import Channel, Config
    from asterisk_agent.route import Step

STDIN = "-"


@app.command()
@reports_errors
def route(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="As the trunk delivers it.")],
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="18:00, '2026-12-24 12:00', or with an offset; - reads many from standard input.",
        ),
    ] = None,
    agent: Annotated[
        AgentHealth | None,
        typer.Option("--agent", help="How the agent is then; spent: its ceiling is reached."),
    ] = None,
    config: ConfigDirectory = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Tell the exact path that a call to NUMBER takes, and why.

    With --json and a list of times on standard input (one a line, or a JSON array) each gets an
    object on a line of its own.
    """
    from asterisk_agent.config.load import load
    from asterisk_agent.outlook import Forecast

    settings = load(config)
    channel = _channel_of(number, settings)
    forecast = Forecast(settings)
    zone = moment.zone_of(settings, channel)
    spent_in = _spent_in(channel, settings)
    for then in _times(at, as_json, zone):
        spent = f"{then.astimezone(ZoneInfo(settings.timezone)):%Y-%m}" == spent_in
        health = agent or (AgentHealth.SPENT if spent else AgentHealth.UP)
        found = forecast.at(channel, then, health)
        if as_json:
            print_json(_as_json(channel, found.standing, found.steps))
        else:
            call = f"{number} ({channel.label}), {moment.shown(then, zone)}"
            _tell(call, found.standing, found.steps, zone)


def _spent_in(channel: Channel, config: Config) -> str | None:
    """This month (``2026-03``) where the channel has used up its minutes, else None."""
    from asterisk_agent.ceilings import is_spent
    from asterisk_agent.cli.channels import month_used

    if channel.ceiling is None or not is_spent(channel, month_used(config) or {}):
        return None
    return f"{moment.now().astimezone(ZoneInfo(config.timezone)):%Y-%m}"


def _channel_of(number: str, config: Config) -> Channel:
    channel = config.channel_by_number(number)
    if channel is None:
        known = ", ".join(f"{n} ({c.id})" for c in config.channels.values() for n in c.number)
        raise AgentError(f"no channel has the number {number[:40]!r}", hint=f"known: {known}")
    return channel


# --- Times --------------------------------------------------------------------------------------


def _times(at: str | None, as_json: bool, zone: ZoneInfo) -> list[datetime]:
    now = moment.now()
    if at is None and as_json and _is_piped():
        written = _listed(sys.stdin.read())
        if not written:  # an empty standard input, as from cron
            return [now]
    elif at == STDIN:
        written = _listed(sys.stdin.read())
        if not written:
            raise AgentError("standard input holds no time", hint=moment.HINT)
    elif at is None:
        return [now]
    else:
        written = [at]
    return [moment.parse(text, now, zone) for text in written]


def _is_piped() -> bool:
    """Whether a list waits on standard input. One that stays silent is not waited for."""
    if sys.stdin.isatty():
        return False
    try:
        return bool(select.select([sys.stdin], [], [], 0)[0])
    except (io.UnsupportedOperation, ValueError, OSError):  # not a file of the system, or closed
        return not sys.stdin.closed


def _listed(text: str) -> list[str]:
    """The times of a JSON array, or of lines; empty lines count for nothing."""
    if not text.lstrip().startswith("["):
        return [line for line in text.splitlines() if line.strip()]
    try:
        times = json.loads(text)
    except (ValueError, RecursionError) as error:
        problem = f"standard input is no JSON array: {str(error)[:80]}"
        raise AgentError(problem, hint='write ["2026-12-24 12:00", "2026-12-24 13:00"]') from None
    wrong = next((time for time in times if not isinstance(time, str)), None)
    if wrong is not None:
        raise AgentError(f"{str(wrong)[:40]} is not a time", hint=moment.HINT)
    return list(times)


# --- Telling ------------------------------------------------------------------------------------


def _as_json(channel: Channel, standing: Standing, steps: list[Step]) -> dict[str, Any]:
    return {
        "channel": channel.id,
        "state": standing.state,
        "because": standing.because,
        "until": moment.iso(standing.until),
        "path": [{"to": step.to, "when": step.when, "seconds": step.seconds} for step in steps],
    }


def _tell(call: str, standing: Standing, steps: list[Step], zone: ZoneInfo) -> None:
    until = f" until {moment.shown(standing.until, zone)}" if standing.until is not None else ""
    lines = [call, f"{standing.state}{until}: {standing.because}"]
    width = max(len(step.to) for step in steps)
    for index, step in enumerate(steps, 1):
        longest = "" if step.seconds is None else _duration(step.seconds)
        lines.append(f"  {index}. {step.to:{width}}  {longest:>6}  {step.when}")
    for line in lines:
        out.print(line, markup=False)


def _duration(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds >= 120 and seconds % 60 == 0 else f"{seconds} s"
