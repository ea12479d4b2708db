"""The configuration as frozen types. Every key that the YAML files may hold is a field of these.

Each file has a module: ``machine`` (agent.yaml), ``channels``, ``special_days`` with ``opening``
(hours.yaml) and ``teams``; here they come together. ``scalars`` and ``names`` type single values.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from pydantic import Field

from asterisk_agent.config import secrets
from asterisk_agent.config.channels import (
    AfterHours,
    Ceiling,
    Channel,
    ChannelsFile,
    InHours,
    OnCallSettings,
    Unanswered,
)
from asterisk_agent.config.machine import (
    Agent,
    AgentFile,
    Ami,
    AsteriskSettings,
    Engines,
    Limits,
    Listen,
    Llm,
    Node,
    Records,
    Stt,
    Tts,
    Web,
)
from asterisk_agent.config.names import Address
from asterisk_agent.config.opening import (
    DAYS,
    MINUTES_A_DAY,
    Interval,
    WeeklyHours,
    weekdays,
    weekly,
)
from asterisk_agent.config.paths import data_directory
from asterisk_agent.config.sections import Section, fields_at, keys_at
from asterisk_agent.config.special_days import (
    HolidayList,
    HoursFile,
    ListedDay,
    PublicHolidays,
    Yearly,
)
from asterisk_agent.config.teams import Existing, Intents, Mailbox, Message, Queue, Team, TeamsFile

__all__ = [
    "DAYS",
    "FILES",
    "MINUTES_A_DAY",
    "Address",
    "AfterHours",
    "Agent",
    "AgentFile",
    "Ami",
    "AsteriskSettings",
    "Ceiling",
    "Channel",
    "ChannelsFile",
    "Config",
    "Engines",
    "Existing",
    "HolidayList",
    "HoursFile",
    "InHours",
    "Intents",
    "Interval",
    "Limits",
    "ListedDay",
    "Listen",
    "Llm",
    "Mailbox",
    "Message",
    "Node",
    "OnCallSettings",
    "PublicHolidays",
    "Queue",
    "Records",
    "Section",
    "Stt",
    "Team",
    "TeamsFile",
    "Tts",
    "Unanswered",
    "Web",
    "WeeklyHours",
    "Yearly",
    "fields_at",
    "keys_at",
    "weekdays",
    "weekly",
]

FILES: Mapping[str, type[Section]] = {
    "agent.yaml": AgentFile,
    "channels.yaml": ChannelsFile,
    "hours.yaml": HoursFile,
    "teams.yaml": TeamsFile,
}
"""Every file of a configuration directory, and what it holds."""


class Config(Section):
    """A whole, checked configuration. Made by ``config.load.load``. Picklable."""

    directory: Path
    agent: Agent
    engines: Engines = Engines()
    asterisk: AsteriskSettings = AsteriskSettings()
    listen: Listen = Listen()
    limits: Limits = Limits()
    records: Records = Records()
    web: Web = Web()
    state: str | None = None
    channels: Mapping[str, Channel]
    timezone: str
    close_grace: timedelta = timedelta(minutes=10)
    hours: Mapping[str, WeeklyHours]
    holidays: Mapping[str, HolidayList] = Field(default_factory=dict)
    teams: Mapping[str, Team]
    messages: Mapping[str, Message]
    intents: Intents = Intents()

    def channel_by_number(self, number: str) -> Channel | None:
        """The channel that this dialled number belongs to, with or without ``+`` in front."""
        dialled = number.removeprefix("+")
        for channel in self.channels.values():
            if any(own.removeprefix("+") == dialled for own in channel.number):
                return channel
        return None

    @property
    def nodes(self) -> Mapping[str, Node]:
        """The services that the dialplan asks, in order: this one where none are named."""
        here = Node(fastagi=self.listen.fastagi, media=self.listen.media)
        return self.asterisk.nodes or {"here": here}

    @property
    def node(self) -> str:
        """The id of this service in ``asterisk.nodes``: of the address that it listens on, else
        the machine's name. Empty where it is alone, or is none of them.
        """
        if len(self.asterisk.nodes) < 2:
            return ""
        machine = socket.gethostname().partition(".")[0].lower()
        ours = {id_ for id_, node in self.nodes.items() if node.fastagi == self.listen.fastagi}
        return next(iter(ours), machine if machine in self.nodes else "")

    @property
    def node_number(self) -> int:
        """Its place among them, from 1, as the dialplan counts; 0 where it has none."""
        return list(self.nodes).index(self.node) + 1 if self.node else 0

    @property
    def state_directory(self) -> Path:
        """Where the service and its commands leave word for each other."""
        return Path(self.state) if self.state is not None else data_directory()

    @property
    def records_calls(self) -> bool:
        """Whether the sound of calls is kept."""
        return self.agent.can_record and self.records.audio is not None

    @property
    def recordings_directory(self) -> Path:
        """One WAV file per recorded call."""
        return self.state_directory / "recordings"

    @property
    def overrides_directory(self) -> Path:
        """One small file per channel whose hours are overridden; Asterisk uses them too.

        Where it is a link, what it leads to: services that share a folder give one dialplan.
        """
        return (self.state_directory / "overrides").resolve()

    @property
    def control_socket(self) -> Path:
        """Where the running service answers the console."""
        return self.state_directory / "control.sock"

    @property
    def web_directory(self) -> Path:
        """The console's own: its users, their sessions, and what they changed."""
        return self.state_directory / "web"

    @property
    def knowledge_directory(self) -> Path:
        """The folder of the documents that the agent answers from."""
        return self.directory / "knowledge"

    def greeting_of(self, channel: Channel, *, is_open: bool) -> str:
        """What the agent says first: the greeting of these hours, the channel's, or its own."""
        hours = channel.in_hours if is_open else channel.after_hours
        return hours.greeting or channel.greeting or self.agent.greeting

    @property
    def ami_secret_path(self) -> Path:
        """The file that holds the manager password."""
        return self.directory / self.asterisk.ami.secret_file

    def ami_secret(self) -> str:
        """The manager password, from the first line of ``asterisk.ami.secret_file``.

        Raises ConfigError where the file cannot be read, or by everybody, or holds nothing usable.
        """
        hint = f"write the secret of [{self.asterisk.ami.username}] in manager.conf into it"
        return secrets.read(self.ami_secret_path, hint)
