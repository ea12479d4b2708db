"""``dialplan write`` and ``dialplan diff``: the files that Asterisk includes."""

from __future__ import annotations

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
    out,
    print_json,
    reports_errors,
)
from asterisk_agent.errors import AgentError

if TYPE_CHECKING:
    from asterisk_agent.config.schema import Config

commands = typer.Typer(help="The generated dialplan, queues and mailboxes.", no_args_is_help=True)
app.add_typer(commands, name="dialplan")

Target = Annotated[Path, typer.Argument(metavar="DIR", help="Where Asterisk includes them from.")]


@commands.command()
@reports_errors
def write(
    directory: Target, config: ConfigDirectory = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Write extensions, queues, voicemail and the recorded prompts to DIR."""
    from asterisk_agent.config.load import load

    changed = write_files(load(config), directory)
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
    directory: Target, config: ConfigDirectory = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Show what `write` would change in DIR; exit status 1 if anything."""
    from asterisk_agent import dialplan
    from asterisk_agent.config.load import load

    lines: list[str] = []
    settings = load(config)
    plan = dialplan.plan_for(settings, date.today())
    for name, text in dialplan.files(settings, directory.resolve(), plan).items():
        path = directory / name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        lines += difflib.unified_diff(
            old.splitlines(), text.splitlines(), str(path), f"{name} (new)", lineterm=""
        )
    if as_json:
        print_json({"changed": bool(lines), "diff": lines})
    else:
        for line in lines:
            out.print(line, markup=False)
    if lines:
        raise typer.Exit(1)
