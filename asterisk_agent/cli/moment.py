"""Points in time as an operator writes them, and as they are shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from asterisk_agent.errors import AgentError

if TYPE_CHECKING:
    from asterisk_agent.config.schema import Channel, Config

YEARS = range(2000, 2101)
HINT = 'write 18:00, "2026-12-24 12:00" or 2026-12-24T12:00+01:00'


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def parse(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """A written time as a UTC instant; without an offset it is wall time of ``zone``.

    ``18:00`` alone is the next time that the clock shows it. Of an hour that a clock change
    repeats, the first is meant. Raises AgentError.
    """
    text = text.strip()
    try:
        if re.fullmatch(r"[0-9]{1,2}:[0-9]{2}", text):
            hour, minute = text.split(":")
            return _next(time(int(hour), int(minute)), now, zone)
        found = datetime.fromisoformat(text)
    except ValueError:
        raise AgentError(f"{text[:40]!r} is not a time", hint=HINT) from None
    if found.year not in YEARS:
        raise AgentError(f"{text[:40]!r} is not between {YEARS[0]} and {YEARS[-1]}", hint=HINT)
    return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).astimezone(UTC)


def _next(wall: time, now: datetime, zone: ZoneInfo) -> datetime:
    today = now.astimezone(zone).date()
    found = datetime.combine(today, wall, zone).astimezone(UTC)
    if found > now:
        return found
    return datetime.combine(today + timedelta(days=1), wall, zone).astimezone(UTC)


def shown(instant: datetime, zone: ZoneInfo) -> str:
    """An instant as ``Mon 2026-06-01 10:00 EDT``."""
    return f"{instant.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"


def iso(instant: datetime | None) -> str | None:
    """An instant for other programs; None stays None."""
    return instant.isoformat() if instant is not None else None


def zone_of(config: Config, channel: Channel) -> ZoneInfo:
    """The time zone in which a channel's times are written."""
    own = config.hours[channel.hours].timezone if channel.hours is not None else None
    return ZoneInfo(own or config.timezone)
