"""Changed documents are noticed, read for new calls, and never take a working index away."""

import asyncio
import contextlib
import shutil
from pathlib import Path

import pytest

from asterisk_agent import service as service_module
from asterisk_agent.config.load import load
from asterisk_agent.engines.pool import EnginePool
from asterisk_agent.reindex import Changes, documents_of
from asterisk_agent.sandbox.derive import SECRET_FILE, Machine, derive
from asterisk_agent.sandbox.processes import free_port
from asterisk_agent.service import Service
from asterisk_agent.status import read

EXAMPLE = Path(__file__).parent.parent / "etc"
A, B, C = ((("a.md", 1, 1),), (("a.md", 2, 2),), (("a.md", 3, 3),))


def test_a_change_is_due_when_it_is_over():
    changes = Changes()
    assert [changes.due(A, seen) for seen in (A, A, B, C, C)] == [False] * 4 + [True]


def test_what_could_not_be_read_is_not_tried_again_until_it_changes():
    changes = Changes()
    changes.due(A, B)
    changes.refused(B)
    assert [changes.due(A, seen) for seen in (B, B, C, C)] == [False] * 3 + [True]


def test_the_fingerprint_sees_documents_saved_added_and_removed(tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "etc")
    config = load(tmp_path / "etc")
    prints = [documents_of(config)]
    document = config.knowledge_directory / "support" / "more.md"
    for text in ("# More\n\nIt is so.", "# More\n\nIt is not so."):
        document.write_text(text, encoding="utf-8")
        prints.append(documents_of(config))
    document.unlink()
    assert len(set(prints)) == 3
    assert documents_of(config) == prints[0]


DRAIN = "How much does it cost to unblock a drain?"


async def until(true):
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.fixture
def company(tmp_path):
    """The example company on ports of its own, and without an Asterisk."""
    shutil.copytree(EXAMPLE, tmp_path / "etc")
    fastagi, media, web = (free_port() for _ in range(3))
    database, state = f"sqlite:///{tmp_path}/calls.db", tmp_path / "state"
    machine = Machine(
        "127.0.0.1", 1, "a", "s", fastagi, media, web, database, str(tmp_path), str(state)
    )
    config = derive(tmp_path / "etc", tmp_path / "config", machine)
    (config.directory / SECRET_FILE).unlink()
    return config


@contextlib.asynccontextmanager
async def serving(config):
    """The service itself, with the real engines."""
    pool, ready = EnginePool(config), asyncio.Event()
    try:
        await pool.start()
        service = Service(config, pool)
        running = asyncio.create_task(service.run(ready.set))
        await asyncio.wait(
            {running, waiting := asyncio.create_task(ready.wait())}, return_when="FIRST_COMPLETED"
        )
        assert waiting.done(), await running
        yield service
        service.stop()
        await running
    finally:
        await pool.close()


@pytest.mark.models
async def test_the_service_reads_changed_documents_for_new_calls(company, monkeypatch, caplog):
    monkeypatch.setattr(service_module, "LOOK_S", 0.1)
    (document,) = (
        path
        for path in company.knowledge_directory.rglob("*.md")
        if "$165" in path.read_text(encoding="utf-8")
    )
    written = document.read_text(encoding="utf-8")

    async def price(brain):
        return (await brain.reply(DRAIN)).text

    async with serving(company) as service:
        first = service._current().brains["support"]
        assert "$165" in await price(first)

        document.write_text(written.replace("$165", "$199"), encoding="utf-8")
        await until(lambda: service._current().brains["support"] is not first)
        second = service._current().brains["support"]
        assert "$199" in await price(second)
        assert "$165" in await price(first)  # a call that was under way

        document.write_bytes(b"# Prices\n\n\xff\xfe\xff")
        await until(lambda: read(company.state_directory).documents)
        assert document.name in read(company.state_directory).documents[0]
        assert document.name in caplog.text
        assert service._current().brains["support"] is second
        assert "$199" in await price(second)

        document.write_text(written.replace("$165", "$210"), encoding="utf-8")
        await until(lambda: service._current().brains["support"] is not second)
        assert "$210" in await price(service._current().brains["support"])
        assert read(company.state_directory).documents == []
