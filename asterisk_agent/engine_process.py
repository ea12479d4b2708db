"""The process of the engines and of the brains that use them; the service starts it.

``python -m asterisk_agent.engine_process PIPE PARENT``: the number of an inherited socket, and
the service's process id. The first message is the configuration, the rest is work.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from asterisk_agent import overrides
from asterisk_agent.audio import LINE_RATE_HZ, Resampler
from asterisk_agent.brain.brain import Brain, build
from asterisk_agent.brain.wording import wording
from asterisk_agent.config.schema import Config
from asterisk_agent.engines import loader, messages
from asterisk_agent.engines.base import LanguageModel, Message
from asterisk_agent.engines.loader import Engines
from asterisk_agent.engines.serving import Job, LogToParent, Server, given_up, settle_in
from asterisk_agent.engines.worker import all_give_way, give_way, now_s, tidy_memory, utc_now
from asterisk_agent.errors import EngineError
from asterisk_agent.overrides import Override
from asterisk_agent.speech import speakable

TIDY_EVERY_S = 30.0
"""Recognising leaves holes of every size in the memory; without this they add up for hours."""
HEARD_AT_ONCE_BYTES = 16_000
"""Half a second: how soon a recogniser that works while it is fed notices that it may stop."""

SLOW_PACE = 0.72
"""How fast a caller hears again what was too fast for them."""


class Desk:
    """Does the work. Each method is one kind of it, on a thread of its own."""

    def __init__(self) -> None:
        self._engines: Engines | None = None
        self._brains: dict[int, dict[str, Brain]] = {}

    def load(self, job: Job) -> Mapping[str, Any]:
        """The configuration, whose engines to load and to warm; the first thing asked."""
        config = _config(job)
        if job.fields["calls"]:
            give_way()
        engines = loader.load(config, with_model=wording(config).generative)
        turn_cpu_s = loader.warm(engines)
        if engines.model is not None:
            engines = replace(engines, model=Interruptible(engines.model))
        self._engines = engines
        all_give_way()  # also the threads that the libraries have started for themselves
        return {"turn_cpu_s": turn_cpu_s}

    def build(self, job: Job) -> Mapping[str, Any]:
        """A configuration, whose channels' documents to make searchable as a generation."""
        config = _config(job)
        engines = self._with_model(config)
        self._brains[job.fields["generation"]] = {
            channel.id: build(
                config,
                channel,
                engines,
                now_s,
                now=utc_now,
                override=partial(_switched, config.overrides_directory, channel.id),
            )
            for channel in config.channels.values()
        }
        return {}

    def likely(self, job: Job) -> Mapping[str, Any]:
        """The sentences that a channel's answers will probably be made of."""
        brains = self._brains.get(job.fields["generation"])
        found = brains[job.fields["channel"]].likely_sentences() if brains is not None else []
        return {"sentences": found}

    def forget(self, job: Job) -> Mapping[str, Any]:
        """A generation that no call uses any more."""
        self._brains.pop(job.fields["generation"], None)
        return {}

    def recognise(self, job: Job) -> Mapping[str, Any]:
        """A turn's 16 kHz audio to a transcript."""
        session = self._loaded().recognizer.session()
        for start in range(0, len(job.body), HEARD_AT_ONCE_BYTES):
            if job.given_up:
                return {}
            session.feed(job.body[start : start + HEARD_AT_ONCE_BYTES])
        return asdict(session.result(given_up, careful=job.fields.get("careful", False)))

    def think(self, job: Job) -> Mapping[str, Any]:
        """What a caller said to a brain's reply."""
        fields = job.fields
        brains = self._brains.get(fields["generation"])
        if brains is None:
            raise EngineError("the documents of this call are no longer there")
        brain = brains[fields["channel"]]
        history = messages.history_of(fields["history"])
        before = self._tokens()  # nobody else uses the model: thinking has one thread
        reply = brain.reply(fields["utterance"], history, staffed=fields["staffed"])
        return asdict(replace(reply, tokens=self._tokens() - before))

    def speak(self, job: Job) -> Mapping[str, Any]:
        """A sentence to audio at line rate, piece by piece."""
        voice = self._loaded().synthesizer
        resampler = Resampler(voice.rate_hz, LINE_RATE_HZ)
        text = speakable(job.fields["text"], job.fields["language"])
        for pcm in voice.synthesize(text, pace=SLOW_PACE if job.fields["slow"] else 1.0):
            if job.given_up:
                return {}
            job.piece(resampler.feed(pcm))
        job.piece(resampler.feed(b"", last=True))
        return {}

    def _with_model(self, config: Config) -> Engines:
        """The engines, with the language model if ``config`` lets it word answers."""
        engines = self._loaded()
        if engines.model is None and wording(config).generative:
            model = loader.load_model(config.engines.llm, config.directory)
            assert model is not None, "there is one, or it would word nothing"
            engines = self._engines = replace(engines, model=Interruptible(model))
        return engines

    def _tokens(self) -> int:
        model = self._loaded().model
        return 0 if model is None else model.tokens

    def _loaded(self) -> Engines:
        if self._engines is None:
            raise EngineError("the engines are not loaded")
        return self._engines


def _switched(directory: Path, channel_id: str) -> Override | None:
    """The night switch of a channel, where it is in force now."""
    return overrides.current(directory, channel_id, utc_now())


class Interruptible:
    """A language model that stops when nobody waits any more for what its thread is doing."""

    def __init__(self, model: LanguageModel) -> None:
        self.name = model.name
        self.parameters = model.parameters
        self._model = model

    @property
    def tokens(self) -> int:
        """Tokens read and written so far."""
        return self._model.tokens

    def generate(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[str]:
        """Yield the answer piece by piece."""
        return self._model.generate(
            messages, max_tokens=max_tokens, cancelled=lambda: cancelled() or given_up()
        )


def _config(job: Job) -> Config:
    """The only thing that comes pickled: what the service, our parent, has read and checked."""
    config = pickle.loads(job.body)  # noqa: S301
    assert isinstance(config, Config)
    return config


def main() -> None:
    """Serve until the service is gone."""
    descriptor, parent = (int(argument) for argument in sys.argv[1:])
    settle_in(parent)
    desk = Desk()
    server = Server(
        socket.socket(fileno=descriptor),
        {
            messages.LOAD: desk.load,
            messages.BUILD: desk.build,
            messages.FORGET: desk.forget,
            messages.LIKELY: desk.likely,
            messages.RECOGNISE: desk.recognise,
            messages.THINK: desk.think,
            messages.SPEAK: desk.speak,
        },
        {messages.RECOGNISE: loader.recognised_at_once()},
    )
    logging.basicConfig(level=logging.INFO, handlers=[LogToParent(server.send)])
    tidy_memory(TIDY_EVERY_S)
    server.run()
    os._exit(0)  # at once, whatever a library is doing


if __name__ == "__main__":
    main()
