"""The process of the operator's pages; the service starts it.

``python -m asterisk_agent.web.process CONFIG PARENT``: the configuration directory, and the
service's process id. It ends with the service, and its end touches no call.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from asterisk_agent import logs
from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Config
from asterisk_agent.errors import AgentError
from asterisk_agent.net.ports import cannot_listen
from asterisk_agent.web.app import application
from asterisk_agent.web.desk import Desk

log = logging.getLogger(__name__)

NICER_BY = 10
"""Pages may wait; the callers' audio may not."""
END_LIMIT_S = 1
MOST_CONNECTIONS = 200
_PR_SET_PDEATHSIG = 1


class Server(uvicorn.Server):
    """uvicorn, which leaves signals to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve(config: Config) -> None:
    """Answer until SIGTERM. Raises AgentError where the port cannot be opened."""
    desk = Desk(config, lambda: datetime.now(UTC), time.monotonic)
    listener = _listen(config)
    web, directory = config.web, config.directory
    settings = uvicorn.Config(
        application(desk),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=END_LIMIT_S,
        ssl_certfile=directory / web.certificate if web.certificate else None,
        ssl_keyfile=directory / web.key if web.key else None,
    )
    server = Server(settings)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, setattr, server, "should_exit", True)
    log.info("console: ready", extra={"address": config.listen.web})
    async with asyncio.TaskGroup() as group:
        feed = group.create_task(desk.feed.run())
        await server.serve([listener])
        feed.cancel()


def _listen(config: Config) -> socket.socket:
    address = config.listen.web
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
    except OSError as error:
        listener.close()
        raise cannot_listen("web", address, error) from error
    return listener


def main() -> int:
    """Serve until the service is gone. Exit status 1: the log says why."""
    directory, parent = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the service's business
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):
        return 1  # it died before we could ask to be told
    os.nice(NICER_BY)
    logs.to_stderr()
    try:
        asyncio.run(serve(load(Path(directory))))
    except (AgentError, OSError) as error:
        log.error("console: cannot start: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
