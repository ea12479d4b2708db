"""The service's own chores, without engines and Asterisk."""

import asyncio
from types import SimpleNamespace

from good_config import write_good
from test_records import story

from asterisk_agent import service as service_module
from asterisk_agent.config.load import load
from asterisk_agent.engines.pool import EnginePool
from asterisk_agent.service import Service


async def until(done):
    while not done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_in_a_fault_a_call_is_put_aside_when_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(service_module, "RECORD_AGAIN_S", 60.0)
    directory = write_good(tmp_path / "etc")
    (tmp_path / "log").write_text("in the way")
    found = load(directory)
    records = found.records.model_copy(update={"database": f"sqlite:///{tmp_path}/log/calls.db"})
    update = {"records": records, "state": str(tmp_path / "state")}
    config = found.model_copy(update=update)
    service = Service(config, EnginePool(config))
    service._site = SimpleNamespace(config=config)
    recording = asyncio.create_task(service._record())
    try:
        async with asyncio.timeout(5):
            await until(lambda: service.recorder.health.problem)
            for number in (1, 2):
                service._write(story(number))
                await until(lambda: service.recorder.health.filed == number)  # noqa: B023
        assert service.recorder.health.waiting == 0
        assert service._look().unwritten == 2
    finally:
        recording.cancel()
        await asyncio.gather(recording, return_exceptions=True)
        service._clerk.close()
