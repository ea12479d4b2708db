"""``asterisk-agent check``: what it looks at, what it says, and how it ends."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from good_config import write_good
from rich.console import Console
from test_records_recorder import read_only
from typer.testing import CliRunner, Result

from asterisk_agent import dialplan
from asterisk_agent.cli import check, manager
from asterisk_agent.cli import dialplan as dialplan_commands  # noqa: F401
from asterisk_agent.cli.app import app
from asterisk_agent.cli.check import check_port, examine_all
from asterisk_agent.cli.check_asterisk import (
    KEYS_HINT,
    check_asterisk,
    passes_keys,
    version_of,
    wanted_dialplan,
)
from asterisk_agent.cli.findings import Finding, Report
from asterisk_agent.cli.loaded import differences
from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Address, Config, Node
from asterisk_agent.dialplan.reading import Lines, read
from asterisk_agent.errors import AgentError, AsteriskError
from asterisk_agent.net.control import ControlServer
from asterisk_agent.plan import from_json, to_json
from asterisk_agent.records import CallLog
from asterisk_agent.sandbox.processes import free_port
from asterisk_agent.status import Status
from asterisk_agent.wire.lifeline import Losses

AGENT = """\
agent: {{name: Ada, greeting: Hello.}}
engines:
  stt: {{engine: vosk, model: {models}/ear}}
  llm: {{model: {models}/mind}}
  tts: {{voice: {models}/voice}}
asterisk: {{ami: {{port: {ami}}}, dialplan: {folder}/dialplan}}
state: {folder}/state
listen: {{fastagi: "127.0.0.1:{fastagi}", media: "127.0.0.1:{media}", web: "127.0.0.1:{web}"}}
"""
CHANNELS = """\
channels:
  front:
    number: "+4721000000"
    hours: office
    knowledge: faq.md
    in_hours: {handoff: [desk, store], unanswered: {voicemail: desk, message: sorry}}
    after_hours: {unanswered: {voicemail: desk, message: sorry}}
"""
HOURS = "timezone: Europe/Oslo\nhours: {office: {mon-fri: 08:00-16:00}}\n"
TEAMS = """\
teams:
  desk: {extension: "700", members: PJSIP/701, voicemail: {mailbox: "700"}}
  store: {existing: {context: ext-queues, extension: "710"}}
messages: {sorry: Please leave a message.}
"""


@pytest.fixture
def ports() -> list[int]:
    """Four ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    numbers = [held.getsockname()[1] for held in sockets]
    for held in sockets:
        held.close()
    return numbers


@pytest.fixture
def etc(tmp_path: Path, ports: list[int]) -> Path:
    """A good configuration for this machine, whose models are there by path; no Asterisk."""
    ami, fastagi, media, web = ports
    etc = tmp_path / "etc"
    (etc / "knowledge").mkdir(parents=True)
    (etc / "knowledge" / "faq.md").write_text("# Where are you?\nIn Oslo.\n")
    for name in ("ear", "mind", "voice"):
        (tmp_path / "models" / name).mkdir(parents=True)
    agent = AGENT.format(
        models=tmp_path / "models", folder=tmp_path, ami=ami, fastagi=fastagi, media=media, web=web
    )
    files = {"agent": agent, "channels": CHANNELS, "hours": HOURS, "teams": TEAMS}
    for name, text in files.items():
        (etc / f"{name}.yaml").write_text(text)
    (etc / "ami.secret").write_text("s3cret\n")
    (etc / "ami.secret").chmod(0o600)
    dialplan.write(load(etc), tmp_path / "dialplan", date.today())
    return etc


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", *arguments])


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


# --- The command --------------------------------------------------------------------------------


def test_a_broken_configuration_ends_with_every_problem_and_status_1(etc: Path) -> None:
    edit(etc / "channels.yaml", "office", "offce")
    edit(etc / "teams.yaml", '"700"}', "seven}")
    result = run("--config", str(etc), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "ok": False,
        "checked": [],
        "problems": [
            {
                "where": f"{etc}/channels.yaml:4",
                "problem": 'channels.front.hours: "offce" is not one of the hours',
                "hint": 'did you mean "office"?',
            },
            {
                "where": f"{etc}/teams.yaml:2",
                "problem": "teams.desk.voicemail.mailbox: expected a mailbox of up to 20 digits,"
                ' got "seven"',
                "hint": "",
            },
        ],
        "warnings": [],
    }


