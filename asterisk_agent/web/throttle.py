"""Guessing passwords is slow: behind a few failures, each one makes the next wait longer."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

FREE = 5
"""Failures that cost nothing: people mistype."""
LONGEST_S = 300.0
FORGET_S = 3_600.0
MOST_KEYS = 10_000


@dataclass(slots=True)
class _Failures:
    count: int
    last: float


class Throttle:
    """Counts failures by key: a user's name, an address. ``now`` is in seconds, on any clock."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait_s(self, keys: tuple[str, ...], now: float) -> float:
        """How long until the next attempt is looked at; 0 for at once."""
        return max((self._wait_s(key, now) for key in keys), default=0.0)

    def failed(self, keys: tuple[str, ...], now: float) -> None:
        """An attempt failed."""
        for key in keys:
            before = self._failures.pop(key, None)
            fresh = before is None or now - before.last > FORGET_S
            count = 1 if fresh or before is None else before.count + 1
            self._failures[key] = _Failures(count, now)
        while len(self._failures) > MOST_KEYS:
            self._failures.popitem(last=False)

    def succeeded(self, keys: tuple[str, ...]) -> None:
        """An attempt was good: what was before does not count any more."""
        for key in keys:
            self._failures.pop(key, None)

    def _wait_s(self, key: str, now: float) -> float:
        found = self._failures.get(key)
        if found is None or found.count < FREE:
            return 0.0
        pause_s = min(LONGEST_S, 2.0 ** (found.count - FREE + 1))
        return max(0.0, found.last + pause_s - now)
