"""The example of two nodes, as it stands in docs/examples, behind one private Asterisk."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Config
from asterisk_agent.sandbox.pbx import START_LIMIT_S, Pbx
from asterisk_agent.sandbox.processes import (
    Child,
    free_port,
    owned_ports,
    package_environment,
    spawn,
)

EXAMPLE = Path(__file__).parent.parent / "docs" / "examples" / "two-nodes"
PROGRAM = (sys.executable, "-m", "asterisk_agent.cli.main")
ALONE = (*PROGRAM, "run")
"""Without a supervisor: on a machine that is gone, that would be gone as well."""
COMMAND_LIMIT_S = 120
LOOPBACK = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
"""Of Asterisk and PostgreSQL, and of the nodes."""
NETWORK = ("10.77.0.1", "10.77.0.2", "10.77.0.3")
"""The same, as between machines."""


class Example:
    """A copy of the example, in which ports, folders, and passwords are those of a test.

    ``calls`` is how many each node takes at once, by its name.
    """

    def __init__(self, folder: Path, calls: dict[str, int]) -> None:
        self.folder = folder
        self._calls = calls
        shutil.copytree(EXAMPLE, folder, symlinks=True)
        self._change("a", {f":{port}": f":{free_port()}" for port in (4573, 9092, 8095)})
        self._change("b", {f":{port}": f":{free_port()}" for port in (4573, 9092, 8095)})

    @property
    def nodes(self) -> dict[str, dict[str, str]]:
        """``asterisk.nodes`` as the copy has it."""
        found = load(self.folder / "a").asterisk.nodes
        return {
            name: {"fastagi": str(node.fastagi), "media": str(node.media)}
            for name, node in found.items()
        }

    def make_folders(self, state: Path) -> None:
        """Each node's own, and those that they share, as the README makes them."""
        for shared in ("overrides", "briefs"):
            (state / shared).mkdir(parents=True)
        for name in self._calls:
            (state / name).mkdir()
            for shared in ("overrides", "briefs"):
                (state / name / shared).symlink_to(Path("..") / shared)
            self._replace(name, f"state: /var/lib/asterisk-agent/{name}", f"state: {state / name}")

    def settle(self, pbx: Pbx, url: str) -> None:
        """Give it this Asterisk and this database."""
        self.make_folders(pbx.state_dir / "nodes")
        for name, calls in self._calls.items():
            secret = self.folder / name / "ami.secret"
            secret.touch(mode=0o600)
            secret.write_text(pbx.asterisk.ami_secret + "\n", encoding="utf-8")
            for old, new in (
                ("port: 5038", f"port: {pbx.asterisk.ami_port}"),
                ("username: asterisk-agent", f"username: {pbx.asterisk.ami_username}"),
                ("dialplan: /etc/asterisk/agent", f"dialplan: {pbx.generated}"),
                ("postgresql://agent:PASSWORD@127.0.0.1/calls", url),
                ("calls: auto", f"calls: {calls}"),
            ):
                self._replace(name, old, new)

    def move_to_a_network(self, folder: Path) -> None:
        """Between machines: other addresses, except of the console; a database of its own."""
        for name in self._calls:
            path = self.folder / name / "agent.yaml"
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            for number, line in enumerate(lines):
                if not line.startswith("  web:"):
                    for old, new in zip(LOOPBACK, NETWORK, strict=True):
                        lines[number] = lines[number].replace(old, new)
            path.write_text("".join(lines), encoding="utf-8")
            database = f"sqlite:///{folder}/calls.db"
            self._replace(name, f"postgresql://agent:PASSWORD@{NETWORK[0]}/calls", database)
            secret = self.folder / name / "ami.secret"
            secret.touch(mode=0o600)
            secret.write_text("nobody asks for it\n", encoding="utf-8")

    def write_dialplan(self, pbx: Pbx) -> None:
        """As the README says: from either node, and Asterisk reads it."""
        self.command("a", "dialplan", "write")
        for part in ("dialplan reload", "queue reload all", "voicemail reload"):
            pbx.cli(part)

    def command(self, name: str, *words: str) -> str:
        """What a command says that ends well on a node."""
        done = subprocess.run(
            [*PROGRAM, *words, "--config", str(self.folder / name)],
            capture_output=True,
            text=True,
            env=package_environment(),
            timeout=COMMAND_LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _change(self, owner: str, ports: dict[str, str]) -> None:
        """Give a node other ports, in the files of both."""
        host = str(load(EXAMPLE / owner).listen.fastagi).rpartition(":")[0]
        for name in self._calls:
            path = self.folder / name / "agent.yaml"
            text = path.read_text(encoding="utf-8")
            for old, new in ports.items():
                text = re.sub(rf'"{re.escape(host)}{old}"', f'"{host}{new}"', text)
            path.write_text(text, encoding="utf-8")

    def _replace(self, name: str, old: str, new: str) -> None:
        path = self.folder / name / "agent.yaml"
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old} stands {text.count(old)} times in {path}"
        path.write_text(text.replace(old, new), encoding="utf-8")


class NodeService:
    """One service of the example."""

    def __init__(self, example: Example, name: str) -> None:
        self.config: Config = load(example.folder / name)
        self.media = str(self.config.listen.media)
        self.log = self.config.state_directory / "service.log"
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
        deadline, port = time.monotonic() + START_LIMIT_S, self.config.listen.fastagi.port
        while (holder := owned_ports(self._child.pid).get(port)) is None:
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
