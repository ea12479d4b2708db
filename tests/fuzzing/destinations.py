"""Where a call may go at all, by the configuration: what toll fraud is measured against."""

from __future__ import annotations

import re
from collections.abc import Iterator

from asterisk_agent.config.schema import Config

_PLACES = re.compile(
    r"(?:^|[^A-Za-z])(Dial|Queue|VoiceMail|Originate|Page|System|TrySystem|Transfer|Bridge"
    r"|FollowMe|ExternalIVR|EVAL|Exec|ExecIfTime|MacroExclusive|Macro|SIPAddHeader)\(([^,)]*)"
)
_OWN_LINES = re.compile(r"Local/[^/]*@agent-(?:asking|existing|watch)/n")


def destinations_in(config: Config) -> set[tuple[str, str]]:
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


def places_of(dialplan: str) -> Iterator[tuple[str, str]]:
    """Every application of a dialplan by which a call, or the machine, reaches something."""
    for line in dialplan.splitlines():
        if not line.lstrip().startswith(";"):
            yield from _PLACES.findall(line)


def strange_places(dialplan: str, config: Config) -> list[tuple[str, str]]:
    """Those that the configuration does not name, our own short-lived lines left out."""
    known = devices_in(config)
    return [
        (application, place)
        for application, place in places_of(dialplan)
        if place not in known and not _OWN_LINES.fullmatch(place)
    ]
