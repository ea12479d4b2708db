"""systemd's notification protocol: one datagram to the socket that it names (sd_notify(3))."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

from asterisk_agent.config.paths import notify_socket, watchdog_s


class Notifier:
    """Tells systemd how things are; nobody where it does not ask. Never waits, never fails."""

    def __init__(self, address: str, watchdog: float | None = None) -> None:
        """``address`` as in ``$NOTIFY_SOCKET``; ``watchdog`` is WatchdogSec, in seconds."""
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog = watchdog
        self._socket: socket.socket | None = None
        if address:  # kept open, so that it is there when no file can be opened any more
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)

    @classmethod
    def of_environment(cls) -> Notifier:
        """What systemd told this process."""
        return cls(notify_socket(), watchdog_s(os.getpid()))

    @property
    def asked(self) -> bool:
        """Whether anybody listens."""
        return self._socket is not None

    def ready(self, status: str) -> None:
        """Calls are taken; also the end of a reload."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """A changed configuration is being read."""
        moment_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._tell("RELOADING=1", f"MONOTONIC_USEC={moment_us}")

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1", "STATUS=stopping: calls go to people")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self._tell(f"STATUS={text}")

    def alive(self) -> None:
        """Nothing hangs."""
        self._tell("WATCHDOG=1")

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()

    def _tell(self, *lines: str) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.sendto("\n".join(lines).encode(), self._address)
