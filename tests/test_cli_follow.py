"""``calls follow``: live from the service's socket, else from the log."""

import asyncio
import json
import os
import signal
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import yaml
from good_config import write_good
from test_records import story
from typer.testing import CliRunner

from asterisk_agent import control as control_module
from asterisk_agent.cli import calls, follow, main
from asterisk_agent.cli.app import app, err, out
from asterisk_agent.config.load import load
from asterisk_agent.control import Control
from asterisk_agent.errors import AgentError, ProtocolError
from asterisk_agent.net.control import ControlServer
from asterisk_agent.records import CallLog, Delays, Step, Story, TurnRecord
from asterisk_agent.visits import Visit, Visits

EVIL = "Hello\x1b[31m\x9b there\x07 [bold]"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(control_module, "LOOK_S", 0.02)
    monkeypatch.setattr(follow, "AGAIN_S", 0.05)
    monkeypatch.setattr(follow, "LOOK_EVERY_S", 0.05)


@pytest.fixture
def config(tmp_path):
    directory = write_good(tmp_path / "etc")
    text = (directory / "agent.yaml").read_text()
    ours = yaml.safe_load(text) | {
        "state": f"{tmp_path}/data",
        "records": {"database": f"sqlite:///{tmp_path}/calls.db"},
    }
    (directory / "agent.yaml").write_text(yaml.safe_dump(ours))
    return load(directory)


@pytest.fixture
def log(config):
    log = CallLog(config.records.database)
    yield log
    log.close()


@pytest.fixture
def visits():
    return Visits()


@asynccontextmanager
async def service(config, visits):
    """The service's socket, with its calls."""
    control = Control(
        visits,
        lambda: config,
        action=None,
        now=None,
        health=lambda: {"state": "up"},
        figures=lambda: "",
    )
    server = ControlServer(config.control_socket, control.answers)
    await server.start()
    try:
        yield
    finally:
        await server.stop()


@asynccontextmanager
async def follower(config, log, channel=None, as_json=False):
    task = asyncio.create_task(calls._follow(config, log, channel, as_json))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def shown(capsys, monkeypatch):
    """Waits for words on stdout and stderr; tells everything so far."""
    for console in (out, err):
        monkeypatch.setattr(console, "width", 200)
    told = ["", ""]

    async def shown(*words):
        async with asyncio.timeout(5):
            while True:
                new = capsys.readouterr()
                told[0] += new.out
                told[1] += new.err
                if all(word in told[0] + told[1] for word in words):
                    return tuple(told)
                await asyncio.sleep(0.01)

    return shown


def arrive(visits, config, channel="support"):
    story = Story(channel, "+15559876543", "open", datetime.now(UTC))
    visit = Visit(story, SimpleNamespace(config=config), config.channels[channel])
    visit.call = SimpleNamespace(outcome=None, saying="", caller_speaking=False)
    return visits.add(visit)


def finish(visits, visit, log, outcome):
    visits.remove(visit)
    visit.story.over(outcome, datetime.now(UTC))
    log.write(visit.story.as_json())


async def test_a_call_is_shown_turn_by_turn_to_its_end(config, log, visits, shown):
    async with service(config, visits), follower(config, log):
        visit = arrive(visits, config)
        turns, short = visit.story.turns, str(visit.story.id)[:8]
        await shown(f"{short}  support", "call from +15559876543  open", "→ agent")
        turns.append(TurnRecord("caller", EVIL, at_s=1.0))
        await shown(f"{short}  support      1.00  caller Hello [31m  there  [bold]")
        turns.append(TurnRecord("agent", "Hi.", at_s=2.5, delay_ms=Delays(total=812.0)))
        await shown("2.50  agent  Hi.  [0.81 s]")
        visit.call.outcome = "person"
        visit.story.path.append(Step("team:support", 9.5, "asked"))
        await shown("9.50  → team:support (Customer support)")
        visit.story.picked_up("PJSIP/1\x1b", datetime.now(UTC))
        await shown("PJSIP/1  picked up")
        turns.append(TurnRecord("agent", "Goodbye.", at_s=12.0))
        visit.story.add_tasks(["call_back"])
        finish(visits, visit, log, "answered")
        told, complaints = await shown("outcome  answered (-)  to do: call back")
    assert told.index("Goodbye.") < told.index("outcome")
    assert not {"\x1b", "\x07", "\x9b"} & set(told)
    assert {told.count(words) for words in ("Hi.", "there", "picked up", "call from")} == {1}
    assert told.count("→") == 2
    assert not complaints


