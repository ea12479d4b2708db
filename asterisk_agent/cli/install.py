"""``install`` and ``uninstall``: onto a PBX that exists, and off it again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asterisk_agent.cli.app import Json, app, err, out, print_json, reports_errors
from asterisk_agent.errors import AgentError

if TYPE_CHECKING:
    from asterisk_agent.install.machine import Ran, Run
    from asterisk_agent.install.planning import Site
    from asterisk_agent.install.removal import Undo
    from asterisk_agent.install.steps import Step

Root = Annotated[
    Path,
    typer.Option(
        "--root",
        metavar="DIR",
        help="Another root folder, for a trial: everything is under DIR, belongs to you, and is "
        "found there by its full path; no accounts, no systemd.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether to go ahead.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")]
Number = Annotated[
    str, typer.Option("--number", help="The number that the agent answers, to start with.")
]
Phone = Annotated[
    str, typer.Option("--phone", help="A phone of people who help callers, to start with.")
]
Like = Annotated[
    Path | None,
    typer.Option("--from", metavar="DIR", help="Start with a copy of this configuration."),
]


@app.command()
@reports_errors
def install(
    *,
    root: Root = Path("/"),
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="DIR", help="The configuration: /etc/asterisk-agent."),
    ] = None,
    asterisk_etc: Annotated[
        Path | None,
        typer.Option("--asterisk-etc", metavar="DIR", help="Asterisk's files: /etc/asterisk."),
    ] = None,
    asterisk_user: Annotated[
        str, typer.Option("--asterisk-user", help="Whom Asterisk runs as, where that is not seen.")
    ] = "",
    number: Number = "",
    phone: Phone = "",
    like: Like = None,
    models: Annotated[
        Path | None,
        typer.Option("--models", metavar="DIR", help="Copy these models instead of fetching any."),
    ] = None,
    no_models: Annotated[
        bool, typer.Option("--no-models", help="Fetch no models; they are there, or come later.")
    ] = False,
    no_start: Annotated[bool, typer.Option("--no-start", help="Do not start the service.")] = False,
    no_check: Annotated[
        bool,
        typer.Option("--no-check", help="Do not look at the end; Asterisk starts later."),
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Install the service on this PBX: user, configuration, Asterisk's account and includes, unit.

    Every file that is changed is kept as a copy; `uninstall` puts it back. A configuration that is
    there is never overwritten. Run again, it does what is missing. At its end stands `check`.
    """
    from asterisk_agent.cli.install_look import as_root, look
    from asterisk_agent.install import machine, planning
    from asterisk_agent.install.starting import NOBODYS_NUMBER, NOBODYS_PHONE, Wishes

    wishes = Wishes(number or NOBODYS_NUMBER, phone or NOBODYS_PHONE, like)
    site = look(root, config, asterisk_etc, asterisk_user, wishes)
    if models is not None and not models.is_dir():
        raise AgentError(f"{models} is no folder", hint="name the folder that holds one per model")
    found = None if models is None else models.resolve()
    site = replace(site, models=not no_models, models_from=found, start=not no_start)
    steps = planning.plan(site)
    told = planning.notes(site)
    if dry_run:
        _show_plan(steps, told, as_json)
        return
    as_root(site.places, "install")
    if not yes:
        _show_plan(steps, told, as_json=False)
        _ask("Go ahead?")
    run = machine.runner(site.places)
    changed, did, notes = _install(site, steps, run, quiet=as_json)
    checked = None if no_check else _check(site, run)
    good = None if checked is None else checked.status == 0
    notes = [*told, *notes]
    if as_json:
        print_json({"changed": changed, "steps": did, "notes": notes, "check": good})
    else:
        said = None if checked is None else checked.said
        _tell_end(site, wishes.number == NOBODYS_NUMBER, notes, changed, said)
    if good is False:
        raise typer.Exit(1)


