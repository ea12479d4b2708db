"""``check``: the configuration, then the machine it is meant for; each problem with its remedy."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from asterisk_agent.cli.app import (
    DEFAULT_CONFIG,
    ConfigDirectory,
    Json,
    app,
    out,
    print_json,
    reports_errors,
)
from asterisk_agent.config.load import examine
from asterisk_agent.errors import AgentError, AsteriskError, ConfigError

if TYPE_CHECKING:
    from asterisk_agent.config.schema import Address, Ami, Config

ANSWER_LIMIT_S = 2.0
"""Asterisk answers a manager action at once, or something is wrong."""
ENTRY_CONTEXT = "asterisk-agent"
MAILBOX_CONTEXT = "agent"
WRITE_HINT = "run: asterisk-agent dialplan write DIR, include its files, and reload Asterisk"


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem and its remedy."""

    where: str
    problem: str
    hint: str = ""


@dataclass(slots=True)
class Report:
    """What was looked at and found good, what was found wrong, and what is merely odd."""

    checked: list[str] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    @contextmanager
    def checking(self, what: str, where: str) -> Iterator[None]:
        """Note ``what`` as good, or the package's own error as a problem of ``where``."""
        try:
            yield
        except ConfigError as error:
            self.problems += [_finding(where, line) for line in error.problems]
        except AgentError as error:
            self.problems.append(Finding(where, str(error), error.hint))
        else:
            self.checked.append(what)


def _finding(where: str, line: str) -> Finding:
    problem, _, hint = line.partition(" Hint: ")
    return Finding(where, problem.removesuffix("."), hint.removesuffix("."))


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
    config, problems = examine(directory)
    if config is None:
        report.problems += [Finding(p.where, p.problem, p.hint) for p in problems]
        return report
    counts = f"channels: {len(config.channels)}, teams: {len(config.teams)}"
    report.checked.append(f"configuration in {directory} ({counts})")
    _check_hours(config, report)
    _check_knowledge(config, report)
    _check_models(config, report)
    _check_ports(config, report)
    _check_secret(config, report)
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


def _check_hours(config: Config, report: Report) -> None:
    for channel in config.channels.values():
        if channel.hours is None:
            report.warnings.append(
                Finding(
                    f"channels.{channel.id}",
                    "has no hours, so it is always open",
                    "name its hours in channels.yaml",
                )
            )


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
    from asterisk_agent.engines import choose

    engines = config.engines
    with report.checking("recogniser's model", "engines.stt"):
        choose.recogniser_folder(engines.stt, config.agent.language)
    if engines.llm.engine != "none":
        with report.checking(f"language model {engines.llm.model}", "engines.llm"):
            choose.folder_of(engines.llm.model)
    with report.checking(f"voice {engines.tts.voice}", "engines.tts"):
        choose.folder_of(engines.tts.voice)


def _check_ports(config: Config, report: Report) -> None:
    for key in ("fastagi", "media", "web"):
        address: Address = getattr(config.listen, key)
        with report.checking(f"listen.{key} {address}", f"listen.{key}"):
            check_port(key, address)


