"""How ``install`` looks at a machine: the configuration as it is or will be, and the rest."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Config
from asterisk_agent.errors import AgentError, ConfigError, InstallError
from asterisk_agent.install import machine, manager_conf, network, starting
from asterisk_agent.install.ledger import Ledger, Record
from asterisk_agent.install.places import Places, under
from asterisk_agent.install.planning import Site
from asterisk_agent.install.starting import Wishes


def look(
    root: Path, config: Path | None, asterisk_etc: Path | None, asterisk_user: str, wishes: Wishes
) -> Site:
    """Everything that the plan depends on, from this machine. Raises AgentError."""
    rough = under(root, config, asterisk_etc, None)
    try:
        ledger = Ledger(rough.ledger)
    except InstallError:
        as_root(rough, "install")
        raise
    settings, starting = _settings(rough, ledger.record, wishes, manager_conf.read(rough).port)
    places = under(root, config, asterisk_etc, settings)
    return Site(
        places=places,
        machine=machine.examine(places, asterisk_user),
        config=settings,
        manager=manager_conf.read(places),
        record=ledger.record,
        starting=starting,
        allowed=network.allowed(settings, _resolve, _resolv_conf()),
    )


def _settings(
    places: Places, record: Record, wishes: Wishes, manager_port: int
) -> tuple[Config, dict[str, bytes]]:
    """The configuration, as it is or as it will be, and its files that are not there yet.

    One that was begun and interrupted is gone on with; somebody's own is taken as it is.
    """
    there = [name for name in starting.FILES if (places.config / name).exists()]
    begun = all(str(places.config / name) in record.files for name in there)
    if len(there) == len(starting.FILES) or not begun:
        return load(places.config), {}
    whole = starting.content(wishes, places, manager_port)
    missing = {name: each for name, each in whole.items() if not (places.config / name).exists()}
    with tempfile.TemporaryDirectory(prefix="asterisk-agent-") as folder:
        for name, content in whole.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if name in missing else (places.config / name).read_bytes())
        try:
            settings = load(Path(folder))
        except ConfigError as error:
            config = str(places.config)
            told = [problem.replace(folder, config) for problem in error.problems]
            raise ConfigError(told) from None
    return settings.model_copy(update={"directory": places.config}), missing


def _resolve(host: str) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def _resolv_conf() -> str:
    try:
        return Path("/etc/resolv.conf").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def as_root(places: Places, command: str) -> None:
    """Raise AgentError unless this user may do it."""
    if places.relocated or os.geteuid() == 0:
        return
    raise AgentError(
        f"only root may {command}",
        hint=f"run: sudo asterisk-agent {command}; or look first: --dry-run",
    )
