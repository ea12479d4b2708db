"""``run``: the service, in the foreground, by itself or under the eyes of a supervisor."""

from __future__ import annotations

import os
import time
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from asterisk_agent import logs
from asterisk_agent.cli.app import DEFAULT_CONFIG, ConfigDirectory, app, err, reports_errors

if TYPE_CHECKING:
    from asterisk_agent.config.schema import Config
    from asterisk_agent.engines.remote import Child
    from asterisk_agent.watched import Watcher


@app.command()
@reports_errors
def run(
    config: ConfigDirectory = DEFAULT_CONFIG,
    supervise: Annotated[
        bool,
        typer.Option(
            "--supervise", help="Start the service again whenever it crashes, freezes or ends."
        ),
    ] = False,
    lifeline: Annotated[int | None, typer.Option("--lifeline", hidden=True)] = None,
) -> None:
    """Answer calls until SIGTERM or SIGINT; then hand running calls to people, and end.

    SIGHUP, or `asterisk-agent reload`, takes a changed configuration over for new calls.
    """
    if supervise:
        from asterisk_agent.supervisor import command_of

        command = command_of(str(config))
        os.execv(command[0], command)  # noqa: S606  # so that nothing of ours stays in memory

    import asyncio

    began = time.monotonic()
    logs.to_stderr()
    from asterisk_agent.engines.remote import Child
    from asterisk_agent.watched import watcher_of

    watcher = watcher_of(lifeline)
    with closing(Child()) as engines:  # it gets ready while we do
        from asterisk_agent.config.load import load

        settings = load(config)
        engines.begin(settings, calls=watcher.losses.count > 0)
        asyncio.run(_serve(settings, engines, watcher, began))


async def _serve(settings: Config, engines: Child, watcher: Watcher, began: float) -> None:
    import asyncio
    import gc
    import signal

    from asterisk_agent.engines.pool import EnginePool
    from asterisk_agent.service import Service
    from asterisk_agent.watched import show_life

    pool = EnginePool(settings)
    service = Service(settings, pool, watcher)
    alive = asyncio.create_task(show_life(watcher, service.signs, service.stop))
    try:
        await pool.start(engines)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, service.stop)
        loop.add_signal_handler(signal.SIGHUP, service.reload)

        def ready() -> None:
            # What is here now stays. To look through all of it, as the collector does now and
            # then, takes 50 ms and more, in which no call would get its audio.
            gc.collect()
            gc.freeze()
            watcher.ready()
            _announce(time.monotonic() - began, str(settings.listen.fastagi))

        await service.run(ready)
    finally:
        alive.cancel()
        await pool.close()


def _announce(seconds: float, address: str) -> None:
    err.print(f"asterisk-agent: ready after {seconds:.1f} s; FastAGI on {address}", markup=False)
