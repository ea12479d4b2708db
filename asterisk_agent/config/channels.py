"""channels.yaml: which number does what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AliasPath, BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from asterisk_agent.config.names import Id, Member, Number, Topic
from asterisk_agent.config.scalars import Some, Speech, Switch, switch, whole
from asterisk_agent.config.sections import MayHold, Named, Section


class Unanswered(Section):
    """Nobody answered: this message is spoken, then this team's voicemail records."""

    voicemail: Id
    message: Id


class InHours(Section):
    """What a call gets while the channel is open. ``greeting`` None: the channel's."""

    answer: Literal["agent", "team"] = "agent"
    greeting: Speech | None = None
    handoff: Some[Id] = ()
    unanswered: Unanswered


class OnCallSettings(Section):
    """A phone that is rung while closed, for matters that cannot wait: ``purposes``."""

    dial: Member
    purposes: Annotated[Some[Literal["emergency", "urgent"]], Field(min_length=1)] = Field(
        ("emergency", "urgent"), alias="for"
    )


class AfterHours(Section):
    """What a call gets while the channel is closed. ``greeting`` None: the channel's."""

    answer: Literal["agent", "voicemail", "team"] = "agent"
    greeting: Speech | None = None
    on_call: OnCallSettings | None = None
    unanswered: Unanswered


class Ceiling(Section):
    """How many minutes of the agent's a channel may use; beyond them, people answer."""

    minutes: Annotated[int, whole(1, 10_000_000)]
    per: Literal["month"] = "month"


class AgentHere(Section):
    """What differs where the agent answers this channel.

    ``assigned`` off keeps it for the day on which the agent answers again.
    """

    assigned: Switch = True
    greeting: Speech | None = None
    language: str | None = None
    voice: str | None = None

    @field_validator("language", "voice")
    @classmethod
    def _one_for_all(cls, value: str) -> str:
        # Taken without effect, a caller would be answered in a language that was not asked for.
        raise PydanticCustomError(
            "unexpected",
            "cannot differ from channel to channel yet",
            {"hint": "agent.yaml sets language and voice for all channels"},
        )


def _assigned(value: object) -> object:
    """``on``, ``off``, or what differs here, which is ``on`` too unless it says otherwise."""
    if isinstance(value, Mapping):
        return AgentHere.model_validate(value).assigned
    return switch(value)


class Channel(Named):
    """One or more phone numbers and what happens to their calls. ``hours`` None: always open.

    ``greeting`` None: the agent's own. The greeting of the hours goes first.
    """

    number: Annotated[Some[Number], Field(min_length=1)]
    workspace: Id = "inbox"
    agent: Annotated[bool, BeforeValidator(_assigned), MayHold(AgentHere)] = True
    greeting: Speech | None = Field(None, validation_alias=AliasPath("agent", "greeting"))
    hours: Id | None = None
    knowledge: Some[Topic] = ()
    in_hours: InHours
    after_hours: AfterHours
    ceiling: Ceiling | None = None


class ChannelsFile(Section):
    """channels.yaml."""

    channels: Annotated[dict[Id, Channel], Field(min_length=1)]
