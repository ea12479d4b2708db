"""Engines that fail on command, and how they come into the engine process."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from asterisk_agent.engines.loader import Engines
from asterisk_agent.events import Transcript
from asterisk_agent.sandbox import chaos_engines
from asterisk_agent.sandbox.chaos_engines import (
    GARBAGE,
    HANGS,
    MODEL,
    NOTHING,
    RAISES,
    RECOGNISER,
    THINKING,
    VOICE,
    BrokenError,
    Switch,
    python_path,
    spoilt,
    write_site,
)

HEARD = Transcript("what does it cost", 0.9)
VECTOR = np.array([0.6, 0.8], dtype=np.float32)


class Recognizer:
    name = "ear"

    def session(self):
        return self

    def feed(self, pcm):
        return ""

    def result(self, cancelled=lambda: False, *, careful=False):
        return HEARD

    def reset(self):
        pass


class Embedder:
    name = "mind"

    def passages(self, texts):
        return np.stack([VECTOR for _ in texts])

    def query(self, text):
        return VECTOR


class Model:
    name, parameters, tokens = "words", 7, 3

    def generate(self, messages, *, max_tokens, cancelled=lambda: False):
        yield "an "
        yield "answer"


class Synthesizer:
    name, rate_hz = "voice", 8000

    def synthesize(self, text, *, pace=1.0):
        yield text.encode()


@pytest.fixture
def switch(tmp_path):
    return Switch(tmp_path / "switch")


@pytest.fixture
def engines(switch):
    real = Engines(Recognizer(), Model(), Embedder(), Synthesizer(), lambda: None)
    return spoilt(real, switch)


def hear(engines):
    return engines.recognizer.session().result()


def word(engines):
    question = [{"role": "user", "content": "?"}]
    return "".join(engines.model.generate(question, max_tokens=5))


def say(engines):
    return b"".join(engines.synthesizer.synthesize("hi"))


def test_where_nothing_is_asked_for_nothing_fails(engines, switch):
    for _ in range(2):
        assert hear(engines) == HEARD
        assert np.array_equal(engines.embedder.query("x"), VECTOR)
        assert say(engines) == b"hi"
        assert word(engines) == "an answer"
        switch.set()


def test_only_what_is_named_fails(engines, switch):
    switch.set(RECOGNISER, NOTHING)
    assert (hear(engines).text, say(engines)) == ("", b"hi")
    switch.set(VOICE, NOTHING)
    assert (hear(engines), say(engines)) == (HEARD, b"")
    switch.set(MODEL, NOTHING)
    assert (word(engines), say(engines)) == ("", b"hi")
    switch.set(THINKING, NOTHING)
    assert not engines.embedder.query("x").any()
    assert engines.embedder.passages(["x"]).any()


def test_nonsense_has_the_right_shape(engines, switch):
    switch.set(RECOGNISER, GARBAGE)
    assert hear(engines).text not in ("", HEARD.text)
    switch.set(THINKING, GARBAGE)
    found = engines.embedder.query("x")
    assert found.shape == VECTOR.shape
    assert np.linalg.norm(found) == pytest.approx(1.0)
    switch.set(MODEL, GARBAGE)
    assert len(word(engines).split()) == 5
    model = engines.model
    assert (model.name, model.parameters, model.tokens) == ("words", 7, 3)
    switch.set(VOICE, GARBAGE)
    assert len(say(engines)) == 16_000


@pytest.mark.parametrize(
    "act", [(RECOGNISER, hear), (MODEL, word), (VOICE, say)], ids=lambda act: act[0]
)
def test_raising_and_hanging(engines, switch, act):
    engine, use = act
    switch.set(engine, RAISES)
    with pytest.raises(BrokenError):
        use(engines)
    switch.set(engine, HANGS)
    done = threading.Event()
    thread = threading.Thread(target=lambda: (use(engines), done.set()), daemon=True)
    thread.start()
    assert not done.wait(0.15)
    switch.set()
    assert done.wait(5)


def test_where_there_is_no_language_model_there_is_none(switch):
    real = Engines(Recognizer(), None, Embedder(), Synthesizer(), lambda: None)
    assert spoilt(real, switch).model is None


def test_the_engine_process_alone_is_spoilt(tmp_path):
    """The real loader of a Python that is told to run the engine process, and of another."""
    environment = os.environ | write_site(tmp_path / "site")
    environment["PYTHONPATH"] = python_path(tmp_path / "site")
    look = "from asterisk_agent.engines import loader; print(loader.load.__name__)"
    for argument, expected in (("asterisk_agent.engine_process", "wrapped"), ("other", "load")):
        done = subprocess.run(
            [sys.executable, "-P", "-c", look, argument],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == expected


def test_without_the_variable_nothing_is_wrapped(monkeypatch):
    monkeypatch.delenv(chaos_engines.VARIABLE, raising=False)
    before = chaos_engines.loader.load
    chaos_engines.install()
    assert chaos_engines.loader.load is before
