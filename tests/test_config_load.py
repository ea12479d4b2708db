# ruff: noqa: E501
"""What an operator reads when the configuration is wrong: every message, word for word."""

import os
import pickle
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_agent.config.load import MAX_VALUES, load
from asterisk_agent.errors import ConfigError

GOOD = {
    "agent": """\
agent:
  name: Nora
  language: en
  greeting: Hello.
engines:
  stt: {engine: auto}
  tts: {speed: 1.0}
asterisk:
  ami: {host: 127.0.0.1, port: 5038, username: asterisk-agent}
listen: {fastagi: "127.0.0.1:4573"}
limits: {calls: auto, call: 10m}
records: {database: "sqlite:////tmp/c.db", audio: off}
""",
    "channels": """\
channels:
  support:
    number: "+15551230100"
    agent: on
    hours: office
    knowledge: [company, support]
    in_hours:
      answer: agent
      handoff: [support, backoffice]
      unanswered: {voicemail: support, message: nobody-free}
    after_hours:
      unanswered: {voicemail: support, message: closed-now}
  billing:
    number: "+15551230200"
    in_hours:
      handoff: billing
      unanswered: {voicemail: billing, message: nobody-free}
    after_hours:
      unanswered: {voicemail: billing, message: closed-now}
""",
    "hours": """\
timezone: America/New_York
hours:
  office:
    mon-thu: ["08:00-12:00", "13:00-18:00"]
    fri: ["08:00-16:00"]
""",
    "teams": """\
teams:
  support:
    label: Customer support
    extension: "600"
    members: [PJSIP/101, PJSIP/102]
    queue: {strategy: rrmemory, ring: 15s, wait: 60s}
    voicemail: {mailbox: "600", email: support@example.com}
  billing:
    existing: {context: ext-queues, extension: "610"}
    voicemail: {mailbox: "610"}
  backoffice:
    extension: "620"
    members: [PJSIP/104]
  night:
    voicemail: {mailbox: "699"}
messages:
  nobody-free: Everyone is helping other callers.
  closed-now: We are closed.
""",
}

