"""Where an installation puts its files, and who owns them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asterisk_agent.config.paths import SYSTEM_DATA
from asterisk_agent.config.schema import Config
from asterisk_agent.errors import InstallError

SERVICE = "asterisk-agent"
UNIT = f"{SERVICE}.service"
LEDGER = Path("var/backups/asterisk-agent")
"""Root's own. In a folder of the service's, a service that was broken into could tell root what to
restore, and where."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Account names, as the machine's own files have them."""

    user: str
    group: str


@dataclass(frozen=True, slots=True)
class Places:
    """Folders and files by their full paths, in whichever root folder they lie.

    ``relocated``: the root is not the machine's own. Then files name each other by their full
    paths, no accounts are made, and everything belongs to whoever runs the installation.
    """

    root: Path
    config: Path
    asterisk_etc: Path
    dialplan: Path
    state: Path

    @property
    def relocated(self) -> bool:
        """Whether another folder than ``/`` is the root."""
        return self.root != Path("/")

    @property
    def unit(self) -> Path:
        """The unit of the service."""
        return self.root / "etc/systemd/system" / UNIT

    @property
    def ledger(self) -> Path:
        """The folder with the ledger and the copies."""
        return self.root / LEDGER


def under(
    root: Path, config: Path | None, asterisk_etc: Path | None, settings: Config | None
) -> Places:
    """The places of an installation; ``settings`` may name some of them.

    Raises InstallError where these settings leave a root folder that is not the machine's own.
    """
    root = root.resolve()
    etc = (asterisk_etc or root / "etc/asterisk").resolve()
    found = Places(
        root=root,
        config=(config or root / "etc/asterisk-agent").resolve(),
        asterisk_etc=etc,
        dialplan=etc / "agent",
        state=root / SYSTEM_DATA.relative_to("/"),
    )
    if settings is None:
        return found
    dialplan = Path(settings.asterisk.dialplan)
    state = Path(settings.state) if settings.state is not None else SYSTEM_DATA
    if found.relocated:
        for key, path in (("asterisk.dialplan", dialplan), ("state", state)):
            if not path.is_relative_to(root):
                raise InstallError(
                    f"{key} is {path}, which is not in {root}",
                    hint=f"write {key} with a folder under {root} in agent.yaml",
                )
    return Places(root, found.config, etc, dialplan, state)
