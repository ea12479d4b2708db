"""Where a call goes next. Pure and total: every set of facts has a destination.

The service's FastAGI steps and the rescue script call ``decide``; the generated dialplan takes
the same decisions by itself when neither can be asked. Only the plan is needed, and nothing but
the standard library is imported, so that a rescue starts at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from asterisk_agent import hours
from asterisk_agent.facts import (
    CALL_BACK,
    AgentHealth,
    Decision,
    Facts,
    Kind,
    Outcome,
    Stage,
)
from asterisk_agent.hours import State
from asterisk_agent.overrides import Override, OverrideState, in_force
from asterisk_agent.plan import ChannelPlan, Plan, Unanswered

__all__ = (
    "CALL_BACK",
    "MAX_CONVERSATIONS",
    "MAX_TEAM_ATTEMPTS",
    "ON_CALL_RING_S",
    "SLOT_WAIT_S",
    "AgentHealth",
    "Decision",
    "Facts",
    "Kind",
    "Outcome",
    "Stage",
    "Standing",
    "State",
    "decide",
    "handoff_order",
    "mailbox_in",
    "state_at",
    "unanswered_in",
)

MAX_TEAM_ATTEMPTS = 2
MAX_CONVERSATIONS = 2
"""The first one, and one return to take a message."""
SLOT_WAIT_S = 10
"""How long a caller rings for a free slot of the agent before people answer."""
ON_CALL_RING_S = 30


@dataclass(frozen=True, slots=True)
class Standing:
    """A channel's state, overrides included. ``people``: they answer before the agent.

    ``until`` is the UTC instant at which that next changes, or None.
    """

    state: State
    until: datetime | None
    because: str
    people: bool = False


def state_at(
    channel: ChannelPlan, plan: Plan, override: Override | None, now: datetime
) -> Standing:
    """The channel's state at an instant, until when, and the reason in words."""
    schedule = plan.schedule_of(channel)
    if (forced := in_force(override, now)) is None:
        found = hours.at(schedule, now)
        return Standing(found.state, found.until, found.because)
    state, because, people = _forced(forced, channel, plan)
    until = forced.until
    if until is not None and not people:
        then = hours.at(schedule, until)
        until = until if then.state is not state else then.until
    return Standing(state, until, because, people)


def decide(facts: Facts, channel: ChannelPlan, plan: Plan, now: datetime) -> Decision:
    """Decide where the call goes, at the aware instant ``now``.

    Reading order is the caller's way: arrival, after the agent, after a team, after the on-call
    phone, after voicemail.
    """
    return _Desk(facts, channel, plan, now).decision()


def handoff_order(channel: ChannelPlan, plan: Plan, wanted_team: str | None) -> tuple[str, ...]:
    """The teams to ring, in order: the one the caller needs first, then the channel's own."""
    wanted = () if wanted_team is None else (wanted_team,)
    order = dict.fromkeys((*wanted, *channel.handoff))
    return tuple(id_ for id_ in order if id_ in plan.teams and plan.teams[id_].reachable)


def unanswered_in(channel: ChannelPlan, state: State) -> Unanswered:
    """The voicemail and message of a state."""
    return channel.open_unanswered if state is State.OPEN else channel.closed_unanswered


def mailbox_in(channel: ChannelPlan, plan: Plan, state: State) -> str | None:
    """The team whose mailbox records: the state's, else the other state's, else any; or None."""
    candidates = (
        unanswered_in(channel, state).voicemail,
        channel.open_unanswered.voicemail,
        channel.closed_unanswered.voicemail,
        *plan.teams,
    )
    return next((id_ for id_ in candidates if id_ in plan.teams and plan.teams[id_].mailbox), None)


def _forced(override: Override, channel: ChannelPlan, plan: Plan) -> tuple[State, str, bool]:
    if override.until is None:
        end = "it is reset"
    else:
        schedule = plan.schedule_of(channel)
        zone = ZoneInfo(schedule.timezone if schedule is not None else "UTC")
        end = f"{override.until.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    state = State.CLOSED if override.state is OverrideState.CLOSED else State.OPEN
    people = override.state is OverrideState.PEOPLE
    what = "people answer" if people else str(override.state)
    return state, f"override: {what} until {end}", people


