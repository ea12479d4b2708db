"""One valid configuration, made ready to serve. A reload makes another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from asterisk_agent.brain.phrases import Phrases, phrases_for
from asterisk_agent.config.compiling import plan_for
from asterisk_agent.config.schema import Config
from asterisk_agent.engines.keeper import RemoteBrain
from asterisk_agent.plan import Plan
from asterisk_agent.reindex import Fingerprint


@dataclass(frozen=True, slots=True)
class Site:
    """What calls are served from. Calls under way keep the one that they began with."""

    config: Config
    plan: Plan
    brains: Mapping[str, RemoteBrain]
    phrases: Phrases
    documents: Fingerprint
    """What the brains were made from."""


def site_of(
    config: Config,
    brains: Mapping[str, RemoteBrain],
    today: date,
    documents: Fingerprint = (),
) -> Site:
    """Compile a configuration as it serves today."""
    phrases = phrases_for(config.agent.language)
    return Site(config, plan_for(config, today), brains, phrases, documents)
