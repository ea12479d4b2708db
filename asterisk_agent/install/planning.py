"""The plan: every step of an installation in its order, and which of them are done already.

Looks, and changes nothing. The order is that of safety: what a line includes is there before the
line is, and Asterisk knows the account before the service logs in.
"""

from __future__ import annotations

import pwd
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asterisk_agent.config.schema import Config
from asterisk_agent.errors import InstallError
from asterisk_agent.install import files, manager_conf
from asterisk_agent.install.ledger import Record
from asterisk_agent.install.machine import Machine
from asterisk_agent.install.manager_conf import Manager
from asterisk_agent.install.place_of_line import line
from asterisk_agent.install.places import SERVICE, UNIT, Owner, Places
from asterisk_agent.install.steps import (
    Account,
    Command,
    File,
    Folder,
    Generate,
    Models,
    Reload,
    Step,
    Usable,
    When,
)
from asterisk_agent.install.unit import unit
from asterisk_agent.rescue import RESCUES

HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108
"""By ProtectHome and PrivateTmp."""
START_LIMIT_S = 120
"""So long an operator waits at a terminal; the supervisor tries on."""
INCLUDED = ("extensions", "queues", "voicemail")
"""What Asterisk includes of ours: the files of these names, in its files of these names."""


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that the plan depends on.

    ``starting`` are files of the configuration that are not there yet, by their paths in it.
    ``allowed`` are addresses that the service may reach besides this machine's own.
    """

    places: Places
    machine: Machine
    config: Config
    manager: Manager
    record: Record
    starting: Mapping[str, bytes] = field(default_factory=dict)
    allowed: Sequence[str] = ()
    models: bool = True
    models_from: Path | None = None
    start: bool = True


def plan(site: Site) -> list[Step]:
    """Every step, those that are done already too. Raises InstallError where one cannot be."""
    if not site.places.asterisk_etc.is_dir():
        raise InstallError(
            f"there is no configuration of Asterisk in {site.places.asterisk_etc}",
            hint="install Asterisk first, or name its folder with --asterisk-etc",
        )
    return [
        *_accounts(site),
        *_folders(site),
        *_configuration(site),
        *_dialplan(site),
        *_manager(site),
        *(line(site.places, site.machine, name) for name in INCLUDED),
        *_reload(site),
        *_unit(site),
    ]


def notes(site: Site) -> list[str]:
    """What is left to the operator, or would surprise them."""
    found = []
    if not site.machine.asterisk_command:
        found.append("Asterisk's program is not here; it reads its files when it starts.")
    if not site.manager.enabled and _has_own_manager(site):
        found.append("Asterisk's manager interface is off; it is switched on, on 127.0.0.1 alone.")
    if not _has_own_manager(site):
        host = site.config.asterisk.ami.host
        found.append(f"Asterisk's manager is at {host}: make the account there by hand.")
    elif _account_of_others(site):
        found.append(
            f"manager.conf has an account [{site.config.asterisk.ami.username}] already, which is "
            f"left as it is; its secret belongs into {_secret(site)}."
        )
    if not site.machine.systemd:
        command = " ".join((*site.machine.program, "run", "--supervise"))
        who = "" if site.machine.service is None else f"sudo -u {site.machine.service.user} "
        found.append(f"systemd does not run here. Start the service yourself: {who}{command}")
    if site.allowed:
        found.append(f"Besides this machine, the service may reach {', '.join(site.allowed)}.")
    return found


def _accounts(site: Site) -> Iterator[Step]:
    if site.machine.service is None:
        return
    try:
        pwd.getpwnam(SERVICE)
        needed = False
    except KeyError:
        needed = True
    yield Account(SERVICE, site.places.state, needed)
    yield Usable()


def _folders(site: Site) -> Iterator[Step]:
    """Asterisk's user gets at a few of them as their group.

    So no group needs another member, which Asterisk would know only after a restart.
    """
    places, ours, shared = site.places, site.machine.service, _shared(site)
    state = places.state
    yield _folder(site, places.config, ours, 0o750, kept=True)
    yield _folder(site, state, shared, 0o710, kept=True)
    yield _folder(site, state / "overrides", shared, 0o2770, kept=True)
    yield _folder(site, state / "briefs", shared, 0o2750, kept=True)
    yield _folder(site, places.dialplan, shared, 0o2750)
    # The rescue program counts in it, as Asterisk's user.
    counted = state / RESCUES
    yield File(
        counted,
        b"",
        shared,
        0o660,
        not counted.exists(),
        "counts decisions of the rescue program",
        kept=True,
    )


def _folder(
    site: Site, path: Path, owner: Owner | None, mode: int, *, kept: bool = False
) -> Folder:
    """A folder that was there before us stays as it is."""
    ours = str(path) in site.record.folders
    needed = not path.is_dir() or (ours and not files.has(path, owner, mode))
    return Folder(path, owner, mode, needed, kept)


def _configuration(site: Site) -> Iterator[Step]:
    ours = site.machine.service
    folders: set[Path] = set()
    for name in site.starting:
        folders |= {site.places.config / parent for parent in Path(name).parents}
    for folder in sorted(folders - {site.places.config}):
        yield _folder(site, folder, ours, 0o750, kept=True)
    for name, content in site.starting.items():
        path = site.places.config / name
        yield File(path, content, ours, 0o640, True, "to start from", kept=True)


def _dialplan(site: Site) -> Iterator[Step]:
    program, config = site.machine.program, str(site.places.config)
    if site.models_from is not None:
        target = site.places.state / "models"
        yield Models(site.models_from, target, site.machine.service, not target.exists())
    elif site.models:
        yield Command(
            (*program, "models", "pull", "--config", config, "--json"),
            "fetch the models that the configuration names",
            site.machine.service,
            listed=("pulled",),
        )
    yield Generate(
        (*program, "dialplan", "write", "--config", config, "--json"),
        site.places.dialplan,
        site.machine.service,
    )


def _manager(site: Site) -> Iterator[Step]:
    if not _has_own_manager(site) or _account_of_others(site):
        return
    secret_path, owner = _secret(site), site.machine.service
    seen = files.look(secret_path)
    secret = manager_conf.new_secret() if seen is None else seen.content.decode().strip()
    yield File(
        secret_path, f"{secret}\n".encode(), _of_root(owner), 0o640, seen is None,
        "the service's secret for Asterisk's manager", kept=True,
    )  # fmt: skip
    path = manager_conf.place(site.places, site.manager)
    text = manager_conf.account(site.config.asterisk.ami.username, secret, site.manager)
    there = files.look(path)
    needed = there is None or there.content != text.encode()
    yield File(
        path, text.encode(), _of_root(site.machine.asterisk), 0o640, needed,
        "the service's account, from this machine alone",
    )  # fmt: skip
    if not site.manager.drop_in:
        yield line(site.places, site.machine, "manager", path)


def _reload(site: Site) -> Iterator[Step]:
    if site.machine.asterisk_command:
        yield Reload(site.machine.asterisk_command)


def _unit(site: Site) -> Iterator[Step]:
    if not (site.machine.systemd or site.places.unit.parent.is_dir()):
        return
    if site.machine.systemd:
        _visible(site.machine)
    text = unit(site.config, site.places, site.machine, site.allowed).encode()
    there = files.look(site.places.unit)
    needed = there is None or there.content != text
    owner = None if site.machine.service is None else Owner("root", "root")
    yield File(site.places.unit, text, owner, 0o644, needed, "the service's unit")
    if not site.machine.systemd:
        return
    yield Command(
        ("systemctl", "daemon-reload"), "let systemd read its units again", when=When.UNIT_CHANGED
    )
    if site.start:
        yield Command(
            ("timeout", str(START_LIMIT_S), "systemctl", "enable", "--now", UNIT),
            "start the service, now and whenever the machine starts",
            when=When.SERVICE_DOWN,
            hint=f"journalctl -u {UNIT} tells why",
        )


def _visible(machine: Machine) -> None:
    """Raise InstallError for a program that the unit hides from the service."""
    here = Path(__file__).resolve()
    for path in (Path(machine.program[0]), Path(sys.executable).resolve(), here):
        if any(path.is_relative_to(folder) for folder in HIDDEN):
            raise InstallError(
                f"{path} is in a folder that the unit hides from the service",
                hint="install the package where every user can read it, such as /opt",
            )


def _shared(site: Site) -> Owner | None:
    """Ours, with Asterisk's group."""
    service, asterisk = site.machine.service, site.machine.asterisk
    return None if service is None or asterisk is None else Owner(service.user, asterisk.group)


def _of_root(owner: Owner | None) -> Owner | None:
    return None if owner is None else Owner("root", owner.group)


def _secret(site: Site) -> Path:
    return site.places.config / site.config.asterisk.ami.secret_file


def _has_own_manager(site: Site) -> bool:
    return site.config.asterisk.ami.host in ("localhost", "::1") or (
        site.config.asterisk.ami.host.startswith("127.")
    )


def _account_of_others(site: Site) -> bool:
    return site.config.asterisk.ami.username in site.manager.accounts
