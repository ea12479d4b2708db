"""Who may connect: AGI and AudioSocket ask nobody for a password, so the address has to do."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Sequence

log = logging.getLogger(__name__)


class Door:
    """Lets this machine's loopback in, and the networks that are named; nobody else.

    A service that listens on all addresses is so no open service.
    """

    def __init__(self, name: str, allow: Sequence[str] = ()) -> None:
        self._name = name
        self._allowed = [ipaddress.ip_network(one) for one in allow]

    def admits(self, writer: asyncio.StreamWriter) -> bool:
        """Whether the other side may stay. Otherwise its connection is gone, and logged."""
        peer = writer.get_extra_info("peername")
        if peer and self.knows(str(peer[0])):
            return True
        log.warning("%s: refused a connection from %s", self._name, peer[0] if peer else "nobody")
        writer.transport.abort()
        return False

    def knows(self, host: str) -> bool:
        """Whether an IP address, as the kernel tells it, is one of those that may connect."""
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return address.is_loopback or any(address in network for network in self._allowed)