def check_port(key: str, address: Address) -> None:
    """Raise AgentError unless a port is loopback's, and free or held by the service."""
    from asterisk_agent.net.ports import cannot_listen

    if not _is_loopback(address.host):
        raise AgentError(
            f"{address} can be reached from other machines, and nobody is asked for a password",
            hint=f"write 127.0.0.1:{address.port} in agent.yaml",
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


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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


def _check_secret(config: Config, report: Report) -> None:
    path = config.directory / config.asterisk.ami.secret_file
    if path.is_file() and path.stat().st_mode & 0o004:
        report.warnings.append(
            Finding(str(path), "can be read by every user", f"run: chmod o-r {path}")
        )


# --- Asterisk -----------------------------------------------------------------------------------


class ManagerSession:
    """A short talk with Asterisk's manager interface: ask, read the answer, go."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._asked = 0
        self._lost = False

    async def greeting(self) -> str:
        """The first line that Asterisk says by itself."""
        return (await self._reader.readline()).decode("utf-8", "replace").strip()

    async def ask(self, action: str, **headers: str) -> list[Mapping[str, str]]:
        """Send an action; the response and, where it begins a list, the list's events.

        Raises AsteriskError where Asterisk refuses, hangs up, or takes longer than 2 s; behind
        such a silence nothing is waited for again.
        """
        if self._lost:
            raise AsteriskError(f"{action} was not asked: Asterisk fell silent")
        self._asked += 1
        number = str(self._asked)
        lines = {"Action": action, "ActionID": number, **headers}
        text = "".join(f"{key}: {value}\r\n" for key, value in lines.items())
        self._writer.write(f"{text}\r\n".encode())
        answer: list[Mapping[str, str]] = []
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                while not answer or _goes_on(answer):
                    message = await self._message()
                    if message.get("actionid") == number:
                        answer.append(message)
        except (TimeoutError, OSError, EOFError, ValueError):
            self._lost = True
            raise AsteriskError(f"Asterisk did not answer {action}") from None
        if answer[0].get("response") != "Success":
            raise AsteriskError(f"Asterisk refused {action}: {answer[0].get('message', '')}")
        return answer

    async def _message(self) -> Mapping[str, str]:
        """The next message; keys in lower case."""
        message: dict[str, str] = {}
        while True:
            line = await self._reader.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            if not line.strip():
                return message
            key, _, value = line.decode("utf-8", "replace").partition(":")
            message.setdefault(key.strip().lower(), value.strip())


def _goes_on(answer: list[Mapping[str, str]]) -> bool:
    """Whether a list was begun and its end has not come."""
    begun = answer[0].get("eventlist", "").lower() == "start"
    return begun and answer[-1].get("eventlist", "").lower() != "complete"


@asynccontextmanager
async def manager_session(
    host: str, port: int, username: str, secret: str
) -> AsyncIterator[ManagerSession]:
    """Log in to a manager interface within 2 s. Raises AsteriskError saying what to mend."""
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            reader, writer = await asyncio.open_connection(host, port)
    except OSError as error:  # a TimeoutError is one
        reason = error.strerror or "no answer"
        raise AsteriskError(
            f"Asterisk's manager interface cannot be reached at {host}:{port}: {reason}",
            hint="start Asterisk, and set enabled = yes and this port in manager.conf",
        ) from None
    try:
        session = ManagerSession(reader, writer)
        await _log_in(session, f"{host}:{port}", username, secret)
        yield session
    finally:
        writer.close()


async def _log_in(session: ManagerSession, place: str, username: str, secret: str) -> None:
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            greeting = await session.greeting()
    except (OSError, ValueError):
        greeting = ""
    if not greeting.startswith("Asterisk Call Manager"):
        raise AsteriskError(
            f"what answers at {place} is not Asterisk's manager interface",
            hint="give asterisk.ami the port of manager.conf",
        )
    try:
        await session.ask("Login", Username=username, Secret=secret, Events="off")
    except AsteriskError as error:
        raise AsteriskError(
            str(error),
            hint=f"manager.conf needs [{username}] with the secret that stands in secret_file, "
            "and permit for this machine",
        ) from None


async def check_asterisk(config: Config, report: Report) -> None:
    """Reach Asterisk, log in, and look for what the dialplan needs."""
    ami: Ami = config.asterisk.ami
    with report.checking("secret of the manager interface", "asterisk.ami.secret_file"):
        secret = config.ami_secret()
        with report.checking(f"Asterisk at {ami.host}:{ami.port}", "asterisk.ami"):
            async with manager_session(ami.host, ami.port, ami.username, secret) as session:
                await _check_dialplan(session, config, report)
                await _check_queues(session, config, report)
                await _check_mailboxes(session, config, report)


async def _check_dialplan(session: ManagerSession, config: Config, report: Report) -> None:
    for channel in config.channels.values():
        for number in channel.number:
            await _check_extension(session, report, f"channels.{channel.id}", ENTRY_CONTEXT, number)
    for team in config.teams.values():
        if team.existing is not None:
            context, extension = team.existing.context, team.existing.extension
            where = f"teams.{team.id}.existing"
            await _check_extension(session, report, where, context, extension)


async def _check_extension(
    session: ManagerSession, report: Report, where: str, context: str, extension: str
) -> None:
    with report.checking(f"{extension} in the dialplan's {context}", where):
        try:
            await session.ask("ShowDialPlan", Context=context, Extension=extension)
        except AsteriskError as error:
            if "not find" not in str(error):
                raise
            hint = WRITE_HINT if context == ENTRY_CONTEXT else "name a context of your dialplan"
            problem = f"the dialplan has no {extension} in the context {context}"
            raise AsteriskError(problem, hint=hint) from None


async def _check_queues(session: ManagerSession, config: Config, report: Report) -> None:
    for team in config.teams.values():
        if team.members:
            queue = f"agent-{team.id}"
            with report.checking(f"queue {queue}", f"teams.{team.id}"):
                answer = await session.ask("QueueSummary", Queue=queue)
                if not any(each.get("queue") == queue for each in answer):
                    raise AsteriskError(f"Asterisk has no queue {queue}", hint=WRITE_HINT)


async def _check_mailboxes(session: ManagerSession, config: Config, report: Report) -> None:
    boxes = {team.id: team.voicemail.mailbox for team in config.teams.values() if team.voicemail}
    if not boxes:
        return
    with report.checking("voicemail", "teams"):
        answer = await session.ask("VoicemailUsersList")
        known = {(each.get("vmcontext"), each.get("voicemailbox")) for each in answer}
        for team, box in boxes.items():
            with report.checking(f"mailbox {box}", f"teams.{team}.voicemail"):
                if (MAILBOX_CONTEXT, box) not in known:
                    problem = f"Asterisk has no mailbox {box}@{MAILBOX_CONTEXT}"
                    raise AsteriskError(problem, hint=WRITE_HINT)
