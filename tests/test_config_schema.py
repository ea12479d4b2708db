"""The types: what each takes and refuses, and what of it may reach a generated Asterisk file."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from good_config import write_good
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from asterisk_agent.config import names, opening, scalars, schema
from asterisk_agent.config.load import load
from asterisk_agent.config.schema import (
    Address,
    AfterHours,
    Agent,
    Ami,
    AsteriskSettings,
    Channel,
    Config,
    InHours,
    Limits,
    Message,
    Queue,
    Team,
    Unanswered,
    keys_at,
    weekdays,
    weekly,
)
from asterisk_agent.errors import ConfigError

INTO_ASTERISK = {  # type → a value it must take
    "Id": "front-desk",
    "Label": "Søk & hjelp 24/7",
    "Number": "+15551230100",
    "Extension": "*600",
    "Member": "Local/101@from-internal/n",
    "MailboxNumber": "0600",
    "Email": "a.b+c@example.com",
    "Context": "ext_queues-2",
    "TargetExtension": "610#",
    "Sound": "/var/lib/asterisk/sounds/custom/closed",
    "UserName": "asterisk-agent",
    "Zone": "America/New_York",
}


def adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(getattr(names, name, None) or getattr(scalars, name))


@pytest.mark.parametrize(("name", "value"), INTO_ASTERISK.items())
def test_takes_what_people_write(name: str, value: str) -> None:
    assert adapter(name).validate_python(value) == value


@pytest.mark.parametrize("bad", [*"\n\r\0\t;,$\"'`[](){}<>=|\\!%^~\x85\u2028", "${X}", "a\n"])
@pytest.mark.parametrize("name", INTO_ASTERISK)
def test_nothing_that_asterisk_reads_as_syntax_gets_through(name: str, bad: str) -> None:
    good = INTO_ASTERISK[name]
    for value in (bad, good + bad, bad + good, good[:3] + bad + good[3:]):
        with pytest.raises(ValidationError):
            adapter(name).validate_python(value)


@given(st.sampled_from(sorted(INTO_ASTERISK)), st.text(max_size=12))
def test_whatever_gets_through_is_harmless(name: str, text: str) -> None:
    try:
        value = adapter(name).validate_python(text)
    except ValidationError:
        return
    assert value == text
    assert not set(value) & set("\n\r\0;,$\"'`[](){}<>=|\\")
    assert value.isprintable()


@pytest.mark.parametrize("text", ["", " ", "a" * 61, " a", "a ", "-a", "#include"])
def test_refuses_labels(text: str) -> None:
    with pytest.raises(ValidationError):
        adapter("Label").validate_python(text)


@pytest.mark.parametrize("text", ["", "1a", "A", "a_b", "a" * 32, "-a", "æ"])
def test_refuses_ids(text: str) -> None:
    with pytest.raises(ValidationError):
        adapter("Id").validate_python(text)


@pytest.mark.parametrize("text", ["../x", "a/../b", "/etc", "a//b", "", ".git", "a/.b", "a\0b"])
def test_topics_stay_under_knowledge(text: str) -> None:
    with pytest.raises(ValidationError):
        adapter("Topic").validate_python(text)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("15s", timedelta(seconds=15)),
        ("10m", timedelta(minutes=10)),
        ("2h", timedelta(hours=2)),
        ("90d", timedelta(days=90)),
    ],
)
def test_durations(text: str, length: timedelta) -> None:
    assert Limits.model_validate({"call": text}).call == length
    assert Limits(call=length).call == length


@pytest.mark.parametrize(
    "text", ["", "0s", "-5s", "5", "5 s", "1.5h", "1h30m", "9999999d", "s", "\u0665s"]
)
def test_refuses_durations(text: str) -> None:
    with pytest.raises(ValidationError):
        Limits.model_validate({"call": text})


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:4573", Address("127.0.0.1", 4573)),
        ("localhost:1", Address("localhost", 1)),
        ("[::1]:65535", Address("::1", 65535)),
    ],
)
def test_addresses_read_back_as_written(text: str, address: Address) -> None:
    assert TypeAdapter(names.Endpoint).validate_python(text) == address
    assert TypeAdapter(names.Endpoint).validate_python(address) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    ["", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", ":80", "a b:80", "1.2.3:80", "h:\u0665"],
)
def test_refuses_addresses(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(names.Endpoint).validate_python(text)


@pytest.mark.parametrize(
    ("key", "days"),
    [
        ("mon", (0,)),
        ("mon-thu", (0, 1, 2, 3)),
        ("sat,sun", (5, 6)),
        ("sat, sun", (5, 6)),
        ("fri-mon", (4, 5, 6, 0)),
        ("mon,wed-fri", (0, 2, 3, 4)),
        ("mon-mon", (0,)),
    ],
)
def test_days(key: str, days: tuple[int, ...]) -> None:
    assert weekdays(key) == days


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("08:00-12:00", (480, 720)),
        ("8:00 - 12:30", (480, 750)),
        ("22:00-02:00", (1320, 120)),
        ("00:00-24:00", (0, 1440)),
        ("18:00-00:00", (1080, 1440)),
    ],
)
def test_intervals(text: str, interval: tuple[int, int]) -> None:
    written = TypeAdapter(opening.WrittenHours).validate_python({"mon": [text]})
    assert weekly(written).days == ((interval,), (), (), (), (), (), ())


@pytest.mark.parametrize(
    "text", ["08:00", "08:00-", "8-12", "24:00-02:00", "08:60-09:00", "25:00-26:00", "00:00-00:00"]
)
def test_refuses_intervals(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(opening.WrittenHours).validate_python({"mon": [text]})


def test_one_interval_needs_no_brackets_and_none_is_closed() -> None:
    written = TypeAdapter(opening.WrittenHours).validate_python({"mon": "08:00-12:00", "sun": []})
    assert weekly(written).days == (((480, 720),), (), (), (), (), (), ())


def test_a_greeting_is_one_line() -> None:
    assert Agent(name="A", greeting="Hello.\n  How are\n you? ").greeting == "Hello. How are you?"
    for text in ("", " \n ", "a\0b", "x" * 2001):
        with pytest.raises(ValidationError):
            Agent(name="A", greeting=text)


@pytest.mark.parametrize(("text", "value"), [("on", True), ("No", False), ("true", True)])
def test_switches(text: str, value: bool) -> None:
    assert (
        Agent.model_validate({"name": "A", "greeting": "B", "can_record": text}).can_record is value
    )


@pytest.mark.parametrize(("text", "value"), [("auto", "auto"), ("12", 12), (3, 3)])
def test_calls(text: object, value: object) -> None:
    assert Limits.model_validate({"calls": text}).calls == value


def test_a_message_is_text_or_a_sound() -> None:
    assert Message.model_validate("Hello.") == Message(text="Hello.")
    assert Message.model_validate({"sound": "custom/a"}).sound == "custom/a"
    for bad in ({}, {"text": "a", "sound": "b"}):
        with pytest.raises(ValidationError):
            Message.model_validate(bad)


def test_a_mailbox_alone_is_a_team_that_nobody_can_reach() -> None:
    team = Team.model_validate({"id": "night", "voicemail": {"mailbox": "699"}})
    assert not team.reachable
    assert (team.label, team.queue) == ("night", Queue())


UNANSWERED = Unanswered(voicemail="support", message="closed")


def make_channel(name: str, *numbers: str) -> Channel:
    return Channel(
        id=name,
        number=numbers,
        in_hours=InHours(handoff=("support",), unanswered=UNANSWERED),
        after_hours=AfterHours(unanswered=UNANSWERED),
    )


def make_config(directory: Path, **changes: Any) -> Config:
    return Config(
        directory=directory,
        agent=Agent(name="A", greeting="Hello."),
        channels={
            "one": make_channel("one", "+15551230100", "4711"),
            "two": make_channel("two", "15551230200"),
        },
        timezone="UTC",
        hours={},
        teams={"support": Team(id="support", extension="600", members=("PJSIP/101",))},
        messages={"closed": Message(text="Closed.")},
        **changes,
    )


@pytest.mark.parametrize(
    ("number", "channel"),
    [
        ("+15551230100", "one"),
        ("15551230100", "one"),
        ("4711", "one"),
        ("+15551230200", "two"),
        ("15551230200", "two"),
        ("5551230100", None),
        ("", None),
        ("++15551230100", None),
    ],
)
def test_channel_by_number(number: str, channel: str | None, tmp_path: Path) -> None:
    found = make_config(tmp_path).channel_by_number(number)
    assert (found.id if found else None) == channel


def test_a_configuration_is_frozen(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    with pytest.raises(ValidationError, match="frozen"):
        config.timezone = "Europe/Oslo"
    with pytest.raises(ValidationError, match="frozen"):
        config.agent.name = "B"


def test_the_secret_stands_in_its_own_file(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    (tmp_path / "ami.secret").touch(mode=0o640)
    (tmp_path / "ami.secret").write_text("s3cret\n")
    assert config.ami_secret() == "s3cret"


def test_the_secret_may_stand_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch(mode=0o600)
    (tmp_path / "elsewhere").write_text("s3cret")
    settings = AsteriskSettings(ami=Ami(secret_file=str(tmp_path / "elsewhere")))
    assert make_config(tmp_path / "etc", asterisk=settings).ami_secret() == "s3cret"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff", "cannot be read: not UTF-8 text"),
        (b"", "expected one line with a password"),
        (b"two\nlines", "expected one line with a password"),
        (b"x" * 257, "expected one line with a password"),
    ],
)
def test_a_secret_that_is_none(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "ami.secret"
    if content is not None:
        path.touch(mode=0o600)
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        make_config(tmp_path).ami_secret()
    assert caught.value.problems == [
        f"{path}: {problem}. Hint: write the secret of [asterisk-agent] in manager.conf into it."
    ]


def test_keys_at() -> None:
    channels, hours, teams = schema.ChannelsFile, schema.HoursFile, schema.TeamsFile
    assert keys_at(channels, ()) == ("channels",)
    assert keys_at(channels, ("channels",)) == ()
    assert keys_at(channels, ("channels", "x", "in_hours", "unanswered")) == (
        "voicemail",
        "message",
    )
    assert keys_at(channels, ("channels", "x", "after_hours", "on_call")) == ("dial", "for")
    assert keys_at(channels, ("channels", "x", "agent")) == (
        "assigned",
        "greeting",
        "language",
        "voice",
    )
    assert keys_at(hours, ("hours", "x")) == ("holidays", "timezone")
    assert "country" in keys_at(hours, ("holidays", "x"))
    assert keys_at(hours, ("holidays", "x", "0")) == ("date", "from", "to", "name", "hours", "cut")
    assert keys_at(teams, ("teams", "x", "existing")) == ("context", "extension")
    assert keys_at(teams, ("teams", "x", "nothing", "more")) == ()
    assert keys_at(teams, ("teams", "x", "members", "0")) == ()


def test_a_service_knows_which_of_several_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "Voice2.example.com")
    config = load(write_good(tmp_path))
    assert config.node == ""
    assert next(iter(config.nodes.values())).fastagi == config.listen.fastagi

    def named(**addresses):
        nodes = {
            name: schema.Node(fastagi=names.endpoint(address), media=names.endpoint("[::1]:1"))
            for name, address in addresses.items()
        }
        asterisk = config.asterisk.model_copy(update={"nodes": nodes})
        return config.model_copy(update={"asterisk": asterisk}).node

    assert named(a="127.0.0.1:4573") == ""  # alone
    assert named(a="10.0.0.1:4573", b="127.0.0.1:4573") == "b"
    assert named(voice1="10.0.0.1:4573", voice2="10.0.0.2:4573") == "voice2"
    assert named(a="10.0.0.1:4573", b="10.0.0.2:4573") == ""
