"""``teams``: the people who take calls, and which channels send callers to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Column, Table

from asterisk_agent.cli.app import (
    DEFAULT_CONFIG,
    ConfigDirectory,
    Json,
    app,
    out,
    print_json,
    reports_errors,
)

if TYPE_CHECKING:
    from asterisk_agent.config.schema import Config, Team


@app.command()
@reports_errors
def teams(config: ConfigDirectory = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """List the teams: extension, phones, mailbox, and the channels that hand over to them."""
    from asterisk_agent.config.load import load

    settings = load(config)
    if as_json:
        print_json([_as_json(team, settings) for team in settings.teams.values()])
        return
    heads = ("id", "label", "extension", "phones", "mailbox", "callers from")
    table = Table(
        *(Column(head, no_wrap=head != "label", overflow="fold") for head in heads), box=None
    )
    for team in settings.teams.values():
        table.add_row(
            team.id,
            team.label,
            _extension(team) or "-",
            "\n".join(team.members) or "-",
            team.voicemail.mailbox if team.voicemail else "-",
            "\n".join(_channels(team, settings)) or "-",
        )
    out.print(table)


def _as_json(team: Team, config: Config) -> dict[str, Any]:
    return {
        "id": team.id,
        "label": team.label,
        "extension": team.extension,
        "existing": team.existing.model_dump() if team.existing else None,
        "members": team.members,
        "mailbox": team.voicemail.mailbox if team.voicemail else None,
        "email": team.voicemail.email if team.voicemail else None,
        "channels": _channels(team, config),
        "voicemail_of": [
            channel.id
            for channel in config.channels.values()
            if team.id
            in (
                channel.in_hours.unanswered.voicemail,
                channel.after_hours.unanswered.voicemail,
            )
        ],
    }


def _extension(team: Team) -> str | None:
    """Its own, or where the PBX's own queue is entered: ``610@ext-queues``."""
    existing = team.existing
    return f"{existing.extension}@{existing.context}" if existing else team.extension


def _channels(team: Team, config: Config) -> list[str]:
    """The channels that hand callers over to the team."""
    return [c.id for c in config.channels.values() if team.id in c.in_hours.handoff]
