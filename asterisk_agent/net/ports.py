"""Who holds a port, as far as this machine tells."""

from __future__ import annotations

import errno

import psutil

from asterisk_agent.config.schema import Address
from asterisk_agent.errors import AgentError


def holder(address: Address) -> str:
    """The process that listens on a TCP port, such as ``asterisk (pid 4711)``; "" if unknown."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and connection.laddr
                and connection.laddr.port == address.port
                and connection.pid is not None
            ):
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        return ""
    return ""


def cannot_listen(key: str, address: Address, error: OSError) -> AgentError:
    """The error for a port of ``listen:`` that cannot be opened."""
    if error.errno != errno.EADDRINUSE:
        return AgentError(
            f"listen.{key}: cannot listen on {address}: {error.strerror}",
            hint="give an address of this machine in agent.yaml",
        )
    by = holder(address)
    return AgentError(
        f"listen.{key}: port {address.port} is in use{f' by {by}' if by else ''}",
        hint=f"stop that process, or give listen.{key} another port in agent.yaml",
    )
