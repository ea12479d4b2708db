"""Is the service alive, and how soon is a lost one started again? Time is an argument here.

Who judges is a process of its own (``supervisor``), or the service itself on behalf of systemd.
"""

from __future__ import annotations

from dataclasses import dataclass

BEAT_S = 0.25
"""How often a service says that it is alive."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each part may show no life, in seconds. Why so long: docs/decisions/0018."""

    loop_s: float = 1.5
    """The event loop: no beat."""
    playout_s: float = 1.5
    """A call's audio, while the event loop turns."""
    engines_s: float = 15.0
    """The look after the engine process, while the event loop turns. Calls have deadlines of their
    own for its answers, and a look that broke is begun again after a few seconds."""
    starved_s: float = 3.0
    """How much longer one may be silent that is ready to run while the machine has no time for it:
    to start it again takes more of that."""
    start_s: float = 60.0
    """The event loop of a service that does not take calls yet: it reads modules, holding it up."""
    stop_s: float = 60.0
    """From the wish that it stops to the end of the process."""
    ask_s: float = 1.0
    """After so long without a beat the service is asked where it stands, for the log."""


class Watch:
    """One service, from its start. ``now`` is any clock that only goes forward, in seconds."""

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._beat = now
        self._starved_s = 0.0
        self._ready_at: float | None = None
        self._stop_by: float | None = None
        self._quiet = False
        self._asked = False
        self._late = ""
        self.longest_s = 0.0
        """The longest between two beats since it was ready."""

    @property
    def ready(self) -> bool:
        """Whether it has ever said that it takes calls."""
        return self._ready_at is not None

    def healthy_s(self, now: float) -> float:
        """How long it has been taking calls."""
        return 0.0 if self._ready_at is None else now - self._ready_at

    def is_ready(self, now: float) -> None:
        """It takes calls from now on."""
        self._ready_at = self._beat = now

    def heard(self, playout_s: float | None, engines_s: float | None, now: float) -> None:
        """A beat came, with the ages of what has to go on beside the event loop."""
        if self.ready and not self._quiet:
            self.longest_s = max(self.longest_s, now - self._beat)
        self._beat, self._asked, self._starved_s = now, False, 0.0
        self._late = late(playout_s, engines_s, self._limits)

    def stops(self, now: float) -> None:
        """It is told to stop, or does so by itself: that has an end, too."""
        if self._stop_by is None:
            self._stop_by = now + self._limits.stop_s

    def is_quiet(self, now: float) -> None:
        """It has no call any more, and tidies up: it need not show life."""
        self.stops(now)
        self._quiet, self._late = True, ""

    def stood_still(self, seconds: float) -> None:
        """We ourselves did not run for so long, so perhaps nobody did: that does not count."""
        self._beat += seconds

    def starved(self, seconds: float) -> None:
        """It waited so long for a processor, so it is not frozen: that counts up to a limit."""
        seconds = min(seconds, self._limits.starved_s - self._starved_s)
        self._starved_s += seconds
        self._beat += seconds

    def dead(self, now: float) -> str:
        """Why it has to be killed; empty while it is alive."""
        if self._stop_by is not None and now >= self._stop_by:
            return f"it did not stop within {self._limits.stop_s:.0f} s"
        if self._quiet:
            return ""
        silent_s = now - self._beat
        if silent_s >= (self._limits.loop_s if self.ready else self._limits.start_s):
            return f"no sign of life for {silent_s:.1f} s"
        return self._late

    def asks(self, now: float) -> bool:
        """Whether it is silent for so long that it should tell where it stands; true only once."""
        if not self.ready or self._quiet or self._asked:
            return False
        self._asked = now - self._beat >= self._limits.ask_s
        return self._asked


def late(playout_s: float | None, engines_s: float | None, limits: Limits) -> str:
    """Which part does not go on though the event loop does, and since when; or nothing."""
    if playout_s is not None and playout_s >= limits.playout_s:
        return f"a call's audio stood still for {playout_s:.1f} s"
    if engines_s is not None and engines_s >= limits.engines_s:
        return f"nobody looked after the engines for {engines_s:.1f} s"
    return ""


class Backoff:
    """The pauses before lost services are started again: none, then 1, 2, 4 … 30 s.

    Forgotten when a service took calls for ``steady_s``.
    """

    def __init__(
        self, first_s: float = 1.0, longest_s: float = 30.0, steady_s: float = 180.0
    ) -> None:
        self._first_s, self._longest_s, self._steady_s = first_s, longest_s, steady_s
        self._next_s = 0.0

    def pause_s(self, healthy_s: float) -> float:
        """The pause after the loss of a service that took calls for ``healthy_s``."""
        if healthy_s >= self._steady_s:
            self._next_s = 0.0
        pause_s = self._next_s
        self._next_s = min(self._longest_s, 2 * pause_s or self._first_s)
        return pause_s
