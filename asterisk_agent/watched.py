"""Whom a service shows that it is alive: its supervisor, systemd, or nobody.

A ``Watcher`` never waits. Two parts beside the event loop go on behind its back: a call's audio,
and the look after the engine process; a beat tells how old their last sign of life is.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import socket
from collections.abc import Callable

from asterisk_agent.liveness import BEAT_S, Limits, late
from asterisk_agent.notify import Notifier
from asterisk_agent.wire.lifeline import MAX_BYTES, WHERE, Beat, Losses, Word, encode, losses_of

log = logging.getLogger(__name__)


class Watcher:
    """Nobody watches. Those that do differ in what they pass on."""

    name = ""
    """``supervisor`` or ``systemd``."""
    losses = Losses()
    """The services that were lost before this one, as far as the watcher knows."""

    def beat(self, beat: Beat) -> bool:
        """Show that the event loop turns; False where the watcher is gone."""
        return True

    def ready(self) -> None:
        """Calls are taken."""

    def reloading(self) -> None:
        """A changed configuration is being read."""

    def reloaded(self) -> None:
        """That is over, whatever came of it."""

    def stopping(self) -> None:
        """The end has begun."""

    def quiet(self) -> None:
        """No call is left: from now on no beat has to come."""


class Supervised(Watcher):
    """Our supervisor watches, at the other end of an inherited socket."""

    name = "supervisor"

    def __init__(self, descriptor: int) -> None:
        """Take the socket over. Raises OSError or ValueError where it is none of a supervisor's."""
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(False)
        self._socket.set_inheritable(False)
        self.losses = losses_of(self._socket.recv(MAX_BYTES))
        faulthandler.register(WHERE, file=2, all_threads=True)

    def beat(self, beat: Beat) -> bool:
        """Send it."""
        return self._say(beat)

    def ready(self) -> None:
        """Send it."""
        self._say(Word.READY)

    def reloaded(self) -> None:
        """Send it."""
        self._say(Word.RELOADED)

    def quiet(self) -> None:
        """Send it."""
        self._say(Word.QUIET)

    def _say(self, said: Beat | Word) -> bool:
        with contextlib.suppress(BlockingIOError):  # it does not read now: it may again
            try:
                self._socket.send(encode(said))
            except ConnectionError:
                return False
        return True


class Systemd(Watcher):
    """systemd wants to know, and kills a service that does not ping it within WatchdogSec."""

    def __init__(self, notifier: Notifier, limits: Limits | None = None) -> None:
        self.name = "systemd" if notifier.watchdog is not None else ""
        self._notifier = notifier
        self._limits = limits or Limits()

    def beat(self, beat: Beat) -> bool:
        """Ping, unless a part of us does not go on: systemd knows only one sign of life."""
        problem = late(beat.playout_s, beat.engines_s, self._limits)
        if problem:
            log.error("service: %s", problem)
        else:
            self._notifier.alive()
        return True

    def ready(self) -> None:
        """Tell."""
        self._notifier.ready("taking calls")

    def reloading(self) -> None:
        """Tell."""
        self._notifier.reloading()

    def reloaded(self) -> None:
        """Tell."""
        self.ready()

    def stopping(self) -> None:
        """Tell."""
        self._notifier.stopping()


def watcher_of(descriptor: int | None) -> Watcher:
    """Who watches this process: a supervisor on the socket ``descriptor``, systemd, or nobody."""
    if descriptor is not None:
        return Supervised(descriptor)
    notifier = Notifier.of_environment()
    return Systemd(notifier) if notifier.asked else Watcher()


async def show_life(watcher: Watcher, look: Callable[[], Beat], gone: Callable[[], None]) -> None:
    """Beat for as long as the event loop turns; ``gone`` is called once, when the watcher is."""
    while True:
        await asyncio.sleep(BEAT_S)
        await asyncio.sleep(0)  # after a hold-up, the audio that is due now goes first
        if not watcher.beat(look()):
            log.error("service: the supervisor is gone")
            gone()
            return
