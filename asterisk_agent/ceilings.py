"""The agent's minutes of a month, per channel, and whether they are used up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from asterisk_agent.config.schema import Channel
from asterisk_agent.records import Usage

UNKNOWN: Mapping[str, Usage] = {}


def is_spent(channel: Channel, used: Mapping[str, Usage], running_s: Iterable[float] = ()) -> bool:
    """Whether a channel's ceiling is reached, by the log and the conversations under way."""
    if channel.ceiling is None:
        return False
    return minutes_used(channel, used, running_s) >= channel.ceiling.minutes


def minutes_used(
    channel: Channel, used: Mapping[str, Usage], running_s: Iterable[float] = ()
) -> float:
    """The minutes of this month; what is not known counts for nothing."""
    logged = used.get(channel.id)
    return (logged.minutes if logged is not None else 0.0) + sum(running_s) / 60
