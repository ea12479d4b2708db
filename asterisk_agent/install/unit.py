"""The unit under which systemd runs the service: few rights, one network, watched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from asterisk_agent.config.schema import Config
from asterisk_agent.errors import InstallError
from asterisk_agent.install.machine import Machine
from asterisk_agent.install.places import SERVICE, Owner, Places

_SAFE = re.compile(r"[\w./+=:@~-]+")
"""What needs no quoting in a unit, where ``%`` and quotes have meanings of their own."""
STOP_S = 70
"""The supervisor waits 60 s for a graceful stop, which takes 20 s at most."""

TEXT = """\
# Written by `asterisk-agent install`; changes made here are lost. To change something:
# systemctl edit asterisk-agent
[Unit]
Description=Voice agent for Asterisk
Documentation=man:asterisk-agent(1)
After=network.target asterisk.service
# Callers go to people while it is away: it is started again for as long as it takes.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
User={user}
Group={group}
Environment=ASTERISK_AGENT_DATA={state} HOME={state}
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=5
# The supervisor watches the service, also at its start, and systemd the supervisor.
TimeoutStartSec=infinity
WatchdogSec=10
# A stop hands running calls to people, which takes up to 20 s.
KillMode=mixed
TimeoutStopSec={stop}
# Late audio is heard: before other work, as Asterisk itself.
Nice=-10
UMask=0027

# --- It sends nothing out -------------------------------------------------------------------------
# The kernel refuses every packet to or from another address, whatever the service does.
IPAddressDeny=any
IPAddressAllow={allowed}
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6

# --- It reaches no other file ---------------------------------------------------------------------
ProtectSystem=strict
ReadWritePaths={writes}
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible

# --- It gains no other right ----------------------------------------------------------------------
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""
# MemoryDenyWriteExecute is not there: nobody has tried yet whether every engine runs with it.


def unit(config: Config, places: Places, machine: Machine, allowed: Sequence[str]) -> str:
    """The unit's text. ``allowed`` are addresses besides this machine's own.

    Raises InstallError for a path that cannot stand in a unit.
    """
    owner = machine.service or Owner(SERVICE, SERVICE)
    command = [*machine.program, "run", "--supervise", "--config", str(places.config)]
    return TEXT.format(
        user=owner.user,
        group=owner.group,
        state=_safe(str(places.state)),
        command=" ".join(map(_safe, command)),
        stop=STOP_S,
        allowed=" ".join(("localhost", *allowed)),
        writes=" ".join(_safe(str(path)) for path in _written(config, places)),
    )


def _written(config: Config, places: Places) -> list[Path]:
    """What the service writes: calls and models, the YAML from its console, Asterisk's files."""
    found = [places.state, places.config, places.dialplan]
    _, is_file, database = config.records.database.partition("sqlite:///")
    if is_file and database.startswith("/"):
        folder = Path(database).parent
        if not any(folder.is_relative_to(path) for path in found):
            found.append(folder)
    return found


def _safe(word: str) -> str:
    if not _SAFE.fullmatch(word):
        raise InstallError(
            f"{word} cannot stand in a unit of systemd",
            hint="use a folder whose path has only letters, digits and . _ - + = ~ @",
        )
    return word
