"""The calls that are with us now: each from its first question to its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from asterisk_agent.call import Call
from asterisk_agent.config.schema import Channel
from asterisk_agent.records import Story
from asterisk_agent.routing import State
from asterisk_agent.site import Site

MOST_OVER = 500
"""Ends that are remembered: of the calls whose questions can be under way."""
CLAIM_LIMIT_S = 10.0
"""How long an announced conversation may wait for its audio connection."""


@dataclass(slots=True)
class Visit:
    """One call. ``site`` is the configuration that it began with, and keeps."""

    story: Story
    site: Site
    channel: Channel
    call: Call | None = None
    """The conversation, the latest where there were two."""
    announced: float | None = None
    """When a conversation was announced whose audio has not come yet, on the monotonic clock."""
    talking_since: datetime | None = None
    purpose: str = ""
    """What the announced conversation is for: to answer, or to take a message."""
    brief: Path | None = None
    held: bool = False
    """The caller has put us on hold, as far as Asterisk told."""
    followed: bool = False
    """Whether Asterisk told of its calls when the conversation began."""
    uncounted: bool = False
    """Asterisk does not count what comes from the caller's phone, which is no SIP phone."""
    taken_by: str = ""
    """The console's user who sent the caller elsewhere."""
    lost_at: datetime | None = None
    """When the service that began it was gone, for as long as nobody knows where the call is."""
    minutes: int = 0
    """How long it has been with us, by a clock that nobody sets."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while no conversation is under way and none is announced."""

    def on_hold(self, *, connected: bool) -> bool | None:
        """Whether the caller has put us on hold; None where nobody tells.

        ``connected``: whether Asterisk tells now. One that stopped telling in the middle of a
        conversation is in trouble, so what it told last still counts: a line that stands still
        then is more likely in the same trouble than on hold.
        """
        return self.held if connected or self.followed else None

    @property
    def talking(self) -> bool:
        """Whether a conversation is under way."""
        return self.call is not None and self.call.outcome is None

    @property
    def staffed(self) -> bool:
        """Whether people were there when the call's state was last read."""
        return self.story.state == State.OPEN

    def announce(self, purpose: str, now: float) -> None:
        """A conversation may begin within ``CLAIM_LIMIT_S``."""
        self.announced, self.purpose, self.call = now, purpose, None
        self.over.clear()

    def expected(self, now: float) -> bool:
        """Whether an announced conversation may still begin."""
        return self.announced is not None and now - self.announced < CLAIM_LIMIT_S


class Visits:
    """Every call under way, by the id that the dialplan carries."""

    def __init__(self) -> None:
        self._by_id: dict[UUID, Visit] = {}
        self._over: deque[str] = deque(maxlen=MOST_OVER)

    def __iter__(self) -> Iterator[Visit]:
        return iter(list(self._by_id.values()))

    def add(self, visit: Visit) -> Visit:
        """Take a call in."""
        self._by_id[visit.story.id] = visit
        return visit

    def remove(self, visit: Visit) -> bool:
        """Let a call go; False where it had gone before."""
        return self._by_id.pop(visit.story.id, None) is not None

    def get(self, call_id: UUID) -> Visit | None:
        """The call with this id."""
        return self._by_id.get(call_id)

    def by_asterisk(self, unique_id: str) -> Visit | None:
        """The call with this id of Asterisk's."""
        return next((v for v in self if unique_id and v.story.unique_id == unique_id), None)

    def end_of(self, call_id: UUID, unique_id: str) -> Visit | None:
        """The call that Asterisk says is over.

        Whoever hangs up while the first question is being answered is over before their call is
        here, and has no id of ours: Asterisk's is remembered for ``is_over``.
        """
        if unique_id:
            self._over.append(unique_id)
        return self.get(call_id) or self.by_asterisk(unique_id)

    def is_over(self, visit: Visit) -> bool:
        """Whether Asterisk has said that this call is over, a while ago at most."""
        return visit.story.unique_id in self._over

    def busy(self, now: float) -> int:
        """How many conversations are under way, or announced and still to be expected."""
        return sum(visit.talking or visit.expected(now) for visit in self)

    def claim(self, call_id: UUID, now: float) -> Visit | None:
        """The call whose announced conversation this audio connection is; each only once."""
        visit = self._by_id.get(call_id)
        if visit is None or not visit.expected(now):
            return None
        visit.announced = None
        return visit
