"""Who speaks: end of turn, barge-in, silence. Events and ``now`` in, actions out.

Nothing here reads a clock or touches audio. Times are seconds on the owner's monotonic clock.
A caller on hold sends no frames at all, so silence is measured by ``now``, not by frames.

How much quiet ends a turn depends on the words: "are you open on Saturday?" is over, "I would like
to" is not. The words come a little after the pause begins (``understood``); until they are there a
turn does not end, for no answer could be given without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Finish(Enum):
    """What was said up to a pause, as far as its words tell."""

    COMPLETE = auto()
    """A whole question, request or answer."""
    UNSURE = auto()
    """It may be over, or not."""
    ASKED = auto()
    """A whole question behind a long preamble, which has to be asked back about: whoever has come
    to the point after so many words has seldom more to say."""
    DOUBTFUL = auto()
    """It has no answer as it is; perhaps the rest brings one."""
    OPEN = auto()
    """It cannot be over: "I would like to", "my number is five five"."""
    BACK_CHANNEL = auto()
    """ "Mm-hm", "okay": over the agent's voice, it asks the agent to go on."""
    NOTHING = auto()
    """A sound without words: a cough, a door."""


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """How patient the agent is. The defaults were measured on telephone-band speech.

    The detector hears a voice for about 0.08 s after its end, so that all quiet is as much longer.
    """

    speech_probability: float = 0.5
    """A frame at or above this holds speech."""
    quiet_probability: float = 0.5
    """Once speech began, a frame must fall below this to count as quiet."""
    onset_s: float = 0.09
    """Speech this long begins a turn: shorter is a click or a breath."""
    pause_s: float = 0.03
    """Quiet this long is worth a guess at what was said, in case the turn is over."""
    busy_pause_s: float = 0.20
    """The same while the recogniser has enough to do: a guess in vain costs the other callers."""
    resume_s: float = 0.08
    """Sound this long within a pause is speech again: a click would move the turn's end."""
    complete_s: float = 0.25
    """Quiet this long ends a turn whose words are complete."""
    unsure_s: float = 0.50
    """Quiet this long ends a turn that may be complete."""
    asked_s: float = 0.70
    """Quiet this long ends a long turn that comes to its point with a question, answered or not."""
    doubtful_s: float = 0.90
    """Quiet this long ends a turn that makes no sense so far."""
    open_s: float = 1.15
    """Quiet this long ends any turn: also one whose words are not, or are not known yet."""
    barge_in_s: float = 0.15
    """Speech this long over the agent's voice makes the agent stop, at least for now."""
    silence_s: float = 7.0
    """A caller who says nothing for this long is asked whether they are there."""
    unheard_s: float = 1.7
    """The same behind a sound that was no word, but long enough for one: that may have been a
    question, and whoever asked it waits."""
    longest_turn_s: float = 30.0
    """After this the turn is taken as it is: a television, or a caller telling their life."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak at ``at``, a little before we could know."""

    at: float


@dataclass(frozen=True, slots=True)
class BargeIn:
    """The caller speaks over the agent: hold the voice. TurnEnded or GoesOn follows."""


@dataclass(frozen=True, slots=True)
class GoesOn:
    """What interrupted the agent was no turn: the agent goes on with what it was saying."""


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


@dataclass(frozen=True, slots=True)
class Unheard:
    """Nobody went on after a sound of which no word was understood."""


Action = SpeechStarted | BargeIn | GoesOn | Paused | Resumed | TurnEnded | Silent | Unheard


