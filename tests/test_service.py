"""The service's own chores, without engines and Asterisk."""

import asyncio
import stat
import time
from contextlib import asynccontextmanager
from types import SimpleNamespace
from uuid import uuid4

import pytest
from good_config import write_good
from test_records import story
from test_records_recorder import unusable

from asterisk_agent import service as service_module
from asterisk_agent.config.load import load
from asterisk_agent.engines.pool import EnginePool
from asterisk_agent.records import WAITING_ROOM
from asterisk_agent.records.waiting import append
from asterisk_agent.routing import AgentHealth
from asterisk_agent.service import Service
from asterisk_agent.visits import Visit
from asterisk_agent.wire.lifeline import Beat


async def until(done):
    while not done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


@asynccontextmanager
async def recording(tmp_path):
    """The service's chore of writing calls, into ``log/calls.db``."""
    found = load(write_good(tmp_path / "etc"))
    records = found.records.model_copy(update={"database": f"sqlite:///{tmp_path}/log/calls.db"})
    update = {"records": records, "state": str(tmp_path / "state")}
    config = found.model_copy(update=update)
    service = Service(config, EnginePool(config))
    service._site = SimpleNamespace(config=config)
    chore = asyncio.create_task(service._record())
    try:
        async with asyncio.timeout(5):
            yield service
    finally:
        chore.cancel()
        await asyncio.gather(chore, return_exceptions=True)
        service._clerk.close()
        service.recorder.close()


@pytest.fixture(autouse=True)
def seldom(monkeypatch):
    monkeypatch.setattr(service_module, "RECORD_AGAIN_S", 60.0)


async def test_in_a_fault_a_call_is_put_aside_when_it_is_told(tmp_path):
    (tmp_path / "log").write_text("in the way")
    async with recording(tmp_path) as service:
        await until(lambda: service.recorder.health.problem)
        for number in (1, 2):
            service._write(story(number))
            await until(lambda: service.recorder.health.filed == number)  # noqa: B023
        assert service.recorder.health.waiting == 0
        assert service._look().unwritten == 2


async def test_a_waiting_file_that_fails_delays_no_call(tmp_path, monkeypatch):
    append(tmp_path / "state" / WAITING_ROOM, story(1).as_json())
    with unusable(monkeypatch):
        async with recording(tmp_path) as service:
            await until(lambda: service.recorder.health.problem)
            for number in (2, 3):
                service._write(story(number))
                await until(lambda: not service.recorder.health.waiting)
            assert service.recorder.open().search().total == 2
            assert service._look().unwritten == 1


async def test_a_brief_is_closed_to_other_users(tmp_path):
    async with recording(tmp_path) as service:
        visit = SimpleNamespace(site=service._site, story=story(1), brief=None)
        await service._keep_brief(visit, bytes(320))
        service._writer.close()
    assert stat.S_IMODE(visit.brief.stat().st_mode) == 0o640
    assert stat.S_IMODE(visit.brief.parent.stat().st_mode) == 0o750


async def test_a_call_that_another_service_had_is_not_written_here(tmp_path):
    async with recording(tmp_path) as service:
        ours, theirs = (SimpleNamespace(story=story(number)) for number in (1, 2))
        ours.story.unique_id, theirs.story.unique_id = "1.1", "1.2"
        for visit in (ours, theirs):
            service._visits.add(visit)
        service._first = SimpleNamespace(node="a")
        ended = {"event": "UserEvent", "userevent": "AgentEnded"}
        service._on_event(ended | {"calluuid": str(ours.story.id), "uniqueid": "1.1"})
        service._on_event(ended | {"calluuid": str(uuid4()), "uniqueid": "1.2"})
        assert service._ends.get_nowait()[0] is ours
        assert service._ends.empty()
        assert list(service._visits) == [ours]
        service._on_event(ended | {"calluuid": "", "uniqueid": "1.1"})  # it never got an id
        assert service._ends.get_nowait()[0] is ours


