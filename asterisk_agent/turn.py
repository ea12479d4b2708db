"""Who speaks: end of turn, barge-in, silence. Events and ``now`` in, actions out.

Nothing here reads a clock or touches audio. Times are seconds on the owner's monotonic clock.
A caller on hold sends no frames at all, so silence is measured by ``now``, not by frames.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """How patient the agent is. The defaults were set by ear on telephone-band speech."""

    speech_probability: float = 0.5
    """A frame at or above this holds speech."""
    quiet_probability: float = 0.35
    """Once speech began, a frame must fall below this to count as quiet."""
    onset_s: float = 0.09
    """Speech this long begins a turn: shorter is a click or a breath."""
    pause_s: float = 0.15
    """Quiet this long is worth a guess at what was said, in case the turn is over."""
    end_of_turn_s: float = 0.60
    """Quiet this long ends the turn."""
    barge_in_s: float = 0.25
    """Speech this long over the agent's voice makes the agent stop."""
    silence_s: float = 7.0
    """A caller who says nothing for this long is asked whether they are there."""
    longest_turn_s: float = 30.0
    """After this the turn is taken as it is: a television, or a caller telling their life."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak at ``at``, a little before we could know."""

    at: float


@dataclass(frozen=True, slots=True)
class BargeIn:
    """The caller speaks over the agent: stop the voice."""


@dataclass(frozen=True, slots=True)
class Paused:
    """The caller went quiet at ``speech_end``; the turn may be over. A guess is worth making."""

    speech_end: float


@dataclass(frozen=True, slots=True)
class Resumed:
    """The caller goes on; whatever was made of the pause is void."""


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The caller's turn is over. It began at ``speech_start`` and ended at ``speech_end``."""

    speech_start: float
    speech_end: float


@dataclass(frozen=True, slots=True)
class Silent:
    """Nobody spoke for long enough, for the ``count``-th time in a row."""

    count: int


Action = SpeechStarted | BargeIn | Paused | Resumed | TurnEnded | Silent


class TurnTaker:
    """One call's turn-taking. Feed it frames and the agent's own starts and stops, and tick it."""

    def __init__(self, now: float, settings: TurnSettings | None = None) -> None:
        self.settings = settings or TurnSettings()
        self._agent_busy = False
        self._quiet_since = now
        self._silences = 0
        self._voiced_s = 0.0
        self._speech_start: float | None = None
        self._last_voice = now
        self._paused = False
        self._barged = False

    @property
    def caller_speaking(self) -> bool:
        """Whether a turn of the caller's is under way."""
        return self._speech_start is not None

    def agent_busy(self, now: float) -> None:
        """The agent thinks or speaks: the caller's silence is not counted."""
        self._agent_busy = True
        self._barged = False
        self._quiet_since = now

    def agent_done(self, now: float) -> None:
        """The agent has finished, or was stopped: the floor is the caller's."""
        self._agent_busy = False
        self._quiet_since = now

    def pressed(self, now: float) -> None:
        """A key was pressed: the caller is there."""
        self._quiet_since = now
        self._silences = 0

    def heard(self, probability: float, duration_s: float, now: float) -> list[Action]:
        """Take a frame that ended at ``now`` and lasted ``duration_s``."""
        if self._speech_start is None:
            threshold = self.settings.speech_probability
        else:
            threshold = self.settings.quiet_probability
        if probability < threshold:
            if self._speech_start is None:
                self._voiced_s = max(0.0, self._voiced_s - duration_s)
            return self.tick(now)
        return self._voice(duration_s, now) + self.tick(now)

    def tick(self, now: float) -> list[Action]:
        """Time passed, with or without audio."""
        if self._speech_start is None:
            return self._silence(now)
        quiet_s = now - self._last_voice
        too_long = now - self._speech_start >= self.settings.longest_turn_s
        if quiet_s >= self.settings.end_of_turn_s or too_long:
            return self._end_turn(self._speech_start, now)
        if quiet_s >= self.settings.pause_s and not self._paused:
            self._paused = True
            return [Paused(self._last_voice)]
        return []

    def _end_turn(self, speech_start: float, now: float) -> list[Action]:
        self._speech_start = None
        self._voiced_s = 0.0
        self._paused = False
        self._quiet_since = now
        if self._agent_busy and not self._barged:
            return []  # "mm-hm" under the agent's voice takes nobody's turn
        return [TurnEnded(speech_start, self._last_voice)]

    def _voice(self, duration_s: float, now: float) -> list[Action]:
        actions: list[Action] = []
        self._voiced_s += duration_s
        self._last_voice = now
        if self._speech_start is None:
            if self._voiced_s < self.settings.onset_s:
                return []
            self._speech_start = now - self._voiced_s
            self._silences = 0
            actions.append(SpeechStarted(self._speech_start))
        elif self._paused:
            self._paused = False
            actions.append(Resumed())
        if self._agent_busy and not self._barged and self._voiced_s >= self.settings.barge_in_s:
            self._barged = True
            actions.append(BargeIn())
        return actions

    def _silence(self, now: float) -> list[Action]:
        if self._agent_busy or now - self._quiet_since < self.settings.silence_s:
            return []
        self._silences += 1
        self._quiet_since = now
        return [Silent(self._silences)]
