"""Who is let in where a service is reached over a network: run in a network of its own.

    unshare --net python tests/strangers.py CONFIG ADDRESS...

Gives the loopback device these addresses, which are not loopback's, starts the service of CONFIG,
and connects to both its ports from each. Prints an object: address → port → whether it was let in.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import socket
import struct
import sys
import time
from pathlib import Path

from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Address
from asterisk_agent.net.ping import QUESTION
from asterisk_agent.sandbox.processes import package_environment, spawn

SIOCSIFADDR, SIOCSIFFLAGS, IFF_UP = 0x8916, 0x8914, 0x1
START_LIMIT_S = 180.0
PATIENCE_S = 1.0
"""The audio's port waits two seconds for an id; who is refused is cut off at once."""


def give(addresses: list[str]) -> None:
    """Bring the loopback device up, with these addresses besides its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
        for number, address in enumerate(addresses):
            name, packed = f"lo:{number}".encode(), socket.inet_aton(address)
            request = struct.pack("16sH2x4s8x", name, socket.AF_INET, packed)
            fcntl.ioctl(control, SIOCSIFADDR, request)


async def is_let_in(source: str, target: Address, question: bytes) -> bool:
    """Whether a connection from there is answered, or at least waited on."""
    reader, writer = await asyncio.open_connection(target.host, target.port, local_addr=(source, 0))
    try:
        writer.write(question)
        async with asyncio.timeout(PATIENCE_S):
            return bool(await reader.read(100))
    except TimeoutError:
        return True
    except OSError:
        return False
    finally:
        writer.transport.abort()


async def listens(target: Address) -> bool:
    """Whether somebody does, asked from loopback, which is always let in."""
    try:
        _, writer = await asyncio.open_connection(target.host, target.port)
    except OSError:
        return False
    writer.transport.abort()
    return True


async def ask_all(directory: Path, addresses: list[str]) -> dict[str, dict[str, bool]]:
    """Start the service, and try its ports from each address."""
    listen = load(directory).listen
    log = directory / "service.log"
    command = [sys.executable, "-m", "asterisk_agent.cli.main", "run", "--config", str(directory)]
    service = spawn(command, log=log, leashed=True, env=package_environment())
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while not await listens(listen.fastagi):
            assert service.alive, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            await asyncio.sleep(0.2)
        return {
            address: {
                "fastagi": await is_let_in(address, listen.fastagi, QUESTION),
                "media": await is_let_in(address, listen.media, b""),
            }
            for address in addresses
        }
    finally:
        service.kill()


if __name__ == "__main__":
    give(sys.argv[2:])
    print(json.dumps(asyncio.run(ask_all(Path(sys.argv[1]), sys.argv[2:]))))
