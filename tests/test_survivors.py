"""Calls that outlive a service, between the journal, the next service and Asterisk."""

import asyncio
import os
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from good_config import write_good
from test_records import BEGAN
from test_recovery import AT, row, talking

from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Address, Node
from asterisk_agent.engines.worker import Worker
from asterisk_agent.errors import AsteriskError
from asterisk_agent.records import WAITING_ROOM, Recorder, Step
from asterisk_agent.records.waiting import append
from asterisk_agent.survivors import STOPPED, UNDER_WAY, Survivors
from asterisk_agent.visits import Visit, Visits
from asterisk_agent.wire.lifeline import Losses

SEEN = AT - timedelta(seconds=3)
NOW = AT + timedelta(seconds=10)
LOST = Losses(1, AT.isoformat(), "no sign of life for 1.5 s")


class House:
    """One service's part: what Asterisk shows, and what was written."""

    def __init__(self, tmp_path, config):
        self.site = SimpleNamespace(config=config, plan=None)
        self.visits = Visits()
        self.files, self.clerk = Worker("files"), Worker("records")
        self.recorder = Recorder(f"sqlite:///{tmp_path}/calls.db", tmp_path / WAITING_ROOM)
        self.rows, self.variables = [], {}
        self.finished, self.written = [], []
        self.now = NOW
        self.survivors = Survivors(
            self.visits,
            self.recorder,
            tmp_path,
            files=self.files,
            clerk=self.clerk,
            action=self.action,
            now=lambda: self.now,
        )

    async def action(self, name, **headers):
        if name == "CoreShowChannels":
            return [{"response": "Success"}, *self.rows]
        if headers["Channel"] == "gone":
            raise AsteriskError("No such channel")
        return [{"response": "Success", "value": self.variables.get(headers["Variable"], "")}]

    async def finish(self, visit, outcome, at=None):
        self.visits.remove(visit)
        visit.story.over(outcome, at or self.now)
        self.finished.append(visit.story)

    async def settle(self):
        return await self.survivors.settle(self.site, self.finish, self.written.append)

    async def adopt(self, losses=LOST):
        await self.survivors.adopt(self.site, losses)

    def take(self, story):
        return self.visits.add(Visit(story, self.site, self.site.config.channels[story.channel]))

    def close(self):
        self.recorder.close()
        self.files.close()
        self.clerk.close()


@pytest.fixture
def new_house(tmp_path):
    config = load(write_good(tmp_path / "etc"))
    houses = []

    def make():
        houses.append(House(tmp_path, config))
        return houses[-1]

    yield make
    for house in houses:
        house.close()


@pytest.fixture
async def heir(new_house, tmp_path):
    """The next service's house, after one that was lost with a caller who talked to the agent."""
    before = new_house()
    visit = before.take(talking())
    visit.call = SimpleNamespace(outcome=None, saying="We open at")
    (tmp_path / "briefs").mkdir()
    (tmp_path / "briefs" / f"{visit.story.id}.wav").write_bytes(b"")
    await before.survivors.keep()
    (file,) = (tmp_path / UNDER_WAY).iterdir()
    os.utime(file, (SEEN.timestamp(), SEEN.timestamp()))
    heir = new_house()
    await heir.adopt()
    return heir


async def test_a_caller_is_found_in_the_queue_and_with_the_member(heir, tmp_path):
    (visit,) = heir.visits
    story = visit.story
    assert (visit.talking, visit.over.is_set()) == (False, True)
    assert visit.brief == tmp_path / "briefs" / f"{story.id}.wav"
    assert (story.reason, story.agent_s, story.ended) == ("lost", 30.0, None)
    heir.rows = [row(context="agent-ask", exten="ask")]
    assert not await heir.settle()
    assert heir.written == []
    heir.rows = [
        row(bridge="b"),
        row("1.2", "from-phones", "s", "b", "PJSIP/101-00000003"),
    ]
    assert await heir.settle()
    assert [step.to for step in story.path] == ["agent", "team:support"]
    assert story.path[0].result == "lost"
    assert story.picked_up_by == "PJSIP/101"
    assert heir.written == [story]
    assert heir.finished == []


async def test_one_that_is_gone_is_closed_with_what_is_known(heir):
    await heir.settle()
    (story,) = heir.finished
    assert (story.outcome, story.ended) == ("unknown", AT)
    assert [turn.text for turn in story.turns] == ["Hello."]
    assert story.events[-1].detail == "the service was lost while the agent spoke"


async def test_without_a_supervisor_the_file_s_age_tells_when_it_was_lost(heir, new_house):
    other = new_house()
    await other.adopt(Losses())
    (visit,) = other.visits
    assert visit.lost_at == SEEN


async def test_what_is_over_is_no_longer_kept(heir, tmp_path):
    (visit,) = heir.visits
    folder = tmp_path / UNDER_WAY
    assert len(list(folder.iterdir())) == 1
    heir.recorder.put(visit.story.as_json())
    heir.visits.remove(visit)
    await heir.survivors.keep()
    assert len(list(folder.iterdir())) == 1  # what is only in memory would be lost with us
    heir.recorder.flush()
    await heir.survivors.keep()
    assert list(folder.iterdir()) == []


async def test_a_call_is_written_when_there_is_something_new(new_house, tmp_path):
    house = new_house()
    visit = house.take(talking())

    def age():
        (file,) = (tmp_path / UNDER_WAY).iterdir()
        return file.stat().st_mtime_ns, file.stat().st_ino

    await house.survivors.keep()
    first = age()
    house.now += timedelta(seconds=3)
    await house.survivors.keep()
    assert age() == first
    house.now += timedelta(seconds=3)
    await house.survivors.keep()
    touched = age()
    assert touched[0] > first[0]
    assert touched[1] == first[1]
    visit.story.happened("key", 31.0, "5")
    await house.survivors.keep()
    assert age()[1] != first[1]


