"""What routing needs to know of a configuration: frozen, light, and a JSON file.

``config`` compiles it from the YAML files; ``hours``, ``routing`` and ``dialplan`` work from it.
Holidays are already dates here, and references are already checked. Only the standard library is
imported, so that the rescue script, which is started for every step of a call while the service
is down, answers at once, and answers from the last good configuration if the YAML is broken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

FORMAT = 1
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_A_DAY = 24 * 60

Interval: TypeAlias = tuple[int, int]
"""Minutes since local midnight ``[start, end)``; an end before the start is on the next day."""


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A date whose intervals differ from its weekday's. None at all: a holiday."""

    name: str
    intervals: tuple[Interval, ...] = ()
    cut: bool = False
    """Whether hours that began the evening before end at this date's midnight."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Opening hours. ``week[0]`` is Monday; ``dates`` replace the week's intervals."""

    timezone: str
    week: tuple[tuple[Interval, ...], ...]
    dates: Mapping[date, SpecialDay]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The team whose voicemail records, and the message that is played before."""

    voicemail: str
    message: str


@dataclass(frozen=True, slots=True)
class OnCall:
    """A phone for matters that cannot wait, and which: ``emergency``, ``urgent``."""

    dial: str
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """Where the calls of one channel go. ``schedule`` None: always open."""

    id: str
    numbers: tuple[str, ...]
    agent: bool
    schedule: str | None
    open_answer: Literal["agent", "team"]
    handoff: tuple[str, ...]
    open_unanswered: Unanswered
    closed_answer: Literal["agent", "voicemail", "team"]
    closed_unanswered: Unanswered
    on_call: OnCall | None = None


@dataclass(frozen=True, slots=True)
class TeamPlan:
    """``reachable``: it has phones or an existing queue. ``mailbox``: it can record."""

    id: str
    reachable: bool
    mailbox: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole configuration, as far as it decides where calls go."""

    channels: Mapping[str, ChannelPlan]
    teams: Mapping[str, TeamPlan]
    schedules: Mapping[str, Schedule]
    close_grace_s: int
    first_date: date
    last_date: date
    """Holidays are known from ``first_date`` to ``last_date``, both included."""

    def schedule_of(self, channel: ChannelPlan) -> Schedule | None:
        """The channel's opening hours, or None where it is always open."""
        return None if channel.schedule is None else self.schedules[channel.schedule]


def to_json(plan: Plan) -> str:
    """One JSON object; ``from_json`` gives back an equal plan."""
    whole = asdict(plan)
    for schedule in whole["schedules"].values():
        schedule["dates"] = {day.isoformat(): special for day, special in schedule["dates"].items()}
    whole["first_date"] = plan.first_date.isoformat()
    whole["last_date"] = plan.last_date.isoformat()
    return json.dumps({"format": FORMAT, **whole}, ensure_ascii=False, sort_keys=True)


def from_json(text: str) -> Plan:
    """Read what ``to_json`` wrote. Raises ValueError for anything else."""
    try:
        whole = json.loads(text)
        if whole["format"] != FORMAT:
            raise ValueError(f"the plan has format {whole['format']!r}, not {FORMAT}")
        return Plan(
            channels={id_: _channel(written) for id_, written in whole["channels"].items()},
            teams={id_: TeamPlan(**written) for id_, written in whole["teams"].items()},
            schedules={id_: _schedule(written) for id_, written in whole["schedules"].items()},
            close_grace_s=int(whole["close_grace_s"]),
            first_date=date.fromisoformat(whole["first_date"]),
            last_date=date.fromisoformat(whole["last_date"]),
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a plan: {error!r}") from None


def _channel(written: dict[str, Any]) -> ChannelPlan:
    on_call = written.pop("on_call")
    return ChannelPlan(
        numbers=tuple(written.pop("numbers")),
        handoff=tuple(written.pop("handoff")),
        open_unanswered=Unanswered(**written.pop("open_unanswered")),
        closed_unanswered=Unanswered(**written.pop("closed_unanswered")),
        on_call=None if on_call is None else OnCall(on_call["dial"], tuple(on_call["purposes"])),
        **written,
    )


def _schedule(written: dict[str, Any]) -> Schedule:
    return Schedule(
        timezone=written["timezone"],
        week=tuple(_intervals(day) for day in written["week"]),
        dates={
            date.fromisoformat(day): SpecialDay(
                special["name"], _intervals(special["intervals"]), special["cut"]
            )
            for day, special in written["dates"].items()
        },
    )


def _intervals(written: list[list[int]]) -> tuple[Interval, ...]:
    return tuple((start, end) for start, end in written)
