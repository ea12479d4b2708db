"""What a chaos run says: totals, a line for each fault, a line for each stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from asterisk_agent.sandbox.chaos_judge import End, Verdict
from asterisk_agent.sandbox.chaos_round import RoundResult
from asterisk_agent.sandbox.chaos_stages import Stage

HEAD = (
    "callers",
    "rescued",
    "person",
    "mailbox",
    "agent",
    "told",
    "dropped",
    "longest silence, s",
    "longest way, s",
)


def summary(rounds: Sequence[RoundResult]) -> dict[str, Any]:
    """The figures, under keys that stay."""
    everybody = [one for round_ in rounds for one in round_.callers]
    names = list(dict.fromkeys(round_.fault for round_ in rounds))
    return {
        "faults": len(rounds),
        "kinds": len(names),
        **figures(everybody),
        "agent_lost": sum(round_.again_s is None for round_ in rounds),
        "good": all(round_.good for round_ in rounds),
        "by_fault": [_fault_json(name, rounds) for name in names],
        "by_stage": [
            {"stage": stage, **figures(mine), "as_planned": sum(map(_as_planned, mine))}
            for stage in Stage
            if (mine := [one for one in everybody if one.stage == stage])
        ],
        "rounds": [
            {
                "fault": round_.fault,
                "again_s": round_.again_s,
                "left": round_.left,
                "seconds": round_.seconds,
                "troubles": round_.troubles,
                "callers": [asdict(one) | {"rescued": one.rescued} for one in round_.callers],
            }
            for round_ in rounds
        ],
    }


def figures(callers: Sequence[Verdict]) -> dict[str, Any]:
    """How many, where to, and the longest silence."""
    ends = Counter(one.end for one in callers)
    return {
        "callers": len(callers),
        "rescued": sum(one.rescued for one in callers),
        **{str(end): ends[end] for end in End},
        "longest_silence_s": _most(one.silence_s for one in callers),
        "longest_way_s": _most(one.took_s for one in callers),
    }


def _fault_json(name: str, rounds: Sequence[RoundResult]) -> dict[str, Any]:
    mine = [round_ for round_ in rounds if round_.fault == name]
    callers = [one for round_ in mine for one in round_.callers]
    again = [round_.again_s for round_ in mine]
    return {
        "fault": name,
        "about": mine[0].about,
        "rounds": len(mine),
        **figures(callers),
        "again_s": None if None in again else max((one for one in again if one), default=0.0),
        "left": sum(round_.left for round_ in mine),
        "troubles": [trouble for round_ in mine for trouble in round_.troubles],
    }


def _as_planned(one: Verdict) -> bool:
    return one.seen_at == one.stage


def _most(values: Iterable[float]) -> float:
    return max(values, default=0.0)


def markdown(result: dict[str, Any]) -> str:
    """The result to read."""
    machine = result["machine"]
    lines = [
        f"{result['faults']} faults of {result['kinds']} kinds, {result['callers']} callers, "
        f"**{result['rescued']} rescued**; longest silence "
        f"{result['longest_silence_s']:.1f} s. Seed {result['seed']}.",
        "",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_mb']} MB, "
        f"{result['versions']['asterisk']}; {result['date']}.",
        "",
        *_table(
            ("fault", *HEAD, "agent again after, s", "what broke"),
            [
                (
                    row["fault"],
                    *_cells(row),
                    "never" if row["again_s"] is None else f"{row['again_s']:.1f}",
                    row["about"],
                )
                for row in result["by_fault"]
            ],
        ),
        "",
        *_table(
            ("at that moment", *HEAD, "there as planned"),
            [(row["stage"], *_cells(row), str(row["as_planned"])) for row in result["by_stage"]],
        ),
        *_failures(result),
    ]
    return "\n".join(lines) + "\n"


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    counts = ("callers", "rescued", End.PERSON, End.MAILBOX, End.AGENT, End.TOLD, End.DROPPED)
    seconds = ("longest_silence_s", "longest_way_s")
    return (*(str(row[key]) for key in counts), *(f"{row[key]:.1f}" for key in seconds))


def _failures(result: dict[str, Any]) -> list[str]:
    """Who was not rescued, and where that can be heard."""
    lines = [
        f"- {round_['fault']}, {one['stage']}: {', '.join(one['faults'])}; {one['why']}; "
        f"`{one['recording']}`"
        for round_ in result["rounds"]
        for one in round_["callers"]
        if not one["rescued"]
    ]
    lines += [
        f"- {round_['fault']}: {', '.join(round_['troubles']) or 'the agent did not come back'}"
        for round_ in result["rounds"]
        if round_["again_s"] is None
    ]
    return ["", "Not rescued:", "", *lines] if lines else []


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [head, ["-" * width for width in widths], *rows]
    ]