@pytest.mark.parametrize("waits", [False, True])
async def test_one_whose_end_was_told_is_not_taken_over(new_house, tmp_path, waits):
    before = new_house()
    visit = before.take(talking())
    await before.survivors.keep()
    visit.story.over("abandoned", AT)
    if waits:
        append(tmp_path / WAITING_ROOM, visit.story.as_json())
    else:
        before.recorder.put(visit.story.as_json())
        before.recorder.flush()
    heir = new_house()
    await heir.adopt()
    assert list(heir.visits) == []
    await heir.survivors.keep()
    assert list((tmp_path / UNDER_WAY).iterdir()) == []


async def test_one_that_was_with_people_when_the_service_stopped_goes_on(new_house):
    before = new_house()
    visit = before.take(talking())
    visit.story.went("team:support", "a person", AT)
    await before.survivors.keep()
    visit.story.over(STOPPED, AT)
    before.recorder.put(visit.story.as_json())
    before.recorder.flush()
    heir = new_house()
    await heir.adopt(Losses())
    (visit,) = heir.visits
    heir.rows = [row(bridge="b"), row("1.2", "from-phones", "s", "b", "PJSIP/102-3")]
    assert await heir.settle()
    assert (visit.story.outcome, visit.story.picked_up_by) == (None, "PJSIP/102")
    assert visit.story.events[-1].detail == "the service stopped"
    assert len(visit.story.path) == 2


async def test_one_whose_channel_is_no_longer_configured_is_closed(new_house):
    before = new_house()
    visit = before.take(talking())
    visit.story.channel = "sales of old"
    await before.survivors.keep()
    heir = new_house()
    await heir.adopt()
    assert list(heir.visits) == []
    heir.recorder.flush()
    assert heir.recorder.open().story(str(visit.story.id))["outcome"] == "unknown"


async def test_a_call_that_came_meanwhile_is_found(new_house):
    house = new_house()
    (channel, *_) = house.site.config.channels
    house.variables = {
        "AGENT_CHANNEL": channel,
        "AGENT_ARRIVED": str(int(BEGAN.timestamp())),
        "AGENT_STATE": "open",
    }
    house.rows = [
        row("7.1") | {"calleridnum": "+15551234567"},
        row("7.2", "agent-asking", "s7.1", channel="Local/s7.1@agent-asking-0001;2"),
        row("7.3", "from-phones", "s", channel="PJSIP/101-1"),
        row("7.4", channel="gone"),
    ]
    assert await house.settle()
    (visit,) = house.visits
    story = visit.story
    assert (story.channel, story.caller, story.state) == (channel, "+15551234567", "open")
    assert (story.started, story.unique_id) == (BEGAN, "7.1")
    assert [step.to for step in story.path] == ["team:support"]
    assert house.written == [story]
    house.rows = [*house.rows, row("7.5")]
    await house.settle()
    assert len(list(house.visits)) == 1  # those that come now say so themselves


async def test_one_that_the_log_knows_goes_on_where_its_record_ends(new_house):
    house = new_house()
    told = talking()
    told.path.append(Step("team:sales", 2.0, "asked"))
    house.recorder.put(told.as_json())
    house.recorder.flush()
    house.variables = {"AGENT_CHANNEL": "support", "AGENT_UUID": str(told.id)}
    house.rows = [row()]
    await house.settle()
    (visit,) = house.visits
    assert [step.to for step in visit.story.path] == ["agent", "team:sales", "team:support"]
    assert visit.story.turns[0].text == "Hello."


async def test_a_database_that_hangs_keeps_nobody_from_starting(heir, new_house, monkeypatch):
    monkeypatch.setattr("asterisk_agent.survivors.OUTCOMES_LIMIT_S", 0.05)
    other = new_house()
    busy = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hangs(_):
        asyncio.run_coroutine_threadsafe(busy.wait(), loop).result(5)
        return {}

    monkeypatch.setattr(other.recorder, "outcomes", hangs)
    await other.adopt()
    assert len(list(other.visits)) == 1
    busy.set()
    await other.clerk.run(lambda: None)


async def test_a_variable_that_is_no_id_makes_a_new_record(new_house):
    house = new_house()
    house.variables = {"AGENT_CHANNEL": "support", "AGENT_UUID": "x" * 40, "AGENT_ARRIVED": "soon"}
    house.rows = [row() | {"calleridnum": "<unknown>"}]
    await house.settle()
    (visit,) = house.visits
    assert isinstance(visit.story.id, UUID)
    assert visit.story.id != uuid4()
    assert (visit.story.caller, visit.story.started) == ("", NOW)


@pytest.mark.parametrize(("number", "found"), [("1", 1), ("2", 0), ("", 0)])
async def test_of_several_services_only_the_one_that_had_a_call_takes_it(new_house, number, found):
    house = new_house()
    config = house.site.config
    nodes = {
        name: Node(fastagi=Address("127.0.0.1", port), media=Address("127.0.0.1", 9092))
        for name, port in (("a", config.listen.fastagi.port), ("b", 1))
    }
    asterisk = config.asterisk.model_copy(update={"nodes": nodes})
    house.site.config = config.model_copy(update={"asterisk": asterisk})
    house.variables = {"AGENT_CHANNEL": next(iter(config.channels)), "AGENT_NODE": number}
    house.rows = [row("7.1")]
    await house.settle()
    assert len(list(house.visits)) == found
