"""Plots as SVG, made here: no script draws them, and they print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

WIDTH, HEIGHT = 1080, 220
LEFT, BOTTOM, TOP = 34, 24, 8
LANE_HEIGHT = 30
"""Sizes in the units of the drawing, which grows and shrinks with the page."""


def stacked(
    title: str, columns: Sequence[tuple[str, Mapping[str, int]]], groups: Sequence[str]
) -> Markup:
    """A column for each ``(label, counts by group)``, its groups on top of each other."""
    highest = max([sum(counts.values()) for _, counts in columns] or [0]) or 1
    top = _nice(highest)
    room = HEIGHT - BOTTOM - TOP
    step = (WIDTH - LEFT) / max(1, len(columns))
    parts = [_grid(top, room)]
    every = -(-len(columns) // 16)
    for index, (label, counts) in enumerate(columns):
        x, y = LEFT + index * step, float(HEIGHT - BOTTOM)
        for group in groups:
            tall = counts.get(group, 0) / top * room
            if tall:
                y -= tall
                parts.append(
                    Markup(
                        '<rect class="g-{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" '
                        'rx="1"><title>{}: {} {}</title></rect>'
                    ).format(
                        slug(group), x + step * 0.12, y, step * 0.76, tall, label,
                        counts[group], group,
                    )
                )  # fmt: skip
        if index % every == 0:
            parts.append(
                Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                    x + step / 2, HEIGHT - 6, label
                )
            )
    return _drawing(title, HEIGHT, parts)


def _grid(top: int, room: float) -> Markup:
    lines = []
    for share in (0.0, 0.5, 1.0):
        y = HEIGHT - BOTTOM - share * room
        lines.append(
            Markup(
                '<line class="grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>'
                '<text x="{3}" y="{4:.1f}" text-anchor="end">{5:g}</text>'
            ).format(LEFT, WIDTH, y, LEFT - 6, y + 4, top * share)
        )
    return Markup("").join(lines)


def _nice(highest: int) -> int:
    """The next round and even number."""
    power = 1
    while True:
        for step in (2, 4, 6, 8, 10):
            if step * power >= highest:
                return step * power
        power *= 10


def timeline(call: Mapping[str, Any]) -> Markup:
    """Who spoke when in a call: a lane for the caller, one for the agent, and what happened."""
    turns = call["turns"]
    ends = [turn["at_s"] + turn["heard_s"] for turn in turns]
    ends += [step["at_s"] for step in call["path"]]
    ends += [one["at_s"] + (one["waited_s"] or 0) for one in call.get("attempts", ())]
    longest: float = max([1.0, *ends]) * 1.02
    wide = WIDTH - 60

    def at(second: float) -> float:
        return 60 + second / longest * wide

    lanes = {"caller": TOP, "agent": TOP + LANE_HEIGHT, "people": TOP + 2 * LANE_HEIGHT}
    parts = [
        Markup('<text x="0" y="{}">{}</text>').format(y + 17, name.capitalize())
        for name, y in lanes.items()
    ]
    previous_end: float | None = None
    for turn in turns:
        who = turn["who"] if turn["who"] in lanes else "agent"
        x, y = at(turn["at_s"]), lanes[who]
        kind = f"who-{slug(who)}{' interrupted' if turn.get('interrupted') else ''}"
        parts.append(
            Markup(
                '<rect class="{}" x="{:.1f}" y="{}" width="{:.1f}" height="22" rx="4">'
                "<title>{:.1f} s, {}: {}</title></rect>"
            ).format(
                kind, x, y, max(2.0, turn["heard_s"] / longest * wide), turn["at_s"], who,
                turn["text"][:200],
            )
        )  # fmt: skip
        delays = turn.get("delay_ms")
        if delays and previous_end is not None:
            parts.append(
                Markup(
                    '<line class="delay" x1="{0:.1f}" x2="{1:.1f}" y1="{2}" y2="{2}">'
                    "<title>answered after {3:.2f} s</title></line>"
                ).format(at(previous_end), x, lanes["agent"] + 11, delays["total"] / 1000)
            )
        previous_end = turn["at_s"] + turn["heard_s"] if who == "caller" else previous_end
    for one in call.get("attempts", ()):
        parts.append(
            Markup(
                '<rect class="who-people" x="{:.1f}" y="{}" width="{:.1f}" height="22" rx="4">'
                "<title>{} rang for {} s</title></rect>"
            ).format(
                at(one["at_s"]), lanes["people"],
                max(2.0, (one["waited_s"] or 0) / longest * wide), one["team"],
                round(one["waited_s"] or 0),
            )
        )  # fmt: skip
    for step in call["path"]:
        parts.append(
            Markup(
                '<line class="step" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}">'
                "<title>{3:.1f} s: {4}</title></line>"
            ).format(at(step["at_s"]), TOP - 4, TOP + 3 * LANE_HEIGHT, step["at_s"], step["to"])
        )
    parts += _seconds(longest, at)
    return _drawing("Who spoke when", TOP + 3 * LANE_HEIGHT + 22, parts)


def _seconds(longest: float, at: Any) -> list[Markup]:
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
    step = next((step for step in steps if longest / step <= 12), 1200)
    return [
        Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}:{:02}</text>').format(
            at(second), TOP + 3 * LANE_HEIGHT + 14, second // 60, second % 60
        )
        for second in range(0, int(longest) + 1, step)
    ]


def _drawing(title: str, height: int, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(WIDTH, height, escape(title), Markup("").join(parts))


def slug(text: str) -> str:
    """Text as the name of a class: letters, digits and hyphens."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text)
