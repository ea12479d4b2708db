"""A story's JSON form → the story, to be told on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from asterisk_agent.records.story import (
    Attempt,
    Callback,
    Delays,
    Event,
    Step,
    Story,
    TurnRecord,
)

T = TypeVar("T")

_PLAIN = ("channel", "caller", "state", "outcome", "reason", "team", "picked_up_by", "message")
_MORE = ("agent_s", "tokens", "brief", "recording")


def story_of(told: Mapping[str, Any], unique_id: str) -> Story:
    """The story that ``as_json`` told; ``unique_id`` is Asterisk's, which that leaves out.

    Raises ValueError for anything else.
    """
    try:
        return Story(
            id=UUID(told["id"]),
            unique_id=unique_id,
            started=_moment(told["started"]),
            answered=_moment_or_none(told["answered"]),
            ended=_moment_or_none(told["ended"]),
            turns=[_turn(turn) for turn in told["turns"]],
            path=[_part(Step, step) for step in told["path"]],
            attempts=[_part(Attempt, attempt) for attempt in told["attempts"]],
            events=[_part(Event, event) for event in told["events"]],
            callback=None if told["callback"] is None else _part(Callback, told["callback"]),
            tasks=[str(task) for task in told["tasks"]],
            node=str(told.get("node", "")),
            continues=told.get("continues") is True,
            **{name: told[name] for name in (*_PLAIN, *_MORE)},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no story: {error!r}") from error


def _turn(told: Mapping[str, Any]) -> TurnRecord:
    turn = _part(TurnRecord, told)
    if turn.delay_ms is not None:
        turn.delay_ms = _part(Delays, told["delay_ms"])
    return turn


def _part(kind: type[T], told: Mapping[str, Any]) -> T:
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in told.items() if name in known})


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment


def _moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)
