"""What would become of a call at an instant: its channel's state, and the path that it takes.

`asterisk-agent route` and the console's preview both ask here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from asterisk_agent import overrides
from asterisk_agent.config.compiling import plan_of
from asterisk_agent.config.schema import Channel, Config
from asterisk_agent.plan import Plan
from asterisk_agent.route import Step, path
from asterisk_agent.routing import AgentHealth, Standing, state_at


@dataclass(frozen=True, slots=True)
class Outlook:
    """``standing`` is the channel's state then; ``steps`` where the call goes, in order."""

    standing: Standing
    steps: list[Step]


class Forecast:
    """Answers for one configuration. ``at`` may be asked for as many instants as there are."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._plan_of_year = cache(self._plan)
        self._lengths = _lengths(config)

    def at(self, channel: Channel, then: datetime, agent: AgentHealth = AgentHealth.UP) -> Outlook:
        """The outlook of a call to ``channel`` at the aware instant ``then``."""
        plan = self._plan_of_year(then.year)
        planned = plan.channels[channel.id]
        override = overrides.read(self._config.overrides_directory, channel.id)
        standing = state_at(planned, plan, override, then)
        return Outlook(standing, path(planned, plan, override, then, agent, lengths=self._lengths))

    def _plan(self, year: int) -> Plan:
        """The plan compiled for a year, so that its holidays are known."""
        return plan_of(self._config, year - 1)


def _lengths(config: Config) -> dict[str, int]:
    """How long the agent and each queue may hold a caller, in seconds."""
    waits = {
        f"team:{team.id}": round(team.queue.wait.total_seconds())
        for team in config.teams.values()
        if team.existing is None
    }
    return {"agent": round(config.limits.call.total_seconds()), **waits}
