"""Keeps the console's process running: the operator's pages, away from the callers' audio.

A console that crashes is started again and touches no call; one that cannot start is told in the
log, and tried again less and less often.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-P", "-m", "asterisk_agent.web.process")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
STEADY_S = 60.0
"""A process that has lived so long stayed."""
END_LIMIT_S = 2.0


class Console:
    """``watch`` it for as long as the service runs; cancelling that ends the process."""

    def __init__(self, config_directory: Path, command: Sequence[str] = COMMAND) -> None:
        self._command = (*command, str(config_directory), str(os.getpid()))

    async def watch(self) -> None:
        """Start the process, and start it again whenever it ends; never returns."""
        pause_s = 0.0
        while True:
            began = time.monotonic()
            code = await self._run()
            if time.monotonic() - began > STEADY_S:
                pause_s = 0.0
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s or FIRST_PAUSE_S)
            log.error("console: ended", extra={"code": code, "again_in_s": pause_s})
            await asyncio.sleep(pause_s)

    async def _run(self) -> int:
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=2
        )
        try:
            return await process.wait()
        finally:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Politely, and then for certain."""
    with suppress(ProcessLookupError):
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(END_LIMIT_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
