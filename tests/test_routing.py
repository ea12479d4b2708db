"""Routing: the rows of the decision table, one by one."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from asterisk_agent.overrides import Override, OverrideState
from asterisk_agent.plan import (
    ChannelPlan,
    OnCall,
    Plan,
    Schedule,
    SpecialDay,
    TeamPlan,
    Unanswered,
)
from asterisk_agent.routing import (
    ON_CALL_RING_S,
    SLOT_WAIT_S,
    AgentHealth,
    Decision,
    Facts,
    Kind,
    Outcome,
    Stage,
    Standing,
    State,
    decide,
    handoff_order,
    mailbox_in,
    state_at,
)

OFFICE_DAY = ((480, 720), (780, 1080))
SUPPORT = ChannelPlan(
    id="support",
    numbers=("+15550100",),
    agent=True,
    schedule="office",
    open_answer="agent",
    handoff=("support", "backoffice", "sales"),
    open_unanswered=Unanswered("support", "nobody-free"),
    closed_answer="agent",
    closed_unanswered=Unanswered("night", "closed-now"),
)
ON_CALL = replace(SUPPORT, on_call=OnCall("PJSIP/150", ("emergency", "urgent")))
PLAN = Plan(
    channels={"support": SUPPORT},
    teams={
        "support": TeamPlan("support", True, True),
        "backoffice": TeamPlan("backoffice", True, True),
        "sales": TeamPlan("sales", True, False),
        "billing": TeamPlan("billing", True, True),
        "night": TeamPlan("night", False, True),
    },
    schedules={
        "office": Schedule(
            "America/New_York",
            (*[OFFICE_DAY] * 4, ((480, 960),), (), ()),
            {date(2026, 6, 3): SpecialDay("Founders Day")},
        )
    },
    close_grace_s=600,
    first_date=date(2026, 1, 1),
    last_date=date(2026, 12, 31),
)
MONDAY_10 = datetime(2026, 6, 1, 14, 0, tzinfo=UTC)
LUNCH = datetime(2026, 6, 1, 16, 30, tzinfo=UTC)
MONDAY_18 = datetime(2026, 6, 1, 22, 0, tzinfo=UTC)
SUNDAY = datetime(2026, 6, 7, 14, 0, tzinfo=UTC)
HOLIDAY = datetime(2026, 6, 3, 14, 0, tzinfo=UTC)
SHUT = (State.CLOSED, State.HOLIDAY)
FAILURES = (
    "TIMEOUT",
    "FULL",
    "JOINEMPTY",
    "LEAVEEMPTY",
    "WITHDRAW",
    "UNKNOWN",
    "",
    " ",
    "nonsense",
)


def arrive(
    channel: ChannelPlan = SUPPORT, now: datetime = MONDAY_10, plan: Plan = PLAN, **facts: Any
) -> Decision:
    return decide(Facts(Stage.ARRIVAL, **facts), channel, plan, now)


def after_agent(
    outcome: Outcome | None,
    state: State | None = State.OPEN,
    channel: ChannelPlan = SUPPORT,
    now: datetime = MONDAY_10,
    **facts: Any,
) -> Decision:
    facts = {"turns": 1, **facts}
    return decide(Facts(Stage.AGENT, state, outcome=outcome, **facts), channel, PLAN, now)


def after_team(
    *tried: str,
    status: str = "TIMEOUT",
    state: State = State.OPEN,
    channel: ChannelPlan = SUPPORT,
    **facts: Any,
) -> Decision:
    facts = {"turns": 1, **facts}
    known = Facts(Stage.TEAM, state, tried=tried, status=status, **facts)
    return decide(known, channel, PLAN, MONDAY_10)


def where(decision: Decision) -> tuple[Kind, str]:
    return decision.kind, decision.target


def is_voicemail(decision: Decision, state: State = State.OPEN) -> bool:
    target, message = ("support", "nobody-free") if state is State.OPEN else ("night", "closed-now")
    return (*where(decision), decision.message) == (Kind.VOICEMAIL, target, message)


# --- Arrival ------------------------------------------------------------------------------------


@pytest.mark.parametrize("health", AgentHealth)
def test_row_1_people_answer_first(health: AgentHealth) -> None:
    decision = arrive(replace(SUPPORT, open_answer="team"), agent=health)
    assert where(decision) == (Kind.TEAM, "support")
    assert (decision.state, decision.prompt, decision.bypassed) == (State.OPEN, "", False)


def test_row_2_the_agent_answers() -> None:
    decision = arrive()
    assert where(decision) == (Kind.AGENT, "")
    assert (decision.purpose, decision.bypassed) == ("answer", False)
    assert decision.because == "open (hours of mon 08:00-12:00): the agent answers"


def test_row_3_the_agent_is_down() -> None:
    decision = arrive(agent=AgentHealth.DOWN)
    assert where(decision) == (Kind.TEAM, "support")
    assert (decision.prompt, decision.bypassed) == ("connecting", True)
    assert "the agent is down" in decision.because


def test_row_4_the_agent_is_full() -> None:
    first = arrive(agent=AgentHealth.FULL)
    assert (where(first), first.seconds, first.bypassed) == ((Kind.WAIT, ""), SLOT_WAIT_S, False)
    again = arrive(agent=AgentHealth.FULL, waited=True)
    assert where(again) == (Kind.TEAM, "support")
    assert (again.prompt, again.bypassed) == ("connecting", True)
    assert arrive(waited=True).kind is Kind.AGENT


@pytest.mark.parametrize(
    ("now", "state"), [(LUNCH, "closed"), (SUNDAY, "closed"), (HOLIDAY, "holiday")]
)
def test_row_5_the_agent_answers_when_closed(now: datetime, state: str) -> None:
    decision = arrive(now=now)
    assert (decision.kind, decision.state, decision.purpose) == (Kind.AGENT, state, "answer")


@pytest.mark.parametrize("health", [AgentHealth.DOWN, AgentHealth.FULL])
@pytest.mark.parametrize("now", [SUNDAY, HOLIDAY])
def test_row_6_closed_and_no_agent_is_voicemail(health: AgentHealth, now: datetime) -> None:
    decision = arrive(now=now, agent=health)
    assert is_voicemail(decision, State.CLOSED)
    assert (decision.prompt, decision.bypassed) == ("", True)


def test_a_channel_without_the_agent_goes_to_people_or_voicemail() -> None:
    alone = replace(SUPPORT, agent=False)
    opened, closed = arrive(alone), arrive(alone, SUNDAY)
    assert where(opened) == (Kind.TEAM, "support")
    assert is_voicemail(closed, State.CLOSED)
    assert "no agent is assigned" in opened.because
    assert not opened.bypassed
    assert not closed.bypassed


def test_after_hours_voicemail_or_a_team_may_answer() -> None:
    assert is_voicemail(arrive(replace(SUPPORT, closed_answer="voicemail"), SUNDAY), State.CLOSED)
    decision = arrive(replace(SUPPORT, closed_answer="team"), SUNDAY)
    assert (*where(decision), decision.state) == (Kind.TEAM, "support", State.CLOSED)


def test_a_channel_without_hours_is_always_open() -> None:
    assert arrive(replace(SUPPORT, schedule=None), SUNDAY).state is State.OPEN


# --- After the agent ----------------------------------------------------------------------------


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("outcome", [Outcome.RESOLVED, Outcome.NO_INPUT, Outcome.MESSAGE])
def test_row_7_what_is_over_ends(outcome: Outcome, state: State) -> None:
    decision = after_agent(outcome, state)
    assert (decision.kind, decision.tasks, decision.prompt) == (Kind.GOODBYE, (), "")


PERSON_WANTED = [
    Outcome.PERSON,
    Outcome.UNANSWERED,
    Outcome.URGENT,
    Outcome.ABUSE,
    Outcome.TOO_LONG,
    Outcome.STOPPING,
]


@pytest.mark.parametrize("outcome", PERSON_WANTED)
def test_rows_8_9_12_13_16_a_person_when_open_and_voicemail_when_closed(outcome: Outcome) -> None:
    opened = after_agent(outcome)
    assert (where(opened), opened.prompt) == ((Kind.TEAM, "support"), "")
    for state in SHUT:
        assert is_voicemail(after_agent(outcome, state), state)


def test_row_8_the_team_that_the_caller_needs_comes_first() -> None:
    assert after_agent(Outcome.PERSON, wanted_team="billing").target == "billing"
    assert handoff_order(SUPPORT, PLAN, "billing") == ("billing", *SUPPORT.handoff)
    assert handoff_order(SUPPORT, PLAN, "sales") == ("sales", "support", "backoffice")
    assert handoff_order(SUPPORT, PLAN, "nobody-knows-it") == SUPPORT.handoff
    assert handoff_order(SUPPORT, PLAN, None) == SUPPORT.handoff


def test_a_team_without_phones_is_not_rung() -> None:
    assert handoff_order(SUPPORT, PLAN, "night") == SUPPORT.handoff
    odd = replace(SUPPORT, handoff=("gone", "night", "sales"))
    assert handoff_order(odd, PLAN, None) == ("sales",)
    assert is_voicemail(after_agent(Outcome.PERSON, channel=replace(SUPPORT, handoff=("gone",))))


def test_nobody_is_told_that_they_are_connected_where_no_team_can_be_rung() -> None:
    decision = arrive(replace(SUPPORT, handoff=()), agent=AgentHealth.DOWN)
    assert is_voicemail(decision)
    assert decision.prompt == ""


@pytest.mark.parametrize("state", SHUT)
def test_row_9_on_call_if_urgent_and_configured(state: State) -> None:
    decision = after_agent(Outcome.URGENT, state, ON_CALL)
    assert (where(decision), decision.seconds) == ((Kind.ON_CALL, "support"), ON_CALL_RING_S)
    assert is_voicemail(after_agent(Outcome.PERSON, state, ON_CALL), state)
    only_emergencies = replace(ON_CALL, on_call=OnCall("PJSIP/150", ("emergency",)))
    assert is_voicemail(after_agent(Outcome.URGENT, state, only_emergencies), state)


def test_an_urgent_matter_goes_to_the_team_while_open() -> None:
    assert where(after_agent(Outcome.URGENT, channel=ON_CALL)) == (Kind.TEAM, "support")


@pytest.mark.parametrize("state", State)
def test_row_10_a_message_when_the_caller_wants_to_leave_one(state: State) -> None:
    assert is_voicemail(after_agent(Outcome.VOICEMAIL, state), state)


def test_row_14_an_emergency_when_open() -> None:
    decision = after_agent(Outcome.EMERGENCY, channel=ON_CALL)
    assert where(decision) == (Kind.TEAM, "support")
    assert (decision.prompt, decision.first_in_line) == ("emergency", True)
    second = after_team("support", outcome=Outcome.EMERGENCY, channel=ON_CALL)
    assert where(second) == (Kind.TEAM, "backoffice")
    assert (second.prompt, second.first_in_line) == ("", True)
    tried = ("support", "backoffice")
    third = after_team(*tried, outcome=Outcome.EMERGENCY, channel=ON_CALL)
    assert where(third) == (Kind.ON_CALL, "support")
    assert is_voicemail(after_team(*tried, outcome=Outcome.EMERGENCY))


@pytest.mark.parametrize("state", SHUT)
def test_row_14_an_emergency_when_closed(state: State) -> None:
    on_call = after_agent(Outcome.EMERGENCY, state, ON_CALL)
    assert (where(on_call), on_call.prompt) == ((Kind.ON_CALL, "support"), "emergency")
    mailbox = after_agent(Outcome.EMERGENCY, state)
    assert is_voicemail(mailbox, state)
    assert mailbox.prompt == "emergency"


@pytest.mark.parametrize("outcome", [Outcome.LOST, Outcome.HANGUP, None])
def test_row_15_lost_in_mid_call(outcome: Outcome | None) -> None:
    """A line that ended is no hang-up while the dialplan still asks where its caller goes."""
    opened = after_agent(outcome)
    assert where(opened) == (Kind.TEAM, "support")
    assert (opened.prompt, opened.bypassed) == ("apology", True)
    for state in SHUT:
        closed = after_agent(outcome, state)
        assert is_voicemail(closed, state)
        assert (closed.prompt, closed.bypassed) == ("apology", True)


# --- After a team, the on-call phone, voicemail -------------------------------------------------


@pytest.mark.parametrize("status", FAILURES)
def test_a_team_that_fails_is_followed_by_the_next_and_then_voicemail(status: str) -> None:
    down = AgentHealth.DOWN
    assert where(after_team("support", status=status, agent=down)) == (Kind.TEAM, "backoffice")
    assert is_voicemail(after_team("support", "backoffice", status=status, agent=down))


@pytest.mark.parametrize("status", ["CONTINUE", " continue\n"])
def test_a_call_that_a_person_took_is_over(status: str) -> None:
    assert where(after_team("support", status=status)) == (Kind.GOODBYE, "")


def test_the_wanted_team_is_one_of_two_attempts() -> None:
    after_billing = after_team("billing", wanted_team="billing")
    assert where(after_billing) == (Kind.TEAM, "support")
    assert after_team("billing", "support", wanted_team="billing").kind is not Kind.TEAM


@pytest.mark.parametrize("outcome", [Outcome.PERSON, Outcome.UNANSWERED, Outcome.URGENT, None])
def test_row_8_the_agent_returns_once_to_take_a_message(outcome: Outcome | None) -> None:
    tried = ("support", "backoffice")
    back = after_team(*tried, outcome=outcome)
    assert (back.kind, back.purpose) == (Kind.AGENT, "message")
    assert is_voicemail(after_team(*tried, outcome=outcome, turns=2))
    for health in (AgentHealth.DOWN, AgentHealth.FULL):
        assert is_voicemail(after_team(*tried, outcome=outcome, agent=health))


@pytest.mark.parametrize(
    "outcome", [Outcome.ABUSE, Outcome.TOO_LONG, Outcome.LOST, Outcome.STOPPING, Outcome.EMERGENCY]
)
def test_the_agent_does_not_return_to_these(outcome: Outcome) -> None:
    assert is_voicemail(after_team("support", "backoffice", outcome=outcome))


def test_row_1_the_agent_takes_a_message_when_people_did_not_answer() -> None:
    tried = ("support", "backoffice")
    people_first = replace(SUPPORT, open_answer="team")
    back = after_team(*tried, channel=people_first, turns=0)
    assert (back.kind, back.purpose, back.bypassed) == (Kind.AGENT, "message", False)
    unassigned = replace(people_first, agent=False)
    assert is_voicemail(after_team(*tried, channel=unassigned, turns=0))
    override = Override(OverrideState.PEOPLE)
    assert after_team(*tried, override=override, turns=0).kind is Kind.AGENT


def test_an_agent_that_was_bypassed_does_not_come_late() -> None:
    decision = after_team("support", "backoffice", turns=0)
    assert is_voicemail(decision)
    assert decision.bypassed


def test_an_agent_that_spoke_was_not_bypassed() -> None:
    assert not after_team("support", outcome=Outcome.PERSON).bypassed
    assert not after_agent(Outcome.PERSON).bypassed
    assert after_team("support", outcome=Outcome.LOST).bypassed


@pytest.mark.parametrize("outcome", [Outcome.MESSAGE, Outcome.RESOLVED])
def test_after_the_message_it_is_goodbye(outcome: Outcome) -> None:
    assert after_agent(outcome, tried=("support",), turns=2).kind is Kind.GOODBYE


@pytest.mark.parametrize(
    "outcome", [*PERSON_WANTED, Outcome.NO_INPUT, Outcome.VOICEMAIL, Outcome.LOST, None]
)
def test_after_the_return_there_is_only_voicemail(outcome: Outcome | None) -> None:
    assert is_voicemail(after_agent(outcome, tried=("support",), turns=2, wanted_team="billing"))


def test_an_emergency_in_the_return_still_gets_people() -> None:
    facts: dict[str, Any] = {"tried": ("support", "sales"), "turns": 2}
    decision = after_agent(Outcome.EMERGENCY, channel=ON_CALL, **facts)
    assert (where(decision), decision.prompt) == ((Kind.ON_CALL, "support"), "emergency")


def after(stage: Stage, status: str, plan: Plan = PLAN, **facts: Any) -> Decision:
    return decide(Facts(stage, State.CLOSED, status=status, **facts), ON_CALL, plan, SUNDAY)


def test_after_the_on_call_phone() -> None:
    assert after(Stage.ON_CALL, "ANSWER").kind is Kind.GOODBYE
    for status in ("NOANSWER", "BUSY", "CHANUNAVAIL", "CONGESTION", "CANCEL", ""):
        assert is_voicemail(after(Stage.ON_CALL, status), State.CLOSED)


def test_behind_voicemail_there_is_only_goodbye() -> None:
    taken = after(Stage.VOICEMAIL, "SUCCESS")
    assert (taken.kind, taken.prompt, taken.tasks) == (Kind.GOODBYE, "", ())
    for status in ("FAILED", "USEREXIT", ""):
        missed = after(Stage.VOICEMAIL, status)
        assert where(missed) == (Kind.GOODBYE, "")
        assert (missed.prompt, missed.tasks) == ("no-message-taken", ("call_back",))


@pytest.mark.parametrize("stage", Stage)
def test_row_17_a_hang_up_leaves_a_task_unless_resolved(stage: Stage) -> None:
    unresolved = decide(Facts(stage, State.OPEN, hung_up=True), SUPPORT, PLAN, MONDAY_10)
    assert (where(unresolved), unresolved.tasks) == ((Kind.GOODBYE, ""), ("call_back",))
    resolved = Facts(stage, State.OPEN, hung_up=True, resolved=True)
    assert decide(resolved, SUPPORT, PLAN, MONDAY_10).tasks == ()


@pytest.mark.parametrize(
    ("stage", "status"),
    [(Stage.TEAM, "CONTINUE"), (Stage.ON_CALL, "ANSWER"), (Stage.VOICEMAIL, "SUCCESS")],
)
def test_row_17_who_was_served_needs_no_call_back(stage: Stage, status: str) -> None:
    facts = Facts(stage, State.OPEN, hung_up=True, status=status)
    assert decide(facts, SUPPORT, PLAN, MONDAY_10).tasks == ()


# --- Mailboxes that are missing -----------------------------------------------------------------


def without_mailboxes(*teams: str) -> Plan:
    return replace(
        PLAN,
        teams={
            id_: replace(t, mailbox=t.mailbox and id_ not in teams) for id_, t in PLAN.teams.items()
        },
    )


def test_a_missing_mailbox_falls_to_the_other_states_and_then_to_any() -> None:
    assert mailbox_in(SUPPORT, PLAN, State.OPEN) == "support"
    assert mailbox_in(SUPPORT, PLAN, State.HOLIDAY) == "night"
    assert mailbox_in(SUPPORT, without_mailboxes("support"), State.OPEN) == "night"
    for_sales = replace(SUPPORT, open_unanswered=Unanswered("backoffice", "nobody-free"))
    assert mailbox_in(for_sales, without_mailboxes("night"), State.CLOSED) == "backoffice"
    assert mailbox_in(SUPPORT, without_mailboxes("night", "support"), State.OPEN) == "backoffice"
    gone = replace(SUPPORT, closed_unanswered=Unanswered("gone", "closed-now"))
    decision = arrive(gone, SUNDAY, agent=AgentHealth.DOWN)
    assert (decision.target, decision.message) == ("support", "closed-now")


def test_without_any_mailbox_there_is_a_task() -> None:
    decision = arrive(now=SUNDAY, plan=without_mailboxes(*PLAN.teams), agent=AgentHealth.DOWN)
    assert where(decision) == (Kind.GOODBYE, "")
    assert (decision.prompt, decision.tasks) == ("no-message-taken", ("call_back",))


# --- The state of arrival -----------------------------------------------------------------------


def test_the_state_of_arrival_is_kept_for_the_grace() -> None:
    arrived = MONDAY_18 - timedelta(minutes=5)
    at_the_edge = arrived + timedelta(minutes=10)
    facts: dict[str, Any] = {"arrived": arrived}
    kept = after_agent(Outcome.PERSON, now=at_the_edge, **facts)
    assert (where(kept), kept.state) == ((Kind.TEAM, "support"), State.OPEN)
    read_again = after_agent(Outcome.PERSON, now=at_the_edge + timedelta(seconds=1), **facts)
    assert is_voicemail(read_again, State.CLOSED)
    assert read_again.state is State.CLOSED


def test_who_arrived_before_opening_gets_people_after_the_grace() -> None:
    facts: dict[str, Any] = {"state": State.CLOSED, "now": MONDAY_10}
    early = after_agent(Outcome.PERSON, arrived=MONDAY_10 - timedelta(minutes=11), **facts)
    assert (where(early), early.state) == ((Kind.TEAM, "support"), State.OPEN)


def test_an_override_counts_at_the_hand_off_after_the_grace() -> None:
    facts: dict[str, Any] = {"override": Override(OverrideState.CLOSED)}
    late = after_agent(Outcome.PERSON, arrived=MONDAY_10 - timedelta(minutes=11), **facts)
    assert is_voicemail(late, State.CLOSED)
    assert after_agent(Outcome.PERSON, arrived=MONDAY_10, **facts).kind is Kind.TEAM


def test_behind_a_team_the_state_is_kept() -> None:
    """Whom the channel promised people hears that they are busy, not that it has closed."""
    facts: dict[str, Any] = {"arrived": MONDAY_18 - timedelta(minutes=20), "status": "TIMEOUT"}
    for tried, kind in ((("support",), Kind.TEAM), (("support", "sales"), Kind.VOICEMAIL)):
        known = Facts(Stage.TEAM, State.OPEN, tried=tried, turns=2, **facts)
        decision = decide(known, SUPPORT, PLAN, MONDAY_18)
        assert (decision.kind, decision.state) == (kind, State.OPEN)
    assert is_voicemail(decision)


# --- Overrides ----------------------------------------------------------------------------------


def test_an_override_decides_the_arrival() -> None:
    closed = arrive(override=Override(OverrideState.CLOSED), agent=AgentHealth.DOWN)
    assert is_voicemail(closed, State.CLOSED)
    opened = arrive(now=HOLIDAY, override=Override(OverrideState.OPEN), agent=AgentHealth.DOWN)
    assert (where(opened), opened.state) == ((Kind.TEAM, "support"), State.OPEN)
    people = arrive(now=SUNDAY, override=Override(OverrideState.PEOPLE))
    assert (where(people), people.state) == ((Kind.TEAM, "support"), State.OPEN)
    assert people.because == "open (override: people answer until it is reset): people answer first"


def test_an_override_that_is_over_counts_no_more() -> None:
    assert arrive(override=Override(OverrideState.CLOSED, MONDAY_10)).state is State.OPEN
    until = MONDAY_10 + timedelta(seconds=1)
    assert arrive(override=Override(OverrideState.CLOSED, until)).state is State.CLOSED


def test_state_at_without_override() -> None:
    noon = datetime(2026, 6, 1, 16, tzinfo=UTC)
    assert state_at(SUPPORT, PLAN, None, MONDAY_10) == Standing(
        State.OPEN, noon, "hours of mon 08:00-12:00"
    )


@pytest.mark.parametrize(
    ("state", "until_hour", "changes_hour"),
    [
        (OverrideState.CLOSED, 15, 15),  # open again before lunch
        (OverrideState.CLOSED, 16, 17),  # over at noon, but lunch is closed too
        (OverrideState.OPEN, 15, 16),  # no change at its end: open until noon anyway
        (OverrideState.PEOPLE, 15, 15),  # still open, but from then on the agent answers
    ],
)
def test_a_temporary_override_changes_when_something_changes(
    state: OverrideState, until_hour: int, changes_hour: int
) -> None:
    override = Override(state, datetime(2026, 6, 1, until_hour, tzinfo=UTC))
    found = state_at(SUPPORT, PLAN, override, MONDAY_10)
    assert found.until == datetime(2026, 6, 1, changes_hour, tzinfo=UTC)
    assert found.people is (state is OverrideState.PEOPLE)
    what = "people answer" if found.people else state
    assert found.because == f"override: {what} until 2026-06-01 {until_hour - 4}:00 EDT"


def test_a_permanent_override_never_changes() -> None:
    found = state_at(SUPPORT, PLAN, Override(OverrideState.CLOSED), MONDAY_10)
    assert found == Standing(State.CLOSED, None, "override: closed until it is reset")


def test_an_override_without_hours_is_told_in_utc() -> None:
    override = Override(OverrideState.CLOSED, MONDAY_18)
    found = state_at(replace(SUPPORT, schedule=None), PLAN, override, MONDAY_10)
    assert found == Standing(State.CLOSED, MONDAY_18, "override: closed until 2026-06-01 22:00 UTC")


def test_importing_routing_is_quick_work() -> None:
    """The rescue script starts for every step of a call: nothing heavy may come along."""
    code = "import sys, asterisk_agent.routing; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = {name for name in done.stdout.split() if name.startswith("asterisk_agent.")}
    heavy = {"pydantic", "yaml", "typer", "rich", "numpy", "asyncio", "holidays"}
    assert not heavy & {name.partition(".")[0] for name in done.stdout.split()}
    names = ("facts", "hours", "overrides", "plan", "routing")
    assert ours == {f"asterisk_agent.{name}" for name in names}
