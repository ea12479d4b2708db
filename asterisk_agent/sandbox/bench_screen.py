"""What a benchmark shows: how far it is, and at the end the figures as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Row = tuple[str, Callable[[dict[str, Any]], Any]]


class BenchScreen:
    """A bar that moves on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def note(self, line: str) -> None:
        """A line that stays."""
        self._console.print(line, markup=False)

    @contextmanager
    def bar(self, label: str) -> Iterator[Callable[[int, int], None]]:
        """Gives what to call with how much is done, and of how much."""
        if not self._console.is_terminal:
            self.note(label)
            yield lambda done, total: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=self._console) as progress:
            task = progress.add_task(label, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)

    def show(self, markdown: str) -> None:
        """The tables."""
        self._console.print(markdown, markup=False)


PARTS = ("end_of_turn", "recognise", "retrieve", "model", "voice", "playout", "total")


def markdown(result: dict[str, Any]) -> str:
    """The whole result to read, in Markdown."""
    runs = result["runs"]
    machine = result["machine"]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_mb']} MB, "
        f"{result['versions']['asterisk']}; {', '.join(result['models'].values())}; "
        f"answers {result['settings']['engines']['llm']['answers']}.",
        "",
        *_table(
            ["calls at once", *(str(run["calls"]) for run in runs)],
            [[label, *(_cell(value(run)) for run in runs)] for label, value in ROWS],
        ),
        "",
        "Parts of the answer delay as the agent logged them, p50 / p95 in s; they overlap:",
        "",
        *_table(
            ["part", *(str(run["calls"]) for run in runs)],
            [[part, *(_both(run["parts_s"][part]) for run in runs)] for part in PARTS],
        ),
        "",
        *_table(
            ["goal", "limit", "measured", "met"],
            [
                [goal["goal"], goal["limit"], _cell(goal["measured"]), _MET[goal["met"]]]
                for goal in result["goals"]
            ],
        ),
    ]
    return "\n".join(lines) + "\n"


_MET = {True: "yes", False: "no", None: "not measured"}


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    dashes = ["-" * width for width in widths]
    return [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [head, dashes, *rows]
    ]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _both(summary: dict[str, Any]) -> str:
    return f"{_cell(summary['p50'])} / {_cell(summary['p95'])}"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.1%}"


def _lag(lag: dict[str, float | int | None]) -> str | None:
    if not lag["n"]:
        return None
    return " / ".join(_or_more(lag[name]) for name in ("p99_under", "max_under"))


def _or_more(bound: float | None) -> str:
    return "1000 or more" if bound is None else f"{bound:g}"


def _stopped(sounds: dict[str, dict[str, int]]) -> str:
    counts = list(sounds.values())
    return f"{sum(one['stopped'] for one in counts)} of {sum(one['times'] for one in counts)}"


def _false_ends(run: dict[str, Any]) -> str:
    pauses = run["false_ends_in_pauses"]
    return f"{pauses['cut_off']} of {pauses['clips']} / {run['false_ends']} of {run['turns']}"


def _calls(run: dict[str, Any]) -> str:
    return f"{run['placed']} / {run['refused']} / {run['failed']}"


def _generator(run: dict[str, Any]) -> float | None:
    share: float | None = run["load_generator"]["share_of_machine"]
    return share


def _distribution(key: str) -> list[Row]:
    return [
        (f"{label} {name}", lambda run, name=name: run[key][name])  # type: ignore[misc]
        for label in [_LABELS[key]]
        for name in ("p50", "p95", "max")
    ]


_LABELS = {
    "answer_delay_s": "answer delay, s:",
    "reply_delay_s": "any reply, s:",
    "long_question_delay_s": "long questions, s:",
    "barge_in_s": "barge-in, s:",
}
ROWS: Sequence[Row] = (
    ("phones", lambda run: run["phones"]),
    ("packets lost / jitter, ms", lambda run: f"{run['packets_lost']:.0%} / {run['jitter_ms']}"),
    ("questions asked", lambda run: run["turns"]),
    *_distribution("answer_delay_s"),
    *_distribution("reply_delay_s"),
    *_distribution("long_question_delay_s"),
    *_distribution("barge_in_s"),
    ("sounds that stopped the agent", lambda run: _stopped(run["disturbances"])),
    ("false ends: in pauses / all", _false_ends),
    ("missed ends", lambda run: run["missed_ends"]),
    ("right answers", lambda run: _percent(run["right_answers"])),
    ("word error rate", lambda run: _percent(run["word_error_rate"])),
    ("CPU s per call minute", lambda run: run["cpu_s_per_call_minute"]),
    ("the same, Asterisk", lambda run: run["asterisk_cpu_s_per_call_minute"]),
    ("memory, RSS / PSS, MB", lambda run: f"{run['rss_mb']:.0f} / {run['pss_mb']:.0f}"),
    ("longest gap in playout, ms", lambda run: run["longest_gap_ms"]),
    ("the same at the phone, ms", lambda run: run["longest_arrival_gap_ms"] or None),
    ("event loop late, ms: 99 % / all under", lambda run: _lag(run["loop_lag_ms"])),
    ("calls placed / refused / failed", _calls),
    ("load generator, of the machine", lambda run: _percent(_generator(run))),
    ("other programs, of the machine", lambda run: _percent(run["others_share_of_machine"])),
    ("machine busy", lambda run: _percent(run["busy_share_of_machine"])),
)
