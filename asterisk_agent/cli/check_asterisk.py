"""What ``check`` asks Asterisk: is everything there that calls need, and is it of today?"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date
from pathlib import Path

from asterisk_agent import dialplan
from asterisk_agent.cli.findings import Finding, Report
from asterisk_agent.cli.loaded import differences
from asterisk_agent.cli.manager import ManagerSession, manager_session
from asterisk_agent.config.schema import Config, Team
from asterisk_agent.dialplan import MAILBOX_CONTEXT
from asterisk_agent.errors import AsteriskError

ENTRY_CONTEXT = "asterisk-agent"
WRITE_HINT = "run: asterisk-agent dialplan write, include its files, and reload Asterisk"
VOICEMAIL_HINT = (
    "run: asterisk -rx 'module load app_voicemail.so'; in modules.conf, noload the variants of it"
    " that you do not use (_imap, _odbc), or they may take its place without running"
)
RELOAD_HINT = "run: asterisk-agent reload, or dialplan write and Asterisk's dialplan reload"
PASSES_KEYS = {20: 14, 21: 9, 22: 4}
"""The first of each series of Asterisk whose AudioSocket() passes keys on; all later ones do."""
KEYS_HINT = (
    "update Asterisk to 20.14, 21.9, 22.4 or later; until then tell callers to say that they want"
    " a person, not to press a key"
)


async def check_asterisk(config: Config, report: Report) -> None:
    """Reach Asterisk, log in, and look for what the dialplan needs."""
    ami = config.asterisk.ami
    with report.checking("secret of the manager interface", "asterisk.ami.secret_file"):
        secret = config.ami_secret()
        with report.checking(f"Asterisk at {ami.host}:{ami.port}", "asterisk.ami"):
            async with manager_session(ami.host, ami.port, ami.username, secret) as session:
                await _check_dialplan(session, config, report)
                await _check_loaded(session, config, report)
                await _check_queues(session, config, report)
                await _check_mailboxes(session, config, report)
                with suppress(AsteriskError):  # an account that may not ask is no problem
                    _check_keys(await version_of(session), report)


async def version_of(session: ManagerSession) -> str:
    """Asterisk's own version, as it writes it. Raises AsteriskError where it does not tell."""
    (answer,) = await session.ask("CoreSettings")
    return answer.get("asteriskversion", "")


def _check_keys(version: str, report: Report) -> None:
    """A version that passes no keys on is odd only: callers can say what they want."""
    if passes_keys(version) is False:
        problem = (
            f"{version} passes no keys on while a caller talks to the agent: key 0 and key * do"
            " nothing there"
        )
        report.warnings.append(Finding("Asterisk", problem, KEYS_HINT))


def passes_keys(version: str) -> bool | None:
    """Whether keys reach the agent in this version of Asterisk; None where that is not known."""
    found = re.match(r"(?:certified[/-])?(\d+)\.(\d+)", version)
    if found is None:
        return None
    series, number = int(found[1]), int(found[2])
    return series > max(PASSES_KEYS) or number >= PASSES_KEYS.get(series, number + 1)


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


async def _check_loaded(session: ManagerSession, config: Config, report: Report) -> None:
    """Whether Asterisk works by the files that this configuration gives today."""
    with report.checking("the loaded dialplan is this configuration's", "asterisk.dialplan"):
        found = await differences(session, wanted_dialplan(config))
        if found:
            problem = f"Asterisk has loaded another dialplan: {len(found)} differences, {found[0]}"
            raise AsteriskError(problem, hint=RELOAD_HINT)


def wanted_dialplan(config: Config, directory: Path | None = None) -> str:
    """The dialplan that Asterisk should have loaded today, from the directory that it includes.

    Raises AgentError for a path that cannot stand in a dialplan.
    """
    place = (directory or Path(config.asterisk.dialplan)).resolve()
    return dialplan.included(dialplan.files(config, place, dialplan.plan_for(config, date.today())))


async def loaded_differences(config: Config, directory: Path) -> list[str]:
    """Ask Asterisk what differs. Raises AsteriskError, or ConfigError without a secret."""
    ami, secret = config.asterisk.ami, config.ami_secret()
    async with manager_session(ami.host, ami.port, ami.username, secret) as session:
        return await differences(session, wanted_dialplan(config, directory))


async def _check_queues(session: ManagerSession, config: Config, report: Report) -> None:
    for team in config.teams.values():
        if team.members:
            with report.checking(f"queue agent-{team.id}", f"teams.{team.id}"):
                await _check_queue(session, team)


async def _check_queue(session: ManagerSession, team: Team) -> None:
    """The queue, its strategy, and its phones. More phones than ours may have logged in."""
    queue = f"agent-{team.id}"
    answer = await session.ask("QueueStatus", Queue=queue)
    ours = [event for event in answer if event.get("queue") == queue]
    settings = [event for event in ours if event.get("event") == "QueueParams"]
    if not settings:
        raise AsteriskError(f"Asterisk has no queue {queue}", hint=WRITE_HINT)
    strategy = settings[0].get("strategy")
    if strategy != team.queue.strategy:
        problem = f"queue {queue} rings by {strategy}, not by {team.queue.strategy}"
        raise AsteriskError(problem, hint=RELOAD_HINT)
    phones = {event.get("location") for event in ours if event.get("event") == "QueueMember"}
    missing = [member for member in team.members if member not in phones]
    if missing:
        raise AsteriskError(f"queue {queue} lacks {', '.join(missing)}", hint=RELOAD_HINT)


async def _check_mailboxes(session: ManagerSession, config: Config, report: Report) -> None:
    boxes = {team.id: team.voicemail.mailbox for team in config.teams.values() if team.voicemail}
    if not boxes:
        return
    with report.checking("voicemail", "teams"):
        try:
            answer = await session.ask("VoicemailUsersList")
        except AsteriskError as error:
            if "unknown command" in str(error):
                raise AsteriskError("Asterisk runs no voicemail", hint=VOICEMAIL_HINT) from None
            raise
        known = {(each.get("vmcontext"), each.get("voicemailbox")) for each in answer}
        for team, box in boxes.items():
            with report.checking(f"mailbox {box}", f"teams.{team}.voicemail"):
                if (MAILBOX_CONTEXT, box) not in known:
                    problem = f"Asterisk has no mailbox {box}@{MAILBOX_CONTEXT}"
                    raise AsteriskError(problem, hint=WRITE_HINT)