class TurnTaker:
    """One call's turn-taking. Feed it frames and the agent's own starts and stops, and tick it."""

    def __init__(self, now: float, settings: TurnSettings | None = None) -> None:
        self.settings = settings or TurnSettings()
        self.machine_busy = False
        """Whether guesses cost other callers time; the owner keeps it true."""
        self._agent_busy = False
        self._quiet_since = now
        self._silences = 0
        self._unheard = False
        self._voiced_s = 0.0
        self._speech_start: float | None = None
        self._last_voice = now
        self._again_s = 0.0
        self._paused = False
        self._barged = False
        self._finish: Finish | None = None

    @property
    def caller_speaking(self) -> bool:
        """Whether a turn of the caller's is under way."""
        return self._speech_start is not None

    @property
    def idle(self) -> bool:
        """Whether nobody speaks, and the agent has nothing to think about."""
        return not self._agent_busy and not self.caller_speaking

    @property
    def speech_s(self) -> float:
        """How long the caller's turn has lasted so far, from its first sound to its last."""
        return 0.0 if self._speech_start is None else self._last_voice - self._speech_start

    def agent_busy(self, now: float, *, held: bool = False) -> None:
        """The agent thinks or speaks: the caller's silence is not counted.

        ``held``: what it is about to say waits for the end of a sound that the caller makes.
        """
        self._agent_busy = True
        self._unheard = False
        self._barged = held and self.caller_speaking
        self._quiet_since = now

    def agent_done(self, now: float, *, unheard: bool = False) -> None:
        """The agent has finished, or was stopped: the floor is the caller's.

        ``unheard``: it has nothing to say to a sound that may have been a question.
        """
        self._agent_busy = False
        self._unheard = unheard
        self._quiet_since = now

    def pressed(self, now: float) -> None:
        """A key was pressed: the caller is there."""
        self._unheard = False
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
            self._again_s = 0.0
            return self.tick(now)
        if self._paused:
            self._again_s += duration_s
            if self._again_s < self.settings.resume_s:
                return []  # nor does the turn end before it is known what this was
        return self._voice(duration_s, now) + self.tick(now)

    def understood(self, finish: Finish, now: float) -> list[Action]:
        """What was said up to the pause was recognised. Nothing once the caller goes on."""
        if not self._paused:
            return []
        self._finish = finish
        return self.tick(now)

    def tick(self, now: float) -> list[Action]:
        """Time passed, with or without audio."""
        if self._speech_start is None:
            return self._silence(now)
        quiet_s = now - self._last_voice
        too_long = now - self._speech_start >= self.settings.longest_turn_s
        if quiet_s >= self._patience_s() or too_long:
            return self._end_turn(self._speech_start, now)
        worth_s = self.settings.busy_pause_s if self.machine_busy else self.settings.pause_s
        if quiet_s >= worth_s and not self._paused:
            self._paused = True
            return [Paused(self._last_voice)]
        return []

    def _patience_s(self) -> float:
        """How much quiet ends the turn, given what is known of its words."""
        if self._agent_busy and not self._barged:
            return self.settings.unsure_s  # no turn, unless the agent ends in the meantime
        match self._finish:
            case None | Finish.OPEN:
                return self.settings.open_s
            case Finish.UNSURE:
                return self.settings.unsure_s
            case Finish.ASKED:
                return self.settings.asked_s
            case Finish.DOUBTFUL:
                return self.settings.doubtful_s
            case Finish.NOTHING if not self._barged:
                return self.settings.unsure_s
        return self.settings.complete_s

    def _end_turn(self, speech_start: float, now: float) -> list[Action]:
        finish, barged = self._finish, self._barged
        self._speech_start = self._finish = None
        self._voiced_s = self._again_s = 0.0
        self._paused = self._barged = False
        self._quiet_since = now
        if self._agent_busy and not barged:
            return []  # "mm-hm" under the agent's voice takes nobody's turn
        if self._agent_busy and finish in (Finish.BACK_CHANNEL, Finish.NOTHING):
            return [GoesOn()]
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
            self._unheard = False
            actions.append(SpeechStarted(self._speech_start))
        elif self._paused:
            self._paused = False
            self._finish = None
            self._voiced_s = self._again_s  # two short sounds are not one long one
            actions.append(Resumed())
        if self._agent_busy and not self._barged and self._voiced_s >= self.settings.barge_in_s:
            self._barged = True
            actions.append(BargeIn())
        return actions

    def _silence(self, now: float) -> list[Action]:
        patience_s = self.settings.unheard_s if self._unheard else self.settings.silence_s
        if self._agent_busy or now - self._quiet_since < patience_s:
            return []
        self._quiet_since = now
        if self._unheard:
            self._unheard = False
            return [Unheard()]
        self._silences += 1
        return [Silent(self._silences)]
