"""``reload``: the running service takes the changed configuration over, for new calls."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import typer

from asterisk_agent.cli.app import (
    DEFAULT_CONFIG,
    ConfigDirectory,
    Json,
    app,
    err,
    out,
    print_json,
    reports_errors,
)
from asterisk_agent.cli.dialplan import write_files
from asterisk_agent.errors import AgentError
from asterisk_agent.status import Report, read

LIMIT_S = 60.0
"""Reading large documents takes a while."""
POLL_S = 0.05


@app.command()
@reports_errors
def reload(config: ConfigDirectory = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Use the changed configuration for new calls, and let Asterisk read its part again.

    Mistakes are told and change nothing. Calls under way keep what they began with. The files of
    `asterisk.dialplan` are written first, where that directory exists.
    """
    from asterisk_agent.config.load import load

    settings = load(config)
    written = Path(settings.asterisk.dialplan)
    changed = write_files(settings, written) if written.is_dir() else []
    before = read(settings.state_directory)
    if before is None:
        raise AgentError(
            "no service runs with this configuration, which is valid",
            hint="start it: asterisk-agent run",
        )
    os.kill(before.pid, signal.SIGHUP)
    after = _wait_for(settings.state_directory, before)
    if as_json:
        print_json(
            {
                "reloaded": not after.problems,
                "problems": after.problems,
                "restart_for": after.restart_for,
                "asterisk": after.asterisk,
                "written": [str(path) for path in changed],
            }
        )
    else:
        _tell(after, changed)
    if after.problems:
        raise typer.Exit(1)


def _tell(report: Report, changed: list[Path]) -> None:
    for problem in report.problems:
        err.print(problem, markup=False)
    for path in changed:
        out.print(f"written: {path}", markup=False)
    if report.problems:
        return
    out.print("The service uses the new configuration for new calls.")
    for key in report.restart_for:
        out.print(f"{key} changes only when the service is restarted.", markup=False)
    if report.asterisk == "ok":
        out.print("Asterisk has read its dialplan, queues and mailboxes again.")
    else:
        out.print(
            f"Asterisk has not read its files again ({report.asterisk}). "
            'Do it by hand: asterisk -rx "core reload"',
            markup=False,
        )


def _wait_for(directory: Path, before: Report) -> Report:
    """The service's report on this attempt."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        now = read(directory)
        if now is None or now.pid != before.pid:
            raise AgentError("the service ended meanwhile", hint="asterisk-agent check")
        if now.reloads > before.reloads:
            return now
        time.sleep(POLL_S)
    raise AgentError(f"the service did not answer within {LIMIT_S:.0f} s", hint="see its log")
