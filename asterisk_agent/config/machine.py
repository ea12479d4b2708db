"""agent.yaml: the agent, its engines, and this machine."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from asterisk_agent.config.names import (
    Address,
    Endpoint,
    Host,
    Id,
    Label,
    Language,
    Member,
    ModelName,
    Network,
    TeamId,
    UserName,
)
from asterisk_agent.config.scalars import (
    DatabaseUrl,
    Directory,
    Duration,
    Factor,
    FileName,
    LongDuration,
    Port,
    ServerUrl,
    Some,
    Speech,
    Switch,
    unexpected,
)
from asterisk_agent.config.sections import Section


class Agent(Section):
    """Who answers. ``greeting`` is the first thing that every caller hears."""

    name: Label
    language: Language = "en"
    greeting: Speech
    can_record: Switch = False


class Stt(Section):
    """Speech to text. ``model`` None: the best that is installed for the language."""

    engine: Literal["auto", "vosk", "whisper"] = "auto"
    model: ModelName | None = None


class Llm(Section):
    """The language model; ``none`` answers in the documents' own words alone.

    ``openai`` is a server on the operator's network, at ``url``; ``deadline`` is what an answer may
    take, and ``fallback`` a local model for when there is none.
    """

    engine: Literal["llama", "openai", "none"] = "llama"
    model: ModelName = "smollm2-135m-instruct"
    url: ServerUrl | None = None
    api_key_file: FileName | None = None
    deadline: Duration = timedelta(seconds=3)
    fallback: ModelName | None = None
    answers: Literal["auto", "extractive", "generative"] = "auto"

    @model_validator(mode="after")
    def _whole(self) -> Llm:
        if (self.engine == "openai") != (self.url is not None):
            problem = "needs a url" if self.url is None else "has a url, but not engine: openai"
            hint = "write engine: openai and url: http://…/v1, or neither"
            raise PydanticCustomError("unexpected", "{problem}", {"problem": problem, "hint": hint})
        return self


class Tts(Section):
    """Text to speech. ``speed`` 1.0 is the voice's own pace, 2.0 is twice as fast."""

    engine: Literal["piper"] = "piper"
    voice: ModelName = "en_US-joe-medium"
    speed: Factor = 1.0


class Engines(Section):
    """What hears, words and speaks."""

    stt: Stt = Stt()
    llm: Llm = Llm()
    tts: Tts = Tts()


class Ami(Section):
    """Asterisk's manager interface. ``Config.ami_secret`` reads the password."""

    host: Host = "127.0.0.1"
    port: Port = 5038
    username: UserName = "asterisk-agent"
    secret_file: FileName = "ami.secret"  # noqa: S105 - a file's name


class Node(Section):
    """One of several services: where the dialplan asks it, and sends its callers' audio."""

    fastagi: Endpoint
    media: Endpoint


MOST_NODES = 9


class AsteriskSettings(Section):
    """How to reach Asterisk. ``dialplan`` is the directory that it includes our files from.

    ``nodes`` are the services that the dialplan asks, in this order; none: this one alone.
    """

    ami: Ami = Ami()
    dialplan: Directory = "/etc/asterisk/agent"
    nodes: dict[Id, Node] = Field(default_factory=dict, max_length=MOST_NODES)


class Listen(Section):
    """Where Asterisk, and the operator's browser, reach the service.

    ``allow``: the only other machines that may use ``fastagi`` and ``media``.
    """

    fastagi: Endpoint = Address("127.0.0.1", 4573)
    media: Endpoint = Address("127.0.0.1", 9092)
    web: Endpoint = Address("127.0.0.1", 8095)
    allow: Some[Network] = ()


class Web(Section):
    """The operator's pages. ``phones`` are the users' own: whoever takes a call over gets it there.

    ``certificate`` and ``key`` are PEM files, from the configuration directory or from ``/``.
    ``behind_proxy``: a server of the operator's own stands in front and speaks TLS with browsers.
    """

    certificate: FileName | None = None
    key: FileName | None = None
    behind_proxy: Switch = False
    phones: dict[TeamId, Member] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> Web:
        if (self.certificate is None) != (self.key is None):
            problem = f"has no {'certificate' if self.certificate is None else 'key'}"
            hint = "TLS needs both certificate and key"
            raise PydanticCustomError("unexpected", "{problem}", {"problem": problem, "hint": hint})
        return self

    @property
    def may_be_reached(self) -> bool:
        """Whether the pages may be offered to other machines: only where nobody can listen in."""
        return self.behind_proxy or self.certificate is not None


def _calls(value: object) -> object:
    """``auto``, or how many calls the agent takes at once."""
    digits = re.fullmatch(r"[0-9]{1,4}", str(value))
    if value != "auto" and not (digits and 1 <= int(digits[0]) <= 1000):
        raise unexpected("auto or a whole number from 1 to 1000", value)
    return int(digits[0]) if digits else "auto"


class Limits(Section):
    """How many calls at once, and how long the agent may hold one."""

    calls: Annotated[int | Literal["auto"], BeforeValidator(_calls)] = "auto"
    call: Duration = timedelta(minutes=10)


def _audio(value: object) -> object:
    """``off``, or how long recordings are kept."""
    if value is None or (isinstance(value, str) and value.lower() in ("off", "no")):
        return None
    try:
        return TypeAdapter(LongDuration).validate_python(value)
    except ValidationError:
        raise unexpected("off or a duration such as 30d", value) from None


class Records(Section):
    """What is kept of a call, where, and for how long. ``audio`` None: no recordings."""

    database: DatabaseUrl = "sqlite:////var/lib/asterisk-agent/calls.db"
    transcripts: LongDuration = timedelta(days=90)
    calls: LongDuration = timedelta(days=730)
    audio: Annotated[timedelta | None, BeforeValidator(_audio)] = None

    @property
    def name(self) -> str:
        """The database without its password."""
        return self.database.rpartition("@")[2]


class AgentFile(Section):
    """agent.yaml. ``state`` None: the data directory of this machine."""

    agent: Agent
    engines: Engines = Engines()
    asterisk: AsteriskSettings = AsteriskSettings()
    listen: Listen = Listen()
    limits: Limits = Limits()
    records: Records = Records()
    web: Web = Web()
    state: Directory | None = None
