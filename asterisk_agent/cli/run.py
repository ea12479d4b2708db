"""``run``: the service, in the foreground."""

from __future__ import annotations

import logging
import sys
import time

from asterisk_agent.cli.app import DEFAULT_CONFIG, ConfigDirectory, app, err, reports_errors


@app.command()
@reports_errors
def run(config: ConfigDirectory = DEFAULT_CONFIG) -> None:
    """Answer calls until SIGTERM or SIGINT; then hand running calls to people, and end.

    SIGHUP, or `asterisk-agent reload`, takes a changed configuration over for new calls.
    """
    import asyncio
    import signal

    began = time.monotonic()
    _log_to_stderr()
    from asterisk_agent.config.load import load
    from asterisk_agent.engines import loader
    from asterisk_agent.service import Service

    settings = load(config)
    engines = loader.load(settings)
    loader.warm(engines)

    async def serve() -> None:
        service = Service(settings, engines)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, service.stop)
        loop.add_signal_handler(signal.SIGHUP, service.reload)
        await service.run(lambda: _announce(time.monotonic() - began, str(settings.listen.fastagi)))

    asyncio.run(serve())


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
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Fields("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("panoramisk").setLevel(logging.CRITICAL)
