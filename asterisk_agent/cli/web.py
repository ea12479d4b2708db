"""``web``: who may sign in to the console, and where it is."""

from __future__ import annotations

import getpass
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer
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
from asterisk_agent.web.users import Role

if TYPE_CHECKING:
    from asterisk_agent.config.schema import Config
    from asterisk_agent.web.users import Users

commands = typer.Typer(
    help="The console: its address, and who may sign in.", invoke_without_command=True
)
app.add_typer(commands, name="web")


@commands.callback()
@reports_errors
def web(
    context: typer.Context, config: ConfigDirectory = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Tell the console's address, and list its users."""
    if context.invoked_subcommand is not None:
        return
    settings, users = _users(config)
    known = users.all()
    if as_json:
        print_json(
            {
                "address": address(settings),
                "users": [{"name": user.name, "role": user.role} for user in known.values()],
            }
        )
        return
    out.print(f"The console is at {address(settings)} while the service runs.", markup=False)
    if not known:
        out.print("Nobody may sign in yet: asterisk-agent web password NAME")
        return
    table = Table("user", "role", "phone", box=None)
    for user in known.values():
        table.add_row(user.name, user.role, settings.web.phones.get(user.name, "-"))
    out.print(table)


@commands.command()
@reports_errors
def password(
    user: Annotated[str, typer.Argument(metavar="[USER]", help="Your own name if left out.")] = "",
    role: Annotated[
        Role, typer.Option("--role", help="edit: may change things; view: may look.")
    ] = Role.EDIT,
    config: ConfigDirectory = DEFAULT_CONFIG,
) -> None:
    """Give USER a password and a role. Asked for twice, or one line of standard input.

    Sessions of that user end. Run it as the user that the service runs as.
    """
    _, users = _users(config)
    name = user or getpass.getuser()
    users.put(name, _password(name), role)
    out.print(f"{name} may sign in now, to {'change things' if role is Role.EDIT else 'look'}.")


@commands.command()
@reports_errors
def remove(
    user: Annotated[str, typer.Argument(metavar="USER")], config: ConfigDirectory = DEFAULT_CONFIG
) -> None:
    """Take USER away. Their sessions end."""
    _, users = _users(config)
    users.remove(user)
    out.print(f"{user} cannot sign in any more.", markup=False)


def address(config: Config) -> str:
    """Where a browser on this machine finds the console."""
    scheme = "https" if config.web.certificate else "http"
    return f"{scheme}://{config.listen.web}"


def _users(directory: os.PathLike[str]) -> tuple[Config, Users]:
    from pathlib import Path

    from asterisk_agent.config.load import load
    from asterisk_agent.web.users import Users

    settings = load(Path(directory))
    return settings, Users(settings.web_directory)


def _password(name: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass(f"Password for {name}: ")
    if getpass.getpass("Once more: ") != first:
        raise AgentError("the two are not the same", hint="try again")
    return first
