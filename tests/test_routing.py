"""Routing: the rows of the decision table, and that every set of facts has a destination."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Channel, Config
from asterisk_agent.routing import (
    MAX_TEAM_ATTEMPTS,
    AgentHealth,
    Decision,
    Facts,
    Kind,
    Outcome,
    Stage,
    State,
    decide,
    handoff_order,
    state_at,
)

CONFIG = load(Path(__file__).parent.parent / "etc")
SUPPORT = CONFIG.channels["support"]
NOON_GAP = datetime(2026, 6, 1, 16, 30, tzinfo=UTC)  # Monday 12:30 in New York: closed
MORNING = datetime(2026, 6, 1, 14, 0, tzinfo=UTC)  # Monday 10:00: open
SUNDAY = datetime(2026, 6, 7, 14, 0, tzinfo=UTC)
FAILURES = ("TIMEOUT", "FULL", "JOINEMPTY", "LEAVEEMPTY", "UNKNOWN", "")
WANTS_PEOPLE = (
    Outcome.PERSON,
    Outcome.UNANSWERED,
    Outcome.EMERGENCY,
    Outcome.TOO_LONG,
    Outcome.STOPPING,
    Outcome.LOST,
)


def changed(
    in_hours: Mapping[str, Any] = {},
    after_hours: Mapping[str, Any] = {},
    **keys: Any,
) -> Channel:
    """The support channel with other answers."""
    return SUPPORT.model_copy(
        update={
            "in_hours": SUPPORT.in_hours.model_copy(update=dict(in_hours)),
            "after_hours": SUPPORT.after_hours.model_copy(update=dict(after_hours)),
            **keys,
        }
    )


def arrive(channel: Channel, now: datetime, agent: AgentHealth = AgentHealth.UP) -> Decision:
    return decide(Facts(Stage.ARRIVAL, agent=agent), channel, CONFIG, now)


def after_agent(outcome: Outcome | None, state: State, wanted: str | None = None) -> Decision:
    facts = Facts(Stage.AGENT, state, outcome=outcome, wanted_team=wanted)
    return decide(facts, SUPPORT, CONFIG, MORNING)


def is_voicemail(decision: Decision, message: str) -> bool:
    found = (decision.kind, decision.target, decision.message)
    return found == (Kind.VOICEMAIL, "support", message)


def test_row_1_people_answer_first() -> None:
    decision = arrive(changed(in_hours={"answer": "team"}), MORNING)
    assert (decision.kind, decision.target, decision.state) == (Kind.TEAM, "support", State.OPEN)


def test_row_2_the_agent_answers() -> None:
    assert arrive(SUPPORT, MORNING).kind is Kind.AGENT


@pytest.mark.parametrize("health", [AgentHealth.DOWN, AgentHealth.FULL])
def test_rows_3_and_4_without_the_agent_people_answer(health: AgentHealth) -> None:
    decision = arrive(SUPPORT, MORNING, health)
    assert (decision.kind, decision.target) == (Kind.TEAM, "support")
    assert health in decision.because


def test_row_3_a_channel_without_the_agent_goes_to_people() -> None:
    decision = arrive(changed(agent=False), MORNING)
    assert decision.kind is Kind.TEAM
    assert "not assigned" in decision.because


@pytest.mark.parametrize("now", [NOON_GAP, SUNDAY])
def test_row_5_the_agent_answers_when_closed(now: datetime) -> None:
    decision = arrive(SUPPORT, now)
    assert (decision.kind, decision.state) == (Kind.AGENT, State.CLOSED)


@pytest.mark.parametrize("health", [AgentHealth.DOWN, AgentHealth.FULL])
def test_row_6_closed_and_no_agent_is_voicemail(health: AgentHealth) -> None:
    assert is_voicemail(arrive(SUPPORT, SUNDAY, health), "closed-now")


def test_after_hours_voicemail_or_a_team_may_answer() -> None:
    assert is_voicemail(arrive(changed(after_hours={"answer": "voicemail"}), SUNDAY), "closed-now")
    decision = arrive(changed(after_hours={"answer": "team"}), SUNDAY)
    assert (decision.kind, decision.target, decision.state) == (Kind.TEAM, "support", State.CLOSED)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("outcome", [Outcome.RESOLVED, Outcome.NO_INPUT, Outcome.HANGUP])
def test_rows_7_and_17_what_is_over_ends(outcome: Outcome, state: State) -> None:
    assert after_agent(outcome, state).kind is Kind.GOODBYE


@pytest.mark.parametrize("outcome", [*WANTS_PEOPLE, None])
def test_rows_8_and_9_a_person_when_open_and_voicemail_when_closed(
    outcome: Outcome | None,
) -> None:
    opened = after_agent(outcome, State.OPEN)
    assert (opened.kind, opened.target) == (Kind.TEAM, "support")
    assert is_voicemail(after_agent(outcome, State.CLOSED), "closed-now")


def test_row_8_the_team_that_the_caller_needs_comes_first() -> None:
    assert after_agent(Outcome.PERSON, State.OPEN, "billing").target == "billing"
    assert handoff_order(SUPPORT, CONFIG, "billing") == ("billing", "support", "backoffice")
    assert handoff_order(SUPPORT, CONFIG, "backoffice") == ("backoffice", "support")
    assert handoff_order(SUPPORT, CONFIG, "nobody-knows-it") == ("support", "backoffice")


def test_a_wanted_team_that_is_only_a_mailbox_is_not_rung() -> None:
    mailbox = CONFIG.teams["billing"].model_copy(update={"members": (), "extension": None})
    config = CONFIG.model_copy(update={"teams": {**CONFIG.teams, "billing": mailbox}})
    assert handoff_order(SUPPORT, config, "billing") == ("support", "backoffice")


@pytest.mark.parametrize(
    ("state", "message"), [(State.OPEN, "nobody-free"), (State.CLOSED, "closed-now")]
)
def test_row_10_a_message_when_the_caller_wants_to_leave_one(state: State, message: str) -> None:
    assert is_voicemail(after_agent(Outcome.VOICEMAIL, state), message)


@pytest.mark.parametrize("status", FAILURES)
def test_a_team_that_fails_is_followed_by_the_next_and_then_voicemail(status: str) -> None:
    second = decide(
        Facts(Stage.TEAM, State.OPEN, tried=("support",), queue_status=status),
        SUPPORT,
        CONFIG,
        MORNING,
    )
    assert (second.kind, second.target) == (Kind.TEAM, "backoffice")
    tried = ("support", "backoffice")
    last = Facts(Stage.TEAM, State.OPEN, tried=tried, queue_status=status)
    assert is_voicemail(decide(last, SUPPORT, CONFIG, MORNING), "nobody-free")


def test_a_call_that_a_person_took_is_over() -> None:
    facts = Facts(Stage.TEAM, State.OPEN, tried=("support",), queue_status="CONTINUE")
    assert decide(facts, SUPPORT, CONFIG, MORNING).kind is Kind.GOODBYE


def test_behind_voicemail_there_is_only_goodbye() -> None:
    assert decide(Facts(Stage.VOICEMAIL), SUPPORT, CONFIG, MORNING).kind is Kind.GOODBYE


def test_the_state_of_arrival_is_kept() -> None:
    late = decide(Facts(Stage.AGENT, State.OPEN, outcome=Outcome.PERSON), SUPPORT, CONFIG, SUNDAY)
    assert (late.kind, late.state) == (Kind.TEAM, State.OPEN)


def test_a_channel_without_hours_is_always_open() -> None:
    state, because = state_at(changed(hours=None), CONFIG, SUNDAY)
    assert state is State.OPEN
    assert "always open" in because


TEAMS = tuple(CONFIG.teams)
CHANNELS = st.builds(
    changed,
    in_hours=st.fixed_dictionaries(
        {
            "answer": st.sampled_from(["agent", "team"]),
            "handoff": st.lists(st.sampled_from(TEAMS), unique=True).map(tuple),
        }
    ),
    after_hours=st.fixed_dictionaries({"answer": st.sampled_from(["agent", "voicemail", "team"])}),
    agent=st.booleans(),
    hours=st.sampled_from([None, *CONFIG.hours]),
)
INSTANTS = st.integers(0, 3 * 366 * 24 * 60).map(
    lambda minute: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
)
FACTS = st.builds(
    Facts,
    stage=st.sampled_from(Stage),
    state=st.none() | st.sampled_from(State),
    agent=st.sampled_from(AgentHealth),
    outcome=st.none() | st.sampled_from(Outcome),
    wanted_team=st.none() | st.sampled_from(TEAMS) | st.text(max_size=5),
    tried=st.lists(st.sampled_from([*TEAMS, "gone"]), max_size=4).map(tuple),
    queue_status=st.sampled_from([*FAILURES, "CONTINUE"]) | st.text(max_size=5),
)


def check_destination(decision: Decision, config: Config) -> None:
    assert decision.because
    match decision.kind:
        case Kind.TEAM:
            assert decision.target in config.teams
            assert decision.message == ""
        case Kind.VOICEMAIL:
            assert config.teams[decision.target].voicemail is not None
            assert decision.message in config.messages
        case _:
            assert (decision.target, decision.message) == ("", "")


@given(FACTS, CHANNELS, INSTANTS)
def test_every_set_of_facts_has_a_destination_that_exists(
    facts: Facts, channel: Channel, now: datetime
) -> None:
    decision = decide(facts, channel, CONFIG, now)
    check_destination(decision, CONFIG)
    assert decision.state is (facts.state or state_at(channel, CONFIG, now)[0])
    if decision.kind is Kind.TEAM:
        assert len(facts.tried) < MAX_TEAM_ATTEMPTS
        assert decision.target not in facts.tried
    if decision.kind is Kind.AGENT:
        assert facts.stage is Stage.ARRIVAL
        assert channel.agent


@given(
    CHANNELS,
    INSTANTS,
    st.sampled_from(AgentHealth),
    st.sampled_from(Outcome),
    st.tuples(*[st.sampled_from([*FAILURES, "CONTINUE"])] * 5),
)
def test_every_call_comes_to_an_end_by_way_of_two_teams_at_most(
    channel: Channel,
    now: datetime,
    health: AgentHealth,
    outcome: Outcome,
    statuses: tuple[str, ...],
) -> None:
    way: list[Decision] = []
    wanted = "billing" if now.minute % 2 else None
    facts = Facts(Stage.ARRIVAL, agent=health)
    while True:
        decision = decide(facts, channel, CONFIG, now)
        way.append(decision)
        assert len(way) <= 5
        if decision.kind is Kind.GOODBYE:
            break
        teams = tuple(step.target for step in way if step.kind is Kind.TEAM)
        # The decision's kinds but the last are the stages behind them, by name.
        facts = Facts(
            Stage(decision.kind),
            decision.state,
            health,
            outcome,
            wanted,
            teams,
            statuses[len(way) - 1],
        )
    kinds = [step.kind for step in way]
    assert kinds.count(Kind.TEAM) <= MAX_TEAM_ATTEMPTS
    assert kinds.count(Kind.AGENT) <= 1
    assert kinds.count(Kind.VOICEMAIL) <= 1
    assert len({step.state for step in way}) == 1
