"""A real Asterisk with the generated dialplan, and peers for it that behave as badly as can be."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from asterisk_agent import dialplan
from asterisk_agent.audio import silence, write_wav
from asterisk_agent.config.schema import Config
from asterisk_agent.prompts import recorded
from asterisk_agent.sandbox.asterisk import PrivateAsterisk

EXECUTING = re.compile(
    r'Executing \[(?P<place>[^]]+)\] (?P<app>\w+)\("(?P<channel>[^"]+)", "(?P<data>.*)"\) in'
)
SHORT_PROMPT_S = 0.2

Talk = Callable[[socket.socket], None]


@dataclass(frozen=True)
class Step:
    """A line of the dialplan that a channel has executed."""

    channel: str
    place: str
    application: str
    data: str


class Lab:
    """One Asterisk for many calls. ``contexts``, ``queues`` and ``globals_`` are the test's own."""

    def __init__(
        self,
        config: Config,
        folder: Path,
        contexts: str,
        *,
        queues: str = "",
        globals_: str = "",
        voicemail: bool = True,
    ) -> None:
        self.folder = folder
        self.config = config.model_copy(update={"state": str(folder / "state")})
        generated = folder / "dialplan"
        dialplan.write(self.config, generated, date.today())
        if not voicemail:
            (generated / "voicemail.conf").write_text("")
        for name in recorded(self.config):
            write_wav(
                generated / dialplan.SOUNDS / f"{name}.wav", silence(SHORT_PROMPT_S, 8000), 8000
            )
        extensions = f"""[general]
[from-trunk]
include => asterisk-agent
include => asterisk-agent-unknown
[from-phones]
include => agent-features
[hold]
exten => s,1,Wait(120)
{contexts}
#include {generated}/extensions.conf
[globals]
{globals_}
"""
        self.asterisk = PrivateAsterisk(
            folder / "pbx",
            generated=generated,
            members=("101", "102"),
            files={
                "extensions.conf": extensions,
                "queues.conf": f"[general]\n{queues}\n#include {generated}/queues.conf\n",
            },
        )

    def __enter__(self) -> Lab:
        self.asterisk.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.asterisk.stop()

    def reload(self, config: Config) -> None:
        """Write another configuration's dialplan, and let Asterisk read it."""
        self.config = config.model_copy(update={"state": str(self.folder / "state")})
        dialplan.write(self.config, self.folder / "dialplan", date.today())
        for module in ("pbx_config", "app_queue", "app_voicemail"):
            self.asterisk.cli(f"module reload {module}")

    def call(self, extension: str, context: str = "lab", caller: str = "hold") -> None:
        """A caller who does what the context ``caller`` does: nothing.

        Its steps are those of ``Local/EXTENSION@…;2``.
        """
        self.asterisk.cli(f"channel originate Local/{extension}@{context} extension s@{caller}")

    def steps(self, extension: str = "") -> list[Step]:
        """What the calls to this extension have executed so far, on their own lines only."""
        found = (EXECUTING.search(line) for line in self._log())
        steps = [Step(m["channel"], m["place"], m["app"], m["data"]) for m in found if m]
        return [
            step
            for step in steps
            if step.channel.startswith(f"Local/{extension}@") and step.channel.endswith(";2")
        ]

    def wait_for(
        self, extension: str, wanted: Callable[[Step], bool], timeout_s: float = 30
    ) -> Step:
        """The first step of that kind."""
        deadline = time.monotonic() + timeout_s
        while True:
            for step in self.steps(extension):
                if wanted(step):
                    return step
            last = self.steps(extension)[-25:]
            shown = "\n".join(f"{s.place} {s.application}({s.data})" for s in last)
            assert time.monotonic() < deadline, f"{extension} never got there:\n{shown}"
            time.sleep(0.1)

    def _log(self) -> list[str]:
        return self.asterisk.log.read_text(encoding="utf-8", errors="replace").splitlines()


def records(step: Step) -> bool:
    """Whether a step takes a message."""
    return step.application == "TryExec" and step.data.startswith("VoiceMail(")


def notes(text: str) -> Callable[[Step], bool]:
    """Whether a step is the NoOp with this text."""
    return lambda step: step.application == "NoOp" and text in step.data


@contextmanager
def service(talk: Talk) -> Iterator[int]:
    """Something that listens in the service's place. Yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                kept.append(connection)
                threading.Thread(target=_quietly, args=(talk, connection), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        for connection in kept:
            connection.close()


def _quietly(talk: Talk, connection: socket.socket) -> None:
    try:
        talk(connection)
    except OSError:
        connection.close()


def says(words: bytes, then_closes: bool) -> Talk:
    """Says something, whatever it is asked."""

    def talk(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(words)
        if then_closes:
            connection.close()

    return talk


def answers(
    question: Callable[[str, list[str]], Mapping[str, str]], callers: list[str] | None = None
) -> Talk:
    """Answers as the service does: ``question`` maps ``start`` or ``next`` to variables.

    ``callers`` collects the numbers of those who call.
    """

    def talk(connection: socket.socket) -> None:
        file = connection.makefile("rw", encoding="utf-8", newline="\n")
        asked: dict[str, str] = {}
        for line in iter(file.readline, "\n"):
            key, _, value = line.rstrip("\n").partition(": ")
            asked.setdefault(key, value)
        arguments = [asked[f"agi_arg_{n}"] for n in range(1, 20) if f"agi_arg_{n}" in asked]
        if callers is not None:
            callers.append(asked["agi_callerid"])
        variables = {**question(asked["agi_network_script"], arguments), "AGENT_READY": "1"}
        for name, value in variables.items():
            file.write(f'SET VARIABLE {name} "{value}"\n')
            file.flush()
            file.readline()
        connection.close()

    return talk
