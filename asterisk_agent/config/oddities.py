"""What a good configuration holds that was probably not meant: warnings."""

from __future__ import annotations

from collections.abc import Mapping

from asterisk_agent.config.problems import File
from asterisk_agent.config.schema import Config


def note_oddities(config: Config, files: Mapping[str, File]) -> None:
    """Add warnings to the files of a configuration without problems."""
    _channels(config, files["channels.yaml"])
    _hours(config, files["hours.yaml"])
    _teams(config, files["teams.yaml"])


def _channels(config: Config, file: File) -> None:
    for channel in config.channels.values():
        at = ("channels", channel.id)
        if channel.hours is None:
            file.warn(at, "has no hours, so it is always open", "name its hours")
        if channel.ceiling is not None and not channel.agent:
            what = "has no effect: the agent does not answer here"
            file.warn((*at, "ceiling"), what, "assign it with agent: on")


def _hours(config: Config, file: File) -> None:
    used = {channel.hours for channel in config.channels.values()}
    listed = {name for hours in config.hours.values() for name in hours.holidays}
    for name, hours in config.hours.items():
        if name not in used:
            file.warn(("hours", name), "no channel has these hours", "name them in channels.yaml")
        if not any(hours.days):
            what = "is closed on every day of the week"
            file.warn(("hours", name), what, 'write hours such as mon-fri: "08:00-16:00"')
    for name in config.holidays:
        if name not in listed:
            what = "no hours take these holidays into account"
            file.warn(("holidays", name), what, f"add holidays: [{name}] under the hours")


def _teams(config: Config, file: File) -> None:
    named = _named_teams(config)
    agent_may_ask = any(
        channel.agent and channel.in_hours.answer == "agent" for channel in config.channels.values()
    )
    for team in config.teams.values():
        asked_for = team.asks and team.reachable and agent_may_ask
        if team.id not in named and not asked_for:
            hint = "name it in a channel's in_hours.handoff or unanswered.voicemail, or delete it"
            file.warn(("teams", team.id), "no channel sends calls to this team", hint)
        if team.existing is not None and team.queue.model_fields_set - {"wait"}:
            what = "has no effect but for wait: the PBX's own queue rings its phones in its own way"
            file.warn(("teams", team.id, "queue"), what, "keep wait alone, or nothing")
    played = {
        hours.unanswered.message
        for channel in config.channels.values()
        for hours in (channel.in_hours, channel.after_hours)
    }
    for name in config.messages:
        if name not in played:
            file.warn(("messages", name), "no channel plays this message", "delete it")


def _named_teams(config: Config) -> set[str]:
    """The teams that some channel hands callers to, or whose voicemail it uses."""
    named: set[str] = set()
    for channel in config.channels.values():
        named |= {*channel.in_hours.handoff, channel.in_hours.unanswered.voicemail}
        named.add(channel.after_hours.unanswered.voicemail)
    return named
