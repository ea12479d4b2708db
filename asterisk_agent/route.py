"""The whole path of a call at an instant, told in advance: what ``asterisk-agent route`` shows.

It plays the call with ``routing.decide``: the agent can't help, no team answers, nobody says more
to the agent that returns. So it tells nothing that a call would not do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from asterisk_agent.overrides import Override
from asterisk_agent.plan import ChannelPlan, Plan
from asterisk_agent.routing import (
    AgentHealth,
    Decision,
    Facts,
    Kind,
    Outcome,
    Stage,
    decide,
)

_URGENCIES = {Outcome.EMERGENCY: "an emergency", Outcome.URGENT: "an urgent matter"}
_CANT_HELP = "the agent can't help, or a person is asked for"


@dataclass(frozen=True, slots=True)
class Step:
    """One place that a call may come to: ``agent``, ``team:ID``, ``on-call:ID``, … ``goodbye``.

    ``when`` is the condition in words. ``seconds`` is how long it lasts at most, None if unknown.
    """

    to: str
    when: str
    seconds: int | None


def path(
    channel: ChannelPlan,
    plan: Plan,
    override: Override | None,
    now: datetime,
    agent: AgentHealth = AgentHealth.UP,
    *,
    lengths: Mapping[str, int] = {},
) -> list[Step]:
    """The steps of a call that arrives at the aware instant ``now``, in order.

    ``lengths`` are the longest seconds of ``agent`` and of each ``team:ID``, where known. The last
    step is voicemail, or goodbye where no mailbox exists.
    """
    arrival = Facts(Stage.ARRIVAL, arrived=now, override=override, agent=agent, waited=True)
    call = list(_play(arrival, channel, plan, now, Outcome.PERSON))
    steps = [
        Step(_to(decision), when, lengths.get(_to(decision), decision.seconds))
        for decision, when in zip(call, _conditions(call, lengths), strict=True)
    ]
    if call[0].kind is Kind.AGENT:
        calls = {
            outcome: list(_play(arrival, channel, plan, now, outcome)) for outcome in _URGENCIES
        }
        steps = _with_on_call(steps, calls)
    return steps


def _play(
    facts: Facts, channel: ChannelPlan, plan: Plan, now: datetime, outcome: Outcome
) -> Iterator[Decision]:
    """The decisions of a call whose first conversation ends so, and where nobody answers."""
    while True:
        decision = decide(facts, channel, plan, now)
        yield decision
        if decision.kind in (Kind.VOICEMAIL, Kind.GOODBYE):
            return
        if decision.kind is Kind.AGENT:
            ended = outcome if decision.purpose == "answer" else Outcome.VOICEMAIL
            facts = replace(facts, outcome=ended, turns=facts.turns + 1)
        if decision.kind is Kind.TEAM:
            facts = replace(facts, tried=(*facts.tried, decision.target))
        facts = replace(facts, stage=Stage(decision.kind), state=decision.state)


def _conditions(call: Iterable[Decision], lengths: Mapping[str, int]) -> Iterator[str]:
    """For each decision of a call, the condition under which it comes to that."""
    before: Decision | None = None
    for decision in call:
        if before is None:
            yield f"the call arrives: {decision.because.rpartition('): ')[2]}"
        elif before.kind is Kind.TEAM:
            seconds = lengths.get(_to(before))
            within = "" if seconds is None else f" in {seconds} s"
            then = "; it takes a message" if decision.kind is Kind.AGENT else ""
            yield f"nobody of {before.target} answers{within}{then}"
        elif before.purpose == "message":
            yield "the agent takes no message"
        else:
            yield _CANT_HELP
        before = decision


def _with_on_call(steps: list[Step], calls: Mapping[Outcome, list[Decision]]) -> list[Step]:
    """Put the on-call phone where it rings: behind the teams, or behind the agent without one."""
    ringing = {
        outcome: next((decision for decision in call if decision.kind is Kind.ON_CALL), None)
        for outcome, call in calls.items()
    }
    matters = [outcome for outcome, decision in ringing.items() if decision is not None]
    if not matters:
        return steps
    decision = ringing[matters[0]]
    assert decision is not None
    when = " or ".join(_URGENCIES[outcome] for outcome in matters)
    teams = [index for index, step in enumerate(steps) if step.to.startswith("team:")]
    if teams:
        when += ", and no team answers"
    step = Step(_to(decision), when, decision.seconds)
    index = teams[-1] + 1 if teams else 1
    return [*steps[:index], step, *steps[index:]]


def _to(decision: Decision) -> str:
    return f"{decision.kind}:{decision.target}" if decision.target else str(decision.kind)
