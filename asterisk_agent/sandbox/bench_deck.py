"""Which clip comes next. All calls of a run draw from one deck, so the mix is always the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

from asterisk_agent.sandbox.bench_clips import Clip
from asterisk_agent.sandbox.bench_script import Kind

MIX = "qqpqqlqpqq"
"""Questions, questions with a pause inside, and long ones, as they come."""
INTERRUPT_EVERY = 4
_KINDS = {"q": Kind.QUESTION, "p": Kind.PAUSE, "l": Kind.LONG}


@dataclass(frozen=True, slots=True)
class Opening:
    """What a caller does while the greeting is spoken: a clip is said into it, or nothing."""

    clip: Clip | None = None


LISTEN = Opening()


class Deck:
    """Deals until ``turns`` questions were asked. Questions come in order, from ``offset``."""

    def __init__(self, clips: Sequence[Clip], turns: int, offset: int = 0) -> None:
        self._clips = {
            kind: cycle(_rotated([clip for clip in clips if clip.line.kind is kind], offset))
            for kind in Kind
        }
        # Apart from the others, or an interruption would change which questions are asked.
        self._interruptions = cycle(
            _rotated([clip for clip in clips if clip.line.kind is Kind.QUESTION], offset + 7)
        )
        self._mix = cycle(MIX)
        self._openings = cycle(("listen", "question", "disturbance", "question", "disturbance"))
        self.left = turns
        """Plain questions still to be asked."""
        self._asked = 0
        self.done = 0
        """Questions asked so far, of all kinds but interruptions."""

    @property
    def finished(self) -> bool:
        """Whether enough plain questions were asked."""
        return self.left <= 0

    def clip(self) -> Clip:
        """The next thing to say into the silence."""
        return next(self._clips[_KINDS[next(self._mix)]])

    def said(self, clip: Clip) -> None:
        """It was said, and answered or not."""
        self.done += 1
        self.left -= clip.line.kind is Kind.QUESTION

    def question(self) -> Clip:
        """Something to interrupt the agent with."""
        return next(self._interruptions)

    def interrupts(self) -> bool:
        """Whether the answer that just began is to be interrupted."""
        self._asked += 1
        return self._asked % INTERRUPT_EVERY == 0

    def opening(self) -> Opening:
        """What the next call does with the greeting."""
        kind = next(self._openings)
        if kind == "listen":
            return LISTEN
        return Opening(self.question() if kind == "question" else self._disturbance())

    def _disturbance(self) -> Clip:
        return next(self._clips[Kind.DISTURBANCE])


def _rotated(clips: Sequence[Clip], offset: int) -> list[Clip]:
    start = offset % len(clips) if clips else 0
    return [*clips[start:], *clips[:start]]
