"""A whole private telephone system: Asterisk with the generated dialplan, and the service.

with Pbx(Path("etc"), tmp_path) as pbx:
    await phone.dial(pbx.uri("+15551230100"))
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from asterisk_agent import dialplan, prompts
from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Config
from asterisk_agent.engines.loader import load_synthesizer
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.asterisk import PrivateAsterisk
from asterisk_agent.sandbox.derive import Machine, derive, members
from asterisk_agent.sandbox.processes import (
    Child,
    ProcessId,
    free_port,
    owned_ports,
    package_environment,
    spawn,
)

START_LIMIT_S = 180.0
"""Loading the models takes seconds; on a machine that does much else, longer."""
SERVICE_COMMAND = (sys.executable, "-m", "asterisk_agent.cli.main", "run", "--supervise")
STOP_GRACE_S = 15.0


class Pbx:
    """A private PBX in ``state_dir`` for any configuration directory.

    ``service=False`` leaves the service out: calls must reach people all the same. ``faketime``
    is the time of day at which the clocks of both start. ``files`` replaces Asterisk's
    configuration files by name. Leashed processes die with the thread that started them.
    ``nodes`` are several services that the dialplan asks instead of this one: see agent.yaml.
    ``environment`` is added to the service's. ``manager_port`` is where the service looks for
    Asterisk's manager, and ``data`` where it keeps what it writes, if not in the usual places.
    """

    def __init__(
        self,
        config_dir: Path,
        state_dir: Path,
        *,
        service: bool = True,
        faketime: datetime | str | None = None,
        files: Mapping[str, str] | None = None,
        leashed: bool = True,
        environment: Mapping[str, str] | None = None,
        manager_port: int | None = None,
        data: Path | None = None,
        nodes: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.environment = dict(environment or {})
        self.manager_port = manager_port
        self._data = data
        self.original_config_dir = config_dir.resolve()
        self.state_dir = state_dir.resolve()
        self.config_dir = self.state_dir / "config"
        self.generated = self.state_dir / "dialplan"
        self.service_log = self.state_dir / "service.log"
        self.fastagi_port, self.media_port, self.web_port = (free_port() for _ in range(3))
        self._nodes = nodes or {}
        self._holder: ProcessId | None = None
        self._with_service = service
        self._leashed = leashed
        self._service: Child | None = None
        self.asterisk = PrivateAsterisk(
            self.state_dir,
            members=members(load(config_dir)),
            generated=self.generated,
            files=files,
            faketime=faketime,
            leashed=leashed,
        )
        self.config: Config

    def start(self) -> None:
        """Start everything. Raises SandboxError, with nothing left running, if it cannot."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        # The dialplan needs the service's ports, Asterisk the dialplan, the service Asterisk's.
        self.config = self._derive()
        dialplan.write(self.config, self.generated, self.today())
        tts = self.config.engines.tts
        prompts.render(self.config, self.generated / dialplan.SOUNDS, lambda: load_synthesizer(tts))
        try:
            self.asterisk.start()
            self.config = self._derive()
            if self._with_service:
                self.start_service()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything, for certain. May be called twice."""
        self.stop_service()
        self.asterisk.stop()

    def start_service(self, timeout_s: float = START_LIMIT_S) -> None:
        """Start the service and wait until it takes calls. Raises SandboxError if it does not."""
        environment = package_environment()
        if self.asterisk.clock is not None:
            environment |= self.asterisk.clock.python_environment()
        self._service = spawn(
            [*SERVICE_COMMAND, "--config", str(self.config_dir)],
            log=self.service_log,
            leashed=self._leashed,
            env=environment | self.environment,
            urgent=True,
        )
        deadline = time.monotonic() + timeout_s
        while self.service_pid is None:
            if not self._service.alive or time.monotonic() > deadline:
                self.stop_service()
                raise SandboxError(
                    f"the service did not start: {_tail(self.service_log)}",
                    hint=f"see {self.service_log}",
                )
            time.sleep(0.1)

    @property
    def service_pid(self) -> int | None:
        """The process that answers the dialplan now, not its supervisor; None while none does."""
        if self._service is None:
            return None
        if self._holder is None or not self._holder.alive:
            found = owned_ports(self._service.pid).get(self.fastagi_port)
            self._holder = None if found is None else ProcessId.of(found)
        return None if self._holder is None else self._holder.pid

    def stop_service(self) -> None:
        """Let the service end in its own way, bounded."""
        if self._service is not None:
            self._service.stop(STOP_GRACE_S)
            self._service = self._holder = None

    def kill_service(self) -> None:
        """SIGKILL to the service and its supervisor: it is gone at once."""
        if self._service is not None:
            self._service.kill()
            self._service = self._holder = None

    def freeze_service(self) -> None:
        """SIGSTOP to the process that holds the calls: it lives and does nothing.

        Its supervisor notices, kills it, and starts another.
        """
        pid = self.service_pid
        if pid is None:
            raise SandboxError("the service is not running")
        os.kill(pid, signal.SIGSTOP)
        while psutil.Process(pid).status() != psutil.STATUS_STOPPED:
            time.sleep(0.01)

    def set_clock(self, moment: datetime | str) -> None:
        """Put the clocks of Asterisk and the service forward, while they run.

        Between calls: Asterisk times a call by this clock. Raises SandboxError for an earlier
        moment, and where they were not started with a ``faketime``.
        """
        if self.asterisk.clock is None:
            raise SandboxError("the clock is the machine's own", hint="start with faketime=…")
        self.asterisk.clock.set(moment)

    def today(self) -> date:
        """The date by Asterisk's clock."""
        clock = self.asterisk.clock
        return (datetime.now() if clock is None else clock.now()).date()

    def cli(self, command: str) -> str:
        """What Asterisk's console answers."""
        return self.asterisk.cli(command)

    def uri(self, number: str) -> str:
        """The address under which a number of ours is called from any SIP phone."""
        return f"sip:{number}@{self.asterisk.host}:{self.asterisk.sip_port}"

    def password(self, member: str) -> str:
        """The password with which a member's phone registers."""
        return self.asterisk.passwords[member]

    def info(self) -> dict[str, Any]:
        """What ``scripts/pbx up --json`` prints."""
        return {
            "host": self.asterisk.host,
            "sip_port": self.asterisk.sip_port,
            "ami_port": self.asterisk.ami_port,
            "fastagi_port": self.fastagi_port,
            "media_port": self.media_port,
            "web": f"http://{self.asterisk.host}:{self.web_port}",
            "asterisk_pid": self.asterisk.pid,
            "service_pid": self.service_pid,
            "members": {
                member: {"password": password}
                for member, password in self.asterisk.passwords.items()
            },
            "state_dir": str(self.state_dir),
            "logs": {"asterisk": str(self.asterisk.log), "service": str(self.service_log)},
            "config": str(self.original_config_dir),
            "channels": {
                channel.id: list(channel.number) for channel in self.config.channels.values()
            },
        }

    def processes(self) -> list[ProcessId]:
        """Every process it started itself, the service first."""
        service = [self._service.identity] if self._service is not None else []
        return [*service, self.asterisk.identity]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _derive(self) -> Config:
        data = self._data or self.state_dir
        machine = Machine(
            host=self.asterisk.host,
            # Before Asterisk has chosen its port, any will do.
            ami_port=self.manager_port or self.asterisk.ami_port or self.web_port,
            ami_username=self.asterisk.ami_username,
            ami_secret=self.asterisk.ami_secret,
            fastagi_port=self.fastagi_port,
            media_port=self.media_port,
            web_port=self.web_port,
            database=f"sqlite:///{data / 'calls.db'}",
            dialplan=str(self.generated),
            state=str(data),
            nodes=self._nodes,
        )
        return derive(self.original_config_dir, self.config_dir, machine)


def _tail(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return " / ".join(lines[-4:]) or "it wrote nothing"
