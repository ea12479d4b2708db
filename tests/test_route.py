"""The path of a call, told in advance: the same places to which a call is sent."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from asterisk_agent.overrides import Override, OverrideState
from asterisk_agent.plan import ChannelPlan, OnCall, Plan, Schedule, TeamPlan, Unanswered
from asterisk_agent.route import Step, path
from asterisk_agent.routing import AgentHealth

FRONT = ChannelPlan(
    id="front",
    numbers=("100",),
    agent=True,
    schedule="office",
    open_answer="agent",
    handoff=("desk", "back", "third"),
    open_unanswered=Unanswered("desk", "sorry"),
    closed_answer="agent",
    closed_unanswered=Unanswered("night", "closed"),
)
PLAN = Plan(
    channels={"front": FRONT},
    teams={
        "desk": TeamPlan("desk", True, True),
        "back": TeamPlan("back", True, False),
        "third": TeamPlan("third", True, False),
        "night": TeamPlan("night", False, True),
    },
    schedules={"office": Schedule("UTC", (((480, 960),), *[()] * 6), {})},
    close_grace_s=600,
    first_date=date(2026, 1, 1),
    last_date=date(2026, 12, 31),
)
OPEN = datetime(2026, 6, 1, 10, tzinfo=UTC)
CLOSED = datetime(2026, 6, 2, 10, tzinfo=UTC)
BOTH = OnCall("PJSIP/150", ("emergency", "urgent"))


def places(
    channel: ChannelPlan = FRONT,
    now: datetime = OPEN,
    agent: AgentHealth = AgentHealth.UP,
    override: Override | None = None,
) -> list[str]:
    return [step.to for step in path(channel, PLAN, override, now, agent)]


def test_the_whole_path_with_its_conditions() -> None:
    lengths = {"agent": 300, "team:desk": 90}
    cant = "the agent can't help, or a person is asked for"
    assert path(FRONT, PLAN, None, OPEN, lengths=lengths) == [
        Step("agent", "the call arrives: the agent answers", 300),
        Step("team:desk", cant, 90),
        Step("team:back", "nobody of desk answers in 90 s", None),
        Step("agent", "nobody of back answers; it takes a message", 300),
        Step("voicemail:desk", "the agent takes no message", None),
    ]


@pytest.mark.parametrize(
    ("health", "why"),
    [("down", "the agent is down"), ("full", "the agent is full, also after 10 s")],
)
def test_without_the_agent(health: str, why: str) -> None:
    steps = path(FRONT, PLAN, None, OPEN, AgentHealth(health))
    assert [step.to for step in steps] == ["team:desk", "team:back", "voicemail:desk"]
    assert steps[0].when == f"the call arrives: {why}"
    assert places(now=CLOSED, agent=AgentHealth(health)) == ["voicemail:night"]


def test_people_first() -> None:
    people = ["team:desk", "team:back", "agent", "voicemail:desk"]
    assert places(replace(FRONT, open_answer="team")) == people
    assert places(now=CLOSED, override=Override(OverrideState.PEOPLE)) == people
    assert places(replace(FRONT, agent=False)) == ["team:desk", "team:back", "voicemail:desk"]


def test_closed_without_on_call() -> None:
    assert places(now=CLOSED) == ["agent", "voicemail:night"]
    assert places(now=CLOSED, channel=replace(FRONT, closed_answer="voicemail")) == [
        "voicemail:night"
    ]


def test_closed_with_on_call() -> None:
    on_call = path(replace(FRONT, on_call=BOTH), PLAN, None, CLOSED)
    assert [step.to for step in on_call] == ["agent", "on-call:front", "voicemail:night"]
    assert on_call[1] == Step("on-call:front", "an emergency or an urgent matter", 30)


def test_open_with_on_call_is_for_emergencies_that_no_team_answers() -> None:
    steps = path(replace(FRONT, on_call=BOTH), PLAN, None, OPEN)
    assert [step.to for step in steps] == [
        *("agent", "team:desk", "team:back", "on-call:front", "agent", "voicemail:desk"),
    ]
    assert steps[3].when == "an emergency, and no team answers"
    urgent_only = replace(FRONT, on_call=OnCall("PJSIP/150", ("urgent",)))
    assert "on-call:front" not in places(urgent_only)
    assert "on-call:front" in places(urgent_only, CLOSED)


def test_on_call_where_no_team_can_be_rung() -> None:
    channel = replace(FRONT, on_call=BOTH, handoff=("night",))
    assert places(channel) == ["agent", "on-call:front", "voicemail:desk"]


def test_without_the_agent_nobody_hears_of_an_emergency() -> None:
    channel = replace(FRONT, on_call=BOTH)
    assert places(channel, CLOSED, AgentHealth.DOWN) == ["voicemail:night"]


def test_without_a_mailbox_the_path_ends_with_goodbye() -> None:
    teams = {id_: replace(team, mailbox=False) for id_, team in PLAN.teams.items()}
    steps = path(FRONT, replace(PLAN, teams=teams), None, CLOSED, AgentHealth.DOWN)
    assert [step.to for step in steps] == ["goodbye"]
