"""``scripts/chaos``: break everything while callers are on the line, and count the callers."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from asterisk_agent.cli.app import Json, print_json, reports_errors
from asterisk_agent.config.paths import shared_file
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import chaos_faults_process, chaos_faults_site, chaos_faults_wire
from asterisk_agent.sandbox.bench_screen import BenchScreen
from asterisk_agent.sandbox.chaos_fault import Fault
from asterisk_agent.sandbox.chaos_report import markdown
from asterisk_agent.sandbox.chaos_session import ChaosSession, Wish
from asterisk_agent.sandbox.chaos_stages import Stage
from asterisk_agent.sandbox.pbx_state import base_directory

FAULTS = {
    fault.name: fault
    for fault in (
        *chaos_faults_process.FAULTS,
        *chaos_faults_wire.FAULTS,
        *chaos_faults_site.FAULTS,
    )
}
SHORT = ("service-frozen", "engines-killed")
CALLERS = len(Stage)

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
@reports_errors
def main(
    *,
    faults: Annotated[
        str, typer.Option(metavar="NAME,NAME,…", help="Only these; see --list.")
    ] = "",
    rounds: Annotated[
        int | None, typer.Option(min=1, help="How many faults; default: each one once.")
    ] = None,
    calls: Annotated[
        int, typer.Option(min=1, max=24, help="Callers in each round: at first one per stage.")
    ] = CALLERS,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Begin no round later than this.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The same order and moments as in another run.")
    ] = None,
    short: Annotated[bool, typer.Option("--short", help=f"Only {', '.join(SHORT)}.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="Name the faults, and end.")] = False,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="DIR", help="Default: the example, etc/.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where figures, logs and recordings go.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Let callers call, break something, and see whether each of them reaches somebody."""
    if list_:
        for fault in FAULTS.values():
            typer.echo(f"{fault.name:24} {fault.about}")
        return
    chosen = faults_of(",".join(SHORT) if short and not faults else faults)
    directory = out or base_directory().parent / "chaos" / f"{datetime.now():%Y%m%d-%H%M%S}"
    wish = Wish(
        faults=chosen,
        rounds=rounds or len(chosen),
        callers=calls,
        seed=secrets.randbelow(100_000) if seed is None else seed,
        config=(config or shared_file("etc")).resolve(),
        out=directory.resolve(),
        limit_s=None if minutes is None else 60 * minutes,
    )
    screen = BenchScreen(Console(stderr=True, highlight=False, soft_wrap=True))
    screen.note(f"{wish.rounds} faults, {wish.callers} callers each, --seed {wish.seed}")
    with screen.bar("faults") as progress:
        result = asyncio.run(ChaosSession(wish, screen.note, progress).hold())
    text = markdown(result)
    (wish.out / "chaos.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    (wish.out / "chaos.md").write_text(text, encoding="utf-8")
    if as_json:
        print_json(result)
    else:
        sys.stdout.write(text)
    screen.note(f"All of it: {wish.out}")
    if not result["good"]:
        raise typer.Exit(1)


def faults_of(names: str) -> list[type[Fault]]:
    """The faults of these names, or all. Raises SandboxError for a name that is none."""
    if not names:
        return list(FAULTS.values())
    unknown = [name for name in names.split(",") if name not in FAULTS]
    if unknown:
        raise SandboxError(f"no fault is called {unknown[0]!r}", hint="scripts/chaos --list")
    return [FAULTS[name] for name in names.split(",")]


if __name__ == "__main__":
    app()
