"""The service's account in Asterisk's manager interface: what it needs, from this machine alone."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from asterisk_agent.install import files, lines
from asterisk_agent.install.places import Places

NAME = "asterisk-agent.conf"
DROP_IN = "manager.d"
SECRET_BYTES = 24
READ = "call,agent,user"
WRITE = "call,reporting,user,system"
"""``system`` lets Asterisk read its files again, and nothing else that we ask for."""
_TRUE = re.compile(r"\s*(yes|true|y|t|1|on)\b", re.IGNORECASE)
DEFAULT_PORT = 5038


@dataclass(frozen=True, slots=True)
class Manager:
    """``manager.conf`` as it is: whether the interface is switched on, its port, whose accounts.

    ``drop_in``: every file of ``manager.d`` is included, so nobody's file has to be changed.
    """

    has_general: bool
    enabled: bool
    port: int
    accounts: frozenset[str]
    drop_in: bool


def read(places: Places) -> Manager:
    """Look at manager.conf. Raises InstallError where it cannot be read."""
    seen = files.look(places.asterisk_etc / "manager.conf")
    text = b"" if seen is None else seen.content
    port = lines.setting(text, "general", "port") or ""
    file = places.asterisk_etc / DROP_IN / NAME
    return Manager(
        has_general="general" in lines.sections(text),
        enabled=bool(_TRUE.match(lines.setting(text, "general", "enabled") or "")),
        port=int(port) if port.isdecimal() and len(port) < 6 else DEFAULT_PORT,
        accounts=frozenset(lines.sections(text)),
        drop_in=file.parent.is_dir() and lines.includes(text, file, places.asterisk_etc),
    )


def place(places: Places, manager: Manager) -> Path:
    """Where the account goes: a file of root's, which the service cannot change."""
    if manager.drop_in:
        return places.asterisk_etc / DROP_IN / NAME
    return places.asterisk_etc / "asterisk-agent-manager.conf"


def account(name: str, secret: str, manager: Manager) -> str:
    """The file's text. It switches the interface on where it was off, on loopback alone."""
    head = "; Written by `asterisk-agent install`; `asterisk-agent uninstall` takes it away.\n"
    if not manager.enabled:
        general = "[general](+)" if manager.has_general else "[general]"
        head += f"{general}\nenabled = yes\nbindaddr = 127.0.0.1\n\n"
    return f"""{head}[{name}]
secret = {secret}
deny = 0.0.0.0/0.0.0.0
deny = ::/0
permit = 127.0.0.1/255.255.255.255
permit = ::1/128
read = {READ}
write = {WRITE}
"""


def new_secret() -> str:
    """A password that nobody has to type."""
    return secrets.token_urlsafe(SECRET_BYTES)


def is_ours(path: Path) -> bool:
    """Whether the file is one that we wrote."""
    seen = files.look(path)
    return seen is not None and seen.content.startswith(b"; Written by `asterisk-agent install`")
