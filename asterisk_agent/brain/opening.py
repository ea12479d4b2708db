"""What can be asked about opening hours, whatever the language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum, auto


class Form(Enum):
    """The kinds of question."""

    WEEK = auto()
    NOW = auto()
    NEXT = auto()
    DAYS = auto()
    LUNCH = auto()
    HOLIDAYS = auto()


class Edge(Enum):
    """The end of the open hours that is asked for."""

    OPENS = auto()
    CLOSES = auto()


@dataclass(frozen=True, slots=True)
class Span:
    """Days asked about. ``weekly``: such days in general, of which these are the next."""

    days: tuple[date, ...]
    weekly: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about opening hours."""

    form: Form
    spans: tuple[Span, ...] = ()
    edge: Edge | None = None
