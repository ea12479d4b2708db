"""Sentences that are spoken in advance, with a pool that remembers some."""

import asyncio
from types import SimpleNamespace

import pytest
from good_config import write_good

from asterisk_agent.config.load import load
from asterisk_agent.engines.pool import EnginePool
from asterisk_agent.rehearsal import Rehearsal
from asterisk_agent.visits import Visits


@pytest.fixture
def config(tmp_path):
    return load(write_good(tmp_path / "etc"))


@pytest.fixture
def pool(config, monkeypatch):
    """A pool that knows the sentence "known", and keeps what it was asked."""
    pool = EnginePool(config)
    pool.asked, pool.spoken = [], []

    async def remember(sentence):
        pool.asked.append(sentence)
        return sentence == "known"

    async def prepare(sentences):
        pool.spoken.extend(sentences)

    monkeypatch.setattr(pool, "remember", remember)
    monkeypatch.setattr(pool, "prepare", prepare)
    return pool


def somebody_talks(visits):
    visit = SimpleNamespace(story=SimpleNamespace(id=1, unique_id="1.1"), talking=True)
    visits.add(visit)
    return visit


async def test_what_was_spoken_before_is_there_again_while_calls_go_on(config, pool):
    visits = Visits()
    somebody_talks(visits)
    rehearsal = Rehearsal(pool, lambda: SimpleNamespace(config=config, brains={}), visits)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await rehearsal.speak(["known", "known", "new", "known"])
    assert pool.asked == ["known", "known", "new"]
    assert pool.spoken == []


async def test_likely_answers_are_spoken_again_when_the_documents_have_changed(config, pool):
    likely = ["first"]

    async def told():
        return list(likely)

    site = SimpleNamespace(config=config, brains={"main": SimpleNamespace(likely=told)})
    rehearsal = Rehearsal(pool, lambda: site, Visits())
    chore = asyncio.create_task(rehearsal.keep())
    async with asyncio.timeout(5):
        while "first" not in pool.spoken:  # noqa: ASYNC110
            await asyncio.sleep(0)
        likely[:] = ["second"]
        rehearsal.renew()
        while "second" not in pool.spoken:  # noqa: ASYNC110
            await asyncio.sleep(0)
    chore.cancel()
    assert pool.spoken.index("first") < pool.spoken.index("second")


async def test_greetings_are_spoken_at_once_whoever_talks(config, pool):
    visits = Visits()
    somebody_talks(visits)
    await Rehearsal(pool, lambda: SimpleNamespace(config=config, brains={}), visits).greetings(
        config
    )
    assert pool.spoken
    assert pool.asked == []
