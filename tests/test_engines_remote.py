"""One engine process from outside: answers, errors, death, silence, nonsense, cancellation."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from asterisk_agent.config.load import load as load_config
from asterisk_agent.engines import remote
from asterisk_agent.engines.remote import Child, EngineProcess, log_record
from asterisk_agent.errors import EngineError, ProtocolError

CONFIG = load_config(Path(__file__).parent.parent / "etc")
FAKE = (sys.executable, str(Path(__file__).with_name("fake_engines.py")))
NO_MODEL = "model whisper-base is missing in /models"


@pytest.fixture
async def connect():
    """Start a fake process and connect to it."""
    processes = []

    async def start(*spoiled):
        child = Child((*FAKE, *spoiled))
        child.begin(CONFIG)
        processes.append(await EngineProcess.connect(child))
        return processes[-1]

    yield start
    for process in processes:
        await process.close()
        assert process._child.process.returncode is not None


@pytest.fixture
async def process(connect):
    process = await connect()
    await process.loaded(10)
    return process


async def recognise(process, order, deadline_s=10.0):
    return (await process.ask("recognise", {}, order.encode(), deadline_s))["text"]


async def failure(coroutine):
    with pytest.raises(EngineError) as raised:
        await coroutine
    return raised.value


async def test_answers(process):
    assert await recognise(process, "hello") == "hello"


async def test_each_asker_gets_their_own_answer(process):
    asked = [f"order {number}" for number in range(50)]
    assert await asyncio.gather(*(recognise(process, order) for order in asked)) == asked


async def test_a_large_body_travels_while_others_do(process):
    long = "x " * 4_000_000
    asked = [recognise(process, long), recognise(process, "y")]
    assert await asyncio.gather(*asked) == ["8000000", "y"]


async def test_pieces_come_in_order(process):
    stream = process.stream("speak", {"text": "5 pieces"})
    assert [m.body async for m in stream] == [b"0", b"1", b"2", b"3", b"4", b""]


async def test_an_error_comes_after_the_pieces(process):
    stream = process.stream("speak", {"text": "2 then break"})
    assert [(await anext(stream)).body, (await anext(stream)).body] == [b"0", b"1"]
    assert str(await failure(anext(stream))) == "the voice broke"


async def test_an_engines_error_is_the_same_here(process):
    error = await failure(recognise(process, "fail"))
    assert (str(error), error.hint) == ("whisper failed", "no hint helps")


async def test_a_fault_ends_one_job_only_and_is_logged(process, caplog):
    assert "ZeroDivisionError" in str(await failure(recognise(process, "fault")))
    assert "nobody expects this" in caplog.text
    assert await recognise(process, "next") == "next"


async def test_a_missing_model_is_told_with_its_remedy(connect):
    error = await failure((await connect("broken")).loaded(10))
    assert str(error) == NO_MODEL
    assert error.hint == "run: asterisk-agent models pull it"


async def test_death_while_loading_is_an_error(connect):
    process = await connect("dies")
    assert "is gone" in str(await failure(process.loaded(10)))
    await asyncio.wait_for(process.gone.wait(), 1)


async def test_death_fails_every_question_at_once(process):
    asked = [recognise(process, order, 60) for order in ("die", "a", "b")]
    asked.append(process.ask("think", {}, b"", 60))
    began = time.monotonic()
    ended = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(end) for end in ended] == [EngineError] * 4
    assert time.monotonic() - began < 5
    assert process.gone.is_set()


async def test_what_is_asked_after_death_fails_at_once(process):
    await failure(recognise(process, "die"))
    assert "is gone" in str(await failure(recognise(process, "hello", 60)))


async def test_a_hung_process_is_killed_after_the_deadline(process):
    error = await failure(recognise(process, "hang", 0.3))
    assert str(error) == "recognise: no answer in 0 s"
    assert process.gone.is_set()
    assert process.why == "no answer to recognise in 0 s"
    await process.close()
    assert process._child.process.returncode == -signal.SIGKILL


async def test_a_process_that_holds_pythons_lock_is_killed_too(process):
    other = asyncio.create_task(failure(process.ask("think", {}, b"", 60)))
    await failure(recognise(process, "hold", 0.3))
    await asyncio.wait_for(other, 1)


async def test_one_who_waits_too_long_in_a_moving_queue_gives_up_alone(process):
    others = [asyncio.create_task(recognise(process, "hang 0.1")) for _ in range(6)]
    await asyncio.sleep(0)
    await failure(recognise(process, "hello", 0.35))
    assert len(await asyncio.gather(*others)) == 6
    assert not process.gone.is_set()


async def test_nonsense_ends_the_process(process):
    error = await failure(recognise(process, "garbage"))
    assert "no log line" in str(error)
    await process.close()
    assert process._child.process.returncode == -signal.SIGKILL


async def test_an_answer_that_nobody_asked_for_is_nonsense(process):
    process.tell("recognise", {})
    process._questions.clear()
    await asyncio.wait_for(process.gone.wait(), 5)
    assert "nobody asked" in process.why


async def test_cancelling_reaches_the_work(process, caplog):
    task = asyncio.create_task(recognise(process, "until-cancelled"))
    queued = asyncio.create_task(recognise(process, "die"))
    await process.ask("build", {"generation": 1}, _pickled())
    task.cancel()
    queued.cancel()
    assert await recognise(process, "next") == "next"  # "die", given up in time, was never begun
    assert "given up" in caplog.text


async def test_leaving_a_stream_cancels_it(process):
    stream = process.stream("speak", {"text": "3 pieces"})
    await anext(stream)
    await stream.aclose()
    assert await process.ask("speak", {"text": "0 pieces"}) == {}
    assert not process._questions


async def test_its_log_is_among_ours(process, caplog):
    with caplog.at_level(logging.INFO):
        await recognise(process, "log")
    (record,) = [r for r in caplog.records if r.name == "fake"]
    assert (record.levelname, record.getMessage(), record.call) == ("WARNING", "a line", "x-1")


async def test_it_is_stuck_while_it_owes_an_answer_for_long(process, monkeypatch):
    monkeypatch.setattr(remote, "SUSPECT_S", 0.05)
    task = asyncio.create_task(recognise(process, "until-cancelled"))
    assert not process.stuck
    await asyncio.sleep(0.1)
    assert process.stuck
    task.cancel()
    await recognise(process, "next")
    assert not process.stuck


async def test_reading_documents_for_long_is_not_being_stuck(process, monkeypatch):
    monkeypatch.setattr(remote, "SUSPECT_S", -1.0)
    process._questions[99] = remote._Question(99, "build", 0.0)
    assert not process.stuck
    del process._questions[99]


async def test_a_process_that_does_not_read_is_killed(process, monkeypatch):
    monkeypatch.setattr(remote, "MAX_UNSENT_BYTES", 1_000_000)
    hold = asyncio.create_task(failure(recognise(process, "hold", 60)))
    await asyncio.sleep(0.1)
    for _ in range(3):
        process._put("recognise", {}, bytes(5_000_000))
    await hold
    assert process.why == "it stopped reading"


async def test_signals_to_the_whole_group_leave_it_alone(process):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(process.pid, number)
    assert await recognise(process, "hello") == "hello"


async def test_closing_ends_it_politely(process):
    await process.close()
    assert process._child.process.returncode == 0


def test_closing_one_that_is_deaf():
    child = Child((*FAKE, "deaf"))
    child.begin(CONFIG)
    began = time.monotonic()
    child.close()
    assert child.process.returncode == -signal.SIGKILL
    assert time.monotonic() - began < remote.END_LIMIT_S + 2


def test_closing_one_that_was_never_used():
    child = Child(FAKE)
    child.close()
    assert child.process.returncode == -signal.SIGKILL


def test_what_cannot_be_started_is_an_error():
    with pytest.raises(EngineError, match="cannot be started"):
        Child(("/nonexistent/python",))


PARENT = """
import sys, time
from asterisk_agent.engines.remote import Child
child = Child(sys.argv[1:])
print(child.process.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("spoiled", [[], ["deaf"]])
def test_it_ends_with_its_parent_however_that_ends(spoiled):
    command = [sys.executable, "-c", PARENT, *FAKE, *spoiled]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        _wait_until(lambda: child.num_threads() > 0 and _ignores_term(child.pid))
        parent.kill()
    _wait_until(lambda: not _alive(child))


def _alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _ignores_term(pid):
    """Whether it has settled in."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (ignored,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigIgn")]
    return bool(int(ignored, 16) >> (signal.SIGTERM - 1) & 1)


def _wait_until(true, seconds=10.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def _pickled():
    import pickle

    return pickle.dumps(CONFIG)


def test_a_log_line_changes_nothing_but_what_is_told():
    fields = {"name": "a", "level": 10**9, "text": "t", "extra": {"args": (1,), "pid": 7}}
    record = log_record(fields)
    assert (record.getMessage(), record.levelno, record.pid) == ("t", logging.CRITICAL, 7)
    for change in ({"level": float("inf")}, {"extra": None}, {"extra": [1]}, {"level": "x"}):
        with pytest.raises(ProtocolError, match="no log line"):
            log_record({**fields, **change})
