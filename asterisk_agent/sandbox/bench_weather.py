"""A bad line: packets that are lost both ways, and late on their way to the agent."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random


@dataclass(slots=True)
class Weather:
    """``loss`` is a share of 0 to 1, each packet by itself; ``jitter_s`` the latest that one is.

    Packets overtake each other where they are late by more than their distance. The same ``seed``
    loses the same packets.
    """

    loss: float = 0.0
    jitter_s: float = 0.0
    seed: int = 1
    _chance: Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = Random(self.seed)  # noqa: S311 - weather, not a secret

    def loses(self) -> bool:
        """Whether the next packet is lost."""
        return self.loss > 0 and self._chance.random() < self.loss

    def late_s(self) -> float:
        """By how much the next packet is late."""
        return self._chance.uniform(0, self.jitter_s) if self.jitter_s else 0.0
