"""``dialplan write`` and ``dialplan diff``: the files that Asterisk includes."""

from __future__ import annotations

import asyncio
import difflib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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

commands = typer.Typer(help="The generated dialplan, queues and mailboxes.", no_args_is_help=True)
app.add_typer(commands, name="dialplan")

Target = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR", help="Where Asterisk includes them from; `asterisk.dialplan` if not given."
    ),
]


@commands.command()
@reports_errors
def write(
    directory: Target = None, config: ConfigDirectory = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Write extensions, queues, voicemail and the recorded prompts to DIR."""
    from asterisk_agent.config.load import load

    settings = load(config)
    directory = directory or Path(settings.asterisk.dialplan)
    changed = write_files(settings, directory)
    if as_json:
        print_json({"directory": str(directory.resolve()), "changed": [str(p) for p in changed]})
    elif changed:
        for path in changed:
            out.print(f"written: {path}", markup=False)
    else:
        out.print(f"nothing has changed in {directory}", markup=False)


def write_files(settings: Config, directory: Path) -> list[Path]:
    """Write everything that Asterisk includes, and return what has changed. Raises AgentError."""
    from asterisk_agent import dialplan, prompts
    from asterisk_agent.engines.loader import load_synthesizer

    try:
        changed = dialplan.write(settings, directory, date.today())
        changed += prompts.render(
            settings,
            directory / dialplan.SOUNDS,
            lambda: load_synthesizer(settings.engines.tts),
        )
    except OSError as error:
        raise AgentError(
            f"{directory} cannot be written: {error.strerror}", hint="choose another folder"
        ) from error
    return changed


@commands.command()
@reports_errors
def diff(
    directory: Target = None, config: ConfigDirectory = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Show what `write` would change in DIR, and what Asterisk has loaded otherwise.

    Exit status 1 if anything differs. Where Asterisk cannot be asked, that is said.
    """
    from asterisk_agent.config.load import load

    settings = load(config)
    directory = directory or Path(settings.asterisk.dialplan)
    changes = _changes(settings, directory)
    loaded, reason = _loaded(settings, directory)
    if as_json:
        print_json(
            {
                "changed": bool(changes or loaded),
                "diff": changes,
                "loaded": loaded,
                "not_asked": reason,
            }
        )
    else:
        for line in changes:
            out.print(line, markup=False)
        for line in loaded or ():
            out.print(f"loaded: {line}", markup=False)
        if reason:
            err.print(f"Asterisk was not asked what it has loaded: {reason}", markup=False)
    if changes or loaded:
        raise typer.Exit(1)


def _changes(settings: Config, directory: Path) -> list[str]:
    """What `write` would change, as a unified diff."""
    from asterisk_agent import dialplan

    lines: list[str] = []
    plan = dialplan.plan_for(settings, date.today())
    for name, text in dialplan.files(settings, directory.resolve(), plan).items():
        path = directory / name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        lines += difflib.unified_diff(
            old.splitlines(), text.splitlines(), str(path), f"{name} (new)", lineterm=""
        )
    return lines


def _loaded(settings: Config, directory: Path) -> tuple[list[str] | None, str]:
    """What is loaded otherwise than it would be written, or None and why nobody was asked."""
    from asterisk_agent.cli.check_asterisk import loaded_differences

    try:
        return asyncio.run(loaded_differences(settings, directory)), ""
    except AgentError as error:
        return None, str(error)
