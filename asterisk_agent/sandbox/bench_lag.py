"""How late the service's event loop was during a run, as its own metrics count it."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from asterisk_agent.net.control import ask
from asterisk_agent.wire.control import Figures

NAME = "asterisk_agent_loop_lag_seconds"
Lags = dict[float, float]
"""How often the loop was at most so late: seconds to count, each with those below it."""


async def loop_lags(control_socket: Path) -> Lags:
    """What the running service has counted since its start.

    Raises:
        AgentError: The service does not answer.
    """
    told = await ask(control_socket, Figures())
    return read_lags(str(told["text"]))


def read_lags(text: str) -> Lags:
    """The buckets of a Prometheus text; none where it has no such histogram."""
    return {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(text)
        if family.name == NAME
        for sample in family.samples
        if sample.name == f"{NAME}_bucket"
    }


def lag_ms(before: Lags, after: Lags) -> dict[str, float | int | None]:
    """Bounds, in ms, that 99 % and all of the looks in between stayed under; ``n``: how many.

    None: over the last bound, or nothing counted.
    """
    counted = {bound: after[bound] - before.get(bound, 0.0) for bound in sorted(after)}
    most = max(counted.values(), default=0.0)
    return {
        "p99_under": _bound(counted, 0.99 * most),
        "max_under": _bound(counted, most),
        "n": round(most),
    }


def _bound(counted: Lags, wanted: float) -> float | None:
    found = next((bound for bound, n in counted.items() if n >= wanted > 0), float("inf"))
    return None if found == float("inf") else round(found * 1000, 3)
