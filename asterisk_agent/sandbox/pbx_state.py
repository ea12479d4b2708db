"""Private PBXs that outlive the command that started them: where they are, and which still run."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from asterisk_agent.config.paths import cache_directory
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.pbx import Pbx
from asterisk_agent.sandbox.processes import ProcessId, owned_ports

STATE_FILE = "pbx.json"


def base_directory() -> Path:
    """Where the PBXs of this user are: ``$XDG_STATE_HOME/asterisk-agent/pbx``, or the cache."""
    chosen = os.environ.get("XDG_STATE_HOME")
    base = Path(chosen) / "asterisk-agent" if chosen else cache_directory()
    return base / "pbx"


def state_directory(name: str) -> Path:
    """The folder of one PBX. Raises SandboxError for a name that is no plain word."""
    if not name or not all(character.isalnum() or character in "-_" for character in name):
        raise SandboxError(f"not a name for a PBX: {name!r}", hint="use letters, digits, - and _")
    return base_directory() / name


class Standing:
    """What ``up`` wrote about a PBX, and whether it still holds."""

    def __init__(self, info: dict[str, Any], processes: list[ProcessId]) -> None:
        self.info = info
        self.processes = processes

    @property
    def is_up(self) -> bool:
        """Whether every process runs that was started."""
        return bool(self.processes) and all(process.alive for process in self.processes)

    def status(self) -> dict[str, Any]:
        """The information of ``up``, and what runs now."""
        pids = {process.pid for process in self.processes if process.alive}
        service = self.info["service_pid"]
        expected = [process.pid for process in self.processes]
        if service is not None:  # perhaps another process than at first
            service = owned_ports(expected[0]).get(self.info["fastagi_port"])
        return {
            **self.info,
            "service_pid": service,
            "up": self.is_up,
            "asterisk_running": self.info["asterisk_pid"] in pids,
            "service_running": service is not None,
        }


def remember(pbx: Pbx) -> None:
    """Write down a running PBX, in one step, readable by its owner alone: it holds passwords."""
    path = pbx.state_dir / STATE_FILE
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    processes = [asdict(process) for process in pbx.processes()]
    temporary.write_text(json.dumps({"info": pbx.info(), "processes": processes}), "utf-8")
    temporary.replace(path)


def recall(state_dir: Path) -> Standing | None:
    """What was written down about a PBX; None where nothing was, or it is not readable."""
    try:
        written = json.loads((state_dir / STATE_FILE).read_text(encoding="utf-8"))
        processes = [ProcessId(**process) for process in written["processes"]]
        return Standing(written["info"], processes)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def strays(state_dir: Path) -> list[ProcessId]:
    """Processes that run on this folder, written down or not: their arguments name it."""
    ours = {str(state_dir / "asterisk" / "etc" / "asterisk.conf"), str(state_dir / "config")}
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, SandboxError):
            if ours & set(process.cmdline()) and process.pid != os.getpid():
                found.append(ProcessId.of(process.pid))
    return found


def clear(state_dir: Path, grace_s: float) -> None:
    """End whatever runs on this folder, and forget it."""
    standing = recall(state_dir)
    for process in [*(standing.processes if standing else ()), *strays(state_dir)]:
        process.stop(grace_s)
    forget(state_dir)


def forget(state_dir: Path) -> None:
    """The PBX is down."""
    (state_dir / STATE_FILE).unlink(missing_ok=True)


@contextmanager
def exclusive(state_dir: Path) -> Iterator[None]:
    """Nobody else starts or stops this PBX meanwhile."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