def test_no_configuration_at_all(tmp_path: Path) -> None:
    result = run("--config", str(tmp_path / "none"))
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"problem  {tmp_path}/none: no such directory",
        "         name the directory that holds agent.yaml with --config",
    ]


def test_each_thing_is_named_and_asterisk_is_missed(
    etc: Path, ports: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = SimpleNamespace(id="small")
    monkeypatch.setattr("asterisk_agent.engines.choose.second_embedders", lambda _: [small])
    monkeypatch.setattr("asterisk_agent.engines.choose.missing_embedder", lambda _: ("second",))
    result = run("--config", str(etc))
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout
    assert result.stdout.splitlines() == [
        f"ok       configuration in {etc} (channels: 1, teams: 2)",
        "ok       documents of front",
        "ok       recogniser's model",
        f"ok       language model {etc.parent}/models/mind",
        f"ok       answers are extractive: {etc.parent}/models/mind was not measured here; run:"
        " asterisk-agent evaluate --compare",
        f"ok       voice {etc.parent}/models/voice",
        "ok       meaning by multilingual-e5 and small; better with another:"
        " run: asterisk-agent models pull second",
        f"ok       listen.fastagi 127.0.0.1:{ports[1]}",
        f"ok       listen.media 127.0.0.1:{ports[2]}",
        f"ok       listen.web 127.0.0.1:{ports[3]}",
        f"ok       overrides in {etc.parent}/state/overrides",
        "ok       call log sqlite:////var/lib/asterisk-agent/calls.db",
        f"ok       rescue script {dialplan.rescue_script()}",
        f"ok       plan {etc.parent}/dialplan/plan.json",
        "ok       secret of the manager interface",
        "problem  asterisk.ami: Asterisk's manager interface cannot be reached at"
        f" 127.0.0.1:{ports[0]}: Connect call failed ('127.0.0.1', {ports[0]})",
        "         start Asterisk, and set enabled = yes and this port in manager.conf",
    ]


def test_colours_on_a_terminal(etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Console(force_terminal=True, color_system="standard", highlight=False)
    monkeypatch.setattr(check, "out", terminal)
    result = run("--config", str(etc))
    assert "\x1b[32mok" in result.stdout


# --- Models, documents, secret ------------------------------------------------------------------


def test_missing_models_name_the_command_that_fetches_them(
    etc: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ASTERISK_AGENT_DATA", str(tmp_path / "data"))
    edit(etc / "agent.yaml", f"{tmp_path}/models/mind", "smollm2-135m-instruct")
    edit(etc / "agent.yaml", f"{tmp_path}/models/voice", "nobody")
    edit(etc / "agent.yaml", f"{tmp_path}/models/ear", f"{tmp_path}/models/deaf")
    found = {finding.where: finding for finding in examine_all(etc).problems}
    assert found["engines.llm"].hint == "run: asterisk-agent models pull smollm2-135m-instruct"
    assert found["engines.tts"].problem == "no model 'nobody' in the catalogue"
    assert found["engines.stt"].problem.endswith("models/deaf: no such file or folder")


def test_no_language_model_is_a_choice(etc: Path) -> None:
    edit(etc / "agent.yaml", "llm: {", "llm: {engine: none, ")
    report = examine_all(etc)
    assert [finding.where for finding in report.problems] == ["asterisk.ami"]
    assert not [what for what in report.checked if what.startswith("language model")]


def test_documents_that_cannot_be_read(etc: Path) -> None:
    (etc / "knowledge" / "faq.md").write_bytes(b"# Where?\n\xff\n")
    (first, *_) = examine_all(etc).problems
    assert first.where == "channels.front.knowledge"
    assert "faq.md" in first.problem


def test_what_is_odd_but_works_is_a_warning(etc: Path) -> None:
    edit(etc / "channels.yaml", "    hours: office\n", "")
    (etc / "knowledge" / "faq.md").write_text("")
    dialplan.write(load(etc), etc.parent / "dialplan", date.today())
    assert examine_all(etc).warnings == [
        Finding(
            f"{etc}/channels.yaml:2",
            "channels.front: has no hours, so it is always open",
            "name its hours",
        ),
        Finding(
            f"{etc}/hours.yaml:2",
            "hours.office: no channel has these hours",
            "name them in channels.yaml",
        ),
        Finding(
            "channels.front.knowledge",
            "holds no text, so the agent answers nothing",
            f"put documents into {etc}/knowledge",
        ),
    ]


def test_a_missing_secret(etc: Path) -> None:
    (etc / "ami.secret").unlink()
    assert examine_all(etc).problems == [
        Finding(
            "asterisk.ami.secret_file",
            f"{etc}/ami.secret: cannot be read: No such file or directory",
            "write the secret of [asterisk-agent] in manager.conf into it",
        )
    ]


# --- What lies on the disk ----------------------------------------------------------------------


def test_holidays_that_run_out_are_a_warning(etc: Path) -> None:
    written = etc.parent / "dialplan" / "plan.json"
    plan = replace(from_json(written.read_text()), last_date=date.today() + timedelta(days=59))
    written.write_text(to_json(plan))
    (warning,) = examine_all(etc).warnings
    assert warning == Finding(
        str(written),
        f"holidays are known only until {plan.last_date}",
        f"run: asterisk-agent dialplan write {etc.parent}/dialplan",
    )


def test_a_plan_of_another_configuration_is_a_warning(etc: Path) -> None:
    edit(etc / "hours.yaml", "16:00", "15:00")
    (warning,) = examine_all(etc).warnings
    assert warning.problem == "is not of this configuration"


@pytest.mark.parametrize("text", [None, "", "{}", "[1]"])
def test_a_plan_that_cannot_be_read_is_a_problem(etc: Path, text: str | None) -> None:
    written = etc.parent / "dialplan" / "plan.json"
    if text is None:
        written.unlink()
    else:
        written.write_text(text)
    (first, _) = examine_all(etc).problems
    assert first.where == "asterisk.dialplan"
    assert first.problem.startswith(f"{written} cannot be read: ")


def test_no_place_for_overrides_is_a_problem(etc: Path) -> None:
    folder = etc.parent / "state" / "overrides"
    folder.rmdir()
    (first, _) = examine_all(etc).problems
    assert first == Finding("overrides", f"{folder} does not exist", f"make it: mkdir -p {folder}")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "does not start"),
        ("#!/no/such/python\n", "does not start"),
        ("#!/bin/sh\necho no module named asterisk >&2\n", "does not work: no module named"),
        ("#!/bin/sh\n", "does not work: it said nothing"),
    ],
)
def test_a_rescue_script_that_does_not_work_is_a_problem(
    etc: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, said: str
) -> None:
    place = etc.parent / "rescue"
    if script is not None:
        place.write_text(script)
        place.chmod(0o755)
    monkeypatch.setattr(dialplan, "rescue_script", lambda: place)
    (first, *_) = [found for found in examine_all(etc).problems if found.where == "rescue"]
    assert said in first.problem


