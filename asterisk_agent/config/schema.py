"""The configuration as frozen types. Every key that the YAML files may hold stands here.

The loader hands over nothing but text, lists and mappings; the types below turn text into
durations, numbers and switches, so YAML's own guesses (``NO`` as false, ``0600`` as octal,
``12:30`` as 750) never happen. Whatever reaches a generated Asterisk file (ids, labels, numbers,
members, mailboxes, contexts, sounds) is held to a narrow alphabet here, and nowhere else.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from asterisk_agent.errors import ConfigError

MINUTES_A_DAY = 24 * 60
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# --- Scalars ------------------------------------------------------------------------------------


def got(value: object) -> str:
    """Name what was found, for a message: quoted text, or the kind of thing it is."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    return json.dumps(f"{text[:60]}…" if len(text) > 60 else text, ensure_ascii=False) or ""


def unexpected(expected: str, value: object, hint: str = "") -> PydanticCustomError:
    """The one error of our own validators: what was expected, what came, how to mend it."""
    found = "nothing" if value == "" else got(value)
    context = {"expected": expected, "got": found, "hint": hint}
    return PydanticCustomError("unexpected", "expected {expected}, got {got}", context)


def nearest(word: str, known: Sequence[str]) -> str:
    """A hint naming the known word closest to this one, or an empty string."""
    found = difflib.get_close_matches(word.lower(), [k.lower() for k in known], n=1, cutoff=0.6)
    return next((f'did you mean "{k}"?' for k in known if [k.lower()] == found), "")


def _matching(pattern: str, expected: str, hint: Callable[[str], str] = lambda _: "") -> Any:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise unexpected(expected, text, hint(text))
        return text

    return AfterValidator(check)


def _speech(text: str) -> str:
    """Text to be spoken: one line, whatever its folding in the file; no control characters."""
    line = " ".join(text.split())
    if not line or len(line) > 2000 or not line.isprintable():
        raise unexpected("text of 1 to 2000 printable characters", line)
    return line


def _switch(value: object) -> object:
    words = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.lower() not in words:
        raise unexpected("on or off", value)
    return words[value.lower()]


def _whole(low: int, high: int) -> BeforeValidator:
    def parse(value: object) -> object:
        digits = re.fullmatch(r"[0-9]{1,9}", str(value))
        if not digits or not low <= int(digits[0]) <= high:
            raise unexpected(f"a whole number from {low} to {high}", value)
        return int(digits[0])

    return BeforeValidator(parse)


def _factor(value: object) -> object:
    digits = re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", str(value))
    if not digits or not 0.5 <= float(digits[0]) <= 2:
        raise unexpected("a number from 0.5 to 2", value)
    return float(digits[0])


def _duration(value: object) -> object:
    """``15s``, ``10m``, ``2h``, ``90d``; more than nothing, ten years at most."""
    if isinstance(value, timedelta):
        return value
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    written = re.fullmatch(r"([0-9]{1,9})([smhd])", value) if isinstance(value, str) else None
    length = timedelta(**{units[written[2]]: int(written[1])}) if written else timedelta()
    if not timedelta() < length <= timedelta(days=3660):
        raise unexpected("a duration such as 60s", value, _duration_hint(value))
    return length


def _duration_hint(value: object) -> str:
    guess = re.fullmatch(r"([1-9][0-9]*)\s*(s|m|h|d|)[a-z]*\.?", str(value).strip().lower())
    return f"write {guess[1]}{guess[2] or 's'}" if guess else "write 15s, 10m, 2h or 90d"


def _one_or_more(value: object) -> object:
    """A list may be written as its only item."""
    return (value,) if isinstance(value, str) else value


def _each_once(values: tuple[object, ...]) -> tuple[object, ...]:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise PydanticCustomError("unexpected", "{got} is listed twice", {"got": got(value)})
    return values


def _zone(name: str) -> str:
    known = zoneinfo.available_timezones()
    if name not in known:
        close = nearest(name, sorted(known))
        raise unexpected("a time zone such as America/New_York", name, close)
    return name


def _database(url: str) -> str:
    """The URL may carry a password, so a message never shows it."""
    if not re.fullmatch(r"(sqlite|postgresql)(\+[a-z0-9]+)?://\S*", url):
        raise PydanticCustomError(
            "unexpected",
            "expected the URL of a SQLite or PostgreSQL database",
            {"hint": "write one such as sqlite:////var/lib/asterisk-agent/calls.db"},
        )
    return url