async def test_json_lines_of_one_channel(config, log, visits, shown):
    async with service(config, visits), follower(config, log, "support", as_json=True):
        other, visit = arrive(visits, config, "billing"), arrive(visits, config)
        turn = TurnRecord("caller", EVIL, at_s=1.0)
        for some in (other, visit):
            some.story.turns.append(turn)
        await shown('"turn"')
        finish(visits, other, log, "abandoned")
        finish(visits, visit, log, "resolved")
        told, _ = await shown('"end"')
    assert not {"\x1b", "\x07", "\x9b"} & set(told)
    events = [json.loads(line) for line in told.splitlines()]
    assert sorted(event["event"] for event in events) == ["call", "end", "stage", "turn"]
    assert {(event["call"], event["channel"]) for event in events} == {
        (str(visit.story.id), "support")
    }
    (said,) = (event for event in events if event["event"] == "turn")
    assert (said["who"], said["text"], said["at_s"], said["delay_ms"]) == (
        "caller",
        EVIL,
        1.0,
        None,
    )
    assert (events[-1]["outcome"], events[-1]["record"]["state"]) == ("resolved", "open")


async def test_without_the_service_ended_calls_are_shown_until_it_is_back(
    config, log, visits, shown
):
    old = story(1)
    old.ended = datetime.now(UTC) - timedelta(hours=1)
    log.write(old.as_json())
    async with follower(config, log):
        await shown("the service does not run")
        visit = arrive(visits, config)
        async with service(config, visits):
            await shown("calls are shown live", "call from")
            visit.story.turns.append(TurnRecord("caller", "Hello?", at_s=1.0))
            await shown("Hello?")
        await shown("the service has ended")
        visit.story.turns.append(TurnRecord("agent", "Unheard of.", at_s=2.0))
        finish(visits, visit, log, "abandoned")
        unseen = arrive(visits, config)
        finish(visits, unseen, log, "voicemail")
        told, complaints = await shown("Unheard of.", "abandoned (-)", "voicemail (-)")
        assert str(unseen.story.id) in told  # whole, as a timeline
        await asyncio.sleep(0.2)  # several attempts to reach the service, said once
        told, complaints = await shown()
    assert told.count("Hello?") == 1
    assert str(old.id)[:8] not in told
    assert [complaints.count(words) for words in ("does not run", "live", "has ended")] == [1, 1, 1]


async def test_an_end_that_the_log_does_not_know_is_told_and_completed(
    config, log, visits, shown, monkeypatch
):
    monkeypatch.setattr(follow, "LATE_S", 0.1)
    monkeypatch.setattr(follow, "LOOK_SELDOM_S", 0.05)
    async with service(config, visits), follower(config, log):
        visit = arrive(visits, config)
        await shown("call from")
        visits.remove(visit)
        await shown("over; the call log does not know yet how")
        another = arrive(visits, config)
        finish(visits, visit, log, "message")
        finish(visits, another, log, "resolved")
        await shown("message (-)", "resolved (-)")


@pytest.mark.parametrize(
    "told",
    [
        {"call": 7},
        {"call": {"id": "x"}},
        {
            "call": {
                "id": "x",
                "channel": "y",
                "caller": "",
                "state": "",
                "started": "",
                "turns": [1],
            }
        },
        {"error": "no\x1b"},
    ],
)
def test_a_service_of_another_version_is_no_crash(config, log, told):
    following = follow.Follower(
        config.control_socket, log, None, show=lambda *_: None, notice=lambda _: None
    )
    with pytest.raises(ProtocolError if "call" in told else AgentError) as caught:
        following._take(told)
    assert "\x1b" not in str(caught.value)


def test_among_several_services_it_says_once_whose_calls_are_live(config, log):
    said = []
    following = follow.Follower(
        config.control_socket, log, None, show=lambda *_: None, notice=said.append
    )
    for _ in range(2):
        following._take({"health": {"node": "a\x1b", "nodes": ["a", "b"]}})
    assert said == ["live are the calls of service a ; others show when they have ended"]


def test_ctrl_c_ends_it_well(config, log, tmp_path, monkeypatch):
    for name in main.COMMAND_MODULES:
        __import__(f"asterisk_agent.cli.{name}")
    looks = []

    def interrupted(self):
        looks.append(self)
        if len(looks) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(follow.Follower, "_tell_late", interrupted)
    words = ["calls", "follow", "--config", str(tmp_path / "etc")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert len(looks) == 2
    result = CliRunner().invoke(app, [*words, "--channel", "nowhere"])
    assert result.exit_code == 1
    assert "there is no channel" in result.output