# file · what stands there (None: all of it) · what is written instead · the problems, without "etc/"
# fmt: off
BROKEN: list[tuple[str, str | None, str, list[str]]] = [
    ("agent", "  language: en", "  langauge: en", ['agent.yaml:3: agent.langauge: is not a known key. Hint: did you mean "language"?']),
    ("agent", "  language: en", "  mood: sunny", ["agent.yaml:3: agent.mood: is not a known key. Hint: known here: name, language, greeting, can_record."]),
    ("agent", "agent:", "agent: {name: N, greeting: Hi}\nteam:", ["agent.yaml:2: team: is not a known key. Hint: known here: agent, engines, asterisk, listen, limits, records."]),
    ("agent", "listen:", "messages:", ["agent.yaml:10: messages: is not a known key. Hint: messages belongs in teams.yaml."]),
    ("agent", "  name: Nora\n", "", ["agent.yaml:1: agent.name: is missing. Hint: add name: under agent."]),
    ("hours", "timezone: America/New_York\n", "", ["hours.yaml:1: timezone: is missing. Hint: add timezone:."]),
    ("agent", "  name: Nora\n  language: en\n  greeting: Hello.\n", "", ["agent.yaml:1: agent: expected keys and values, got nothing."]),
    ("agent", "  language: en", "  name: Nina", ["agent.yaml:3: agent.name: is given twice, first in line 2. Hint: delete one."]),
    ("agent", "name: Nora", "name:", ["agent.yaml:2: agent.name: expected up to 60 letters, digits, spaces and . & / + - _ that begin with a letter or digit, got nothing."]),
    ("agent", "name: Nora", 'name: "Nora;x"', ['agent.yaml:2: agent.name: expected up to 60 letters, digits, spaces and . & / + - _ that begin with a letter or digit, got "Nora;x".']),
    ("agent", "name: Nora", "can_record: maybe\n  name: Nora", ['agent.yaml:2: agent.can_record: expected on or off, got "maybe".']),
    ("agent", "language: en", "language: English", ['agent.yaml:3: agent.language: expected a language code such as en or en-GB, got "English".']),
    ("agent", "greeting: Hello.", "greeting: [Hello, you]", ["agent.yaml:4: agent.greeting: expected text, got a list."]),
    ("agent", "engine: auto", "engine: whispr", ['agent.yaml:6: engines.stt.engine: expected auto, vosk or whisper, got "whispr". Hint: did you mean "whisper"?']),
    ("agent", "engine: auto", "engine: google", ['agent.yaml:6: engines.stt.engine: expected auto, vosk or whisper, got "google".']),
    ("agent", "speed: 1.0", "speed: 9", ['agent.yaml:7: engines.tts.speed: expected a number from 0.5 to 2, got "9".']),
    ("agent", "port: 5038", "port: 70000", ['agent.yaml:9: asterisk.ami.port: expected a whole number from 1 to 65535, got "70000".']),
    ("agent", "port: 5038", "port: http", ['agent.yaml:9: asterisk.ami.port: expected a whole number from 1 to 65535, got "http".']),
    ("agent", "host: 127.0.0.1", "host: 127.0.0.300", ['agent.yaml:9: asterisk.ami.host: expected an IP address or a host name, got "127.0.0.300".']),
    ("agent", "username: asterisk-agent", "username: \"a\\r\\nb\"", ["agent.yaml:9: asterisk.ami.username: expected a name of letters, digits, . _ and -, got \"a\\r\\nb\"."]),
    ("agent", '"127.0.0.1:4573"', '"127.0.0.1"', ['agent.yaml:10: listen.fastagi: expected an address and port such as 127.0.0.1:4573, got "127.0.0.1".']),
    ("agent", "calls: auto", "calls: many", ['agent.yaml:11: limits.calls: expected auto or a whole number from 1 to 1000, got "many".']),
    ("agent", "call: 10m", "call: 10 minutes", ['agent.yaml:11: limits.call: expected a duration such as 60s, got "10 minutes". Hint: write 10m.']),
    ("agent", "sqlite:////tmp/c.db", "mysql://u:pw@h/db", ["agent.yaml:12: records.database: expected the URL of a SQLite or PostgreSQL database. Hint: write one such as sqlite:////var/lib/asterisk-agent/calls.db."]),
    ("agent", "audio: off", "audio: yes", ['agent.yaml:12: records.audio: expected off or on, got "yes".']),
    ("channels", '"+15551230100"', '"+1 (555) 123-0100"', ['channels.yaml:3: channels.support.number: expected a phone number of up to 20 digits, with or without + in front, got "+1 (555) 123-0100". Hint: write +15551230100.']),
    ("channels", '"+15551230100"', "sales", ['channels.yaml:3: channels.support.number: expected a phone number of up to 20 digits, with or without + in front, got "sales".']),
    ("channels", '"+15551230100"', "[]", ["channels.yaml:3: channels.support.number: expected at least one, got none."]),
    ("channels", '"+15551230200"', '"15551230100"', ['channels.yaml:14: channels.billing.number: "15551230100" belongs to support already. Hint: give each of the channels its own.']),
    ("channels", '"+15551230200"', '["+15551230200", "+15551230200"]', ['channels.yaml:14: channels.billing.number: "+15551230200" is listed twice.']),
    ("channels", "agent: on", "agent: perhaps", ['channels.yaml:4: channels.support.agent: expected on or off, got "perhaps".']),
    ("channels", "  support:", "  Support Line:", ['channels.yaml:2: channels.Support Line: expected an id of up to 31 lower-case letters, digits and hyphens that begins with a letter, got "Support Line".']),
    ("channels", "  support:", "  third: hello\n  support:", ['channels.yaml:2: channels.third: expected keys and values, got "hello".']),
    ("channels", "    agent: on", "    id: x", ["channels.yaml:4: channels.support.id: is not a known key. Hint: support is the id."]),
    ("channels", "hours: office", "hours: ofice", ['channels.yaml:5: channels.support.hours: "ofice" is not one of the hours. Hint: did you mean "office"?']),
    ("channels", "hours: office", "hours: xmas", ['channels.yaml:5: channels.support.hours: "xmas" is not one of the hours. Hint: hours.yaml has office.']),
    ("channels", "[support, backoffice]", "[support, sales]", ['channels.yaml:9: channels.support.in_hours.handoff: "sales" is not one of the teams. Hint: teams.yaml has support, billing, backoffice, night.']),
    ("channels", "[support, backoffice]", "[]", ["channels.yaml:9: channels.support.in_hours.handoff: expected at least one team, got none. Hint: name who helps when the agent can't."]),
    ("channels", "[support, backoffice]", "[support, support]", ['channels.yaml:9: channels.support.in_hours.handoff: "support" is listed twice.']),
    ("channels", "[support, backoffice]", "[support, night]", ['channels.yaml:9: channels.support.in_hours.handoff: nobody can be reached in the team "night". Hint: give night members or existing in teams.yaml.']),
    ("channels", "{voicemail: support, message: nobody-free}", "{voicemail: backoffice, message: nobody-free}", ['channels.yaml:10: channels.support.in_hours.unanswered.voicemail: the team "backoffice" has no voicemail. Hint: give backoffice a voicemail: in teams.yaml.']),
    ("channels", "{voicemail: support, message: nobody-free}", "{voicemail: support, message: nobody-fre}", ['channels.yaml:10: channels.support.in_hours.unanswered.message: "nobody-fre" is not one of the messages. Hint: did you mean "nobody-free"?']),
    ("channels", "{voicemail: support, message: nobody-free}", "{voicemail: support}", ["channels.yaml:10: channels.support.in_hours.unanswered.message: is missing. Hint: add message: under channels.support.in_hours.unanswered."]),
    ("channels", "[company, support]", "[compny, support]", ['channels.yaml:6: channels.support.knowledge: "compny" is not a folder or file of etc/knowledge. Hint: did you mean "company"?']),
    ("channels", "[company, support]", "[../../etc/passwd]", ['channels.yaml:6: channels.support.knowledge: expected a folder or file under knowledge/, such as company, got "../../etc/passwd".']),
    ("channels", "answer: agent", "answer: robot", ['channels.yaml:8: channels.support.in_hours.answer: expected agent or team, got "robot".']),
    ("channels", "      answer: agent", "      on_call: {dial: PJSIP/150}", ["channels.yaml:8: channels.support.in_hours.on_call: is not a known key. Hint: known here: answer, handoff, unanswered."]),
    ("hours", "America/New_York", "America/NewYork", ['hours.yaml:1: timezone: expected a time zone such as America/New_York, got "America/NewYork". Hint: did you mean "America/New_York"?']),
    ("hours", "America/New_York", "EST5", ['hours.yaml:1: timezone: expected a time zone such as America/New_York, got "EST5". Hint: did you mean "EST"?']),
    ("hours", "mon-thu", "monday-thu", ['hours.yaml:4: hours.office.monday-thu: expected days such as mon, mon-thu or sat,sun, got "monday-thu". Hint: write mon for monday.']),
    ("hours", "mon-thu", "weekdays", ['hours.yaml:4: hours.office.weekdays: expected days such as mon, mon-thu or sat,sun, got "weekdays". Hint: days are mon, tue, wed, thu, fri, sat, sun.']),
    ("hours", "fri:", "thu-fri:", ['hours.yaml:3: hours.office: thu is given twice, by "mon-thu" and by "thu-fri".']),
    ("hours", "08:00-16:00", "8am-4pm", ['hours.yaml:5: hours.office.fri: expected hours such as "08:00-12:00", got "8am-4pm". Hint: use the 24-hour clock.']),
    ("hours", "08:00-16:00", "08:00-25:00", ['hours.yaml:5: hours.office.fri: expected hours such as "08:00-12:00", got "08:00-25:00".']),
    ("hours", "08:00-16:00", "08:00-08:00", ['hours.yaml:5: hours.office.fri: expected an end that differs from the start, got "08:00-08:00". Hint: write "00:00-24:00" for a whole day.']),
    ("hours", '["08:00-16:00"]', "closed", ['hours.yaml:5: hours.office.fri: expected hours such as "08:00-12:00", got "closed". Hint: write [] for a day without hours.']),
    ("hours", '["08:00-16:00"]', "", ['hours.yaml:5: hours.office.fri: expected hours such as "08:00-12:00", got nothing. Hint: write [] for a day without hours.']),
    ("hours", "    mon-thu: [\"08:00-12:00\", \"13:00-18:00\"]\n    fri: [\"08:00-16:00\"]\n", "", ["hours.yaml:3: hours.office: expected keys and values, got nothing."]),
    ("hours", "timezone:", "holidays: {}\ntimezone:", ["hours.yaml:1: holidays: is not a known key. Hint: known here: timezone, hours."]),
    ("teams", "  night:", "  h:", ['teams.yaml:14: teams.h: expected an id of more than one letter, got "h".']),
    ("teams", "  night:", "  h-:", ['teams.yaml:14: teams.h-: expected an id of more than one letter, got "h-".']),
    ("teams", "  night:", "  back-office:", ["teams.yaml:14: teams.back-office: differs from backoffice by hyphens alone, which Asterisk does not see. Hint: choose another id."]),
    ("teams", '"620"', '"600"', ['teams.yaml:12: teams.backoffice.extension: "600" belongs to support already. Hint: give each of the teams its own.']),
    ("teams", 'mailbox: "610"', 'mailbox: "600"', ['teams.yaml:10: teams.billing.voicemail.mailbox: "600" belongs to support already. Hint: give each of the teams its own.']),
    ("teams", 'extension: "600"', 'extension: "600,1"', ['teams.yaml:4: teams.support.extension: expected an extension such as 600, got "600,1".']),
    ("teams", "PJSIP/102", "102", ['teams.yaml:5: teams.support.members: expected a device such as PJSIP/101, got "102". Hint: write PJSIP/102.']),
    ("teams", "PJSIP/102", '"PJSIP/102&SIP/9"', ['teams.yaml:5: teams.support.members: expected a device such as PJSIP/101, got "PJSIP/102&SIP/9".']),
    ("teams", "    extension: \"600\"\n", "", ["teams.yaml:2: teams.support: has no extension. Hint: a team that rings phones needs both."]),
    ("teams", "    members: [PJSIP/101, PJSIP/102]\n", "", ["teams.yaml:2: teams.support: has no members. Hint: a team that rings phones needs both."]),
    ("teams", "    extension: \"620\"\n    members: [PJSIP/104]\n", "", ["teams.yaml:11: teams.backoffice: expected keys and values, got nothing."]),
    ("teams", "    members: [PJSIP/104]\n", "    members: [PJSIP/104]\n    existing: {context: ext-queues, extension: \"1\"}\n", ["teams.yaml:11: teams.backoffice: has phones of its own and an existing queue. Hint: keep one of the two."]),
    ("teams", "    extension: \"620\"\n    members: [PJSIP/104]\n", "    existing: {context: \"a]b\", extension: \"1\"}\n", ['teams.yaml:12: teams.backoffice.existing.context: expected a dialplan context such as ext-queues, got "a]b".']),
    ("teams", "wait: 60s", "wait: 60 sec", ['teams.yaml:6: teams.support.queue.wait: expected a duration such as 60s, got "60 sec". Hint: write 60s.']),
    ("teams", "wait: 60s", "wait: 60", ['teams.yaml:6: teams.support.queue.wait: expected a duration such as 60s, got "60". Hint: write 60s.']),
    ("teams", "wait: 60s", "wait: 0s", ['teams.yaml:6: teams.support.queue.wait: expected a duration such as 60s, got "0s". Hint: write 15s, 10m, 2h or 90d.']),
    ("teams", "rrmemory", "roundrobin", ['teams.yaml:6: teams.support.queue.strategy: expected ringall, leastrecent, fewestcalls, random, rrmemory, rrordered or linear, got "roundrobin".']),
    ("teams", 'mailbox: "600"', "mailbox: six", ['teams.yaml:7: teams.support.voicemail.mailbox: expected a mailbox of up to 20 digits, got "six".']),
    ("teams", "support@example.com", "support", ['teams.yaml:7: teams.support.voicemail.email: expected an address such as a@example.com, got "support".']),
    ("teams", "label: Customer support", 'label: "Support [1]"', ['teams.yaml:3: teams.support.label: expected up to 60 letters, digits, spaces and . & / + - _ that begin with a letter or digit, got "Support [1]".']),
    ("teams", "closed-now: We are closed.", "closed-now: {sound: custom/closed.wav}", ['teams.yaml:18: messages.closed-now.sound: expected a sound file without its ending, such as custom/closed, got "custom/closed.wav". Hint: write custom/closed.']),
    ("teams", "closed-now: We are closed.", "closed-now: {sound: a, text: b}", ["teams.yaml:18: messages.closed-now: needs either text or sound."]),
    ("teams", "closed-now: We are closed.", "closed-now: [a]", ["teams.yaml:18: messages.closed-now: expected keys and values, got a list."]),
    ("teams", "closed-now: We are closed.", "closed-now:", ["teams.yaml:18: messages.closed-now.text: expected text of 1 to 2000 printable characters, got nothing."]),
    ("teams", "    label: Customer support", "\tlabel: Customer support", ["teams.yaml:3: a tab stands where spaces belong. Hint: use spaces."]),
    ("teams", "label: Customer support", "label: Customer: support", ["teams.yaml:3: is not YAML: mapping values are not allowed here. Hint: put text that holds a colon in quotes."]),
    ("teams", 'extension: "600"', "extension: *600", ["teams.yaml:4: is not YAML: found undefined alias '600'. Hint: put text that begins with * in quotes."]),
    ("teams", 'extension: "600"', "extension: @600", ["teams.yaml:4: is not YAML: found character '@' that cannot start any token. Hint: put text that begins with @, ` or % in quotes."]),
    ("teams", 'extension: "600"', 'extension: "600', ["teams.yaml:7: is not YAML: expected <block end>, but found '<scalar>'. Hint: look at the indentation and the quotes of this line and the one above."]),
    ("hours", "timezone:", "---\na: b\n---\ntimezone:", ["hours.yaml:3: holds a second document. Hint: remove the line ---."]),
    ("teams", "label: Customer support", "label: !!python/object/apply:os.system [ls]", ["teams.yaml:3: teams.support.label: has the tag !!python/object/apply:os.system. Hint: remove it: tags mean nothing here.", "teams.yaml:3: teams.support.label: expected text, got a list."]),
    ("teams", "teams:", "? [a, b]\n: c\nteams:", ["teams.yaml:1: expected plain text as a key, got a list."]),
    ("teams", "    label: Customer support", "    <<: hello", ['teams.yaml:2: teams.support: expected <<: to bring in a mapping, got "hello".']),
    ("hours", None, "- a\n- b\n", ["hours.yaml:1: expected keys and values, got a list."]),
    ("hours", None, "hello\n", ['hours.yaml:1: expected keys and values, got "hello".']),
    ("hours", None, "# nothing\n", ["hours.yaml: is empty. Hint: it holds timezone: and hours:."]),
    ("hours", "office:", "off\u0007ice:", ["hours.yaml:3: holds the control character U+0007. Hint: delete it."]),
    ("hours", None, "[" * 3000, ["hours.yaml:1: is not YAML: nested deeper than 20 levels. Hint: look at the brackets and the indentation."]),
    ("hours", None, "timezone: &a [*a]\n", ["hours.yaml:1: unfolds to more than 20 levels. Hint: write it with fewer anchors."]),
    ("channels", "[company, support]", "[\"com\\0pany\"]", ["channels.yaml:6: channels.support.knowledge: expected a folder or file under knowledge/, such as company, got \"com\\u0000pany\".", "channels.yaml:6: channels.support.knowledge: \"com\\u0000pany\" is not a folder or file of etc/knowledge. Hint: did you mean \"company\"?"]),
    ("agent", "name: Nora", "name: \"\\uD800\"", ["agent.yaml:2: agent.name: holds half a character. Hint: write the character itself.", 'agent.yaml:2: agent.name: expected up to 60 letters, digits, spaces and . & / + - _ that begin with a letter or digit, got "�".']),
    ("agent", "name: Nora", "name: \"\\UFFFFFFFF\"", ["agent.yaml: is not YAML: an impossible \\ escape."]),
    ("channels", '"+15551230200"', '["+15551230200", "55-12"]', ['channels.yaml:14: channels.billing.number: expected a phone number of up to 20 digits, with or without + in front, got "55-12". Hint: write 5512.']),
    ("channels", "      handoff: billing\n", "", ["channels.yaml:15: channels.billing.in_hours.handoff: expected at least one team, got none. Hint: name who helps when the agent can't."]),
    ("agent", "username: asterisk-agent", 'secret_file: "a;b"', ['agent.yaml:9: asterisk.ami.secret_file: expected the name of a file, got "a;b".']),
]
# fmt: on


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good configuration in ``etc``, relative, as an operator would name it."""
    monkeypatch.chdir(tmp_path)
    write(Path("etc"), GOOD)
    return Path("etc")


def write(directory: Path, files: dict[str, str]) -> None:
    for topic in ("company", "support"):
        (directory / "knowledge" / topic).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / f"{name}.yaml").write_text(text, encoding="utf-8")


def problems(directory: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(directory)
    return caught.value.problems


@pytest.mark.parametrize(("file", "old", "new", "expected"), BROKEN)
def test_says_what_is_wrong_where_and_how_to_mend_it(
    etc: Path, file: str, old: str | None, new: str, expected: list[str]
) -> None:
    good = GOOD[file]
    assert old is None or old in good
    write(etc, {file: new if old is None else good.replace(old, new, 1)})
    assert problems(etc) == [f"etc/{line}" for line in expected]


def test_the_good_one_is_good(etc: Path) -> None:
    config = load(etc)
    assert list(config.channels) == ["support", "billing"]
    assert config.channels["support"].id == "support"
    assert config.channels["support"].label == "support"
    assert config.channels["billing"].hours is None
    assert config.channels["billing"].in_hours.handoff == ("billing",)
    assert config.teams["support"].label == "Customer support"
    assert config.teams["support"].queue.ring == timedelta(seconds=15)
    assert config.hours["office"].days[4] == ((480, 960),)
    assert config.hours["office"].days[3] == ((480, 720), (780, 1080))
    assert config.messages["closed-now"].text == "We are closed."
    assert config.knowledge_directory == Path("etc/knowledge")


def test_the_example_of_the_repository_is_good() -> None:
    config = load(Path(__file__).parents[1] / "etc")
    assert [channel.number for channel in config.channels.values()] == [
        ("+15551230100",),
        ("+15551230200",),
    ]
    assert {team.id: (team.extension, team.members) for team in config.teams.values()} == {
        "support": ("600", ("PJSIP/101", "PJSIP/102")),
        "billing": ("610", ("PJSIP/103",)),
        "backoffice": ("620", ("PJSIP/104",)),
    }


def test_a_configuration_survives_pickling(etc: Path) -> None:
    config = load(etc)
    assert pickle.loads(pickle.dumps(config)) == config


def test_every_problem_of_every_file_at_once(etc: Path) -> None:
    write(
        etc,
        {
            "agent": GOOD["agent"].replace("10m", "10 min").replace("name:", "nme:", 1),
            "channels": GOOD["channels"]
            .replace("agent: on", "agent: maybe")
            .replace("hours: office", "hours: x"),
            "teams": GOOD["teams"].replace("102", "1 2").replace("60s", "60 sec"),
        },
    )
    assert problems(etc) == [
        "etc/agent.yaml:1: agent.name: is missing. Hint: add name: under agent.",
        'etc/agent.yaml:2: agent.nme: is not a known key. Hint: did you mean "name"?',
        'etc/agent.yaml:11: limits.call: expected a duration such as 60s, got "10 min".'
        " Hint: write 10m.",
        'etc/channels.yaml:4: channels.support.agent: expected on or off, got "maybe".',
        'etc/channels.yaml:5: channels.support.hours: "x" is not one of the hours.'
        " Hint: hours.yaml has office.",
        "etc/teams.yaml:5: teams.support.members: expected a device such as PJSIP/101,"
        ' got "PJSIP/1 2".',
        'etc/teams.yaml:6: teams.support.queue.wait: expected a duration such as 60s, got "60 sec".'
        " Hint: write 60s.",
    ]


def test_yaml_does_not_guess_types(etc: Path) -> None:
    channels = GOOD["channels"].replace('"+15551230200"', "+4721000000")
    channels = channels.replace("agent: on", "agent: off\n    label: NO")
    teams = GOOD["teams"].replace('"620"', "0620").replace('"699"', "0699")
    hours = GOOD["hours"].replace('["08:00-16:00"]', "[8:00-12:30]")
    agent = GOOD["agent"].replace("language: en", "language: no").replace("Nora", "12:30")
    write(
        etc,
        {
            "channels": channels,
            "teams": teams,
            "hours": hours,
            "agent": agent.replace("12:30", "1_000"),
        },
    )
    config = load(etc)
    assert config.agent.language == "no"
    assert config.agent.name == "1_000"
    assert config.channels["billing"].number == ("+4721000000",)
    assert config.channels["support"].agent is False
    assert config.channels["support"].label == "NO"
    assert config.teams["backoffice"].extension == "0620"
    assert config.teams["night"].voicemail is not None
    assert config.teams["night"].voicemail.mailbox == "0699"
    assert config.hours["office"].days[4] == ((480, 750),)


def test_agent_off_and_people_nowhere_needs_no_handoff(etc: Path) -> None:
    text = GOOD["channels"].replace("      handoff: billing\n", "")
    write(etc, {"channels": text.replace('200"', '200"\n    agent: off')})
    assert load(etc).channels["billing"].in_hours.handoff == ()


@pytest.mark.parametrize("state", ["in_hours", "after_hours"])
def test_agent_off_and_people_first_needs_a_handoff(etc: Path, state: str) -> None:
    text = GOOD["channels"].replace("      handoff: billing\n", "")
    before, billing, after = text.partition("  billing:")
    after = after.replace('200"', '200"\n    agent: off')
    after = after.replace(f"{state}:", f"{state}:\n      answer: team")
    write(etc, {"channels": before + billing + after})
    (only,) = problems(etc)
    assert "channels.billing.in_hours.handoff: expected at least one team, got none." in only


def test_a_mistake_in_a_team_is_not_blamed_on_its_channels(etc: Path) -> None:
    write(etc, {"teams": GOOD["teams"].replace("members: [PJSIP/101", "members: [101")})
    (only,) = problems(etc)
    assert only.startswith("etc/teams.yaml:5: teams.support.members: ")


def test_no_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert problems(Path("etc")) == [
        "etc: no such directory. Hint: name the directory that holds agent.yaml with --config."
    ]


def test_an_empty_directory_lists_every_file(tmp_path: Path) -> None:
    names = ("agent", "channels", "hours", "teams")
    assert problems(tmp_path) == [
        f"{tmp_path}/{name}.yaml: no such file. Hint: etc/ of the source holds a complete example."
        for name in names
    ]


def test_a_missing_file_is_the_only_problem(etc: Path) -> None:
    (etc / "teams.yaml").rename(etc / "teams.yml")
    assert problems(etc) == ["etc/teams.yaml: no such file. Hint: rename teams.yml to teams.yaml."]


def test_a_file_that_is_none(etc: Path) -> None:
    (etc / "hours.yaml").unlink()
    (etc / "hours.yaml").mkdir()
    os.mkfifo(etc / "fifo")
    (etc / "teams.yaml").unlink()
    (etc / "teams.yaml").symlink_to("fifo")
    assert problems(etc) == ["etc/hours.yaml: is not a file.", "etc/teams.yaml: is not a file."]


def test_a_file_that_may_not_be_read(etc: Path) -> None:
    (etc / "hours.yaml").unlink()
    (etc / "hours.yaml").symlink_to("hours.yaml")
    (only,) = problems(etc)
    assert only == "etc/hours.yaml: cannot be read: Too many levels of symbolic links."


def test_not_utf8(etc: Path) -> None:
    (etc / "hours.yaml").write_bytes(GOOD["hours"].encode() + "  # Tromsø".encode("latin-1"))
    assert problems(etc) == ["etc/hours.yaml:6: is not UTF-8 text. Hint: save the file as UTF-8."]


def test_a_byte_order_mark_is_no_problem(etc: Path) -> None:
    (etc / "hours.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD["hours"].encode())
    assert load(etc).timezone == "America/New_York"


def test_too_large(etc: Path) -> None:
    (etc / "hours.yaml").write_text("#" * (1 << 20) + "\n")
    assert problems(etc) == ["etc/hours.yaml: is larger than 1 MiB."]


def test_too_many_values(etc: Path) -> None:
    (etc / "hours.yaml").write_text("- a\n" * (MAX_VALUES + 1))
    assert problems(etc) == [
        f"etc/hours.yaml:{MAX_VALUES}: is not YAML: more than 50000 values."
        " Hint: split what is not configuration off."
    ]


def test_an_alias_bomb_is_refused(etc: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for n in range(1, 12):
        bomb += f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n"
    (etc / "hours.yaml").write_text(bomb)
    assert problems(etc) == [
        "etc/hours.yaml:1: unfolds to more than 50000 values. Hint: write it with fewer anchors."
    ]


def test_anchors_and_merge_keys_work(etc: Path) -> None:
    teams = GOOD["teams"].replace("queue: {", "queue: &usual {")
    teams = teams.replace(
        '    extension: "620"\n',
        '    queue: {<<: *usual, wait: 90s}\n    extension: "620"\n',
    )
    write(etc, {"teams": teams})
    queue = load(etc).teams["backoffice"].queue
    assert (queue.ring, queue.wait) == (timedelta(seconds=15), timedelta(seconds=90))


def test_the_first_of_several_merged_mappings_wins(etc: Path) -> None:
    teams = GOOD["teams"].replace("queue: {", "queue: &usual {")
    teams = teams.replace(
        '    extension: "620"\n',
        '    extension: "620"\n    queue:\n      <<: [{wait: 7s}, *usual]\n',
    )
    write(etc, {"teams": teams})
    queue = load(etc).teams["backoffice"].queue
    assert (queue.ring, queue.wait) == (timedelta(seconds=15), timedelta(seconds=7))


def test_an_unprintable_key_does_not_break_the_line(etc: Path) -> None:
    write(etc, {"agent": GOOD["agent"].replace("  name:", '  "na\\nme": x\n  name:')})
    (only,) = problems(etc)
    assert only.startswith('etc/agent.yaml:2: agent."na\\nme": is not a known key.')


@settings(max_examples=300, deadline=None)
@given(
    file=st.sampled_from(sorted(GOOD)),
    position=st.floats(0, 1),
    cut=st.integers(0, 12),
    junk=st.text(
        alphabet=st.sampled_from(list("\t\n {}[]&*!|>'\"%@`:,-?#~<=a1\\\0é\u2028")), max_size=8
    ),
)
def test_any_damage_is_a_problem_or_none(
    tmp_path_factory: pytest.TempPathFactory, file: str, position: float, cut: int, junk: str
) -> None:
    etc = tmp_path_factory.getbasetemp() / "damaged"
    good = GOOD[file]
    at = int(position * len(good))
    write(etc, GOOD | {file: good[:at] + junk + good[at + cut :]})
    found: list[str] = []
    try:
        load(etc)
    except ConfigError as error:
        found = error.problems
        assert found
    for line in found:
        assert line.startswith(f"{etc}/")
        assert "\n" not in line
        line.encode()