_PUNCTUATION = re.compile(r"[\s().\-/]")

Id = Annotated[
    str,
    _matching(
        r"[a-z][a-z0-9-]{0,30}",
        "an id of up to 31 lower-case letters, digits and hyphens that begins with a letter",
    ),
]
TeamId = Annotated[
    Id,
    # h, t, i, … are extensions with a meaning of their own, and teams become extensions.
    _matching(r".*[a-z0-9].*[a-z0-9].*", "an id of more than one letter"),
]
Label = Annotated[
    str,
    _matching(
        r"[^\W_](?:[\w .&/+-]{0,58}[\w.])?",
        "up to 60 letters, digits, spaces and . & / + - _ that begin with a letter or digit",
    ),
]
Number = Annotated[
    str,
    _matching(
        r"\+?[0-9]{1,20}",
        "a phone number of up to 20 digits, with or without + in front",
        lambda text: f"write {_PUNCTUATION.sub('', text)}" if _PUNCTUATION.search(text) else "",
    ),
]
Extension = Annotated[str, _matching(r"[0-9*#]{1,20}", "an extension such as 600")]
Member = Annotated[
    str,
    _matching(
        r"[A-Za-z][A-Za-z0-9]{1,15}/[A-Za-z0-9][A-Za-z0-9_.+@/-]{0,79}",
        "a device such as PJSIP/101",
        lambda text: f"write PJSIP/{text}" if re.fullmatch(r"[A-Za-z0-9]+", text) else "",
    ),
]
MailboxNumber = Annotated[str, _matching(r"[0-9]{1,20}", "a mailbox of up to 20 digits")]
Email = Annotated[
    str,
    _matching(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190}", "an address such as a@example.com"),
]
Context = Annotated[str, _matching(r"[A-Za-z0-9_-]{1,79}", "a dialplan context such as ext-queues")]
TargetExtension = Annotated[str, _matching(r"[A-Za-z0-9*#+]{1,40}", "an extension such as 610")]
Sound = Annotated[
    str,
    _matching(
        r"/?[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*",
        "a sound file without its ending, such as custom/closed",
        lambda text: f"write {text.rpartition('.')[0]}" if re.search(r"\w\.\w+$", text) else "",
    ),
]
Topic = Annotated[
    str,
    _matching(
        r"(?!.*\.\.)[^\W][\w .-]*(?:/[^\W][\w .-]*)*",
        "a folder or file under knowledge/, such as company",
    ),
]
Language = Annotated[
    str, _matching(r"[a-z]{2,3}(?:-[A-Z]{2})?", "a language code such as en or en-GB")
]
ModelName = Annotated[
    str, _matching(r"[\w./~+ -]{1,255}", "a name from the catalogue of models, or a path")
]
UserName = Annotated[
    str, _matching(r"[A-Za-z0-9_.-]{1,64}", "a name of letters, digits, . _ and -")
]
FileName = Annotated[str, _matching(r"[\w./ -]{1,255}", "the name of a file")]
DatabaseUrl = Annotated[str, AfterValidator(_database)]
Speech = Annotated[str, AfterValidator(_speech)]
Switch = Annotated[bool, BeforeValidator(_switch)]
Port = Annotated[int, _whole(1, 65535)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Zone = Annotated[str, AfterValidator(_zone)]
Factor = Annotated[float, BeforeValidator(_factor)]


T = TypeVar("T")
Some = Annotated[tuple[T, ...], BeforeValidator(_one_or_more), AfterValidator(_each_once)]
"""A list without repetition; one item alone may stand without brackets."""


# --- Addresses and hours ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. ``str()`` gives back what is written: ``127.0.0.1:4573``, ``[::1]:4573``."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _address(value: object) -> object:
    if isinstance(value, Address):
        return value
    written = re.fullmatch(r"(.+):([0-9]{1,5})", value) if isinstance(value, str) else None
    if not written or not 1 <= int(written[2]) <= 65535:
        raise unexpected("an address and port such as 127.0.0.1:4573", value)
    return Address(_host(written[1].removeprefix("[").removesuffix("]")), int(written[2]))


def _host(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        if re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", name):
            return name
        raise unexpected("an IP address or a host name", name) from None


Host = Annotated[str, AfterValidator(_host)]
Endpoint = Annotated[Address, BeforeValidator(_address)]

Interval: TypeAlias = tuple[int, int]
"""Minutes since midnight ``[start, end)``; an end before the start lies on the next day."""


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """Opening hours of every week. ``days[0]`` is Monday; a day without intervals is closed."""

    days: tuple[tuple[Interval, ...], ...]

    def __post_init__(self) -> None:
        assert len(self.days) == len(DAYS)


def _interval(value: object) -> object:
    if isinstance(value, tuple):
        return value
    times = re.fullmatch(r"(\S+?)\s?-\s?(\S+)", value) if isinstance(value, str) else None
    start, end = (_minute(times[1]), _minute(times[2])) if times else (None, None)
    if start is None or end is None or start == MINUTES_A_DAY:
        raise unexpected('hours such as "08:00-12:00"', value, _interval_hint(value))
    if start == end:
        raise unexpected(
            "an end that differs from the start", value, 'write "00:00-24:00" for a whole day'
        )
    return start, end or MINUTES_A_DAY


def _minute(text: str) -> int | None:
    """``HH:MM`` as minutes since midnight; ``24:00`` is the end of the day."""
    written = re.fullmatch(r"([0-9]{1,2}):([0-5][0-9])", text)
    minute = int(written[1]) * 60 + int(written[2]) if written else MINUTES_A_DAY + 1
    return minute if minute <= MINUTES_A_DAY else None


def _interval_hint(value: object) -> str:
    if value in ("", "closed", "none", "off"):
        return "write [] for a day without hours"
    return "use the 24-hour clock" if re.search(r"[ap]\.?m", str(value).lower()) else ""


def _day_range(key: str) -> str:
    weekdays(key)
    return key


def weekdays(key: str) -> tuple[int, ...]:
    """``mon``, ``mon-thu``, ``sat,sun``, ``fri-mon`` as weekdays, Monday being 0."""
    found: list[int] = []
    for part in key.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            wrong = first if first not in DAYS else last
            close = [day for day in DAYS if wrong.lower().startswith(day)]
            hint = f"write {close[0]} for {wrong}" if close else "days are " + ", ".join(DAYS)
            raise unexpected("days such as mon, mon-thu or sat,sun", key, hint)
        start, end = DAYS.index(first), DAYS.index(last or first)
        found += [(start + n) % 7 for n in range((end - start) % 7 + 1)]
    return tuple(found)


def weekly(written: Mapping[str, tuple[Interval, ...]]) -> WeeklyHours:
    """Hours as written (days → intervals) as a week."""
    days: list[tuple[Interval, ...]] = [()] * len(DAYS)
    for key, intervals in written.items():
        for day in weekdays(key):
            days[day] = intervals
    return WeeklyHours(tuple(days))


def _each_day_once(written: dict[str, tuple[Interval, ...]]) -> dict[str, tuple[Interval, ...]]:
    owner: dict[int, str] = {}
    for key in written:
        for day in weekdays(key):
            if day in owner:
                raise PydanticCustomError(
                    "unexpected",
                    "{day} is given twice, by {first} and by {second}",
                    {"day": DAYS[day], "first": got(owner[day]), "second": got(key)},
                )
            owner[day] = key
    if not written:
        raise PydanticCustomError(
            "unexpected", "names no day", {"hint": "write at least one, such as mon-fri"}
        )
    return written


Days = Annotated[str, AfterValidator(_day_range)]
Intervals = Annotated[
    tuple[Annotated[Interval, BeforeValidator(_interval)], ...], BeforeValidator(_one_or_more)
]
WrittenHours = Annotated[dict[Days, Intervals], AfterValidator(_each_day_once)]

# --- agent.yaml ---------------------------------------------------------------------------------


class Section(BaseModel):
    """A mapping of known keys. Frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
    """The language model; ``none`` answers in the documents' own words alone."""

    engine: Literal["llama", "none"] = "llama"
    model: ModelName = "smollm2-135m-instruct"
    answers: Literal["auto", "extractive", "generative"] = "auto"


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


class AsteriskSettings(Section):
    """How to reach Asterisk."""

    ami: Ami = Ami()


class Listen(Section):
    """Where Asterisk, and the operator's browser, reach the service."""

    fastagi: Endpoint = Address("127.0.0.1", 4573)
    media: Endpoint = Address("127.0.0.1", 9092)
    web: Endpoint = Address("127.0.0.1", 8095)


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


class Records(Section):
    """What is kept of a call, where, and for how long."""

    database: DatabaseUrl = "sqlite:////var/lib/asterisk-agent/calls.db"
    transcripts: Duration = timedelta(days=90)
    audio: Literal["off", "on"] = "off"


# --- channels.yaml ------------------------------------------------------------------------------


class Unanswered(Section):
    """Nobody answered: this message is spoken, then this team's voicemail records."""

    voicemail: Id
    message: Id


class InHours(Section):
    """What a call gets while the channel is open."""

    answer: Literal["agent", "team"] = "agent"
    handoff: Some[Id] = ()
    unanswered: Unanswered


class AfterHours(Section):
    """What a call gets while the channel is closed."""

    answer: Literal["agent", "voicemail", "team"] = "agent"
    unanswered: Unanswered


class _Named(Section):
    """A section that stands under an id of its own; its label is the id where none is given."""

    id: Id
    label: Label = Field(default_factory=lambda section: section["id"])


class Channel(_Named):
    """One or more phone numbers and what happens to their calls. ``hours`` None: always open."""

    number: Annotated[Some[Number], Field(min_length=1)]
    workspace: Id = "inbox"
    agent: Switch = True
    hours: Id | None = None
    knowledge: Some[Topic] = ()
    in_hours: InHours
    after_hours: AfterHours


# --- teams.yaml ---------------------------------------------------------------------------------


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


class Team(_Named):
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


# --- The whole ----------------------------------------------------------------------------------


class AgentFile(Section):
    """agent.yaml."""

    agent: Agent
    engines: Engines = Engines()
    asterisk: AsteriskSettings = AsteriskSettings()
    listen: Listen = Listen()
    limits: Limits = Limits()
    records: Records = Records()


class ChannelsFile(Section):
    """channels.yaml."""

    channels: Annotated[dict[Id, Channel], Field(min_length=1)]


class HoursFile(Section):
    """hours.yaml."""

    timezone: Zone
    hours: dict[Id, WrittenHours] = Field(default_factory=dict)


class TeamsFile(Section):
    """teams.yaml."""

    teams: Annotated[dict[TeamId, Team], Field(min_length=1)]
    messages: dict[Id, Message] = Field(default_factory=dict)


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
    channels: Mapping[str, Channel]
    timezone: str
    hours: Mapping[str, WeeklyHours]
    teams: Mapping[str, Team]
    messages: Mapping[str, Message]

    def channel_by_number(self, number: str) -> Channel | None:
        """The channel that this dialled number belongs to, with or without ``+`` in front."""
        dialled = number.removeprefix("+")
        for channel in self.channels.values():
            if any(own.removeprefix("+") == dialled for own in channel.number):
                return channel
        return None

    @property
    def knowledge_directory(self) -> Path:
        """The folder of the documents that the agent answers from."""
        return self.directory / "knowledge"

    def ami_secret(self) -> str:
        """The manager password, from the first line of ``asterisk.ami.secret_file``.

        Raises ConfigError where the file cannot be read or holds nothing usable.
        """
        path = self.directory / self.asterisk.ami.secret_file
        hint = f"write the secret of [{self.asterisk.ami.username}] in manager.conf into it"
        try:
            secret = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise ConfigError([f"{path}: cannot be read: {reason}. Hint: {hint}."]) from None
        if not secret or len(secret) > 256 or not secret.isprintable():
            raise ConfigError([f"{path}: expected one line with a password. Hint: {hint}."])
        return secret


def keys_at(section: type[Section], path: Sequence[str]) -> tuple[str, ...]:
    """The keys that may stand at ``path`` of a file; () where ids or values stand."""
    return tuple(name for name in fields_at(section, path) if name != "id")


def fields_at(section: type[Section], path: Sequence[str]) -> Mapping[str, FieldInfo]:
    """The schema's fields at ``path`` of a file; any word will do where an id stands."""
    kind: Any = section
    for key in path:
        fields = getattr(kind, "model_fields", None)
        if fields is None:
            kind = _bare(get_args(kind)[1]) if get_origin(kind) is dict else None
        else:
            kind = _bare(fields[key].annotation) if key in fields else None
    return getattr(kind, "model_fields", {})


def _bare(kind: Any) -> Any:
    """A type without its ``Annotated`` and ``| None``."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return _bare(get_args(kind)[0])
    return kind
