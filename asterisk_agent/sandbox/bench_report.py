"""The figures of a benchmark: as JSON with stable keys, as a table, and against the goals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from asterisk_agent.events import Action
from asterisk_agent.sandbox.bench_log import PARTS, Measured
from asterisk_agent.sandbox.bench_run import RunResult
from asterisk_agent.sandbox.bench_script import Kind
from asterisk_agent.sandbox.bench_stats import summary, word_error_rate

WHOLE_GREETING = 0.85
"""A greeting of which less was heard than this was stopped."""
LONGEST_P95_S = 1.5
"""With a longer one, callers notice that the machine is busy."""

MISSED_SHARE = 0.02
"""So many questions may stay without an answer; a person, too, asks back at times."""


def run_json(run: RunResult, cores: int) -> dict[str, Any]:
    """One run, under the keys that other programs rely on."""
    asked = [turn for turn in run.turns if not turn.over]
    plain = [turn for turn in asked if turn.kind is Kind.QUESTION]
    known = [turn for turn in plain if turn.action == Action.ANSWER]
    paused = [turn for turn in asked if turn.kind is Kind.PAUSE]
    minutes = run.talked_minutes
    peak = max([run.idle_size, *run.sizes], key=lambda size: size.pss_mb)
    outcomes = [call.outcome for call in run.seen]
    return {
        "calls": run.calls,
        "phones": run.phones,
        "packets_lost": run.weather[0],
        "jitter_ms": round(run.weather[1] * 1000),
        "turns": len(asked),
        "turns_overtaken": run.overtaken,
        "answer_delay_s": _delays(known),
        "reply_delay_s": _delays(plain),
        "long_question_delay_s": _delays(turn for turn in asked if turn.kind is Kind.LONG),
        "paused_question_delay_s": _delays(paused),
        "parts_s": {part: summary(_part(plain, part)) for part in PARTS},
        "barge_in_s": summary(turn.stop_s for turn in run.turns if turn.stop_s is not None),
        "disturbances": disturbances(run),
        "false_ends": sum(turn.cut_off for turn in asked),
        "false_ends_in_pauses": {
            "clips": len(paused),
            "cut_off": sum(turn.cut_off for turn in paused),
            "share": _share(sum(turn.cut_off for turn in paused), len(paused)),
        },
        "missed_ends": sum(turn.missed for turn in run.turns),
        "right_answers": _share(sum(turn.is_right for turn in asked), len(asked)),
        "word_error_rate": word_error_rate((turn.said, turn.understood) for turn in asked),
        "cpu_s_per_call_minute": _share(run.usage.service, minutes),
        "asterisk_cpu_s_per_call_minute": _share(run.usage.asterisk, minutes),
        "rss_mb": max(size.rss_mb for size in [run.idle_size, *run.sizes]),
        "pss_mb": peak.pss_mb,
        "longest_gap_ms": max(run.gaps_ms, default=None),
        "loop_lag_ms": run.loop_lag_ms,
        "longest_arrival_gap_ms": _ms(call.longest_arrival_gap_s for call in run.seen),
        "placed": len(run.seen),
        "refused": outcomes.count("refused"),
        "failed": outcomes.count("failed"),
        "call_minutes": round(minutes, 2),
        "seconds": round(run.seconds, 1),
        "load_generator": {
            "cpu_s": round(run.usage.generator, 2),
            "share_of_machine": _share(run.usage.generator, run.seconds * cores),
            "latest_frame_ms": _ms(call.latest_frame_s for call in run.seen),
        },
        "others_share_of_machine": _share(run.usage.others, run.seconds * cores),
        "busy_share_of_machine": _share(run.usage.machine, run.seconds * cores),
    }


def disturbances(run: RunResult) -> dict[str, dict[str, int]]:
    """Of each sound that must not stop the agent: how often it was heard, and did stop it."""
    greetings = [call.greeting for call in run.seen if call.greeting is not None]
    whole = [one.sound_s for one in greetings if one.opening.clip is None]
    counted: dict[str, dict[str, int]] = {}
    for one in greetings:
        clip = one.opening.clip
        if clip is None or clip.line.kind is not Kind.DISTURBANCE or not whole:
            continue
        entry = counted.setdefault(clip.line.id, {"times": 0, "stopped": 0})
        entry["times"] += 1
        entry["stopped"] += one.sound_s < WHOLE_GREETING * median(whole)
    return counted


def _delays(turns: Any) -> dict[str, float | int | None]:
    return summary(turn.delay_s for turn in turns if turn.delay_s is not None)


def _part(turns: Sequence[Measured], part: str) -> list[float]:
    return [turn.parts_ms[part] / 1000 for turn in turns if part in turn.parts_ms]


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 3) if whole else None


def _ms(seconds: Any) -> float | None:
    values = list(seconds)
    return round(max(values) * 1000, 1) if values else None


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the table of goals; ``measured`` is None where this benchmark did not show it."""

    name: str
    limit: float
    measured: float | None
    unit: str = "s"
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether it was reached; None where it was not measured."""
        if self.measured is None:
            return None
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def as_json(self) -> dict[str, Any]:
        """For the result."""
        limit = f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}".strip()
        return {"goal": self.name, "limit": limit, "measured": self.measured, "met": self.met}


def goals(runs: Sequence[dict[str, Any]], start_s: float | None, *, worded: bool) -> list[Goal]:
    """Every goal with what was measured."""
    one = next((run for run in runs if run["calls"] == 1), None)
    many = next((run for run in runs if run["calls"] == 16), None)
    how = "worded by the language model" if worded else "from the knowledge base"
    p50_s, p95_s = (0.75, 1.2) if worded else (0.45, 0.80)

    def at(*path: str) -> float | None:
        value: Any = one
        for key in path:
            value = value[key] if value is not None else None
        return value  # type: ignore[no-any-return]

    stopped = sum(d["stopped"] for d in one["disturbances"].values()) if one else None
    return [
        Goal(f"answer delay, one call, {how}: p50", p50_s, at("answer_delay_s", "p50")),
        Goal(f"answer delay, one call, {how}: p95", p95_s, at("answer_delay_s", "p95")),
        Goal("long questions with a preamble: p95", 1.0, at("long_question_delay_s", "p95")),
        Goal("barge-in: p95", 0.30, at("barge_in_s", "p95")),
        Goal("cough, mm-hm, line noise that stopped the agent", 0, stopped, ""),
        Goal("false ends in pauses of 0.3 to 0.8 s", 0.03, at("false_ends_in_pauses", "share"), ""),
        Goal("calls at once with p95 ≤ 1.5 s", 16, capacity(runs), "", at_least=True),
        Goal("start to first possible call", 4.0, start_s),
        Goal("memory with 16 calls", 1200, many["pss_mb"] if many else None, "MB"),
    ]


def capacity(runs: Sequence[dict[str, Any]]) -> int | None:
    """The largest number of calls at once of which all were taken, in time, up to there."""
    best = None
    for run in sorted(runs, key=lambda run: int(run["calls"])):
        p95 = run["reply_delay_s"]["p95"]
        lost = run["refused"] or run["failed"] or run["missed_ends"] > MISSED_SHARE * run["turns"]
        if p95 is None or p95 > LONGEST_P95_S or lost:
            return best or 0
        best = run["calls"]
    return best
