"""``run``: the service, in the foreground."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from asterisk_agent import logs
from asterisk_agent.cli.app import DEFAULT_CONFIG, ConfigDirectory, app, err, reports_errors

if TYPE_CHECKING:
    from asterisk_agent.config.schema import Config
    from asterisk_agent.engines.remote import Child


@app.command()
@reports_errors
def run(config: ConfigDirectory = DEFAULT_CONFIG) -> None:
    """Answer calls until SIGTERM or SIGINT; then hand running calls to people, and end.

    SIGHUP, or `asterisk-agent reload`, takes a changed configuration over for new calls.
    """
    import asyncio

    began = time.monotonic()
    logs.to_stderr()
    from asterisk_agent.engines.remote import Child

    with closing(Child()) as engines:  # it gets ready while we do
        from asterisk_agent.config.load import load

        settings = load(config)
        engines.begin(settings)
        asyncio.run(_serve(settings, engines, began))


async def _serve(settings: Config, engines: Child, began: float) -> None:
    import asyncio
    import gc
    import signal

    from asterisk_agent.engines.pool import EnginePool
    from asterisk_agent.service import Service

    pool = EnginePool(settings)
    try:
        await pool.start(engines)
        service = Service(settings, pool)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, service.stop)
        loop.add_signal_handler(signal.SIGHUP, service.reload)

        def ready() -> None:
            # What is here now stays. To look through all of it, as the collector does now and
            # then, takes 50 ms and more, in which no call would get its audio.
            gc.collect()
            gc.freeze()
            _announce(time.monotonic() - began, str(settings.listen.fastagi))

        await service.run(ready)
    finally:
        await pool.close()


def _announce(seconds: float, address: str) -> None:
    err.print(f"asterisk-agent: ready after {seconds:.1f} s; FastAGI on {address}", markup=False)