@app.command()
@reports_errors
def uninstall(
    *,
    root: Root = Path("/"),
    purge: Annotated[
        bool,
        typer.Option(
            "--purge", help="Delete the configuration, the models and the call log as well."
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also while calls are in our dialplan.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Undo `install`: put back the files that it changed, stop and remove the service.

    A file that somebody changed since loses our line alone. Configuration and call log stay.
    """
    from asterisk_agent.cli.install_look import as_root
    from asterisk_agent.install import machine, removal
    from asterisk_agent.install.ledger import Ledger
    from asterisk_agent.install.places import under

    places = under(root, None, None, None)
    found = machine.examine(places)
    as_root(places, "uninstall")
    ledger = Ledger(places.ledger)
    steps = removal.plan(ledger, found, purge=purge)
    says = [step.says for step in steps]
    if dry_run:
        _print_list(says, as_json, {"steps": says, "changed": False})
        return
    if not yes:
        _print_list(says, False, {})
        _ask("Go ahead?" if not purge else "Delete all this for good?")
    done = removal.Removal(ledger, found, machine.runner(places), _teller(as_json))
    done.carry_out(steps, force=force)
    kept = [] if purge else removal.left(ledger)
    if not steps and not as_json:
        out.print("Nothing had to be undone.")
    if as_json:
        print_json({"changed": bool(steps), "steps": says, "notes": done.notes, "kept": kept})
        return
    for note in done.notes:
        out.print(note, markup=False)
    if kept:
        out.print(f"Kept: {', '.join(kept)}. Without them: asterisk-agent uninstall --purge")


# --- Doing --------------------------------------------------------------------------------------


def _install(
    site: Site, steps: list[Step], run: Run, *, quiet: bool
) -> tuple[bool, list[dict[str, Any]], list[str]]:
    from datetime import UTC, datetime

    from asterisk_agent.install.execution import Execution
    from asterisk_agent.install.ledger import Ledger

    did: list[dict[str, Any]] = []

    def say(step: Step, changed: bool) -> None:
        did.append({"step": step.says, "changed": changed})
        if not quiet:
            out.print(f"{'done     ' if changed else 'unchanged'}  {step.says}", markup=False)

    ledger = Ledger(site.places.ledger)
    ledger.note_places(site.places, datetime.now(UTC))
    execution = Execution(site.places, site.machine, ledger, run, say)
    execution.carry_out(steps)
    return execution.changed, did, execution.notes


def _check(site: Site, run: Run) -> Ran:
    """``check``, as the user that has to get along with what it looks at."""
    command = (*site.machine.program, "check", "--config", str(site.places.config))
    return run(command, site.machine.service)


# --- Telling ------------------------------------------------------------------------------------


def _show_plan(steps: list[Step], notes: list[str], as_json: bool) -> None:
    rows = [{"step": step.says, "needed": step.needed} for step in steps]
    if as_json:
        print_json({"changed": False, "steps": rows, "notes": notes})
        return
    for step in steps:
        out.print(f"{'would    ' if step.needed else 'unchanged'}  {step.says}", markup=False)
    for note in notes:
        out.print(note, markup=False)


def _tell_end(
    site: Site, numberless: bool, notes: list[str], changed: bool, checked: str | None
) -> None:
    if not changed:
        out.print("Nothing had to be changed.")
    for note in notes:
        out.print(note, markup=False)
    if checked is not None:
        out.print("\nasterisk-agent check:")
        out.print(checked.rstrip(), markup=False)
    if not changed:
        return
    config = site.places.config
    out.print("\nWhat is left to you:")
    if numberless and site.starting:
        out.print(f"- your number in {config / 'channels.yaml'}", markup=False)
    if site.starting:
        out.print(f"- your documents in {config / 'knowledge'}", markup=False)
    out.print("- in the context where your trunk's calls arrive: include => asterisk-agent")
    out.print("- then: sudo -u asterisk-agent asterisk-agent reload")


def _print_list(says: list[str], as_json: bool, whole: dict[str, Any]) -> None:
    if as_json:
        print_json(whole)
    for line in () if as_json else says:
        out.print(f"would    {line}", markup=False)


def _teller(quiet: bool) -> Callable[[Undo], None]:
    def say(step: Undo) -> None:
        if not quiet:
            out.print(f"done     {step.says}", markup=False)

    return say


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise AgentError("there is nobody to ask whether to go ahead", hint="give --yes")
    if not typer.confirm(question):
        err.print("Nothing was changed.")
        raise typer.Exit(1)
