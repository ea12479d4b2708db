"""One call told by two services: the one that began it, and the one that found it afterwards.

Where a service is lost, the dialplan asks another one, which knows of the call only what comes
then. Both write under the call's id, in any order and more than once. The log holds one call: what
the first told until the other had it, then what that one told. ``first_part`` in the joined story
counts what of it is the first one's, so that either part can be told again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

Told = Mapping[str, Any]
LISTS = ("turns", "path", "attempts", "events")
SUMS = ("agent_s", "tokens")
PART = "first_part"
_BOTH = ", "


def joined(before: Told | None, now: Told) -> dict[str, Any]:
    """The story to write, where ``before`` is in the log under the same id."""
    if before is None or _BOTH in now.get("node", ""):
        return dict(now)  # the second: who tells it has read what both told
    first, then = _parts(before)
    if now.get("continues"):
        return dict(now) if first is None else _join(first, now)
    return dict(now) if then is None else _join(now, then)


def _parts(row: Told) -> tuple[Told | None, Told | None]:
    """What in the log the first service told, and what the other one."""
    counts = row.get(PART)
    if counts is None:
        return (None, row) if row.get("continues") else (row, None)
    first = {**row, "node": counts["node"]}
    then = {**row, "node": counts["then"], "started": counts["joined"], "continues": True}
    for name in LISTS:
        first[name], then[name] = row[name][: counts[name]], row[name][counts[name] :]
        then[name] = _shifted(then[name], -_seconds(row["started"], counts["joined"]))
    for name in SUMS:
        first[name], then[name] = counts[name], round(row[name] - counts[name], 3)
    return first, then


def _join(first: Told, then: Told) -> dict[str, Any]:
    after_s = _seconds(first["started"], then["started"])
    lists = {name: list(first[name]) for name in LISTS}
    for name in ("path", "attempts"):  # from then on, the other one had the call
        lists[name] = [part for part in lists[name] if part["at_s"] < after_s]
    counts: dict[str, Any] = {name: len(lists[name]) for name in LISTS}
    counts |= {name: first.get(name, 0) for name in SUMS}
    counts |= {"node": first.get("node", ""), "then": then.get("node", "")}
    whole = {**then, **{name: value for name, value in first.items() if value}}
    for name in ("state", "ended", "outcome", "picked_up_by", "team"):
        whole[name] = then.get(name) or first.get(name)
    for name in LISTS:
        whole[name] = lists[name] + _shifted(then[name], after_s)
    for name in SUMS:
        whole[name] = round(first.get(name, 0) + then.get(name, 0), 3)
    whole["tasks"] = list(dict.fromkeys([*first.get("tasks", ()), *then.get("tasks", ())]))
    nodes = (counts["node"], counts["then"])
    whole["node"] = _BOTH.join(dict.fromkeys(name for name in nodes if name))
    return {**whole, "continues": False, PART: counts | {"joined": then["started"]}}


def _shifted(parts: list[Any], seconds: float) -> list[Any]:
    return [{**part, "at_s": round(part["at_s"] + seconds, 3)} for part in parts]


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
