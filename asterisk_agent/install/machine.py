"""What the machine is like: its accounts, its Asterisk, its systemd, and how commands are run."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from asterisk_agent.dialplan import rescue_script
from asterisk_agent.errors import InstallError
from asterisk_agent.install import files, lines
from asterisk_agent.install.places import SERVICE, Owner, Places

SYSTEMD_RUNS = Path("/run/systemd/system")
USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
COMMAND_LIMIT_S = 3600
"""Fetching models takes long on a thin line."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it said, standard output before standard error."""

    status: int
    said: str
    error: str = ""

    @property
    def last_words(self) -> str:
        """For a message: the end of what it said."""
        words = (self.error.strip() or self.said.strip()).splitlines()
        return " / ".join(words[-3:]) or f"exit status {self.status}"


class Run(Protocol):
    """Runs a command; as another user where one is named. Never raises for how it ends."""

    def __call__(self, command: Sequence[str], owner: Owner | None = None) -> Ran:
        """Run it to its end."""


@dataclass(frozen=True, slots=True)
class Machine:
    """``service`` and ``asterisk`` are None where files belong to whoever installs them.

    ``asterisk_command`` is Asterisk's program, () where there is none; ``program`` is ours.
    """

    service: Owner | None
    asterisk: Owner | None
    asterisk_command: tuple[str, ...]
    program: tuple[str, ...]
    rescue: str
    systemd: bool


def examine(places: Places, asterisk_user: str = "") -> Machine:
    """Look at this machine. Raises InstallError for an Asterisk user that does not exist."""
    service = asterisk = None
    if not places.relocated:
        service = Owner(SERVICE, SERVICE)
        asterisk = _account(asterisk_user or _asterisk_user(places))
    return Machine(
        service=service,
        asterisk=asterisk,
        asterisk_command=_asterisk_command(places),
        program=_program(),
        rescue=str(rescue_script()),
        systemd=not places.relocated and SYSTEMD_RUNS.is_dir() and _has("systemctl"),
    )


def runner(places: Places) -> Run:
    """Runs commands on this machine with a plain environment, our data folder in it."""
    environment = {
        "PATH": USUAL_PATH,
        "LANG": "C.UTF-8",
        "HOME": str(places.state),
        "ASTERISK_AGENT_DATA": str(places.state),
        **_kept_environment(),
    }

    def run(command: Sequence[str], owner: Owner | None = None) -> Ran:
        user = group = None
        if owner is not None and os.geteuid() == 0:
            user, group = files.ids_of(owner)
        return _run(command, environment, user, group)

    return run


def may_use(run: Run, machine: Machine) -> None:
    """Raise InstallError unless Asterisk's user can start the rescue program, and ours the service.

    Called where both accounts exist.
    """
    for owner, program, what in (
        (machine.asterisk, (machine.rescue,), "the rescue program"),
        (machine.service, (*machine.program, "--help"), "the service"),
    ):
        if owner is None:
            continue
        ran = run(program, owner)
        if ran.status in (126, 127) or "Traceback" in ran.error:
            raise InstallError(
                f"the user {owner.user} cannot start {what}, {program[0]}: {ran.last_words}",
                hint="install the package, with a Python that every user can start, under /opt",
            )


def _run(
    command: Sequence[str], environment: Mapping[str, str], user: int | None, group: int | None
) -> Ran:
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_LIMIT_S,
            check=False,
            env=dict(environment),
            cwd="/",
            user=user,
            group=group,
            extra_groups=[] if user is not None else None,
            umask=0o027,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Ran(127, "", str(error))
    return Ran(done.returncode, done.stdout, done.stderr)


def _kept_environment() -> dict[str, str]:
    """How pip finds its packages, and how networks are reached, stays the caller's choice."""
    kept = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy")
    return {
        name: value
        for name, value in os.environ.items()
        if name in kept or name.startswith(("PIP_", "SSL_"))
    }


def _program() -> tuple[str, ...]:
    script = Path(sys.executable).parent / "asterisk-agent"
    if script.exists():
        return (str(script),)
    return (sys.executable, "-m", "asterisk_agent.cli.main")


def _asterisk_command(places: Places) -> tuple[str, ...]:
    for name in ("usr/sbin/asterisk", "usr/local/sbin/asterisk"):
        program = places.root / name
        if program.exists():
            return (str(program),)
    found = None if places.relocated else shutil.which("asterisk", path=USUAL_PATH)
    return (found,) if found else ()


def _account(user: str) -> Owner:
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise InstallError(
            f"there is no user {user}, as which Asterisk would run",
            hint="name the user that Asterisk runs as with --asterisk-user",
        ) from None
    return files.owned_by(account.pw_uid, account.pw_gid)


def _asterisk_user(places: Places) -> str:
    """The user of the Asterisk that runs, else the one that it is meant for."""
    for process in psutil.process_iter(["name", "username"]):
        if process.info["name"] == "asterisk" and process.info["username"]:
            return str(process.info["username"])
    seen = files.look(places.asterisk_etc / "asterisk.conf")
    if seen and (user := lines.setting(seen.content, "options", "runuser")):
        return user
    try:
        return pwd.getpwnam("asterisk").pw_name
    except KeyError:
        return "root"


def _has(program: str) -> bool:
    return shutil.which(program, path=USUAL_PATH) is not None
