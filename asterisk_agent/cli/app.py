"""The command-line application and what all its commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console

from asterisk_agent.errors import AgentError, ConfigError

P = ParamSpec("P")
R = TypeVar("R")

app = typer.Typer(
    name="asterisk-agent",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Answers an Asterisk PBX's numbers by voice, on this machine alone.",
)

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

ConfigDirectory = Annotated[
    Path,
    typer.Option(
        "--config",
        metavar="DIR",
        help="Configuration directory (agent.yaml, channels.yaml, hours.yaml, teams.yaml).",
        envvar="ASTERISK_AGENT_CONFIG",
    ),
]
DEFAULT_CONFIG = Path("/etc/asterisk-agent")
Json = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]


def print_json(value: Any) -> None:
    """Print one JSON object on one line, with nothing in it that would steer a terminal."""
    written = json.dumps(value, ensure_ascii=False)
    if not written.isprintable():  # JSON itself escapes only the controls below the space
        written = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in written)
    sys.stdout.write(written + "\n")
    sys.stdout.flush()


def reports_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the package's own errors into one clear message and exit status 1."""

    @wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except ConfigError as error:
            for problem in error.problems:
                err.print(problem, markup=False)
            raise typer.Exit(1) from None
        except AgentError as error:
            err.print(f"asterisk-agent: {error}", markup=False)
            if error.hint:
                err.print(f"  {error.hint}", markup=False)
            raise typer.Exit(1) from None

    return wrapper
