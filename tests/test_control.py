"""What the console is told of calls, and what becomes of a call that is taken over."""

import asyncio
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from good_config import write_good

from asterisk_agent.config.load import load
from asterisk_agent.control import Control, live_call
from asterisk_agent.errors import AgentError, AsteriskError
from asterisk_agent.net.control import ControlServer, ask, follow
from asterisk_agent.records import Step, Story, TurnRecord
from asterisk_agent.visits import Visit, Visits
from asterisk_agent.wire.control import Figures, TakeOver, Watch

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path):
    directory = write_good(tmp_path / "etc")
    text = (directory / "agent.yaml").read_text()
    (directory / "agent.yaml").write_text(text + "web: {phones: {anna: PJSIP/101}}\n")
    return load(directory)


class Asterisk:
    """Takes actions down, and knows one channel."""

    def __init__(self) -> None:
        self.actions: list[tuple[str, dict[str, str]]] = []
        self.channels = [{"uniqueid": "1.7", "channel": "PJSIP/trunk-00000001"}]

    async def action(self, name: str, **headers: str):
        if name == "CoreShowChannels":
            return self.channels
        self.actions.append((name, headers))
        return []


@pytest.fixture
def asterisk() -> Asterisk:
    return Asterisk()


@pytest.fixture
def visits() -> Visits:
    return Visits()


@pytest.fixture
def control(visits, config, asterisk) -> Control:
    return Control(
        visits,
        lambda: config,
        asterisk.action,
        now=lambda: NOW,
        health=lambda: {"state": "up"},
        figures=lambda: "calls 1\n",
    )


def arrive(visits: Visits, config, channel: str = "support", **more) -> Visit:
    story = Story(channel, "+15559876543", "open", NOW, unique_id="1.7", **more)
    site = SimpleNamespace(config=config)
    return visits.add(Visit(story, site, config.channels[channel]))


async def first(control: Control, request):
    async with aclosing(control.answers(request)) as answers:
        async for answer in answers:
            return answer
    return None


# --- Watching -----------------------------------------------------------------------------------


async def test_a_watcher_is_told_every_call_its_changes_and_its_end(control, visits, config):
    visit = arrive(visits, config)
    async with aclosing(control.answers(Watch())) as answers:
        assert await anext(answers) == {"health": {"state": "up"}}
        told = (await anext(answers))["call"]
        assert told["id"] == str(visit.story.id)
        assert told["turns"] == []
        visit.story.turns.append(TurnRecord("caller", "Hello?", at_s=1.0))
        assert (await anext(answers))["call"]["turns"][0]["text"] == "Hello?"
        visit.story.path.append(Step("team:support", 9.5, "the caller asked for a person"))
        told = (await anext(answers))["call"]
        assert (told["stage"], told["where"]) == ("team:support", "Customer support")
        visits.remove(visit)
        assert await anext(answers) == {"gone": str(visit.story.id)}


def test_a_call_is_told_with_what_is_said_at_this_moment(visits, config):
    visit = arrive(visits, config)
    visit.call = SimpleNamespace(outcome=None, saying="We are open.", caller_speaking=False)
    told = live_call(visit)
    assert told["stage"] == "agent"
    assert told["saying"] == "We are open."
    assert told["on_call"] is True
    visit.call = SimpleNamespace(outcome="person", saying="", caller_speaking=True)
    assert live_call(visit)["hearing"] is False


