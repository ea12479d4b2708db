"""The console's process: started, started again, ended with its service."""

import asyncio
import logging
import sys

import psutil
import pytest

from asterisk_agent.console import Console

SLEEPS = (sys.executable, "-c", "import time; time.sleep(60)")
FAILS = (sys.executable, "-c", "raise SystemExit(3)")


async def children():
    """Our child processes, once there are any."""
    for _ in range(200):
        found = psutil.Process().children()
        if found:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("no process was started")


async def test_the_process_ends_when_nobody_watches_it_any_more(tmp_path):
    task = asyncio.create_task(Console(tmp_path, SLEEPS).watch())
    (child,) = await children()
    assert child.cmdline()[-2:] == [str(tmp_path), str(psutil.Process().pid)]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not child.is_running()


async def test_a_process_that_ends_is_told_and_tried_again(tmp_path, caplog, monkeypatch):
    pauses = []

    async def no_pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr("asterisk_agent.console.asyncio.sleep", no_pause)
    with caplog.at_level(logging.ERROR), pytest.raises(asyncio.CancelledError):
        await Console(tmp_path, FAILS).watch()
    assert pauses == [1.0, 2.0, 4.0]
    assert [record.code for record in caplog.records] == [3, 3, 3]
