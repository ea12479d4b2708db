"""Every subcommand, gathered. One module per command or family of commands."""

from __future__ import annotations

from importlib import import_module

from asterisk_agent.cli.app import app

COMMAND_MODULES = (
    "run",
    "reload",
    "check",
    "dialplan",
    "models",
    "ask",
    "speech",
    "calls",
    "stats",
    "route",
    "override",
    "hours",
    "channels",
    "teams",
    "bench",
    "evaluate",
    "knowledge",
    "web",
    "install",
)
"""Modules of this package; importing one registers its commands."""


def gather() -> None:
    """Register every command."""
    for name in COMMAND_MODULES:
        import_module(f"asterisk_agent.cli.{name}")


def main() -> None:
    """Run the command line."""
    gather()
    app()


if __name__ == "__main__":
    main()
