"""``run``: the service, in the foreground."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

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
    _log_to_stderr()
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


class _Fields(logging.Formatter):
    """A constant message, then its values as ``key=value``."""

    _ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        values = {k: v for k, v in vars(record).items() if k not in self._ORDINARY}
        return " ".join([line, *(f"{key}={value}" for key, value in values.items())])


def _log_to_stderr() -> None:
    from asterisk_agent.redaction import Redactor

    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Redactor())
    handler.setFormatter(_Fields("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("panoramisk").setLevel(logging.CRITICAL)
