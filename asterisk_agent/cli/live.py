"""What happens in calls under way, as events: for the terminal a line each, else JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rich.text import Text

from asterisk_agent.cli import timeline
from asterisk_agent.errors import ProtocolError

Event: TypeAlias = dict[str, Any]
"""``event`` is ``call`` (it is new), ``turn``, ``stage``, ``picked_up``, ``end``, or ``gone`` where
the call log does not know yet how it ended; all have ``call`` and ``channel``."""

SHORT = 8


@dataclass(slots=True)
class LiveCall:
    """One call under way, and what of it has been shown."""

    id: str
    channel: str
    stage: tuple[str, float] = ("", 0.0)
    picked_up_by: str | None = None
    turns: set[tuple[str, float]] = field(default_factory=set)

    def arrived(self, told: Mapping[str, Any]) -> Event:
        """The call is new here."""
        return self._event("call", **{key: told[key] for key in ("caller", "state", "started")})

    def changes(self, told: Mapping[str, Any]) -> Iterator[Event]:
        """What is new since the service told of this call before. Raises ProtocolError."""
        try:
            yield from self._turns(told["turns"])
            yield from self._stage(told)
            yield from self._picked_up(told)
        except (KeyError, TypeError, ValueError):
            raise unknown_form() from None

    def ended(self, record: Mapping[str, Any]) -> Iterator[Event]:
        """The end of the call, and what was said just before it, by its record."""
        yield from self._turns(record["turns"])
        yield from self._picked_up(record)
        yield end(record)

    def gone(self) -> Event:
        """The call is over; how is not known yet."""
        return self._event("gone")

    def _turns(self, turns: Any) -> Iterator[Event]:
        for turn in turns:
            at_s = round(float(turn["at_s"]), 3)
            key = (str(turn["who"]), at_s)
            if key in self.turns:
                continue
            self.turns.add(key)
            delay = turn["delay_ms"]
            yield self._event(
                "turn",
                who=key[0],
                text=str(turn["text"]),
                at_s=at_s,
                # The call log has the delay's parts too.
                delay_ms=delay["total"] if isinstance(delay, Mapping) else delay,
                action=turn["action"],
                source=turn["source"],
            )

    def _stage(self, told: Mapping[str, Any]) -> Iterator[Event]:
        stage = (str(told["stage"]), round(float(told["since_s"]), 3))
        before, self.stage = self.stage, stage
        if not stage[0] or stage == before or stage[0] == before[0] == "agent":
            return
        yield self._event("stage", stage=stage[0], where=str(told["where"]), at_s=stage[1])

    def _picked_up(self, told: Mapping[str, Any]) -> Iterator[Event]:
        by = told["picked_up_by"]
        before, self.picked_up_by = self.picked_up_by, by
        if by and by != before:
            yield self._event("picked_up", by=str(by))

    def _event(self, kind: str, **more: Any) -> Event:
        return {"event": kind, "call": self.id, "channel": self.channel} | more


def end(record: Mapping[str, Any]) -> Event:
    """The end of a call, with the whole of its record."""
    some = {key: record[key] for key in ("channel", "outcome", "reason", "tasks")}
    return {"event": "end", "call": record["id"], **some, "record": record}


def unknown_form() -> ProtocolError:
    """The service is of another version than this command."""
    return ProtocolError("the service tells of its calls in a form unknown here")


def line(event: Event) -> Text:
    """An event as one line of the terminal."""
    at_s = event.get("at_s")
    return Text.assemble(
        (timeline.plain(event["call"][:SHORT]), "bold"),
        f"  {timeline.plain(event['channel'])} ",
        (f"{at_s:{timeline.WIDTH}.2f}" if at_s is not None else " " * timeline.WIDTH, "dim"),
        "  ",
        _told(event),
    )


def _told(event: Event) -> Text:
    match event["event"]:
        case "call":
            who = timeline.plain(str(event["caller"])) or "withheld"
            return Text(f"call from {who}  {timeline.plain(str(event['state']))}", "bold")
        case "turn":
            return _turn(event)
        case "stage":
            where = f" ({timeline.plain(event['where'])})" if event["where"] else ""
            return Text(f"→ {timeline.plain(event['stage'])}{where}", "bold")
        case "picked_up":
            return Text(f"{timeline.plain(event['by'])} picked up", "cyan")
        case "end":
            return timeline.ending(event)
    return Text("over; the call log does not know yet how", "dim")


def _turn(event: Event) -> Text:
    told = timeline.said(event["who"], event["text"])
    if (delay_ms := event["delay_ms"]) is not None:
        told.append_text(timeline.delay(float(delay_ms) / 1000))
    return told
