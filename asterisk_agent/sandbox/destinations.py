"""Where a call may go at all, by the configuration: what toll fraud is measured against.

Nothing here is asked while calls are served: tests and ``scripts/rough`` hold the decisions, the
generated dialplan and what Asterisk really executed against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from asterisk_agent.config.schema import Config

OUTWARD = (
    "Dial|Queue|VoiceMail|Originate|Page|System|TrySystem|Transfer|Bridge|FollowMe|ExternalIVR"
    "|Exec|ExecIfTime|Macro|MacroExclusive|SIPAddHeader|BackgroundDetect|DISA|Directory"
)
"""Applications by which a call, or a command, leaves our dialplan."""
_WRITTEN = re.compile(rf"(?<![A-Za-z])({OUTWARD})\(([^,)]*)")
_EXECUTED = re.compile(rf'Executing \[[^\]]*\] ({OUTWARD})\("[^"]*", "([^",]*)')
_OWN_LINES = re.compile(r"Local/[^/]*@agent-(?:asking|existing|watch)(?:/n)?")
"""Short-lived lines that stay inside our own contexts."""
_TEAM, _TEAM_SET = "${AGENT_TEAM}", re.compile(r"Set\(_*AGENT_TEAM=([^)]*)\)")
Place = tuple[str, str]


def answers_in(config: Config) -> set[Place]:
    """Every (action, target) that an answer to the dialplan may hold."""
    teams = config.teams.values()
    return {
        ("agent", ""),
        ("wait", ""),
        ("goodbye", ""),
        *(("team", team.id) for team in teams if team.reachable),
        *(("voicemail", team.id) for team in teams if team.voicemail is not None),
        *(
            ("on-call", channel.id)
            for channel in config.channels.values()
            if channel.after_hours.on_call is not None
        ),
    }


def devices_in(config: Config) -> set[str]:
    """Every device, queue and mailbox that the dialplan may name."""
    teams = config.teams.values()
    return {
        *config.web.phones.values(),
        *(
            channel.after_hours.on_call.dial
            for channel in config.channels.values()
            if channel.after_hours.on_call is not None
        ),
        *(f"agent-{team.id}" for team in teams),
        *(f"{team.voicemail.mailbox}@agent" for team in teams if team.voicemail is not None),
    }


def written_in(dialplan: str) -> Iterator[Place]:
    """Every outward application of a dialplan's text, and what it is given.

    What is given ``AGENT_TEAM`` is given each value that the text sets it to: constants.
    """
    lines = [line for line in dialplan.splitlines() if not line.lstrip().startswith(";")]
    teams = [team for line in lines for team in _TEAM_SET.findall(line)]
    for line in lines:
        for application, device in _WRITTEN.findall(line):
            if _TEAM in device:
                yield from ((application, device.replace(_TEAM, team)) for team in teams)
            else:
                yield application, device


def executed_in(log: str) -> Iterator[Place]:
    """The same of what Asterisk says that it executed."""
    yield from _EXECUTED.findall(log)


def strange(places: Iterable[Place], config: Config) -> list[Place]:
    """The places that the configuration does not name."""
    known = devices_in(config)
    return [
        place for place in places if place[1] not in known and not _OWN_LINES.fullmatch(place[1])
    ]