# --- Taking over --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "target", "extension", "value"),
    [
        ("team", "support", "do-team", "support"),
        ("phone", "anna", "do-phone", "anna"),
        ("on-call", "support", "do-on-call", "support"),
    ],
)
async def test_a_call_is_redirected_by_the_dialplans_own_steps(
    *, control, visits, config, asterisk, kind, target, extension, value
):
    visit = arrive(visits, config)
    wanted = TakeOver(visit.story.id, kind, target, "anna")
    assert await first(control, wanted) == {"done": True}
    set_, (name, redirect) = (
        {headers["Variable"]: headers["Value"] for what, headers in asterisk.actions[:-1]},
        asterisk.actions[-1],
    )
    assert set_ == {"AGENT_TARGET": value, "AGENT_PROMPT": "handed-over", "AGENT_BRIEF": ""}
    assert name == "Redirect"
    assert redirect == {
        "Channel": "PJSIP/trunk-00000001",
        "Context": "agent-ask",
        "Exten": extension,
        "Priority": "1",
    }
    assert visit.taken_by == "anna"
    assert visit.story.path[-1].to == f"{kind}:{target}"
    assert visit.story.path[-1].because == "anna took the call over"


@pytest.mark.parametrize(
    ("kind", "target", "by"),
    [
        ("team", "nobody", "anna"),
        ("team", "night", "anna"),  # a mailbox: nobody is there
        ("phone", "anna", "bert"),  # another's phone
        ("phone", "bert", "bert"),  # has none
        ("on-call", "billing", "anna"),  # of another channel
    ],
)
async def test_only_configured_destinations_are_allowed(
    *, control, visits, config, asterisk, kind, target, by
):
    visit = arrive(visits, config)
    with pytest.raises(AgentError, match="no call can be sent to"):
        await first(control, TakeOver(visit.story.id, kind, target, by))
    assert asterisk.actions == []
    assert visit.story.path == []


async def test_a_call_that_has_ended_cannot_be_taken_over(control, visits, config, asterisk):
    with pytest.raises(AgentError, match="has ended"):
        await first(control, TakeOver(uuid4(), "team", "support", "anna"))
    visit = arrive(visits, config)
    asterisk.channels = []
    with pytest.raises(AsteriskError, match="does not know this call"):
        await first(control, TakeOver(visit.story.id, "team", "support", "anna"))
    assert not visit.taken_by


# --- The socket ---------------------------------------------------------------------------------


async def test_the_socket_is_ours_alone_and_answers_many_requests(tmp_path, control, visits):
    path = tmp_path / "state" / "control.sock"
    server = ControlServer(path, control.answers)
    await server.start()
    try:
        assert path.stat().st_mode & 0o777 == 0o600
        assert await ask(path, Figures()) == {"text": "calls 1\n"}
        with pytest.raises(AgentError, match="this call has ended"):
            await ask(path, TakeOver(uuid4(), "team", "support", "anna"))
        async with aclosing(follow(path, Watch())) as told:
            assert await anext(told) == {"health": {"state": "up"}}
            await server.stop()
            with pytest.raises(AgentError, match="has ended"):
                await anext(told)
    finally:
        await server.stop()
    assert not path.exists()
    with pytest.raises(AgentError, match="does not run"):
        await ask(path, Figures())


async def test_the_end_leaves_no_client_and_no_error(tmp_path, control, caplog):
    path = tmp_path / "control.sock"
    server = ControlServer(path, control.answers)
    await server.start()
    before = asyncio.all_tasks()
    async with aclosing(follow(path, Watch())) as told:
        await anext(told)
        (client,) = asyncio.all_tasks() - before
        await server.stop()
        assert client.cancelled()
    await asyncio.sleep(0)
    assert not caplog.records


async def test_another_users_socket_is_not_called_a_service_that_is_down(tmp_path, monkeypatch):
    async def refused(_path):
        raise PermissionError

    monkeypatch.setattr(asyncio, "open_unix_connection", refused)
    with pytest.raises(AgentError, match="another user's"):
        await ask(tmp_path / "control.sock", Figures())


@pytest.mark.parametrize("data", [b"x" * 5000, b"{}\n", b'{"do":"watch","x":"y"}\n', b"\xff\n"])
async def test_whoever_sends_nonsense_is_hung_up_on(tmp_path, control, data):
    path = tmp_path / "control.sock"
    server = ControlServer(path, control.answers)
    await server.start()
    try:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(data)
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        assert await ask(path, Figures()) == {"text": "calls 1\n"}
    finally:
        await server.stop()
