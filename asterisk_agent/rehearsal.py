"""Sentences are spoken into memory before a caller needs them, while nobody talks.

A voice in the making takes the processor from the calls that are talking, so only the greetings are
waited for, and the rest comes when all is quiet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from asterisk_agent.brain.phrases import all_sentences, greetings
from asterisk_agent.config.schema import Config
from asterisk_agent.engines.pool import EnginePool
from asterisk_agent.errors import EngineError
from asterisk_agent.site import Site
from asterisk_agent.speech import sentences
from asterisk_agent.visits import Visits

CHECK_S = 0.5
"""How often it is looked whether a conversation is over."""
GREETINGS_LIMIT_S = 10.0
"""How long new greetings hold up a start or a reload at most."""


class Rehearsal:
    """Speaks in advance what the ``site`` in force will probably say."""

    def __init__(self, pool: EnginePool, site: Callable[[], Site], visits: Visits) -> None:
        self._pool = pool
        self._site = site
        self._visits = visits
        self._renewed = asyncio.Event()

    def renew(self) -> None:
        """There is another configuration, or other documents."""
        self._renewed.set()

    async def greetings(self, config: Config) -> None:
        """Into memory before a caller is greeted so: the first voice in a call may not be late.

        From here on the memory keeps this configuration's fixed sentences for good.
        """
        self._pool.keep_for_good(_fixed_sentences(config))
        with suppress(TimeoutError):
            async with asyncio.timeout(GREETINGS_LIMIT_S):
                await self._pool.prepare(
                    [sentence for text in greetings(config) for sentence in sentences(text)]
                )

    async def keep(self) -> None:
        """The fixed sentences, then the likely answers, and again whenever they are others."""
        while True:
            self._renewed.clear()
            site = self._site()
            await self.speak(_fixed_sentences(site.config))
            for brain in site.brains.values():
                with suppress(EngineError):
                    await self.speak(await brain.likely())
            await self._renewed.wait()

    async def speak(self, texts: Sequence[str]) -> None:
        """Speak sentences while nobody talks; what was spoken before is there at once.

        So a service that was lost, and comes back in the middle of calls, has its voice for them.
        """
        for sentence in texts:
            if not await self._pool.remember(sentence):
                await quiet(self._visits)
                await self._pool.prepare([sentence])


async def quiet(visits: Visits) -> None:
    """Wait until nobody talks."""
    while any(visit.talking for visit in visits):  # noqa: ASYNC110
        await asyncio.sleep(CHECK_S)


def _fixed_sentences(config: Config) -> list[str]:
    """What any channel's callers may hear beside the documents, sentence by sentence, each once."""
    channels = config.channels.values()
    texts = (text for channel in channels for text in all_sentences(config, channel))
    return list(dict.fromkeys(sentence for text in texts for sentence in sentences(text)))
