"""``check``: the configuration, then the machine it is meant for; each problem with its remedy."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import subprocess
from contextlib import closing
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from asterisk_agent import dialplan
from asterisk_agent.cli.app import (
    DEFAULT_CONFIG,
    ConfigDirectory,
    Json,
    app,
    out,
    print_json,
    reports_errors,
)
from asterisk_agent.cli.check_asterisk import check_asterisk
from asterisk_agent.cli.check_unit import check_unit
from asterisk_agent.cli.findings import Finding, Report
from asterisk_agent.config.load import survey
from asterisk_agent.errors import AgentError
from asterisk_agent.plan import from_json

if TYPE_CHECKING:
    from asterisk_agent.config.schema import Address, Config

HORIZON = timedelta(days=60)
"""Holidays must be known for at least this long."""
RESCUE_LIMIT_S = 5.0
NODE_LIMIT_S = 2.0


@app.command()
@reports_errors
def check(config: ConfigDirectory = DEFAULT_CONFIG, json: Json = False) -> None:
    """Check the configuration, then this machine: models, ports, Asterisk."""
    report = examine_all(config)
    if json:
        print_json({"ok": not report.problems, **asdict(report)})
    else:
        _show(report)
    raise typer.Exit(1 if report.problems else 0)


def examine_all(directory: Path) -> Report:
    """Everything that ``check`` looks at; the machine only where the configuration is good."""
    report = Report()
    found = survey(directory)
    report.problems += [Finding(p.where, p.problem, p.hint) for p in found.problems]
    report.warnings += [Finding(p.where, p.problem, p.hint) for p in found.warnings]
    config = found.config
    if config is None:
        return report
    counts = f"channels: {len(config.channels)}, teams: {len(config.teams)}"
    report.checked.append(f"configuration in {directory} ({counts})")
    _check_knowledge(config, report)
    _check_models(config, report)
    _check_ports(config, report)
    _check_nodes(config, report)
    _check_overrides(config, report)
    _check_records(config, report)
    _check_service(config, report)
    _check_rescue(report)
    _check_written(config, date.today(), report)
    check_unit(report)
    asyncio.run(check_asterisk(config, report))
    return report


def _show(report: Report) -> None:
    """Colours appear on a terminal only; rich sees to that."""
    for what in report.checked:
        out.print(f"ok       {what}", style="green", markup=False)
    for style, name, findings in (
        ("yellow", "warning", report.warnings),
        ("red", "problem", report.problems),
    ):
        for finding in findings:
            out.print(f"{name}  {finding.where}: {finding.problem}", style=style, markup=False)
            if finding.hint:
                out.print(f"         {finding.hint}", markup=False)


# --- Without Asterisk ---------------------------------------------------------------------------


def _check_knowledge(config: Config, report: Report) -> None:
    from asterisk_agent.brain.documents import load_passages

    for channel in config.channels.values():
        where = f"channels.{channel.id}.knowledge"
        with report.checking(f"documents of {channel.id}", where):
            if not load_passages(config.knowledge_directory, channel.knowledge) and channel.agent:
                report.warnings.append(
                    Finding(
                        where,
                        "holds no text, so the agent answers nothing",
                        f"put documents into {config.knowledge_directory}",
                    )
                )


def _check_models(config: Config, report: Report) -> None:
    from asterisk_agent.brain.wording import wording
    from asterisk_agent.engines import choose

    engines = config.engines
    with report.checking("recogniser's model", "engines.stt"):
        choose.recogniser_folder(engines.stt, config.agent.language)
    if engines.llm.engine != "none":
        with report.checking(f"language model {engines.llm.model}", "engines.llm"):
            choose.folder_of(engines.llm.model)
        found = wording(config)
        report.checked.append(f"answers are {found.kind}: {found.why}")
    with report.checking(f"voice {engines.tts.voice}", "engines.tts"):
        choose.folder_of(engines.tts.voice)
    missing = choose.missing_embedder(config.agent.language)
    hint = f"; better with another: {choose.pull_hint(missing[0])}" if missing else ""
    second = choose.second_embedders(config.agent.language)[:1]
    by = f"multilingual-e5 and {second[0].id}" if second else "multilingual-e5 alone"
    report.checked.append(f"meaning by {by}{hint}")


def _check_ports(config: Config, report: Report) -> None:
    for key in ("fastagi", "media", "web"):
        address: Address = getattr(config.listen, key)
        with report.checking(f"listen.{key} {address}", f"listen.{key}"):
            may_be_reached = config.web.may_be_reached if key == "web" else config.listen.allow
            check_port(key, address, public=bool(may_be_reached))


def _check_nodes(config: Config, report: Report) -> None:
    """Where there are several services: which is this one, and do the others answer?"""
    from asterisk_agent.net.ping import answers

    if len(config.nodes) < 2:
        return
    with report.checking(f"this service among several: {config.node}", "asterisk.nodes"):
        if not config.node:
            raise AgentError(
                f"none of them is this service, which listens on {config.listen.fastagi}",
                hint="name one of them as this machine, or give one this address",
            )
    for name, node in config.nodes.items():
        if name != config.node:
            with report.checking(f"service {name}", f"asterisk.nodes.{name}"):
                if not asyncio.run(answers(node.fastagi, NODE_LIMIT_S)):
                    raise AgentError(
                        f"the service at {node.fastagi} does not answer",
                        hint="start it, or give its listen.allow the address of this machine",
                    )


def check_port(key: str, address: Address, *, public: bool = False) -> None:
    """Raise AgentError unless a port is loopback's, and free or held by the service.

    ``public``: others may reach it, because it asks for a password over an enciphered line.
    """
    from asterisk_agent.net.ports import cannot_listen

    if not (address.is_loopback or public):
        raise AgentError(
            f"{address} can be reached from other machines, and nobody is asked for a password",
            hint=f"write 127.0.0.1:{address.port} in agent.yaml, or who may connect: listen.allow",
        )
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
            probe.listen()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not _ours(address.port):
                refused = cannot_listen(key, address, error)
                raise AgentError(
                    str(refused).removeprefix(f"listen.{key}: "), hint=refused.hint
                ) from error


def _ours(port: int) -> bool:
    """Whether the service itself listens there, as far as this user may know."""
    import psutil

    try:
        for connection in psutil.net_connections(kind="tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.pid is not None
            if listens and connection.laddr and connection.laddr.port == port:
                command = psutil.Process(connection.pid).cmdline()
                return any(
                    Path(word).name == "asterisk-agent" or word.startswith("asterisk_agent.")
                    for word in command
                )
    except (psutil.Error, OSError):
        return False
    return False


def _check_overrides(config: Config, report: Report) -> None:
    """The night switch: the service and Asterisk write files into this folder."""
    folder = config.overrides_directory
    with report.checking(f"overrides in {folder}", "overrides"):
        if not folder.is_dir():
            raise AgentError(f"{folder} does not exist", hint=f"make it: mkdir -p {folder}")
        if not os.access(folder, os.W_OK | os.X_OK):
            hint = "give it to the group that the service and Asterisk share, and chmod g+ws"
            raise AgentError(f"{folder} cannot be written", hint=hint)


def _check_records(config: Config, report: Report) -> None:
    """The call log: whether it opens, whether the service can write it, whose minutes are up."""
    from asterisk_agent import ceilings
    from asterisk_agent.cli import moment
    from asterisk_agent.records import CallLog, NoLog

    records = config.records
    with report.checking(f"call log {records.name}", "records.database"):
        said = _said_of_records(config)
        if said not in ("", "ok"):
            hint = "calls go on; see that they can be written again"
            raise AgentError(said, hint=hint)
        try:
            log = CallLog(records.database, timezone=config.timezone, make=False)
        except NoLog:
            return  # the service makes it
        with closing(log):
            if _is_ours(log.database.file):
                log.try_writing()
            used = log.usages(log.month(moment.now()))
        for channel in config.channels.values():
            if channel.ceiling is not None and ceilings.is_spent(channel, used):
                problem = f"{channel.ceiling.minutes} minutes are used up: people answer"
                hint = "raise it, or wait for the next month"
                where = f"channels.{channel.id}.ceiling"
                report.warnings.append(Finding(where, problem, hint))


def _said_of_records(config: Config) -> str:
    """What the running service says of its call log: ``ok`` or why not; empty where none runs.

    Its own word first: on a full or read-only disk its file tells what was true before.
    """
    from asterisk_agent import status
    from asterisk_agent.net.control import ask
    from asterisk_agent.wire.control import Watch

    try:
        told = asyncio.run(ask(config.control_socket, Watch())).get("health")
    except AgentError:
        told = None
    if isinstance(told, dict) and isinstance(told.get("records"), str):
        return str(told["records"])
    running = status.read(config.state_directory)
    return "" if running is None else running.records


def _is_ours(file: Path | None) -> bool:
    """Whether we may write the call log if its disk lets anybody: it is no other user's."""
    try:
        return file is None or os.geteuid() in (0, file.stat().st_uid)
    except OSError:
        return False


