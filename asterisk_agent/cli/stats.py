"""``stats``: how calls ended, when, why, and how long callers waited, as bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from asterisk_agent.cli import moment
from asterisk_agent.cli.app import (
    DEFAULT_CONFIG,
    ConfigDirectory,
    Json,
    app,
    out,
    print_json,
    reports_errors,
)
from asterisk_agent.cli.calls import opened, when

if TYPE_CHECKING:
    from asterisk_agent.records import Insights, Percentiles
    from asterisk_agent.records.usage import Usage

COLOURS = {
    "resolved": "green",
    "handed over": "cyan",
    "voicemail": "yellow",
    "abandoned": "red",
    "other": "bright_black",
}
BAR = 40
"""The longest bar, in characters."""
MOST_DAYS = 31


@app.command()
@reports_errors
def stats(
    config: ConfigDirectory = DEFAULT_CONFIG,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="A date or time, or 2h, 7d: so long ago.")
    ] = "30d",
    channel: Annotated[str | None, typer.Option(help="Of this channel alone.")] = None,
    as_json: Json = False,
) -> None:
    """Tell how calls ended, by hour, day, channel and reason, and how long callers waited."""
    from asterisk_agent.records.insights import as_json as shown

    with opened(config) as (settings, log):
        now, zone = moment.now(), ZoneInfo(settings.timezone)
        began = when(since, zone)
        assert began is not None
        found = log.insights(began, now + timedelta(seconds=1), channel)
        used = log.usages(log.month(now))
    if as_json:
        usage = {
            id_: {"calls": u.calls, "minutes": round(u.minutes, 2), "tokens": u.tokens}
            for id_, u in used.items()
        }
        print_json(shown(found) | {"month": usage})
        return
    for line in lines(found, used):
        out.print(line)


def lines(found: Insights, used: Mapping[str, Usage]) -> Iterator[Text]:
    """The whole page."""
    yield Text(f"{found.calls} calls since {found.since[:10]}", "bold")
    if not found.calls:
        return
    yield Text.assemble(*(part for name, c in COLOURS.items() for part in (("■ ", c), f"{name}  ")))
    yield from _bars("outcome", {name: Counter({name: n}) for name, n in _most(found.outcomes)})
    yield from _bars("channel", dict(sorted(found.by_channel.items())))
    yield from _bars("reason", dict(sorted(found.by_reason.items(), key=_size)))
    yield from _bars("hour", {f"{h:02}:00": found.by_hour[h] for h in sorted(found.by_hour)})
    days = sorted(found.by_day)[-MOST_DAYS:]
    yield from _bars("day", {day: found.by_day[day] for day in days})
    yield Text("waiting, in seconds (half, 19 of 20, longest)", "bold")
    yield _waited("answer", found.answer_delay)
    for team, waited in found.team_wait.items():
        yield _waited(team, waited)
    yield Text("used this month", "bold")
    for usage in used.values():
        numbers = f"{usage.calls} calls, {usage.minutes:.0f} minutes, {usage.tokens} tokens"
        yield Text(f"  {usage.channel:>14}  {numbers}")


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return counts.most_common()


def _size(item: tuple[str, Counter[str]]) -> int:
    return -item[1].total()


def _bars(title: str, rows: Mapping[str, Counter[str]]) -> Iterator[Text]:
    yield Text(f"by {title}", "bold")
    longest = max((counts.total() for counts in rows.values()), default=1)
    for name, counts in rows.items():
        line = Text(f"  {name[:14]:>14}  ")
        drawn, seen = 0, 0
        for group, colour in COLOURS.items():  # rounded together, so that bars have their length
            seen += counts[group]
            until = round(seen * BAR / longest)
            line.append("█" * (until - drawn), colour)
            drawn = until
        line.append(f" {counts.total()}")
        yield line


def _waited(name: str, waited: Percentiles) -> Text:
    if not waited.count:
        return Text(f"  {name[:14]:>14}  -")
    numbers = f"{waited.p50:.2f}  {waited.p95:.2f}  {waited.max:.2f}"
    return Text(f"  {name[:14]:>14}  {numbers}  ({waited.count})")
