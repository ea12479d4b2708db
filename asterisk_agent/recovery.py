"""What becomes of the calls that were under way when a service was lost, in the next one's log.

Asterisk went on with them by itself: to a team, a mailbox, or their end. Nothing is invented: what
nobody saw is told as unknown, and what was found out later says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from asterisk_agent.records import Story
from asterisk_agent.routing import Outcome, Stage

Row = Mapping[str, str]
"""A channel as ``CoreShowChannels`` tells it."""

GONE = "unknown"
"""How a call ended whose end nobody saw."""
FOUND = "found there when the service was back"

_TEAM = "agent-team-"
_QUEUE = "agent-queue"
_PLACES = {"agent-voicemail": "voicemail", "agent-on-call": "on-call", "agent-phone": "phone"}


def interrupted(story: Story, at: datetime, why: str, *, talking: bool, saying: bool) -> None:
    """The service was gone from this moment on, perhaps in the middle of a conversation."""
    at_s = max(0.0, story.seconds(at))
    doing = " while the agent spoke" if saying else " while the agent listened" if talking else ""
    story.happened("error", at_s, f"{why}{doing}")
    story.ended = story.outcome = None
    if talking:
        began_s = next((step.at_s for step in reversed(story.path) if step.to == "agent"), at_s)
        story.agent_s += max(0.0, at_s - began_s)
        story.reason = str(Outcome.LOST)
        story.left(Outcome.LOST, at)


def place_before(stage: Stage, channel: str, tried: Sequence[str]) -> str:
    """Where a call was that comes back to the dialplan from this stage."""
    match stage:
        case Stage.TEAM if tried:
            return f"team:{tried[-1]}"
        case Stage.ON_CALL:
            return f"on-call:{channel}"
        case Stage.VOICEMAIL:
            return "voicemail"
        case _:
            return ""


def place_of(row: Row) -> str:
    """Where a caller's channel is, as a story's path tells it; empty between two places."""
    context, extension = row.get("context", ""), row.get("exten", "")
    if context.startswith(_TEAM):
        return f"team:{context.removeprefix(_TEAM)}"
    if context == _QUEUE:
        team = extension.partition("-")[2]
        return f"team:{team}" if team else ""
    kind = _PLACES.get(context)
    return f"{kind}:{extension}" if kind is not None and extension not in ("", "h") else ""


def person_with(row: Row, rows: Iterable[Row]) -> str:
    """The phone that a caller is connected to, such as ``PJSIP/101``; empty where it is none."""
    bridge = row.get("bridgeid", "")
    for other in rows if bridge else ():
        name = other.get("channel", "")
        if other.get("bridgeid") == bridge and other is not row and not name.startswith("Local/"):
            return name.rpartition("-")[0]
    return ""


def catch_up(story: Story, place: str, person: str, now: datetime) -> bool:
    """Tell on from where the call was found; whether there was anything new."""
    last = story.path[-1].to if story.path else ""
    moved = bool(place) and place not in (last, last.partition(":")[0])
    if moved:
        story.went(place, FOUND, now)
    reached = bool(place and person) and story.picked_up_by is None
    if reached:
        story.picked_up(person, now)
    return moved or reached


def outcome_of_gone(story: Story) -> str:
    """How a call ended whose end nobody saw: what is sure of it."""
    last = story.path[-1].to.partition(":")[0] if story.path else ""
    if last == "voicemail":
        return "voicemail"
    return "answered" if story.picked_up_by else GONE
