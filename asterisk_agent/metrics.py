"""Figures for Prometheus, counted by the service and offered by the console at ``/metrics``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from asterisk_agent.records import Story
from asterisk_agent.rescue import RESCUES

DELAYS_S = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
LENGTHS_S = (10, 30, 60, 120, 180, 300, 600, 1200)
LATELY = 120
"""Lags that the console shows the worst of: a minute, at two a second."""
LAGS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)


@dataclass(frozen=True, slots=True)
class Now:
    """How the service is at this moment. ``most`` is how many conversations it takes at once.

    ``unwritten`` calls wait for the call log; ``lost`` ones will never be in it.
    """

    calls: int
    talking: int
    most: int
    ready: bool
    connected: bool
    waiting: int
    unwritten: int = 0
    lost: int = 0
    losses: int = 0
    """Services that the supervisor lost before this one."""


class Metrics:
    """What was counted since the service began."""

    def __init__(self, state_directory: Path, look: Callable[[], Now]) -> None:
        self._look = look
        self._lately: deque[float] = deque(maxlen=LATELY)
        registry = self._registry = CollectorRegistry()
        registry.register(_Rescues(state_directory / RESCUES))
        self._calls = Counter(
            "asterisk_agent_calls",
            "Calls that have ended, by channel, outcome and reason.",
            ("channel", "outcome", "reason"),
            registry=registry,
        )
        self._steps = Counter(
            "asterisk_agent_steps",
            "Destinations that calls were sent to.",
            ("channel", "to"),
            registry=registry,
        )
        self._delay = Histogram(
            "asterisk_agent_answer_delay_seconds",
            "From the caller's last sound to the answer's first, and its parts.",
            ("stage",),
            buckets=DELAYS_S,
            registry=registry,
        )
        self._length = Histogram(
            "asterisk_agent_call_seconds",
            "Length of calls.",
            buckets=LENGTHS_S,
            registry=registry,
        )
        self._lag = Histogram(
            "asterisk_agent_loop_lag_seconds",
            "How late the event loop was, which sends the callers' audio.",
            buckets=LAGS_S,
            registry=registry,
        )
        gauges = {
            "calls_now": "Calls under way.",
            "conversations_now": "Conversations with the agent under way.",
            "conversations_most": "Conversations that the agent takes at once.",
            "engines_ready": "1 while the engines are loaded and at work.",
            "asterisk_connected": "1 while Asterisk's manager interface is connected.",
            "engine_queue": "Questions to the engines that are not answered yet.",
            "calls_unwritten": "Calls that wait to be written into the call log.",
            "calls_lost": "Calls that could not be kept for the call log.",
            "losses": "Services that crashed or froze since the supervisor began.",
        }
        self._gauges = {
            name: Gauge(f"asterisk_agent_{name}", what, registry=registry)
            for name, what in gauges.items()
        }

    def finished(self, story: Story) -> None:
        """A call has ended."""
        self._calls.labels(story.channel, story.outcome or "unknown", story.reason or "none").inc()
        for step in story.path:
            self._steps.labels(story.channel, step.to.partition(":")[0]).inc()
        if story.ended is not None:
            self._length.observe(story.seconds(story.ended))
        for turn in story.turns:
            if turn.delay_ms is not None:
                for stage, milliseconds in asdict(turn.delay_ms).items():
                    self._delay.labels(stage).observe(max(0.0, milliseconds) / 1000)

    def lagged(self, seconds: float) -> None:
        """The event loop came round this late."""
        self._lag.observe(max(0.0, seconds))
        self._lately.append(max(0.0, seconds))

    @property
    def worst_lag_s(self) -> float:
        """How late it was at most in the last minute."""
        return max(self._lately, default=0.0)

    def text(self) -> str:
        """Everything, as Prometheus reads it."""
        now = self._look()
        present = (now.calls, now.talking, now.most, now.ready, now.connected, now.waiting)
        values = (*present, now.unwritten, now.lost, now.losses)
        for gauge, value in zip(self._gauges.values(), values, strict=True):
            gauge.set(value)
        return generate_latest(self._registry).decode()


class _Rescues(Collector):
    """Decisions that the rescue script took, because the service did not answer."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def collect(self) -> list[CounterMetricFamily]:
        """The number of lines in its file."""
        try:
            count = self._file.read_bytes().count(b"\n")
        except OSError:
            count = 0
        family = CounterMetricFamily(
            "asterisk_agent_rescues", "Decisions of the rescue script, in the service's place."
        )
        family.add_metric([], count)
        return [family]