# --- Ports --------------------------------------------------------------------------------------


def test_a_port_that_somebody_else_holds(etc: Path, ports: list[int]) -> None:
    with held_by(ports[1]) as child:
        (first, *_) = examine_all(etc).problems
    assert first.where == "listen.fastagi"
    assert first.problem.startswith(f"port {ports[1]} is in use by ")
    assert f"(pid {child.pid})" in first.problem
    assert "another port in agent.yaml" in first.hint


def test_a_port_that_the_service_holds_is_as_it_should_be(ports: list[int]) -> None:
    with held_by(ports[1], "/usr/bin/asterisk-agent"):
        check_port("fastagi", Address("127.0.0.1", ports[1]))


@contextmanager
def held_by(port: int, *more: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that listens until the block ends; ``more`` shows in its command line."""
    code = "s = socket.create_server(('127.0.0.1', int(sys.argv[1])))"
    code = f"import socket, sys; {code}; print('ready', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(port), *more]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        yield child


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "pbx.example.com"])
def test_a_port_that_others_can_reach(host: str) -> None:
    with pytest.raises(AgentError, match="can be reached from other machines") as caught:
        check_port("media", Address(host, 9092))
    hint = "write 127.0.0.1:9092 in agent.yaml, or who may connect: listen.allow"
    assert caught.value.hint == hint


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.8.8.8"])
def test_a_free_port_of_this_machine_alone(host: str, ports: list[int]) -> None:
    check_port("media", Address(host, ports[2]))


# --- Asterisk, played by a script ---------------------------------------------------------------

GREETING = b"Asterisk Call Manager/9.0.0\r\n"
LISTS: dict[str, list[dict[str, str]]] = {
    "QueueStatus": [
        {"Event": "QueueParams", "Queue": "agent-desk", "Strategy": "rrmemory"},
        {"Event": "QueueMember", "Queue": "agent-desk", "Location": "PJSIP/701"},
    ],
    "VoicemailUsersList": [
        {"Event": "VoicemailUserEntry", "VMContext": "agent", "VoiceMailbox": "700"}
    ],
}


class FakeAsterisk:
    """Answers manager actions; ``refuse`` maps an action to the message it is refused with."""

    def __init__(self, greeting: bytes = GREETING) -> None:
        self.greeting = greeting
        self.refuse: dict[str, str] = {}
        self.lists = dict(LISTS)
        self.silent: set[str] = set()
        self.dialplan: Lines = {}
        self.globals: dict[str, str] = {}
        self.asked: list[dict[str, str]] = []
        self.version = "22.10.1~dfsg+~cs6.17.60671434-1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.greeting)
        try:
            while action := await self._read(reader):
                self.asked.append(action)
                self._answer(action, writer)
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> dict[str, str]:
        action: dict[str, str] = {}
        while line := (await reader.readline()).decode().strip():
            key, _, value = line.partition(": ")
            action[key] = value
        return action

    def _answer(self, action: dict[str, str], writer: asyncio.StreamWriter) -> None:
        name = action["Action"]
        if name in self.silent:
            return
        send(writer, Event="FullyBooted", Status="noise that nobody asked for")
        if name in self.refuse:
            send(writer, Response="Error", ActionID=action["ActionID"], Message=self.refuse[name])
        elif name == "GetVar":
            value = self.globals.get(action["Variable"], "")
            send(writer, Response="Success", ActionID=action["ActionID"], Value=value)
        elif name == "CoreSettings":
            number, version = action["ActionID"], self.version
            send(writer, Response="Success", ActionID=number, AsteriskVersion=version)
        elif name in self.lists or name == "ShowDialPlan":
            send(writer, Response="Success", ActionID=action["ActionID"], EventList="start")
            for event in self.lists.get(name, self._lines(action.get("Context", ""))):
                send(writer, ActionID=action["ActionID"], **event)
            send(writer, Event="Done", ActionID=action["ActionID"], EventList="Complete")
        else:
            send(writer, Response="Success", ActionID=action["ActionID"])

    def _lines(self, wanted: str) -> list[dict[str, str]]:
        """The events that ShowDialPlan tells of a context."""
        events = []
        for (context, extension, priority), step in self.dialplan.items():
            event = {"Event": "ListDialplan", "Context": context}
            if extension == "include":
                event["IncludeContext"] = priority
            elif priority == "hint":
                event |= {"Extension": extension, "Priority": priority, "Application": step}
            else:
                label, _, call = step.partition(":")
                application, _, arguments = call.removesuffix(")").partition("(")
                event |= {"Extension": extension, "Priority": priority}
                event |= {"Application": application, "AppData": arguments}
                event |= {"ExtensionLabel": label} if label else {}
            if context == wanted:
                events.append(event)
        return events


def send(writer: asyncio.StreamWriter, **headers: str) -> None:
    lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    writer.write(f"{lines}\r\n".encode())


@asynccontextmanager
async def listening(fake: FakeAsterisk, port: int) -> Any:
    server = await asyncio.start_server(fake.serve, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        await asyncio.sleep(0)


@pytest.fixture
def config(etc: Path) -> Config:
    return load(etc)


async def ask(fake: FakeAsterisk, config: Config) -> Report:
    report = Report()
    async with listening(fake, config.asterisk.ami.port):
        await check_asterisk(config, report)
    return report


async def test_an_asterisk_that_has_everything(config: Config) -> None:
    fake = FakeAsterisk()
    fake.dialplan, fake.globals = read(wanted_dialplan(config))
    report = await ask(fake, config)
    assert report.problems == report.warnings == []
    assert report.checked == [
        "+4721000000 in the dialplan's asterisk-agent",
        "710 in the dialplan's ext-queues",
        "the loaded dialplan is this configuration's",
        "queue agent-desk",
        "mailbox 700",
        "voicemail",
        f"Asterisk at 127.0.0.1:{config.asterisk.ami.port}",
        "secret of the manager interface",
    ]
    login = fake.asked[0]
    assert login == {
        "Action": "Login",
        "ActionID": "1",
        "Username": "asterisk-agent",
        "Secret": "s3cret",
        "Events": "off",
    }


@pytest.mark.parametrize(
    ("version", "passed"),
    [
        ("18.24.3", False),
        ("certified/18.9-cert12", False),
        ("certified-20.7-cert5", False),
        ("19.8.1", False),
        ("20.13.0", False),
        ("20.14.0", True),
        ("21.8.0", False),
        ("21.12.2", True),
        ("22.3.0-rc1", False),
        ("22.4.0", True),
        ("22.10.1~dfsg+~cs6.17.60671434-1", True),
        ("23.0.0", True),
        ("GIT-master-2b6b1f7", None),
        ("", None),
    ],
)
def test_versions_that_pass_keys_on(version: str, passed: bool | None) -> None:
    assert passes_keys(version) is passed


async def test_an_asterisk_in_which_keys_do_nothing_is_a_warning(config: Config) -> None:
    fake = FakeAsterisk()
    fake.dialplan, fake.globals = read(wanted_dialplan(config))
    fake.version = "20.9.3"
    report = await ask(fake, config)
    assert report.problems == []
    assert report.warnings == [
        Finding(
            "Asterisk",
            "20.9.3 passes no keys on while a caller talks to the agent: key 0 and key * do"
            " nothing there",
            KEYS_HINT,
        )
    ]


async def test_an_account_that_may_not_ask_for_the_version(config: Config) -> None:
    fake = FakeAsterisk()
    fake.dialplan, fake.globals = read(wanted_dialplan(config))
    fake.refuse["CoreSettings"] = "Permission denied"
    report = await ask(fake, config)
    assert report.problems == report.warnings == []


async def test_an_asterisk_that_lacks_our_files(config: Config) -> None:
    fake = FakeAsterisk()
    fake.refuse["ShowDialPlan"] = "Did not find context"
    fake.lists = {"QueueStatus": [], "VoicemailUsersList": []}
    write = "run: asterisk-agent dialplan write, include its files, and reload Asterisk"
    problems = (await ask(fake, config)).problems
    loaded = problems.pop(2)
    assert loaded.where == "asterisk.dialplan"
    assert loaded.problem.startswith("Asterisk has loaded another dialplan: ")
    assert problems == [
        Finding(
            "channels.front", "the dialplan has no +4721000000 in the context asterisk-agent", write
        ),
        Finding(
            "teams.store.existing",
            "the dialplan has no 710 in the context ext-queues",
            "name a context of your dialplan",
        ),
        Finding("teams.desk", "Asterisk has no queue agent-desk", write),
        Finding("teams.desk.voicemail", "Asterisk has no mailbox 700@agent", write),
    ]


async def test_a_dialplan_of_yesterday(config: Config) -> None:
    """Each kind of difference, told with its place."""
    fake = FakeAsterisk()
    fake.dialplan, fake.globals = read(wanted_dialplan(config))
    fake.globals["AGENT_CLOSE_GRACE"] = "60"
    fake.dialplan["agent-hours-office", "s", "1"] = ":GotoIfTime(09:00-15:59,mon-fri,*,*?open,1)"
    del fake.dialplan["agent-features", "*28", "hint"]
    del fake.dialplan["agent-start", "include", "agent-end"]
    fake.dialplan["agent-team-desk", "999", "1"] = ":Goto(700,1)"
    async with listening(fake, config.asterisk.ami.port):
        ami = config.asterisk.ami
        async with manager.manager_session(ami.host, ami.port, "a", "b") as session:
            found = await differences(session, wanted_dialplan(config))
    assert found == [
        "AGENT_CLOSE_GRACE is '60', not '600'",
        "[agent-features] *28,hint is missing, not Custom:agent-night",
        "[agent-hours-office] s,1 is :GotoIfTime(09:00-15:59,mon-fri,*,*?open,1),"
        " not :GotoIfTime(08:00-15:59,mon-fri,*,*,Europe/Oslo?open,1)",
        "[agent-start] include,agent-end is missing, not include",
        "[agent-team-desk] 999,1 is :Goto(700,1), not to be there",
    ]


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (
            {"Event": "QueueParams", "Queue": "agent-desk", "Strategy": "ringall"},
            "queue agent-desk rings by ringall, not by rrmemory",
        ),
        (
            {"Event": "QueueMember", "Queue": "agent-desk", "Location": "PJSIP/9"},
            "queue agent-desk lacks PJSIP/701",
        ),
    ],
)
async def test_a_queue_of_yesterday(config: Config, event: dict[str, str], problem: str) -> None:
    fake = FakeAsterisk()
    kept = [each for each in fake.lists["QueueStatus"] if each["Event"] != event["Event"]]
    fake.lists["QueueStatus"] = [*kept, event]
    problems = (await ask(fake, config)).problems
    assert problem in [found.problem for found in problems]


async def test_an_account_that_may_not_look(config: Config) -> None:
    fake = FakeAsterisk()
    fake.refuse["ShowDialPlan"] = "Permission denied"
    (first, *_) = (await ask(fake, config)).problems
    assert first.problem == "Asterisk refused ShowDialPlan: Permission denied"


async def test_a_wrong_password(config: Config) -> None:
    fake = FakeAsterisk()
    fake.refuse["Login"] = "Authentication failed"
    assert (await ask(fake, config)).problems == [
        Finding(
            "asterisk.ami",
            "Asterisk refused Login: Authentication failed",
            "manager.conf needs [asterisk-agent] with the secret that stands in secret_file,"
            " and permit for this machine",
        )
    ]


@pytest.mark.parametrize(
    "greeting", [b"HTTP/1.1 400 Bad Request\r\n", b"x" * 100_000 + b"\n", b"\n"]
)
async def test_something_that_is_not_asterisk(config: Config, greeting: bytes) -> None:
    (only,) = (await ask(FakeAsterisk(greeting), config)).problems
    port = config.asterisk.ami.port
    assert only.problem == f"what answers at 127.0.0.1:{port} is not Asterisk's manager interface"


async def test_an_asterisk_without_voicemail(config: Config) -> None:
    fake = FakeAsterisk()
    fake.dialplan, fake.globals = read(wanted_dialplan(config))
    fake.refuse["VoicemailUsersList"] = "Invalid/unknown command: VoicemailUsersList. Use ..."
    (only,) = (await ask(fake, config)).problems
    assert only.problem == "Asterisk runs no voicemail"
    assert "module load app_voicemail.so" in only.hint


async def test_an_asterisk_that_falls_silent_is_waited_for_once(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manager, "ANSWER_LIMIT_S", 0.05)
    fake = FakeAsterisk()
    fake.silent.add("ShowDialPlan")
    problems = [finding.problem for finding in (await ask(fake, config)).problems]
    assert problems == [
        "Asterisk did not answer ShowDialPlan",
        "ShowDialPlan was not asked: Asterisk fell silent",
        "GetVar was not asked: Asterisk fell silent",
        "QueueStatus was not asked: Asterisk fell silent",
        "VoicemailUsersList was not asked: Asterisk fell silent",
    ]
    assert [asked["Action"] for asked in fake.asked] == ["Login", "ShowDialPlan"]


async def test_a_silent_port_is_left_after_the_deadline(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manager, "ANSWER_LIMIT_S", 0.05)
    (only,) = (await ask(FakeAsterisk(b""), config)).problems
    assert "is not Asterisk's manager interface" in only.problem


async def test_an_answer_cut_off(config: Config) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING + b"Response: Succ")
        writer.close()

    fake = FakeAsterisk()
    fake.serve = cut  # type: ignore[method-assign]
    (only,) = (await ask(fake, config)).problems
    assert only.problem == "Asterisk did not answer Login"


async def test_a_session_refuses_by_exception(config: Config) -> None:
    fake = FakeAsterisk()
    ami = config.asterisk.ami
    async with (
        listening(fake, ami.port),
        manager.manager_session(ami.host, ami.port, "a", "b") as session,
    ):
        fake.refuse["Ping"] = "no"
        with pytest.raises(AsteriskError, match="Asterisk refused Ping: no"):
            await session.ask("Ping")


# --- A real Asterisk ----------------------------------------------------------------------------


@pytest.mark.asterisk
def test_a_real_asterisk_with_our_dialplan(start_pbx: Any) -> None:
    pbx = start_pbx(service=False)
    report = Report()
    asyncio.run(check_asterisk(pbx.config, report))
    assert report.problems == []
    assert "+15551230100 in the dialplan's asterisk-agent" in report.checked
    assert "queue agent-support" in report.checked
    assert "mailbox 600" in report.checked

    pbx.asterisk.cli("dialplan remove extension +15551230100@asterisk-agent")
    (pbx.config_dir / "ami.secret").write_text("wrong")
    refused, lacking = Report(), Report()
    asyncio.run(check_asterisk(pbx.config, refused))
    assert [f.problem for f in refused.problems] == [
        "Asterisk refused Login: Authentication failed"
    ]
    (pbx.config_dir / "ami.secret").write_text(pbx.asterisk.ami_secret)
    asyncio.run(check_asterisk(pbx.config, lacking))
    number, loaded = (f.problem for f in lacking.problems)
    assert number == "the dialplan has no +15551230100 in the context asterisk-agent"
    assert loaded.startswith(
        "Asterisk has loaded another dialplan: 3 differences, [asterisk-agent]"
    )


@pytest.mark.asterisk
async def test_a_real_asterisk_tells_its_version(start_pbx: Any) -> None:
    pbx = start_pbx(service=False)
    ami = pbx.config.asterisk.ami
    secret = pbx.config.ami_secret()
    async with manager.manager_session(ami.host, ami.port, ami.username, secret) as session:
        version = await version_of(session)
    assert f"Asterisk {version} " in pbx.asterisk.cli("core show version")


@pytest.mark.asterisk
def test_diff_tells_what_a_real_asterisk_has_loaded(start_pbx: Any) -> None:
    pbx = start_pbx(service=False)
    arguments = ["dialplan", "diff", "--config", str(pbx.config_dir), "--json"]
    same = CliRunner().invoke(app, arguments)
    assert json.loads(same.stdout) == {
        "changed": False,
        "diff": [],
        "loaded": [],
        "not_asked": "",
    }
    assert same.exit_code == 0
    # Somebody changes the hours in Asterisk by hand.
    pbx.asterisk.cli("dialplan remove extension s@agent-hours-office")
    other = CliRunner().invoke(app, arguments)
    assert other.exit_code == 1
    told = json.loads(other.stdout)
    assert told["diff"] == []
    assert all(line.startswith("[agent-hours-office] s,") for line in told["loaded"])
    pbx.asterisk.cli("dialplan reload")
    assert CliRunner().invoke(app, arguments).exit_code == 0


@pytest.mark.asterisk
def test_a_mailbox_that_does_not_exist_is_found(start_pbx: Any) -> None:
    pbx = start_pbx(service=False)
    voicemail = pbx.generated / "voicemail.conf"
    kept = [line for line in voicemail.read_text().splitlines() if not line.startswith("600 ")]
    voicemail.write_text("\n".join(kept))
    pbx.asterisk.cli("voicemail reload")
    report = Report()
    asyncio.run(check_asterisk(pbx.config, report))
    assert [(f.where, f.problem) for f in report.problems] == [
        ("teams.support.voicemail", "Asterisk has no mailbox 600@agent")
    ]


# --- The call log -------------------------------------------------------------------------------


def finding_of_records(etc: Path) -> Finding | None:
    report = Report()
    check._check_records(load(etc), report)
    return next(iter(report.problems), None)


def log_in(etc: Path) -> Path:
    """A call log that the service has made."""
    file = etc.parent / "log" / "calls.db"
    with (etc / "agent.yaml").open("a") as agent:
        agent.write(f'records: {{database: "sqlite:///{file}"}}\n')
    CallLog(f"sqlite:///{file}").close()
    return file


def test_another_users_call_log_is_not_written_for_a_trial(etc: Path) -> None:
    file = log_in(etc)
    assert finding_of_records(etc) is None
    with read_only(file.parent):
        found = finding_of_records(etc)
    assert found is None  # whether the service could write it is not ours to say


def test_a_call_log_of_ours_is_written_for_a_trial(etc: Path, monkeypatch) -> None:
    file = log_in(etc)
    monkeypatch.setattr(check, "_is_ours", lambda _: True)
    with read_only(file.parent):
        found = finding_of_records(etc)
    assert found is not None
    assert "could not be written: attempt to write a readonly database" in found.problem


async def test_the_running_service_is_asked_before_its_file(etc: Path) -> None:
    log_in(etc)
    config = load(etc)
    said = {"records": "ok"}

    async def answers(_):
        yield {"health": said}

    status = Status(config.state_directory, etc, lambda: datetime.now(UTC))
    status.recorded("database is locked")
    found = await asyncio.to_thread(finding_of_records, etc)
    assert found is not None
    assert "database is locked" in found.problem
    server = ControlServer(config.control_socket, answers)
    await server.start()
    try:
        assert await asyncio.to_thread(finding_of_records, etc) is None
        said["records"] = "the disk is full; 1 call waits in memory"
        found = await asyncio.to_thread(finding_of_records, etc)
        assert found is not None
        assert found.problem == "the disk is full; 1 call waits in memory"
    finally:
        await server.stop()


@pytest.mark.parametrize(
    ("watched", "losses", "told"),
    [
        ("supervisor", Losses(), []),
        ("", Losses(), ["nobody watches it"]),
        ("supervisor", Losses(1, "2026-11-23T20:15:00", "killed by SIGSEGV"), ["once, last at"]),
        ("systemd", Losses(3, "2026-11-23T20:15:00", "killed by SIGSEGV"), ["3 times, last at"]),
    ],
)
def test_who_watches_the_service_and_how_often_it_was_lost(
    etc: Path, watched: str, losses: Losses, told: list[str]
) -> None:
    config = load(etc)
    now = lambda: datetime.now(UTC)  # noqa: E731
    Status(config.state_directory, etc, now, watched=watched, losses=losses).started()
    report = Report()
    check._check_service(config, report)
    assert [finding.where for finding in report.warnings] == ["service"] * len(told)
    for words, finding in zip(told, report.warnings, strict=True):
        assert words in finding.problem


def test_a_service_that_does_not_run_is_watched_by_nobody(etc: Path) -> None:
    report = Report()
    check._check_service(load(etc), report)
    assert report.warnings == []


def test_of_several_services_each_is_asked(tmp_path: Path) -> None:
    config = load(write_good(tmp_path))
    nodes = {
        name: Node(fastagi=Address("127.0.0.1", free_port()), media=Address("127.0.0.1", 9092))
        for name in ("a", "b")
    }
    asterisk = config.asterisk.model_copy(update={"nodes": nodes})
    for listens, problems in (
        (nodes["a"].fastagi, ["asterisk.nodes.b"]),
        (Address("127.0.0.1", 1), ["asterisk.nodes", "asterisk.nodes.a", "asterisk.nodes.b"]),
    ):
        listen = config.listen.model_copy(update={"fastagi": listens})
        report = Report()
        update = {"asterisk": asterisk, "listen": listen}
        check._check_nodes(config.model_copy(update=update), report)
        assert [problem.where for problem in report.problems] == problems
