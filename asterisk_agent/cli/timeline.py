"""One call as a timeline in the terminal: who spoke when, what it came from, how long it took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

COLOURS = {
    "resolved": "green",
    "message": "green",
    "answered": "cyan",
    "voicemail": "yellow",
    "abandoned": "red",
}
SLOW_S, VERY_SLOW_S = 1.0, 2.0
"""Answers that take longer are marked."""
WIDTH = 9
INDENT = " " * (WIDTH + 9)


def show(call: Mapping[str, Any], zone: ZoneInfo, console: Console) -> None:
    """Print a call in its JSON form."""
    for line in lines(call, zone):
        console.print(line)


def lines(call: Mapping[str, Any], zone: ZoneInfo) -> Iterator[Text]:
    """The lines of the timeline."""
    yield _head(call, zone)
    said = [(turn["at_s"], 1, _turn(turn)) for turn in call["turns"]]
    went = [(step["at_s"], 0, _step(step)) for step in call["path"]]
    rang = [(a["at_s"], 2, _attempt(a)) for a in call.get("attempts", ())]
    happened = [(e["at_s"], 3, _event(e)) for e in call.get("events", ())]
    for _, _, some in sorted([*said, *went, *rang, *happened], key=lambda line: line[:2]):
        yield from some
    if call.get("message"):
        yield Text.assemble(("message  ", "bold"), plain(call["message"]))
    for key, value in callback(call).items():
        yield Text.assemble((f"{key:9}", "bold"), plain(value))
    if call.get("brief"):
        yield Text.assemble(("brief    ", "bold"), plain(call["brief"]))
    if call.get("node"):
        yield Text.assemble(("service  ", "bold"), plain(call["node"]))
    if call.get("recording"):
        yield Text.assemble(("audio    ", "bold"), plain(call["recording"]))
    yield ending(call)


def _head(call: Mapping[str, Any], zone: ZoneInfo) -> Text:
    started = datetime.fromisoformat(call["started"]).astimezone(zone)
    who = plain(call["caller"]) or "withheld"
    return Text.assemble(
        (call["id"], "bold"),
        f"  {call['channel']}  from {who}  {started:%a %Y-%m-%d %H:%M:%S %Z}  ",
        (call["state"] or "", "dim"),
    )


def _turn(turn: Mapping[str, Any]) -> Iterator[Text]:
    line = Text.assemble((f"{turn['at_s']:{WIDTH}.2f}", "dim"), "  ")
    line.append_text(said(turn["who"], turn["text"]))
    if (waited := turn.get("delay_ms")) is not None:
        line.append_text(delay(waited["total"] / 1000))
    if turn.get("interrupted"):
        line.append(f"  [cut short after {turn['heard_s']:.1f} s]", "magenta")
    if turn.get("unanswered"):
        line.append("  [the documents do not say]", "red")
    yield line
    if (source := turn.get("source")) is not None:
        yield Text(f"{INDENT}from {plain(source['file'])}: {plain(source['heading'])}", "dim")


def said(who: str, text: str) -> Text:
    """Who said what."""
    colour = "bold yellow" if who == "caller" else "bold blue"
    return Text.assemble((f"{plain(who):6} ", colour), plain(text) or "(deleted)")


def delay(seconds: float) -> Text:
    """How long the caller waited for an answer."""
    colour = "green" if seconds < SLOW_S else "yellow" if seconds < VERY_SLOW_S else "red"
    return Text(f"  [{seconds:.2f} s]", colour)


def _step(step: Mapping[str, Any]) -> Iterator[Text]:
    result = f" ({plain(step['result'])})" if step["result"] else ""
    yield Text.assemble(
        (f"{step['at_s']:{WIDTH}.2f}", "dim"),
        (f"  → {step['to']}", "bold"),
        f": {plain(step['because'])}{result}",
    )


def _attempt(attempt: Mapping[str, Any]) -> Iterator[Text]:
    waited, by = attempt["waited_s"], attempt["picked_up_by"]
    taken = f"{plain(by)} picked up" if by else "nobody picked up"
    after = "" if waited is None else f" after {waited:.0f} s"
    yield Text(f"{INDENT}{taken}{after}", "cyan" if by else "red")


def _event(event: Mapping[str, Any]) -> Iterator[Text]:
    what = {"key": "key", "barge_in": "the caller interrupts", "error": "error"}
    text = f"  · {what.get(event['kind'], event['kind'])} {plain(event['detail'])}".rstrip()
    yield Text.assemble((f"{event['at_s']:{WIDTH}.2f}", "dim"), (text, "magenta"))


def ending(call: Mapping[str, Any]) -> Text:
    """How a call ended, and what is to be done."""
    outcome = call["outcome"] or "under way"
    line = Text.assemble(("outcome  ", "bold"), (outcome, COLOURS.get(outcome, "white")))
    line.append(f" ({call['reason'] or '-'})")
    if call.get("tasks"):
        line.append(f"  to do: {', '.join(call['tasks'])}".replace("_", " "), "bold red")
    return line


def length(seconds: float | None) -> str:
    """``75`` → ``1:15``."""
    if seconds is None:
        return "-"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def plain(text: str) -> str:
    """A caller's or a file's words without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def callback(call: Mapping[str, Any]) -> dict[str, str]:
    """What a caller left, by name, without what they did not tell."""
    left = call.get("callback") or {}
    number = left.get("number")
    if number and not left.get("confirmed"):
        number += " (not confirmed)"
    found = {"name": left.get("name"), "number": number, "about": left.get("reason")}
    return {key: str(value) for key, value in found.items() if value}
