"""``calls`` and its subcommands: the call log, found, told, followed, exported and erased."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.table import Table

from asterisk_agent.cli import moment, timeline
from asterisk_agent.cli.app import (
    DEFAULT_CONFIG,
    ConfigDirectory,
    Json,
    app,
    err,
    out,
    print_json,
    reports_errors,
)
from asterisk_agent.errors import AgentError

if TYPE_CHECKING:
    from asterisk_agent.config.schema import Config
    from asterisk_agent.records import CallFilter, CallLog

commands = typer.Typer(help="The call log.", invoke_without_command=True)
app.add_typer(commands, name="calls")

Caller = Annotated[
    str, typer.Option("--caller", metavar="NUMBER", help="The caller's number, in full.")
]


@commands.callback()
@reports_errors
def calls(  # noqa: PLR0917
    context: typer.Context,
    config: ConfigDirectory = DEFAULT_CONFIG,
    channel: Annotated[str | None, typer.Option(help="Of this channel alone.")] = None,
    outcome: Annotated[str | None, typer.Option(help="That ended so: resolved, …")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="A date or time, or 2h, 7d: so long ago.")
    ] = None,
    search: Annotated[
        str, typer.Option(metavar="WORDS", help="In which these words, or digits, were said.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, newest first.")] = 20,
    tasks: Annotated[
        bool, typer.Option("--tasks", help="Those that somebody has to see to.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the newest calls."""
    if context.invoked_subcommand is not None:
        return
    from asterisk_agent.records import CallFilter

    with opened(config) as (settings, log):
        zone = ZoneInfo(settings.timezone)
        wanted = CallFilter(
            channel=_known(channel, settings),
            outcome=outcome,
            since=when(since, zone),
            search=search,
            tasks=tasks,
        )
        if as_json:
            print_json(log.latest(limit, wanted))
        elif tasks:
            out.print(_task_table(log.latest(limit, wanted)))
        else:
            _list(log, wanted, limit, zone)


def _list(log: CallLog, wanted: CallFilter, limit: int, zone: ZoneInfo) -> None:
    page = log.search(wanted, size=limit)
    table = Table(box=None)
    for head in ("call", "started", "caller", "length", "outcome"):
        table.add_column(head, no_wrap=True, overflow="ignore")
    for head in ("channel", "reason", "team", "to do"):
        table.add_column(head, overflow="fold")
    for row in page.rows:
        table.add_row(
            row.id[:8],
            f"{datetime.fromisoformat(row.started).astimezone(zone):%Y-%m-%d %H:%M}",
            timeline.plain(row.caller) or "-",
            timeline.length(row.seconds),
            f"[{timeline.COLOURS.get(row.outcome or '', 'white')}]{row.outcome or '-'}[/]",
            row.channel,
            row.reason or "-",
            row.team or "-",
            ", ".join(row.tasks).replace("_", " ") or "-",
        )
    out.print(table)
    if page.total > len(page.rows):
        out.print(f"{len(page.rows)} of {page.total} calls", style="dim")


