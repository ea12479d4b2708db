"""Broken rungs: services that answer Asterisk's questions wrongly, and rescue scripts that do."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path

from asterisk_agent.sandbox.processes import free_port

HOST = "127.0.0.1"
UUID = "0b8f1c2e-1111-4222-8333-444455556666"
LATE_S = 4.0
"""Later than the dialplan waits for an answer."""

Fault = Callable[["Asked"], Awaitable[None]]


class Asked:
    """One question of Asterisk's, on its connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.question = ""

    async def read(self) -> None:
        """Take the question in."""
        while line := (await self.reader.readline()).strip():
            if line.startswith(b"agi_network_script: "):
                self.question = line.split(b" ", 1)[1].decode()

    async def set(self, **variables: str) -> None:
        """Set variables as the service does, each confirmed by Asterisk."""
        for name, value in variables.items():
            self.writer.write(f'SET VARIABLE {name} "{value}"\n'.encode())
            if not await self.reader.readline():
                raise ConnectionResetError("Asterisk waits no more")

    async def answer(self, **variables: str) -> None:
        """A complete answer: the team of people, or what ``variables`` say."""
        whole = {
            "AGENT_ACTION": "team",
            "AGENT_TARGET": "people",
            "AGENT_MESSAGE": "",
            "AGENT_PROMPT": "",
            "AGENT_STATE": "open",
            "AGENT_UUID": UUID,
            "AGENT_BRIEF": "",
            "AGENT_BYPASSED": "",
            **variables,
        }
        await self.set(**whole, AGENT_READY="1")

    def reset(self) -> None:
        """End the connection with RST."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


# --- How a service can be broken ---------------------------------------------------------------


async def closes_at_once(asked: Asked) -> None:
    asked.writer.close()


async def resets_at_once(asked: Asked) -> None:
    asked.reset()


async def hangs(asked: Asked) -> None:
    await asked.reader.read()


async def hangs_in_a_line(asked: Asked) -> None:
    asked.writer.write(b'SET VARIABLE AGENT_ACTION "vo')
    await asked.reader.read()


async def dies_half_way(asked: Asked) -> None:
    await asked.set(AGENT_ACTION="goodbye", AGENT_TARGET="nobody", AGENT_STATE="closed")


async def resets_half_way(asked: Asked) -> None:
    await asked.set(AGENT_ACTION="goodbye", AGENT_TARGET="nobody", AGENT_STATE="closed")
    asked.reset()


async def talks_garbage(asked: Asked) -> None:
    asked.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n\0\xff\xfe" + bytes(range(256)) * 40)
    await asked.writer.drain()


async def floods(asked: Asked) -> None:
    asked.writer.write(b"NOOP\n" * 5000)
    await asked.reader.read()


async def hangs_up(asked: Asked) -> None:
    asked.writer.write(b"HANGUP\n")
    await asked.reader.read(100)


async def answers_nonsense(asked: Asked) -> None:
    await asked.answer(AGENT_ACTION="dance", AGENT_STATE="ajar")


async def answers_nothing(asked: Asked) -> None:
    await asked.answer(AGENT_ACTION="", AGENT_TARGET="", AGENT_STATE="", AGENT_UUID="")


async def names_an_unknown_team(asked: Asked) -> None:
    await asked.answer(AGENT_TARGET="nobody")


async def names_an_unknown_mailbox(asked: Asked) -> None:
    await asked.answer(AGENT_ACTION="voicemail", AGENT_TARGET="nowhere", AGENT_MESSAGE="none")


async def promises_an_agent(asked: Asked) -> None:
    await asked.answer(AGENT_ACTION="agent")


async def answers_late(asked: Asked) -> None:
    await asyncio.sleep(LATE_S)
    await asked.answer(AGENT_ACTION="goodbye")


SERVING: Mapping[str, Fault] = {
    "closes at once": closes_at_once,
    "hangs": hangs,
    "dies half-way": dies_half_way,
    "resets half-way": resets_half_way,
    "talks garbage": talks_garbage,
    "answers nonsense": answers_nonsense,
    "names an unknown team": names_an_unknown_team,
    "resets at once": resets_at_once,
    "hangs in a line": hangs_in_a_line,
    "floods": floods,
    "hangs up": hangs_up,
    "answers nothing": answers_nothing,
    "names an unknown mailbox": names_an_unknown_mailbox,
    "promises an agent": promises_an_agent,
    "answers late": answers_late,
}
NOT_RUNNING, NEVER_ACCEPTS = "is not running", "never accepts"
SERVICES = (NOT_RUNNING, NEVER_ACCEPTS, *SERVING)
"""The faults of a service, the plainest first."""


@contextlib.asynccontextmanager
async def services() -> AsyncIterator[dict[str, str]]:
    """``HOST:PORT`` of a service with each fault, and, as ``FAULT later``, of one that rings the
    absent team first and has the fault when it is asked what is next.

    Afterwards all of them are gone, with the connections that they kept.
    """
    async with contextlib.AsyncExitStack() as stack:
        kept: list[asyncio.StreamWriter] = []
        stack.callback(lambda: [writer.transport.abort() for writer in kept])
        addresses = {NOT_RUNNING: f"{HOST}:{free_port()}"}
        addresses[NEVER_ACCEPTS] = f"{HOST}:{stack.enter_context(deaf())}"
        for name, fault in SERVING.items():
            for key, later in ((name, False), (f"{name} later", True)):
                server = await asyncio.start_server(_handler(fault, kept, later=later), HOST, 0)
                await stack.enter_async_context(server)
                addresses[key] = f"{HOST}:{server.sockets[0].getsockname()[1]}"
        yield addresses


def _handler(
    fault: Fault, kept: list[asyncio.StreamWriter], *, later: bool
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = Asked(reader, writer)
        kept.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
            if fault in (closes_at_once, resets_at_once) and not later:
                await fault(asked)
                return
            await asked.read()
            if later and asked.question == "start":
                await asked.answer(AGENT_TARGET="absent")
            else:
                await fault(asked)
        writer.close()

    return handle


@contextlib.contextmanager
def deaf() -> Iterator[int]:
    """A port whose connections are never taken: its backlog is full."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind((HOST, 0))
        server.listen(0)
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()[1]