async def test_a_chore_that_breaks_is_begun_again(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(service_module, "CHORE_AGAIN_S", 0.001)
    config = load(write_good(tmp_path / "etc"))
    service, begun = Service(config, EnginePool(config)), []

    async def look_around():
        begun.append(1)
        if len(begun) < 3:
            raise OSError(24, "Too many open files")

    async with asyncio.timeout(5):
        await service._keep_at(look_around)
    assert len(begun) == 3
    assert caplog.messages.count("service: look_around broke, and begins again") == 2


async def test_a_chore_ends_with_the_service(tmp_path):
    config = load(write_good(tmp_path / "etc"))
    service = Service(config, EnginePool(config))
    chore = asyncio.create_task(service._keep_at(asyncio.Event().wait))
    await asyncio.sleep(0)
    chore.cancel()
    with pytest.raises(asyncio.CancelledError):
        await chore


async def test_what_goes_on_beside_the_loop_is_told_to_who_watches(tmp_path, monkeypatch):
    config = load(write_good(tmp_path / "etc"))
    service = Service(config, EnginePool(config))
    assert service.signs() == Beat(None, None)
    now = time.monotonic()
    for sent in (None, now - 1.0, now - 3.0):
        call = SimpleNamespace(last_sent=sent, outcome=None)
        visit = SimpleNamespace(call=call, story=SimpleNamespace(id=uuid4()))
        service._visits.add(visit)
    monkeypatch.setattr(EnginePool, "looked", now - 2.0)
    told = service.signs()
    assert told.playout_s == pytest.approx(3.0, abs=0.5)
    assert told.engines_s == pytest.approx(2.0, abs=0.5)


@pytest.mark.parametrize(("node", "written"), [("a", 1), ("", 2)])
async def test_a_call_for_which_we_were_too_late_is_told_by_who_had_it(tmp_path, node, written):
    async with recording(tmp_path) as service:
        late, ours = story(1), story(2)
        for told in (late, ours):
            told.node, told.answered, told.ended, told.outcome = node, None, None, None
            told.attempts.clear()
        ours.answered = ours.started
        for told in (late, ours):
            visit = SimpleNamespace(story=told, brief=None)
            service._visits.add(visit)
            await service._finish(visit, "unknown")
        assert list(service._visits) == []
        await until(lambda: service.recorder.open().search().total == written)


async def test_nobody_waits_for_the_voice_of_a_new_greeting(tmp_path, monkeypatch):
    config = load(write_good(tmp_path / "etc"))
    agent = config.agent.model_copy(update={"greeting": "Good day. How can I help?"})
    new = config.model_copy(update={"agent": agent})
    service, spoken = Service(config, EnginePool(config)), []

    async def site(_):
        return SimpleNamespace(config=new)

    async def prepare(_, texts):
        assert service._site.config is config, "calls that come now are greeted as before"
        spoken.extend(texts)

    service._site = SimpleNamespace(config=config)
    monkeypatch.setattr(service, "_make_site", site)
    monkeypatch.setattr(EnginePool, "prepare", prepare)
    await service._take_over(new)
    assert service._site.config is new
    assert spoken[:2] == ["Good day.", "How can I help?"]


@pytest.mark.parametrize(
    ("busy", "late", "health"),
    [
        (0, False, AgentHealth.UP),
        (0, True, AgentHealth.UP),
        (1, False, AgentHealth.UP),
        (1, True, AgentHealth.FULL),
        (2, False, AgentHealth.FULL),
    ],
)
def test_engines_that_are_late_keep_out_only_who_would_share_them(
    tmp_path, monkeypatch, busy, late, health
):
    config = load(write_good(tmp_path / "etc"))
    service = Service(config, EnginePool(config))
    monkeypatch.setattr(EnginePool, "ready", True)
    monkeypatch.setattr(EnginePool, "late", late)
    monkeypatch.setattr(service, "_most", lambda: 2)
    monkeypatch.setattr(service._visits, "busy", lambda _: busy)
    assert service._state() is health


async def test_who_comes_while_the_service_stops_is_not_greeted_and_cut_off(tmp_path):
    async with recording(tmp_path) as service:
        visit = Visit(story(1), service._site, SimpleNamespace(id="support"))
        service._visits.add(visit)
        visit.announce("answer", time.monotonic())
        service._stopping = True
        assert service._claim(visit.story.id) is None
        visit.announce("answer", time.monotonic())
        service._stopping = False
        assert service._claim(visit.story.id) is not None
