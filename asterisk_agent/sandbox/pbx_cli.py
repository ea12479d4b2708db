"""``scripts/pbx``: a private PBX to try things on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from asterisk_agent.cli.app import Json, out, print_json, reports_errors
from asterisk_agent.config.paths import shared_file
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.asterisk import console
from asterisk_agent.sandbox.distribution import require
from asterisk_agent.sandbox.pbx import STOP_GRACE_S, Pbx
from asterisk_agent.sandbox.pbx_state import (
    Standing,
    base_directory,
    clear,
    exclusive,
    recall,
    remember,
    state_directory,
)

app = typer.Typer(
    name="pbx",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="A private Asterisk with the generated dialplan, and the service.",
)
Name = Annotated[str, typer.Option("--name", help="Which PBX, where several run side by side.")]


@app.command()
@reports_errors
def up(
    config: Annotated[
        Path | None, typer.Option("--config", metavar="DIR", help="Default: the example, etc/.")
    ] = None,
    name: Name = "default",
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Its clocks begin at 2026-12-24T11:59-05:00.")
    ] = None,
    service: Annotated[bool, typer.Option(help="Start the service, or leave it out.")] = True,
    as_json: Json = False,
) -> None:
    """Start it, and say how to call it."""
    config_dir = (config or shared_file("etc")).resolve()
    state_dir = state_directory(name)
    with exclusive(state_dir):
        standing = recall(state_dir)
        if standing is not None and standing.is_up:
            if standing.info["config"] != str(config_dir):
                raise SandboxError(
                    f"PBX {name} is up with another configuration: {standing.info['config']}",
                    hint=f"scripts/pbx down --name {name}, or choose another --name",
                )
        else:
            clear(state_dir, STOP_GRACE_S)
            pbx = Pbx(config_dir, state_dir, service=service, faketime=at, leashed=False)
            pbx.start()
            remember(pbx)
            standing = recall(state_dir)
    assert standing is not None
    if as_json:
        print_json(standing.info)
    else:
        _describe(standing.info)


@app.command()
@reports_errors
def down(
    name: Name = "default",
    everything: Annotated[bool, typer.Option("--all", help="Every PBX of this user.")] = False,
) -> None:
    """Stop it."""
    directories = sorted(base_directory().glob("*/")) if everything else [state_directory(name)]
    for state_dir in directories:
        with exclusive(state_dir):
            clear(state_dir, STOP_GRACE_S)


@app.command()
@reports_errors
def status(name: Name = "default", as_json: Json = False) -> None:
    """Say whether it runs; exit status 1 if it does not, or not wholly."""
    standing = recall(state_directory(name))
    now: dict[str, Any] = standing.status() if standing else {"up": False}
    if as_json:
        print_json(now)
    elif standing is None:
        out.print(f"PBX {name} is down.")
    else:
        for part in ("asterisk", "service"):
            state = "runs" if now[f"{part}_running"] else "does not run"
            out.print(f"{part} {state} (process {now[f'{part}_pid']})")
        _describe(now)
    if not now["up"]:
        raise typer.Exit(1)


@app.command()
@reports_errors
def cli(command: list[str], name: Name = "default") -> None:
    """Run a command on its Asterisk's console."""
    standing = _running(name)
    etc = Path(standing.info["state_dir"]) / "asterisk" / "etc"
    typer.echo(console(require(), etc, " ".join(command)), nl=False)


def _running(name: str) -> Standing:
    standing = recall(state_directory(name))
    if standing is None or not standing.is_up:
        raise SandboxError(f"PBX {name} is not up", hint=f"scripts/pbx up --name {name}")
    return standing


def _describe(info: dict[str, Any]) -> None:
    address = f"{info['host']}:{info['sip_port']}"
    for channel, numbers in info["channels"].items():
        for number in numbers:
            out.print(f"call        sip:{number}@{address}  ({channel})", markup=False)
    for member, account in info["members"].items():
        out.print(f"register    {member}@{address}  password {account['password']}", markup=False)
    for name, path in info["logs"].items():
        out.print(f"{name + ' log':<11} {path}", markup=False)


if __name__ == "__main__":
    app()
