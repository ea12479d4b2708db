"""The manual page, made from the commands themselves: ``scripts/man`` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from asterisk_agent.cli import main
from asterisk_agent.cli.app import app

NAME = "asterisk-agent"


def page() -> str:
    """The page, in the language of man."""
    root = typer.main.get_command(_whole())
    return "\n".join(_page(root)) + "\n"


def _whole() -> typer.Typer:
    main.gather()
    return app


def _page(root: Any) -> Iterator[str]:
    yield f'.TH {NAME.upper()} 1 "" "{NAME}" "User Commands"'
    yield ".SH NAME"
    yield f"{NAME} \\- {_text(_first(root))}"
    yield ".SH SYNOPSIS"
    yield f".B {NAME}\n.I COMMAND\n[\n.I OPTIONS\n]"
    yield ".SH COMMANDS"
    for words, command in _commands(root, ()):
        yield from _command(words, command)
    yield ".SH FILES"
    yield ".TP\n.I /etc/asterisk-agent\nThe configuration: agent.yaml, channels.yaml, hours.yaml,"
    yield "teams.yaml, and the documents under knowledge."
    yield ".SH EXIT STATUS"
    yield "0 where all is well, 1 where something is not, 2 where the command was not understood."


def _commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its words, those with subcommands too."""
    inner = getattr(command, "commands", {})
    if words and (not inner or getattr(command, "invoke_without_command", False)):
        yield words, command
    for name in sorted(inner):
        if not inner[name].hidden:
            yield from _commands(inner[name], (*words, name))


def _command(words: tuple[str, ...], command: Any) -> Iterator[str]:
    shown = [_value(part) for part in command.params if part.param_type_name == "argument"]
    yield f".SS {_text(' '.join((*words, *shown)))}"
    yield _text(_line(command.help))
    for option in command.params:
        if option.param_type_name != "option" or option.hidden or "--help" in option.opts:
            continue
        names = ", ".join((*option.opts, *option.secondary_opts))
        value = "" if option.is_flag else f" {_value(option)}"
        yield f".TP\n.B {_text(names + value)}"
        yield _text(_line(option.help))


def _value(parameter: Any) -> str:
    """What stands for the value."""
    return str(parameter.metavar or parameter.name.removeprefix("as_").upper())


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def _first(command: Any) -> str:
    return (command.help or "").strip().partition("\n")[0].rstrip(".")


def _text(text: str) -> str:
    """Text that means nothing to man."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
