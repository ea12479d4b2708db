"""Threads behind the event loop: results, errors, cancellation, closing, and none left over."""

import asyncio
import threading

import pytest

from asterisk_agent.engines.worker import Together, Worker, now_s
from asterisk_agent.errors import EngineError


@pytest.fixture
def worker():
    worker = Worker("testing")
    yield worker
    worker.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("testing")]


async def test_runs_on_a_thread_of_its_name(worker):
    name = await worker.run(lambda: threading.current_thread().name)
    assert name.startswith("testing")


async def test_passes_arguments_and_results(worker):
    assert await worker.run(divmod, 7, 2) == (3, 1)
    assert await worker.run(int, "ff", base=16) == 255


async def test_passes_errors(worker):
    with pytest.raises(ZeroDivisionError):
        await worker.run(divmod, 1, 0)
    assert worker.pending == 0


async def test_one_thread_does_one_thing_at_a_time(worker):
    running, most = [], []

    def job():
        running.append(1)
        most.append(len(running))
        running.pop()

    await asyncio.gather(*(worker.run(job) for _ in range(20)))
    assert max(most) == 1


async def test_several_threads_work_together():
    worker, meet = Worker("pair", threads=2), threading.Barrier(2, timeout=5)
    await asyncio.gather(worker.run(meet.wait), worker.run(meet.wait))
    worker.close()


async def test_counts_what_is_pending(worker):
    go = threading.Event()
    jobs = [asyncio.ensure_future(worker.run(go.wait, 5)) for _ in range(3)]
    await asyncio.sleep(0)
    assert worker.pending == 3
    go.set()
    await asyncio.gather(*jobs)
    assert worker.pending == 0


async def test_abandoned_job_ends_by_itself_and_the_next_one_runs(worker):
    began, go, ended = threading.Event(), threading.Event(), []

    def job():
        began.set()
        go.wait(5)
        ended.append(1)
        raise ValueError("nobody hears this")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await worker.run(job)
    assert began.is_set()
    assert worker.pending == 1
    go.set()
    assert await worker.run(lambda: "next") == "next"
    assert ended == [1]


async def test_cancelled_before_it_began_never_runs(worker):
    go, ran = threading.Event(), []
    first = asyncio.ensure_future(worker.run(go.wait, 5))
    second = asyncio.ensure_future(worker.run(ran.append, 1))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    go.set()
    await first
    await worker.run(int)
    assert ran == []
    assert worker.pending == 0


async def test_closed_worker_says_so():
    worker = Worker("done")
    worker.close()
    with pytest.raises(EngineError, match="the done worker is closed"):
        await worker.run(int)


async def test_close_drops_what_waits():
    worker, go, began = Worker("closing"), threading.Event(), threading.Event()

    def job():
        began.set()
        go.wait(5)
        return "ended"

    first = asyncio.ensure_future(worker.run(job))
    second = asyncio.ensure_future(worker.run(int))
    await asyncio.to_thread(began.wait, 5)
    closing = asyncio.ensure_future(asyncio.to_thread(worker.close))
    with pytest.raises(asyncio.CancelledError):
        await second
    go.set()
    assert await first == "ended"
    await closing


def test_together_runs_at_the_same_time():
    meet = threading.Barrier(3, timeout=5)
    with Together() as jobs:
        results = [jobs.start(lambda n=n: (meet.wait(), n)[1]) for n in range(3)]
    assert [result() for result in results] == [0, 1, 2]


def test_together_raises_the_error_of_the_one_asked():
    with Together() as jobs:
        good, bad = jobs.start(int), jobs.start(lambda: 1 // 0)
    assert good() == 0
    with pytest.raises(ZeroDivisionError):
        bad()


def test_the_clock_goes_forward():
    assert now_s() <= now_s()
