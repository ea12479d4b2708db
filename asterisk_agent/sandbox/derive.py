"""A configuration directory for the sandbox, derived from the operator's.

Everything is linked, so that documents and channels are the operator's own, except what belongs
to a machine: Asterisk's manager, the ports, and the call log.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Config

SECRET_FILE = "ami.secret"  # noqa: S105 - a file's name
OURS = ("agent.yaml", SECRET_FILE)


@dataclass(frozen=True, slots=True)
class Machine:
    """What the sandbox supplies. Ports on loopback; ``database`` is an SQLAlchemy URL."""

    host: str
    ami_port: int
    ami_username: str
    ami_secret: str
    fastagi_port: int
    media_port: int
    web_port: int
    database: str
    dialplan: str
    state: str
    nodes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The services that the dialplan asks, as in agent.yaml; none: the one at these ports."""


def derive(original: Path, target: Path, machine: Machine) -> Config:
    """Write ``target`` anew and load it. Raises ConfigError for mistakes in ``original``."""
    load(original)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for entry in original.resolve().iterdir():
        if entry.name not in OURS:
            (target / entry.name).symlink_to(entry)
    secret = target / SECRET_FILE
    secret.touch(mode=0o600)
    secret.write_text(machine.ami_secret + "\n", encoding="utf-8")
    text = (original / "agent.yaml").read_text(encoding="utf-8-sig")
    (target / "agent.yaml").write_text(agent_yaml(text, machine), encoding="utf-8")
    return load(target)


def agent_yaml(text: str, machine: Machine) -> str:
    """The operator's agent.yaml with this machine's Asterisk, ports and call log in it."""
    # Scalars stay text, as the configuration's own reader takes them.
    tree: dict[str, Any] = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    tree["asterisk"] = {
        "ami": {
            "host": machine.host,
            "port": str(machine.ami_port),
            "username": machine.ami_username,
            "secret_file": SECRET_FILE,
        }
    }
    tree["listen"] = {
        "fastagi": f"{machine.host}:{machine.fastagi_port}",
        "media": f"{machine.host}:{machine.media_port}",
        "web": f"{machine.host}:{machine.web_port}",
    }
    tree["asterisk"]["dialplan"] = machine.dialplan
    if machine.nodes:
        tree["asterisk"]["nodes"] = {name: dict(node) for name, node in machine.nodes.items()}
    tree["state"] = machine.state
    tree["records"] = {**(tree.get("records") or {}), "database": machine.database}
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)


def members(config: Config) -> list[str]:
    """The user parts of all PJSIP phones in teams: ``PJSIP/101`` → ``101``, each once."""
    devices = (member for team in config.teams.values() for member in team.members)
    phones = (device.removeprefix("PJSIP/") for device in devices if device.startswith("PJSIP/"))
    return list(dict.fromkeys(phones))
