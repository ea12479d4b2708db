"""Configuration → the files that Asterisk includes: extensions, queues, voicemail, and the plan.

The generated extensions hold what depends on the configuration: the numbers, the hours, the
teams, the mailboxes, and for each channel a context that routes its calls when neither the
service nor the rescue script can be asked. ``dialplan/`` in the source tree holds the rest,
written by hand. ``plan.json`` is what the rescue script decides by. Everything that reaches these
files was held to a narrow alphabet by the configuration's schema; paths are held to one here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from asterisk_agent.config.compiling import plan_for
from asterisk_agent.config.paths import shared_file
from asterisk_agent.config.schema import Config
from asterisk_agent.dialplan import calendar, channels, features, teams
from asterisk_agent.dialplan.teams import MAILBOX_CONTEXT, message_sound
from asterisk_agent.errors import AgentError
from asterisk_agent.plan import Plan, to_json

__all__ = (
    "HAND_WRITTEN",
    "MAILBOX_CONTEXT",
    "PLAN_FILE",
    "SOUNDS",
    "files",
    "included",
    "message_sound",
    "plan_for",
    "rescue_script",
    "write",
)

SOUNDS = "sounds"
PLAN_FILE = "plan.json"
HAND_WRITTEN = ("agent.conf", "agent-parts.conf")
RESCUE = "asterisk-agent-rescue"
HEADER = """\
; Written by `asterisk-agent dialplan write` from the configuration. Changes made here are lost:
; change the YAML and write again.
"""
_SAFE_PATH = re.compile(r"/[\w./+=~@-]*")
"""In a dialplan, a comma ends an argument, a semicolon the line, and ``$`` begins a variable."""


def rescue_script() -> Path:
    """The console script that decides where the service does not answer: beside our Python."""
    return Path(sys.executable).parent / RESCUE


def files(config: Config, directory: Path, plan: Plan) -> dict[str, str]:
    """The files by name. ``directory`` is where they, and the sounds, will lie.

    Raises AgentError for a path that cannot stand in a dialplan.
    """
    hand_written = {
        name: shared_file(f"dialplan/{name}").read_text(encoding="utf-8") for name in HAND_WRITTEN
    }
    return {
        "extensions.conf": _text(_extensions(config, directory, plan)),
        "queues.conf": _text(teams.queues(config)),
        "voicemail.conf": _text(teams.voicemail(config)),
        **hand_written,
        PLAN_FILE: to_json(plan) + "\n",
    }


def included(found: dict[str, str]) -> str:
    """Of ``files``, everything that becomes dialplan, as one text."""
    return "\n".join(found[name] for name in ("extensions.conf", *HAND_WRITTEN))


def write(config: Config, directory: Path, today: date) -> list[Path]:
    """Write the files, each in one step, and return those that changed.

    Raises OSError where a directory cannot be written, AgentError for an unusable path.
    """
    directory = directory.resolve()
    found = files(config, directory, plan_for(config, today))
    (directory / SOUNDS).mkdir(parents=True, exist_ok=True)
    config.overrides_directory.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, text in found.items():
        path = directory / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        temporary = path.with_suffix(".new")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
        changed.append(path)
    return changed


def _text(lines: Iterator[str]) -> str:
    return HEADER + "\n".join(lines) + "\n"


def _extensions(config: Config, directory: Path, plan: Plan) -> Iterator[str]:
    yield from (
        "",
        "; Of several [globals], Asterisk takes the first alone: these join it, yours or this.",
        "[globals]",
        "[globals](+)",
        *_services(config),
        f"AGENT_SOUNDS={_path(directory / SOUNDS)}",
        f"AGENT_RESCUE={_path(rescue_script())}",
        f"AGENT_PLAN={_path(directory / PLAN_FILE)}",
        f"AGENT_OVERRIDES={_path(config.overrides_directory)}",
        "; Who arrived longer ago than this, in seconds, is dealt with by the hours of now.",
        f"AGENT_CLOSE_GRACE={plan.close_grace_s}",
        "; Whose people a caller gets whose own channel is no more.",
        f"AGENT_FIRST_CHANNEL={next(iter(config.channels))}",
        "",
        *(f"#include {_path(directory / name)}" for name in HAND_WRITTEN),
    )
    yield from channels.entry(config)
    yield from calendar.hours(plan)
    yield from channels.static(config, plan)
    yield from channels.on_call(config)
    yield from channels.phones(config)
    yield from teams.extensions(config)
    yield from features.extensions(config)


def _services(config: Config) -> Iterator[str]:
    """Whom the dialplan asks. Where there are several, they are numbered in their order."""
    nodes = list(config.nodes.items())
    first = nodes[0][1]
    yield f"AGENT_NODES={len(nodes)}"
    yield f"AGENT_FASTAGI={first.fastagi}"
    yield f"AGENT_MEDIA={first.media}"
    if len(nodes) < 2:
        return
    for number, (name, node) in enumerate(nodes, 1):
        yield f"; {name}"
        yield f"AGENT_FASTAGI_{number}={node.fastagi}"
        yield f"AGENT_MEDIA_{number}={node.media}"


def _path(path: Path) -> str:
    if not _SAFE_PATH.fullmatch(str(path)):
        raise AgentError(
            f"{path} cannot stand in a dialplan",
            hint="use a folder whose path has only letters, digits and . _ - + = ~ @",
        )
    return str(path)
