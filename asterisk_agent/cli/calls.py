"""``calls`` and ``calls show``: the call log."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

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

MOST_READ = 5_000
"""How far back ``--tasks`` looks, in calls."""

commands = typer.Typer(help="The call log.", invoke_without_command=True)
app.add_typer(commands, name="calls")


@commands.callback()
@reports_errors
def calls(
    context: typer.Context,
    config: ConfigDirectory = DEFAULT_CONFIG,
    limit: Annotated[int, typer.Option(help="How many, newest first.")] = 20,
    tasks: Annotated[
        bool, typer.Option("--tasks", help="Those that somebody has to see to.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the newest calls."""
    if context.invoked_subcommand is not None:
        return
    log = _open(config)
    latest = log.latest(MOST_READ if tasks else limit)
    latest = [call for call in latest if call.get("tasks") or not tasks][:limit]
    if as_json:
        print_json(latest)
        return
    if tasks:
        out.print(_task_table(latest))
        return
    table = Table(
        "call", "started", "channel", "outcome", "reason", "team", "turns", "to do", box=None
    )
    for call in latest:
        row = (call["id"][:8], call["started"], call["channel"], call["outcome"], call["reason"])
        to_do = ", ".join(call.get("tasks", [])).replace("_", " ")
        cells = [str(cell or "-") for cell in (*row, call["team"], len(call["turns"]), to_do)]
        table.add_row(*cells)
    out.print(table)


@commands.command()
@reports_errors
def show(
    call_id: Annotated[str, typer.Argument(metavar="ID", help="The id, or its beginning.")],
    config: ConfigDirectory = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Show one call: who said what, how long each answer took, where it went."""
    call = _open(config).show(call_id)
    if call is None:
        raise AgentError(f"no single call begins with {call_id!r}", hint="asterisk-agent calls")
    if as_json:
        print_json(call)
        return
    out.print(f"{call['id']}  {call['channel']}  from {call['caller'] or 'withheld'}", markup=False)
    for turn in call["turns"]:
        out.print(_turn(turn), markup=False)
    for step in call["path"]:
        out.print(f"→ {step['to']}: {step['because']} {step['result']}", markup=False)
    if call.get("message"):
        out.print(f"message: {call['message']}", markup=False)
    for key, value in _callback(call).items():
        out.print(f"{key}: {value}", markup=False)
    out.print(f"outcome: {call['outcome']} ({call['reason']})", markup=False)


def _task_table(calls: list[dict[str, Any]]) -> Table:
    """What is to be done, for whom: on a caller's own number where they gave none."""
    table = Table("call", "started", "channel", "to do", "name", "number", "about", box=None)
    for call in calls:
        to_do = ", ".join(call["tasks"]).replace("_", " ")
        told = _callback(call)
        number = told.get("number") or call["caller"]
        about = told.get("about") or call.get("message")
        row = (call["id"][:8], call["started"], call["channel"], to_do, told.get("name"))
        table.add_row(*(escape(str(cell or "-")) for cell in (*row, number, about)))
    return table


def _callback(call: dict[str, Any]) -> dict[str, str]:
    """What a caller left, by name, without what they did not tell."""
    left = call.get("callback") or {}
    number = left.get("number")
    if number and not left.get("confirmed"):
        number += " (not confirmed)"
    found = {"name": left.get("name"), "number": number, "about": left.get("reason")}
    return {key: str(value) for key, value in found.items() if value}


def _turn(turn: dict[str, Any]) -> str:
    delay = turn["delay_ms"]
    after = f"  [{delay['total'] / 1000:.2f} s]" if delay else ""
    return f"{turn['at_s']:7.2f}  {turn['who']:6}  {turn['text']}{after}"


def _open(config: Any) -> Any:
    from asterisk_agent.config.load import load
    from asterisk_agent.records import CallLog

    return CallLog(load(config).records.database)