def _check_service(config: Config, report: Report) -> None:
    """Whether somebody watches the running service, and had to start it again."""
    from asterisk_agent import status

    running = status.read(config.state_directory)
    if running is None:
        return
    if running.losses:
        times = "once" if running.losses == 1 else f"{running.losses} times"
        problem = f"was started again {times}, last at {running.lost_at}: {running.lost_because}"
        hint = "its log of that moment says more"
        report.warnings.append(Finding("service", problem, hint))
    if not running.watched:
        problem = "nobody watches it: if it freezes, its callers wait in silence"
        hint = "start it so: asterisk-agent run --supervise"
        report.warnings.append(Finding("service", problem, hint))


def _check_rescue(report: Report) -> None:
    """Start the rescue script: without a question it says so, and that is all we want to see."""
    script = dialplan.rescue_script()
    with report.checking(f"rescue script {script}", "rescue"):
        hint = "install the package again, as docs/install.md says"
        try:
            done = subprocess.run(
                [script],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=RESCUE_LIMIT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AgentError(f"{script} does not start: {error}", hint=hint) from None
        if not done.stderr.startswith(dialplan.RESCUE):
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise AgentError(f"{script} does not work: {last}", hint=hint)


def _check_written(config: Config, today: date, report: Report) -> None:
    """The plan that the rescue script decides by, where Asterisk includes our files from."""
    plan_file = Path(config.asterisk.dialplan) / dialplan.PLAN_FILE
    with report.checking(f"plan {plan_file}", "asterisk.dialplan"):
        hint = f"run: asterisk-agent dialplan write {config.asterisk.dialplan}"
        try:
            written = from_json(plan_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise AgentError(f"{plan_file} cannot be read: {reason}", hint=hint) from None
        if written.last_date - today < HORIZON:
            problem = f"holidays are known only until {written.last_date}"
            report.warnings.append(Finding(str(plan_file), problem, hint))
        elif written != dialplan.plan_for(config, today):
            report.warnings.append(Finding(str(plan_file), "is not of this configuration", hint))
