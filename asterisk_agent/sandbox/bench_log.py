"""What the agent wrote down about the calls of a benchmark, laid beside what the phones heard."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from asterisk_agent.records import CallLog
from asterisk_agent.sandbox.bench_call import CallSeen, Turn
from asterisk_agent.sandbox.bench_script import Kind
from asterisk_agent.sandbox.demo_script import missing

TOLERANCE_S = 0.8
"""By how much the log's clock may differ from the phone's: the line, and the setting up."""
CHARACTERS_A_SECOND = 18.0
"""A voice is no faster than this, so a text lasts at least so long."""
MOST_STORIES = 5_000
NO_ANSWER_SO_SOON_S = 0.5
"""What the agent says so soon after a caller began to speak cannot be meant for that."""
PARTINGS = ("handoff", "voicemail", "emergency", "goodbye")
PARTS = ("end_of_turn", "recognise", "retrieve", "model", "voice", "playout", "total")


@dataclass(slots=True)
class Measured:
    """A turn as the phone heard it and as the agent understood it. Seconds."""

    id: str
    kind: Kind
    over: bool
    said: str
    understood: str
    answer: str
    action: str | None
    delay_s: float | None
    """Last sample of the question to first sound of the answer; None where there was none."""
    cut_off: bool
    """The agent began to answer before the question was over."""
    stop_s: float | None
    """First sample of the interruption to silence."""
    is_right: bool
    """The answer has every fact in it."""
    pauses_s: tuple[float, ...] = ()
    parts_ms: Mapping[str, float] = field(default_factory=dict)
    call: str = ""

    @property
    def missed(self) -> bool:
        """The caller waited for an answer in vain."""
        return self.delay_s is None and not self.cut_off


def read_stories(database: str, numbers: set[str]) -> dict[str, dict[str, Any]]:
    """The stories of the calls from these numbers. Blocking."""
    log = CallLog(database)
    try:
        stories = log.latest(MOST_STORIES)
    finally:
        log.close()
    return {story["caller"]: story for story in stories if story["caller"] in numbers}


def measure(call: CallSeen, story: Mapping[str, Any] | None) -> list[Measured]:
    """Every turn of a call, but for those that events overtook: the agent was just parting, or
    still answering something else, when the caller began to speak.
    """
    spoken = _Spoken(story) if story is not None and story["answered"] else _Spoken(None)
    ends = [*(turn.said.began for turn in call.turns[1:]), call.ended]
    return [
        _measure(turn, until, spoken, call.number)
        for turn, until in zip(call.turns, ends, strict=False)  # a call may have no turn at all
        if not _overtaken(turn, spoken)
    ]


def _overtaken(turn: Turn, spoken: _Spoken) -> bool:
    soon = turn.said.began + NO_ANSWER_SO_SOON_S
    parted = any(one["action"] in PARTINGS for _, one in spoken.agent(0.0, soon))
    return parted or (turn.early is not None and turn.early < soon)


class _Spoken:
    """The turns of a story, on the phone's clock."""

    def __init__(self, story: Mapping[str, Any] | None) -> None:
        self.known = story is not None
        self._turns: list[tuple[float, Mapping[str, Any]]] = []
        if story is not None:
            wall = datetime.fromisoformat(story["started"]).timestamp()
            began = wall - time.time() + time.monotonic()
            self._turns = [(began + turn["at_s"], turn) for turn in story["turns"]]

    def understood(self, start: float, end: float) -> str:
        """What the caller said between two moments."""
        return " ".join(
            turn["text"]
            for at, turn in self._turns
            if turn["who"] == "caller" and at < end and at + turn["heard_s"] > start
        )

    def agent(self, start: float, end: float) -> list[tuple[float, Mapping[str, Any]]]:
        """What the agent said that began between two moments."""
        return [
            (at, turn) for at, turn in self._turns if turn["who"] == "agent" and start <= at < end
        ]

    def agent_before(self, moment: float) -> tuple[float, Mapping[str, Any]] | None:
        """What the agent began to say last before a moment."""
        before = self.agent(0.0, moment)
        return before[-1] if before else None


def _measure(turn: Turn, until: float, spoken: _Spoken, number: str) -> Measured:
    line, said = turn.clip.line, turn.said
    answers = spoken.agent(said.ended - TOLERANCE_S, until)
    # "Are you still there?" is no answer: only an answer has its delays written down.
    real = [one for _, one in answers if one["delay_ms"]]
    answer = " ".join(one["text"] for one in real)
    delay = None if turn.answered is None or turn.early is not None else turn.answered - said.ended
    if spoken.known and not real:
        delay = None
    return Measured(
        id=line.id,
        kind=line.kind,
        over=turn.over,
        said=line.text,
        understood=spoken.understood(said.began, said.ended),
        answer=answer,
        action=real[0]["action"] if real else None,
        delay_s=delay,
        cut_off=turn.early is not None,
        stop_s=_stop_s(turn, spoken),
        is_right=bool(answer) and not missing(line.hears, answer),
        pauses_s=tuple(round(end - start, 2) for start, end in turn.clip.pauses),
        parts_ms={part: real[0]["delay_ms"][part] for part in PARTS} if real else {},
        call=number,
    )


def _stop_s(turn: Turn, spoken: _Spoken) -> float | None:
    """How long the agent spoke on; None where it would have ended by itself about then."""
    if not turn.over or turn.stopped is None:
        return None
    interrupted = spoken.agent_before(turn.said.began)
    if interrupted is None:
        return None
    at, what = interrupted
    own_end = at + len(what["text"]) / CHARACTERS_A_SECOND
    return turn.stopped - turn.said.began if own_end > turn.said.began + 1.0 else None


class ServiceLog:
    """The lines that the service's log gains from now on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._from = path.stat().st_size

    def values(self, name: str) -> list[float]:
        """All values of a field, such as ``longest_gap_ms``."""
        return [float(found) for found in re.findall(rf"\b{name}=([\d.]+)", self._text())]

    def troubles(self) -> list[str]:
        """Warnings and errors."""
        return [line for line in self._text().splitlines() if re.search(r" (WARN|ERR)\w+ ", line)]

    def _text(self) -> str:
        with self._path.open("rb") as file:
            file.seek(self._from)
            return file.read().decode("utf-8", "replace")
