"""Values as people read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

NOTHING = "-"
OUTCOMES = {
    "resolved": "Resolved",
    "answered": "Handed over",
    "voicemail": "Voicemail",
    "message": "Message taken",
    "abandoned": "Abandoned",
    "no_input": "Said nothing",
    "unknown": "Unknown",
}
REASONS = {
    "resolved": "the agent helped",
    "message": "a message was taken",
    "person": "asked for a person",
    "unanswered": "the documents do not say",
    "urgent": "urgent",
    "voicemail": "asked for voicemail",
    "emergency": "emergency",
    "abuse": "abusive",
    "no_input": "said nothing",
    "too_long": "the longest call was over",
    "stopping": "the service stopped",
    "lost": "something broke",
    "hangup": "hung up",
    "taken_over": "taken over from the console",
    "none": "the agent was not asked",
    "-": "the agent was not asked",
}
STAGES = {"agent": "Agent", "goodbye": "Goodbye", "wait": "Waiting for the agent", "": "Arriving"}
KINDS = {
    "team": "Team",
    "voicemail": "Voicemail",
    "on-call": "On-call phone",
    "phone": "Phone of",
}


def local(instant: datetime | str | None, zone: ZoneInfo, form: str = "%a %d %b %Y, %H:%M") -> str:
    """An instant, or its ISO form, as the wall clock there showed it."""
    if not instant:
        return NOTHING
    if isinstance(instant, str):
        instant = datetime.fromisoformat(instant)
    return f"{instant.astimezone(zone):{form}}"


def until(instant: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    """When something changes: the day's name will do within a week."""
    if instant is None:
        return "no change planned"
    there, today = instant.astimezone(zone), now.astimezone(zone)
    if there.date() == today.date():
        return f"today {there:%H:%M}"
    if there.date() == today.date() + timedelta(days=1):
        return f"tomorrow {there:%H:%M}"
    return f"{there:%A %H:%M}" if there - today < timedelta(days=6) else f"{there:%d %b, %H:%M}"


def duration(seconds: float | None) -> str:
    """A length: ``0:42``, ``12:05``, ``1:02:03``."""
    if seconds is None:
        return NOTHING
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def delay(milliseconds: float | None) -> str:
    """A delay in seconds, from milliseconds."""
    return NOTHING if milliseconds is None else f"{milliseconds / 1000:.2f} s"


def seconds(value: float | None) -> str:
    """Seconds with two places."""
    return NOTHING if value is None else f"{value:.2f} s"


def outcome(word: str | None) -> str:
    """How a call ended."""
    return "Under way" if word is None else OUTCOMES.get(word, word.partition(":")[0].capitalize())


def reason(word: str | None) -> str:
    """Why the agent's part of a call ended."""
    return REASONS.get(word or "none", word or "")


def stage(to: str, teams: Mapping[str, str] | None = None) -> str:
    """A destination: ``team:support`` → Team Customer support."""
    kind, _, target = to.partition(":")
    if not target or kind not in KINDS:
        return STAGES.get(kind, KINDS.get(kind, kind))
    if kind == "on-call":
        return KINDS[kind]
    return f"{KINDS[kind]} {(teams or {}).get(target, target)}"


def caller(number: str) -> str:
    """Who calls."""
    return number or "number withheld"


def size(count: int | None) -> str:
    """Bytes."""
    if count is None:
        return NOTHING
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count = round(count / 1000)
    return f"{count} GB"


def share(part: int, whole: int) -> str:
    """A part of a whole in per cent."""
    return f"{100 * part / whole:.0f} %" if whole else NOTHING


FILTERS: Mapping[str, Callable[..., Any]] = {
    "local": local,
    "until": until,
    "duration": duration,
    "delay": delay,
    "seconds": seconds,
    "outcome": outcome,
    "reason": reason,
    "stage": stage,
    "caller": caller,
    "size": size,
    "share": share,
}
