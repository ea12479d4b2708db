"""Several services behind one private Asterisk, each as on a machine of its own."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import psutil

from asterisk_agent.config.schema import Config
from asterisk_agent.sandbox.derive import Machine, derive
from asterisk_agent.sandbox.pbx import START_LIMIT_S, Pbx
from asterisk_agent.sandbox.processes import (
    Child,
    free_port,
    owned_ports,
    package_environment,
    spawn,
)

HOST = "127.0.0.1"
ALONE = (sys.executable, "-m", "asterisk_agent.cli.main", "run")
"""Without a supervisor: on a machine that is gone, that would be gone as well."""


def addresses(*names: str) -> dict[str, dict[str, str]]:
    """``asterisk.nodes`` with free ports."""
    return {
        name: {"fastagi": f"{HOST}:{free_port()}", "media": f"{HOST}:{free_port()}"}
        for name in names
    }


class NodeService:
    """One service, with a state folder of its own; the folder of overrides is everybody's.

    It takes ``calls`` at once.
    """

    def __init__(
        self, pbx: Pbx, name: str, nodes: dict[str, dict[str, str]], url: str, *, calls: int
    ) -> None:
        self.media = nodes[name]["media"]
        self._fastagi = int(nodes[name]["fastagi"].rpartition(":")[2])
        folder = pbx.state_dir / f"node-{name}"
        folder.mkdir()
        (folder / "overrides").symlink_to(pbx.config.overrides_directory)
        machine = Machine(
            host=HOST,
            ami_port=pbx.asterisk.ami_port,
            ami_username=pbx.asterisk.ami_username,
            ami_secret=pbx.asterisk.ami_secret,
            fastagi_port=self._fastagi,
            media_port=int(self.media.rpartition(":")[2]),
            web_port=free_port(),
            database=url,
            dialplan=str(pbx.generated),
            state=str(folder),
            nodes=nodes,
        )
        self.config: Config = derive(pbx.original_config_dir, folder / "config", machine)
        with (self.config.directory / "agent.yaml").open("a", encoding="utf-8") as file:
            file.write(f"limits: {{calls: {calls}}}\n")
        self.log: Path = folder / "service.log"
        self._child: Child | None = None
        self.pid = 0

    def launch(self) -> None:
        """Begin to start it."""
        command = [*ALONE, "--config", str(self.config.directory)]
        environment = package_environment()
        self._child = spawn(command, log=self.log, leashed=True, env=environment, urgent=True)

    def wait(self) -> None:
        """Until it takes calls."""
        assert self._child is not None
        deadline = time.monotonic() + START_LIMIT_S
        while (holder := owned_ports(self._child.pid).get(self._fastagi)) is None:
            assert self._child.alive, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)
        self.pid = holder

    def kill(self) -> None:
        """SIGKILL: it is gone at once."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def freeze(self) -> None:
        """SIGSTOP: it lives and does nothing."""
        os.kill(self.pid, signal.SIGSTOP)
        while psutil.Process(self.pid).status() != psutil.STATUS_STOPPED:
            time.sleep(0.01)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)
