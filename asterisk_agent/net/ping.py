"""Ask another service whether it answers questions: what Asterisk would notice, noticed before."""

from __future__ import annotations

import asyncio

from asterisk_agent.config.schema import Address

QUESTION = b"agi_network: yes\nagi_network_script: ping\n\n"
MAX_ANSWER = 1_000


async def answers(address: Address, limit_s: float) -> bool:
    """Whether the service at a FastAGI address answers within ``limit_s``."""
    try:
        async with asyncio.timeout(limit_s):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            try:
                writer.write(QUESTION)
                answer = await reader.read(MAX_ANSWER)
                writer.write(b"200 result=1\n")
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError):
        return False
    return answer.startswith(b"SET VARIABLE AGENT_READY ")
