"""How good the brain is on a set of questions: asked, judged, counted. Pure.

A caller who is asked back says it again, or picks what was meant; what comes then is judged. So
asking back can help, and cannot hide that something was not understood.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from typing import Any

from asterisk_agent.brain.brain import Brain
from asterisk_agent.brain.questions import Case, Kind
from asterisk_agent.brain.words import tokens
from asterisk_agent.events import Action, Exchange, Reply
from asterisk_agent.hearing import is_better, is_doubtful
from asterisk_agent.speech import speakable

Say = Callable[[str], str]
"""What the agent understands of what a caller says: the same in text, a guess in speech."""

COUNTS = ("wrong",)
"""Figures that are counts, and where fewer are better. All others are shares, 0 to 1."""


class Verdict(StrEnum):
    """What became of one question."""

    RIGHT = "right"
    WRONG = "wrong"
    """A caller was told something that is not what they asked, or not true."""
    LOST = "lost"
    """Handed over though the documents answer."""
    ANSWERED = "answered"
    """Answered though the documents do not."""
    MISSED = "missed"
    """Not what the caller wanted: no person, no emergency, another team."""


_AWAY = (Action.HANDOFF, Action.EMERGENCY, Action.VOICEMAIL, Action.GOODBYE)
"""After these a caller says nothing more to the agent."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One question, the reply that counted, and what was heard if that was something else."""

    case: Case
    reply: Reply
    verdict: Verdict
    heard: str
    asked_back: bool = False
    right_team: bool | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The figures. ``shares`` maps names to values; see ``docs/evaluation.md``."""

    findings: tuple[Finding, ...]
    figures: Mapping[str, float]
    totals: Mapping[str, int]
    delay_ms: Mapping[str, float] = field(default_factory=dict)

    def failures(self, required: Mapping[str, float]) -> list[str]:
        """The figures that are worse than required, one line each."""
        failed = []
        for name, threshold in required.items():
            value = self.figures.get(name)
            if value is None:
                continue
            if value > threshold if name in COUNTS else value < threshold:
                failed.append(f"{name} is {_written(name, value)}, not {_written(name, threshold)}")
        return failed


def ask(
    case: Case,
    brain: Brain,
    language: str,
    say: Say = lambda text: text,
    again: Callable[[], str] = str,
) -> Finding:
    """Ask one question, after those before it.

    Who is asked back in one of those takes the offer that says what the case wants ("say that
    again"), or else, as for what only leads there, the first. ``say`` tells what is heard of a
    text, ``again`` what is heard of the last one by listening more carefully, as a call does where
    a first hearing has no answer.
    """
    history: list[Exchange] = []

    def turn(heard: str) -> tuple[str, Reply]:
        heard, reply = _understood(brain, heard, again, tuple(history), case)
        agent = Exchange("agent", reply.text, reply.action, reply.source)
        history.extend((Exchange("caller", heard), agent))
        return heard, reply

    def finding(heard: str, reply: Reply, *, asked_back: bool = False) -> Finding:
        team = _reached(reply, brain) == case.team if case.team is not None else None
        return Finding(case, reply, judge(case, reply, language), heard, asked_back, team)

    for before in case.after:
        heard, reply = turn(say(before))
        if reply.options:
            heard, reply = turn(say(_taken(_meant(case, reply, brain, language) or 0, reply)))
        if reply.action in _AWAY:
            return finding(heard, reply)
    heard, reply = turn(say(case.text))
    asked_back = reply.action is Action.CLARIFY and case.expect is not Action.CLARIFY
    if asked_back:
        _, reply = turn(say(_clearer(case, reply, brain, language)))
    return finding(heard, reply, asked_back=asked_back)


def judge(case: Case, reply: Reply, language: str) -> Verdict:
    """What a reply is worth as the answer to a question."""
    if any(_says(reply.text, never, language) for never in case.never):
        return Verdict.WRONG
    if case.expect is not None and case.kind is not Kind.DIALOGUE:
        return Verdict.RIGHT if reply.action is case.expect else Verdict.MISSED
    match case.kind:
        case Kind.ANSWERABLE | Kind.DIALOGUE:
            if reply.action not in (Action.ANSWER, Action.REPEAT):
                return Verdict.LOST
            return Verdict.RIGHT if holds(case, reply, language) else Verdict.WRONG
        case Kind.UNANSWERABLE:
            return Verdict.ANSWERED if reply.action is Action.ANSWER else _wanted(reply)
        case Kind.PERSON:
            return _wanted(reply)
        case Kind.EMERGENCY:
            return Verdict.RIGHT if reply.action is Action.EMERGENCY else Verdict.MISSED
    return Verdict.RIGHT


def _reached(reply: Reply, brain: Brain) -> str | None:
    """The team that a caller gets: where none was understood, the channel's first."""
    return reply.team or (brain.first_team if reply.action is Action.HANDOFF else None)


def _wanted(reply: Reply) -> Verdict:
    return Verdict.RIGHT if reply.action is Action.HANDOFF else Verdict.MISSED


def holds(case: Case, reply: Reply, language: str) -> bool:
    """Whether a reply says every fact, or stands under a heading, that the question wants."""
    if case.facts:
        return all(any(_says(reply.text, way, language) for way in ways) for ways in case.facts)
    return reply.source is not None and reply.source.heading in case.headings


def _says(text: str, fact: str, language: str) -> bool:
    """Whether ``text`` says ``fact``, both as they are spoken: "4 p.m." is in "4:00 p.m.".

    "$89" is not in "$189", though "eighty-nine dollars" is in what is heard.
    """
    spoken, wanted = (tokens(speakable(part, language)) for part in (text, fact))
    found = [
        at for at in range(len(spoken) - len(wanted) + 1) if spoken[at : at + len(wanted)] == wanted
    ]
    numbers = _number_words(language)
    if found and all(at and {spoken[at - 1], *wanted[:1]} <= numbers for at in found):
        # The end of a number, or one of a list: as it is written, it tells.
        return re.search(rf"(?<![\w-]){re.escape(fact)}", text, re.IGNORECASE) is not None
    return bool(found)


@cache
def _number_words(language: str) -> frozenset[str]:
    numbers = (*range(101), 1000, 1_000_000)
    return frozenset(word for n in numbers for word in tokens(speakable(str(n), language)))


def _understood(
    brain: Brain, heard: str, again: Callable[[], str], history: tuple[Exchange, ...], case: Case
) -> tuple[str, Reply]:
    """What the brain makes of what was heard, the first time or the second."""
    reply = brain.reply(heard, history, staffed=case.staffed)
    if not is_doubtful(reply):
        return heard, reply
    second = again()
    if second in ("", heard):
        return heard, reply
    other = brain.reply(second, history, staffed=case.staffed)
    return (second, other) if is_better(other, reply) else (heard, reply)


def _clearer(case: Case, reply: Reply, brain: Brain, language: str) -> str:
    """What a caller says who was asked back: which offer is meant, or none, or the same again."""
    meant = _meant(case, reply, brain, language)
    if meant is not None:
        return _taken(meant, reply)
    return "no" if reply.options else case.text


def _meant(case: Case, reply: Reply, brain: Brain, language: str) -> int | None:
    """Which of the offers says what the case wants to hear."""
    for place, source in enumerate(reply.options):
        told = Reply(brain.read_out(source), Action.ANSWER, source=source)
        if (case.facts or case.headings) and holds(case, told, language):
            return place
    return None


def _taken(place: int, reply: Reply) -> str:
    return "yes" if len(reply.options) == 1 else ("the first one", "the second one")[place]


def count(findings: Iterable[Finding]) -> Report:
    """The figures over all findings. A kind that was not asked has none."""
    kept = tuple(findings)
    by_kind = {kind: [f for f in kept if f.case.kind in kinds] for kind, kinds in _FIGURES.items()}
    teams = [f for f in kept if f.right_team is not None]
    figures: dict[str, float] = {"wrong": sum(f.verdict is Verdict.WRONG for f in kept)}
    totals: dict[str, int] = {"wrong": len(kept)}
    for name, found in by_kind.items():
        if found:
            figures[name] = _share(f.verdict is Verdict.RIGHT for f in found)
            totals[name] = len(found)
    wanted = by_kind["right"]
    if wanted:
        figures["at_once"] = _share(f.verdict is Verdict.RIGHT and not f.asked_back for f in wanted)
        totals["at_once"] = len(wanted)
    if teams:
        figures["team"] = _share(f.right_team is True for f in teams)
        totals["team"] = len(teams)
    return Report(kept, figures, totals, _delays([f.reply.ms.total for f in kept]))


def otherwise(own: Report, worded: Report) -> float:
    """The share of answers that a model put in other words than the documents' own."""
    pairs = [
        (a.reply.text, b.reply.text)
        for a, b in zip(own.findings, worded.findings, strict=True)
        if b.reply.action is Action.ANSWER
    ]
    return _share(a != b for a, b in pairs) if pairs else 0.0


_FIGURES = {
    "right": (Kind.ANSWERABLE, Kind.DIALOGUE),
    "handed_over": (Kind.UNANSWERABLE,),
    "person": (Kind.PERSON,),
    "emergency": (Kind.EMERGENCY,),
    "hostile": (Kind.HOSTILE,),
    "other": (Kind.OTHER,),
}


def _share(right: Iterable[bool]) -> float:
    kept = list(right)
    return sum(kept) / len(kept)


def _delays(ms: list[float]) -> dict[str, float]:
    if not ms:
        return {}
    ordered = sorted(ms)
    at = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    return {name: round(ordered[round(part * (len(ordered) - 1))], 1) for name, part in at.items()}


def _written(name: str, value: float) -> str:
    return f"{value:.0f}" if name in COUNTS else f"{value:.1%}"


def confusions(report: Report) -> dict[str, dict[str, int]]:
    """How often each kind of question got each action."""
    table: dict[str, Counter[str]] = {}
    for finding in report.findings:
        table.setdefault(str(finding.case.kind), Counter())[str(finding.reply.action)] += 1
    return {kind: dict(actions.most_common()) for kind, actions in table.items()}


def as_object(report: Report) -> dict[str, Any]:
    """A report as JSON that other programs may rely on."""
    return {
        "figures": {name: round(value, 4) for name, value in report.figures.items()},
        "totals": dict(report.totals),
        "counts": dict(Counter(str(f.verdict) for f in report.findings)),
        "asked_back": sum(f.asked_back for f in report.findings),
        "confusions": confusions(report),
        "delay_ms": dict(report.delay_ms),
        "not_right": [
            {
                "kind": str(f.case.kind),
                "question": f.case.text,
                "heard": f.heard,
                "verdict": str(f.verdict),
                "action": str(f.reply.action),
                "team": f.reply.team,
                "answer": f.reply.text,
            }
            for f in report.findings
            if f.verdict is not Verdict.RIGHT or f.right_team is False
        ],
    }


def delayed(finding: Finding, ms: float) -> Finding:
    """The finding with ``ms`` more, for what came before the brain."""
    spent = replace(finding.reply.ms, total=round(finding.reply.ms.total + ms, 1))
    return replace(finding, reply=replace(finding.reply, ms=spent))