_WANTS_PEOPLE = {
    Outcome.PERSON: "the caller asked for a person",
    Outcome.UNANSWERED: "the agent could not help",
    Outcome.URGENT: "the matter is urgent",
    Outcome.ABUSE: "the caller was abusive twice",
    Outcome.NO_INPUT: "the caller said nothing",
    Outcome.TOO_LONG: "the longest call is over",
    Outcome.STOPPING: "the agent is stopping",
    Outcome.LOST: "the agent was lost in mid-call",
    Outcome.HANGUP: "the line to the agent broke",  # the caller is there: somebody asks for them
}
_BROKEN = (Outcome.LOST, Outcome.HANGUP)
_AGENT_MAY_RETURN = {None, Outcome.PERSON, Outcome.UNANSWERED, Outcome.URGENT}
"""Behind these the agent, once more, is of use. None: unknown, or it has not spoken yet."""
_DONE = {Stage.TEAM: "CONTINUE", Stage.ON_CALL: "ANSWER", Stage.VOICEMAIL: "SUCCESS"}
"""The status with which a stage has done what it is for."""


class _Desk:
    """One decision in the making: the facts, and what the channel's hours say about them."""

    def __init__(self, facts: Facts, channel: ChannelPlan, plan: Plan, now: datetime) -> None:
        self.facts = facts
        self.channel = channel
        self.plan = plan
        self.state, self.why, self.people_first = self._standing(now)
        self.done = facts.status.strip().upper() == _DONE.get(facts.stage, "-")

    def _standing(self, now: datetime) -> tuple[State, str, bool]:
        """The state, in which the call is dealt with; why; and whether an override wants people."""
        forced = in_force(self.facts.override, now)
        if forced is not None:
            state, why, people_first = _forced(forced, self.channel, self.plan)
        else:
            state, why = hours.look(self.plan.schedule_of(self.channel), now)
            people_first = False
        if self.facts.state is not None and not self._is_stale(now):
            return self.facts.state, "as on arrival", people_first
        return state, why, people_first

    def _is_stale(self, now: datetime) -> bool:
        """Whether the state of arrival is too old for a hand-off.

        Behind a team it is kept: a caller who was promised people gets the whole list of them.
        """
        arrived = self.facts.arrived
        return (
            self.facts.stage is Stage.AGENT
            and arrived is not None
            and (now - arrived).total_seconds() > self.plan.close_grace_s
        )

    def decision(self) -> Decision:
        """What happens next."""
        if self.facts.hung_up:
            return self._hung_up()
        match self.facts.stage:
            case Stage.ARRIVAL:
                return self._arrival()
            case Stage.AGENT:
                return self._after_agent()
            case Stage.TEAM:
                return self._after_team()
            case Stage.ON_CALL:
                return self._after_on_call()
            case Stage.VOICEMAIL:
                return self._after_voicemail()

    # --- the caller's way -------------------------------------------------------------------

    def _arrival(self) -> Decision:
        health, state = self.facts.agent, f"{self.state} ({self.why})"
        if self._answers() == "voicemail":
            return self._voicemail(f"{state}: voicemail answers")
        if self._answers() == "team":
            return self._people(f"{state}: people answer first")
        if not self.channel.agent:
            return self._people_if_open(f"{state}: no agent is assigned")
        if health is AgentHealth.UP:
            return self._to(Kind.AGENT, f"{state}: the agent answers", purpose="answer")
        if health is AgentHealth.FULL and self.state is State.OPEN and not self.facts.waited:
            why = f"{state}: the agent is full, and may have a slot in a moment"
            return self._to(Kind.WAIT, why, seconds=SLOT_WAIT_S)
        if health is AgentHealth.SPENT:
            return self._people_if_open(f"{state}: this month's minutes of the agent are used up")
        prompt = "connecting" if self.state is State.OPEN else ""
        why = f"{state}: the agent is {health}"
        if health is AgentHealth.FULL and self.state is State.OPEN:
            why += f", also after {SLOT_WAIT_S} s"
        return self._people_if_open(why, prompt)

    def _after_agent(self) -> Decision:
        outcome = self.facts.outcome or Outcome.LOST
        only_a_message = bool(self.facts.tried)  # teams were rung before: this was the return
        if outcome in (Outcome.RESOLVED, Outcome.MESSAGE):
            return self._to(Kind.GOODBYE, f"the agent's part ended: {outcome}")
        if outcome is Outcome.NO_INPUT and not only_a_message:
            return self._to(Kind.GOODBYE, "the caller never said a word")
        if outcome is Outcome.VOICEMAIL:
            return self._voicemail("the caller asked to leave a message")
        if outcome is Outcome.EMERGENCY:
            return self._emergency("the caller spoke of an emergency", "emergency")
        why = _WANTS_PEOPLE[outcome]
        prompt = "apology" if outcome in _BROKEN else ""
        if only_a_message:
            return self._voicemail(why, prompt)
        if self.state is State.OPEN:
            return self._people(why, prompt)
        if self._on_call_for(outcome):
            return self._on_call(why)
        return self._voicemail(why, prompt)

    def _after_team(self) -> Decision:
        if self.done:
            return self._to(Kind.GOODBYE, "a person took the call")
        why = f"nobody took the call ({self.facts.status.strip()[:20] or 'no status'})"
        if self.facts.outcome is Outcome.EMERGENCY:
            return self._emergency(why)
        if (team := self._next_team()) is not None:
            return self._to(Kind.TEAM, why, team)
        if self._agent_may_return():
            why = f"{why}; the agent offers to take a message"
            return self._to(Kind.AGENT, why, purpose="message")
        return self._voicemail(why)

    def _after_on_call(self) -> Decision:
        if self.done:
            return self._to(Kind.GOODBYE, "the on-call phone took the call")
        status = self.facts.status.strip()[:20] or "no status"
        return self._voicemail(f"the on-call phone did not answer ({status})")

    def _after_voicemail(self) -> Decision:
        if self.done:
            return self._to(Kind.GOODBYE, "a message was taken")
        return self._nothing_recorded("no message was taken")

    def _hung_up(self) -> Decision:
        if self.facts.resolved or self.done:
            return self._to(Kind.GOODBYE, "the caller hung up")
        return self._to(Kind.GOODBYE, "the caller hung up, unresolved", tasks=(CALL_BACK,))

    # --- who -------------------------------------------------------------------------------

    def _answers(self) -> str:
        """Who answers in this state: ``agent``, ``team`` or ``voicemail``."""
        if self.people_first:
            return "team"
        if self.state is State.OPEN:
            return self.channel.open_answer
        return self.channel.closed_answer

    def _next_team(self) -> str | None:
        if len(self.facts.tried) >= MAX_TEAM_ATTEMPTS:
            return None
        order = handoff_order(self.channel, self.plan, self.facts.wanted_team)
        return next((team for team in order if team not in self.facts.tried), None)

    def _on_call_for(self, purpose: str) -> bool:
        on_call = self.channel.on_call
        return on_call is not None and purpose in on_call.purposes

    def _agent_may_return(self) -> bool:
        """Once, to take a message: if it spoke before, or people answered in its place."""
        turns = self.facts.turns
        return (
            self.channel.agent
            and self.facts.agent is AgentHealth.UP
            and self.facts.outcome in _AGENT_MAY_RETURN
            and (0 < turns < MAX_CONVERSATIONS or (turns == 0 and self._answers() == "team"))
        )

    def _bypassed(self) -> bool:
        """Whether the agent should have done what people or the mailbox now do."""
        if self.facts.agent is AgentHealth.SPENT and self.facts.turns == 0:
            return False
        lost = self.facts.outcome in _BROKEN
        if self.facts.stage is Stage.AGENT:
            return lost or self.facts.outcome is None
        unheard = self._answers() == "agent" and self.channel.agent and self.facts.turns == 0
        return lost or unheard

    # --- destinations -----------------------------------------------------------------------

    def _people_if_open(self, because: str, prompt: str = "") -> Decision:
        if self.state is State.OPEN:
            return self._people(because, prompt)
        return self._voicemail(because, prompt)

    def _people(self, because: str, prompt: str = "") -> Decision:
        team = self._next_team()
        if team is None:
            prompt = "" if prompt == "connecting" else prompt
            return self._voicemail(f"{because}; no team can be rung", prompt)
        return self._to(Kind.TEAM, because, team, prompt=prompt)

    def _emergency(self, because: str, prompt: str = "") -> Decision:
        """Never an emergency service: people of ours, ahead of everybody else."""
        team = self._next_team() if self.state is State.OPEN else None
        if team is not None:
            return self._to(Kind.TEAM, because, team, prompt=prompt, first_in_line=True)
        if self._on_call_for(Outcome.EMERGENCY):
            return self._on_call(because, prompt)
        return self._voicemail(because, prompt)

    def _on_call(self, because: str, prompt: str = "") -> Decision:
        channel = self.channel.id
        return self._to(Kind.ON_CALL, because, channel, prompt=prompt, seconds=ON_CALL_RING_S)

    def _voicemail(self, because: str, prompt: str = "") -> Decision:
        team = mailbox_in(self.channel, self.plan, self.state)
        if team is None:
            return self._nothing_recorded(f"{because}; there is no mailbox")
        message = unanswered_in(self.channel, self.state).message
        return self._to(Kind.VOICEMAIL, because, team, message, prompt=prompt)

    def _nothing_recorded(self, because: str) -> Decision:
        return self._to(Kind.GOODBYE, because, prompt="no-message-taken", tasks=(CALL_BACK,))

    def _to(
        self, kind: Kind, because: str, target: str = "", message: str = "", **details: Any
    ) -> Decision:
        instead = kind in (Kind.TEAM, Kind.ON_CALL, Kind.VOICEMAIL)
        bypassed = instead and self._bypassed()
        return Decision(kind, target, message, self.state, because, bypassed=bypassed, **details)
