"""Which addresses the service has to reach besides its own machine's: those that are configured.

Everything else is refused by the kernel, so that the operator need not take our word for it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from asterisk_agent.config.schema import Config
from asterisk_agent.errors import InstallError

HOUSE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10")
"""Whoever opens the console from another machine sits in one of these."""
_SERVERS = re.compile(r"^\s*nameserver\s+([0-9a-fA-F.:]+)", re.MULTILINE)

Resolve = Callable[[str], list[str]]
"""A host's addresses. Raises OSError."""


def allowed(config: Config, resolve: Resolve, resolv_conf: str = "") -> list[str]:
    """Addresses and networks for ``IPAddressAllow=`` besides ``localhost``; [] for most.

    ``resolv_conf`` names the servers that a host name has to be asked of. Raises InstallError for
    a name that has no address.
    """
    found: list[str] = []
    for key, host in _hosts(config):
        addresses, is_name = _addresses(key, host, resolve)
        found += addresses
        if is_name:
            found += _SERVERS.findall(resolv_conf)
    found += config.listen.allow  # Asterisk on other machines asks, and sends its callers' audio
    if not config.listen.web.is_loopback:
        found += HOUSE_NETWORKS
    return list(dict.fromkeys(each for each in found if not _is_local(each)))


def _hosts(config: Config) -> Iterator[tuple[str, str]]:
    """Each host that the configuration names, with its key."""
    if config.engines.llm.url is not None:
        yield "engines.llm.url", urlsplit(config.engines.llm.url).hostname or ""
    if config.records.database.startswith("postgresql"):
        yield "records.database", urlsplit(config.records.database).hostname or ""
    yield "asterisk.ami.host", config.asterisk.ami.host
    for id_, node in config.asterisk.nodes.items():  # they look after each other's callers
        yield f"asterisk.nodes.{id_}.fastagi", node.fastagi.host
        yield f"asterisk.nodes.{id_}.media", node.media.host


def _addresses(key: str, host: str, resolve: Resolve) -> tuple[list[str], bool]:
    if not host or host == "localhost":
        return [], False
    try:
        return [str(ipaddress.ip_address(host))], False
    except ValueError:
        pass
    try:
        return sorted(resolve(host)), True
    except OSError as error:
        raise InstallError(
            f"{key} names {host}, which has no address: {error.strerror or error}",
            hint="write its address instead of its name",
        ) from None


def _is_local(address: str) -> bool:
    return ipaddress.ip_network(address, strict=False).is_loopback