# --- How a rescue script can be broken ---------------------------------------------------------

TAKE = 'while read -r line; do [ -z "$line" ] && break; done\n'
SAY = 'say() { echo "SET VARIABLE $1 \\"$2\\""; read -r reply; }\n'
SCRIPTS = {
    "hangs": TAKE + "exec sleep 30\n",
    "dies half-way": TAKE + SAY + "say AGENT_ACTION goodbye\nsay AGENT_TARGET x\nexit 1\n",
    "is killed half-way": TAKE + SAY + "say AGENT_ACTION goodbye\nkill -9 $$\n",
    "talks garbage": TAKE + "head -c 50000 /dev/urandom\n",
    "answers nonsense": TAKE + SAY + "say AGENT_ACTION dance\nsay AGENT_READY 1\n",
}


HEALTHY, MISSING = "is healthy", "is missing"
RESCUES = (
    HEALTHY,
    MISSING,
    "is not executable",
    "has no Python",
    "has no package",
    *SCRIPTS,
    "has no plan",
    "has half a plan",
    "has another plan",
)


def rescues(folder: Path, healthy: Path, plan: Path) -> dict[str, Path]:
    """The script of each broken second rung, and of the healthy one."""
    folder.mkdir()
    found = {HEALTHY: healthy, MISSING: folder / "missing"}
    written = {name: f"#!/bin/sh\n{text}" for name, text in SCRIPTS.items()}
    python = healthy.read_text(encoding="utf-8").partition("\n")[2]
    written["has no Python"] = f"#!{folder}/no/python3\n{python}"
    written["has no package"] = f"#!{sys.executable} -IS\n{python}"
    written["is not executable"] = f'#!/bin/sh\nexec {healthy} "$@"\n'
    whole = plan.read_text(encoding="utf-8")
    for name, text in {"half a plan": whole[: len(whole) // 2], "another plan": "{}"}.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("no plan", "half a plan", "another plan"):
        written[f"has {name}"] = f"#!/bin/sh\nshift\nexec {healthy} '{folder / name}' \"$@\"\n"
    for name, text in written.items():
        found[name] = folder / name.replace(" ", "-")
        found[name].write_text(text, encoding="utf-8")
        found[name].chmod(0o644 if name == "is not executable" else 0o755)
    return found