@commands.command()
@reports_errors
def show(
    call_id: Annotated[str, typer.Argument(metavar="ID", help="The id, or its beginning.")],
    config: ConfigDirectory = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Show one call: who said what and when, how long each answer took, where the call went."""
    with opened(config) as (settings, log):
        call = log.show(call_id)
        if call is None:
            raise AgentError(
                f"no single call begins with {call_id[:40]!r}", hint="asterisk-agent calls"
            )
        if as_json:
            print_json(call)
        else:
            timeline.show(call, ZoneInfo(settings.timezone), out)


@commands.command()
@reports_errors
def follow(
    config: ConfigDirectory = DEFAULT_CONFIG,
    channel: Annotated[str | None, typer.Option(help="Of this channel alone.")] = None,
    as_json: Json = False,
) -> None:
    """Show what is said in calls under way, and how they end, until interrupted with Ctrl-C.

    Each turn once it was said, with how long the caller waited for it; where a call goes, and who
    picked up. While the service does not run, each call when it has ended.
    """
    import asyncio

    try:
        with opened(config) as (settings, log):
            asyncio.run(_follow(settings, log, _known(channel, settings), as_json))
    except KeyboardInterrupt:
        return


async def _follow(settings: Config, log: CallLog, channel: str | None, as_json: bool) -> None:
    from asterisk_agent.cli import live
    from asterisk_agent.cli.follow import Follower

    zone = ZoneInfo(settings.timezone)

    def show(event: live.Event, followed: bool) -> None:
        if as_json:
            print_json(event)
        elif followed:
            out.print(live.line(event))
        else:
            timeline.show(event["record"], zone, out)
            out.print()

    def notice(words: str) -> None:
        err.print(f"asterisk-agent: {timeline.plain(words)}", markup=False)

    await Follower(settings.control_socket, log, channel, show=show, notice=notice).run()


@commands.command()
@reports_errors
def export(caller: Caller, config: ConfigDirectory = DEFAULT_CONFIG) -> None:
    """Print everything that the call log knows of one caller, as JSON."""
    from asterisk_agent.records.waiting import stories_in

    with opened(config) as (settings, log):
        found = log.export(caller)
        known = {call["id"] for call in found}
        waiting = [
            story
            for story in stories_in(_waiting_room(settings))
            if _is_of(story, caller) and story["id"] not in known
        ]
        print_json({"caller": caller, "calls": [*found, *waiting]})


@commands.command()
@reports_errors
def erase(
    caller: Caller,
    config: ConfigDirectory = DEFAULT_CONFIG,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete everything that the call log knows of one caller, recordings too, for good."""
    from asterisk_agent.records import keep_only

    with opened(config) as (settings, log):
        count = len(log.export(caller))
        if count and not yes:
            if not sys.stdin.isatty():
                raise AgentError(f"{count} calls would be erased", hint="add --yes")
            typer.confirm(f"Erase {count} calls of {timeline.plain(caller)}?", abort=True)
        with err.status("erasing"):
            log.erase(caller)
            waiting = keep_only(_waiting_room(settings), lambda call: not _is_of(call, caller))
    if as_json:
        print_json({"caller": caller, "erased": count + waiting})
    else:
        out.print(f"erased: {count + waiting} calls", markup=False)


def _task_table(calls: list[dict[str, Any]]) -> Table:
    """What is to be done, for whom: on a caller's own number where they gave none."""
    table = Table("call", "started", "channel", "to do", "name", "number", "about", box=None)
    for call in calls:
        to_do = ", ".join(call["tasks"]).replace("_", " ")
        told = timeline.callback(call)
        number = told.get("number") or call["caller"]
        about = told.get("about") or call.get("message")
        row = (call["id"][:8], call["started"], call["channel"], to_do, told.get("name"))
        table.add_row(*(escape(timeline.plain(str(cell or "-"))) for cell in (*row, number, about)))
    return table


# --- Shared with other commands ----------------------------------------------------------------


@contextmanager
def opened(directory: Path) -> Iterator[tuple[Config, CallLog]]:
    """The configuration, and its call log. Raises AgentError."""
    from asterisk_agent.config.load import load
    from asterisk_agent.records import CallLog

    settings = load(directory)
    log = CallLog(settings.records.database, timezone=settings.timezone, make=False)
    try:
        yield settings, log
    finally:
        log.close()


def when(written: str | None, zone: ZoneInfo) -> datetime | None:
    """``2h`` and ``7d`` are so long ago; a date is its midnight; else a time. Raises AgentError."""
    if written is None:
        return None
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    number, unit = written[:-1], written[-1:]
    if unit in units and number.isascii() and number.isdigit() and len(number) <= 4:
        return moment.now() - timedelta(**{units[unit]: int(number)})
    return moment.parse(written, moment.now(), zone)


def _known(channel: str | None, config: Config) -> str | None:
    if channel is not None and channel not in config.channels:
        known = ", ".join(config.channels)
        raise AgentError(f"there is no channel {channel[:40]!r}", hint=f"known: {known}")
    return channel


def _waiting_room(config: Config) -> Path:
    from asterisk_agent.records import WAITING_ROOM

    return config.state_directory / WAITING_ROOM


def _is_of(call: Any, caller: str) -> bool:
    from asterisk_agent.records.writing import digits_of

    return digits_of(str(call.get("caller", ""))) == digits_of(caller)
