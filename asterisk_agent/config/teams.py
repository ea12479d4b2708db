"""teams.yaml: the people who take calls, and what is said when none of them does."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from asterisk_agent.config.names import (
    Context,
    Email,
    Extension,
    Id,
    MailboxNumber,
    Member,
    Sound,
    TargetExtension,
    TeamId,
)
from asterisk_agent.config.scalars import Duration, Some, Speech, Switch, unexpected
from asterisk_agent.config.sections import Named, Section


def _has_words(phrase: str) -> str:
    if not any(map(str.isalnum, phrase)):
        raise unexpected("words that a caller says", phrase)
    return phrase


Phrase = Annotated[Speech, AfterValidator(_has_words)]
"""What a caller may say."""


class Queue(Section):
    """How a team's phones ring: each for ``ring``, the caller waits ``wait`` at most."""

    strategy: Literal[
        "ringall", "leastrecent", "fewestcalls", "random", "rrmemory", "rrordered", "linear"
    ] = "rrmemory"
    ring: Duration = timedelta(seconds=15)
    wait: Duration = timedelta(seconds=60)
    announce_position: Switch = True


class Mailbox(Section):
    """A voicemail box; ``email`` gets the recording too."""

    mailbox: MailboxNumber
    email: Email | None = None


class Existing(Section):
    """A queue that the PBX has already, as a dialplan target."""

    context: Context
    extension: TargetExtension


class Team(Named):
    """People who take calls: phones of ours (``members``), or a queue that exists already.

    A team with neither is a mailbox. ``asks`` are words with which callers want this team.
    """

    id: TeamId
    extension: Extension | None = None
    members: Some[Member] = ()
    queue: Queue = Queue()
    voicemail: Mailbox | None = None
    existing: Existing | None = None
    asks: Some[Speech] = ()

    @property
    def reachable(self) -> bool:
        """Whether a call can be sent to people of this team."""
        return bool(self.members or self.existing)

    @model_validator(mode="after")
    def _whole(self) -> Team:
        if self.existing and (self.members or self.extension):
            problem, hint = "has phones of its own and an existing queue", "keep one of the two"
        elif bool(self.members) != bool(self.extension):
            lacks = "extension" if self.members else "members"
            problem, hint = f"has no {lacks}", "a team that rings phones needs both"
        elif not (self.reachable or self.voicemail):
            problem, hint = "has nobody to call", "add members and extension, or existing"
        else:
            return self
        raise PydanticCustomError("unexpected", "{problem}", {"problem": problem, "hint": hint})


class Message(Section):
    """What is said before the voicemail: ``text`` in the agent's voice, or a recorded ``sound``."""

    text: Speech | None = None
    sound: Sound | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_text(cls, data: Any) -> Any:
        return {"text": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _one_of(self) -> Message:
        if (self.text is None) == (self.sound is None):
            raise PydanticCustomError("unexpected", "needs either text or sound", {})
        return self


class Intents(Section):
    """What callers say who want something other than an answer, on top of what the agent knows.

    Each phrase counts wherever it is said, word for word; those of three words and more also
    where a caller says much the same, except for ``emergency``.
    """

    person: Some[Phrase] = ()
    voicemail: Some[Phrase] = ()
    repeat: Some[Phrase] = ()
    goodbye: Some[Phrase] = ()
    emergency: Some[Phrase] = ()

    @model_validator(mode="after")
    def _each_means_one_thing(self) -> Intents:
        meant: dict[str, str] = {}
        for name in type(self).model_fields:
            for phrase in getattr(self, name):
                other = meant.setdefault(" ".join(phrase.lower().split()), name)
                if other != name:
                    problem = f'"{phrase}" stands under {other} and {name}'
                    hint = "keep it where it belongs"
                    about = {"problem": problem, "hint": hint}
                    raise PydanticCustomError("unexpected", "{problem}", about)
        return self


class TeamsFile(Section):
    """teams.yaml."""

    teams: Annotated[dict[TeamId, Team], Field(min_length=1)]
    messages: dict[Id, Message] = Field(default_factory=dict)
    intents: Intents = Intents()
