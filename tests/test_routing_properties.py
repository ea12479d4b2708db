"""Routing: every set of facts has a destination, and every call comes to its one end."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_agent import hours
from asterisk_agent.overrides import Override, OverrideState, in_force
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
    MAX_TEAM_ATTEMPTS,
    AgentHealth,
    Decision,
    Facts,
    Kind,
    Outcome,
    Stage,
    State,
    decide,
    state_at,
)

TEAMS = ("support", "backoffice", "sales", "night")
ZONES = ("Europe/Oslo", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
STATUSES = (
    *("TIMEOUT", "FULL", "JOINEMPTY", "LEAVEEMPTY", "UNKNOWN", "CONTINUE"),
    *("ANSWER", "NOANSWER", "BUSY", "SUCCESS", "FAILED", "USEREXIT", ""),
)
PROMPTS = {"", "connecting", "apology", "emergency", "no-message-taken"}
STEPS = 8
"""Wait, the agent, two teams, the agent again, on-call, voicemail, goodbye."""

INTERVALS = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda i: i[0] != i[1])
DAY_HOURS = st.lists(INTERVALS, max_size=2).map(tuple)
DAYS_OF_2026 = st.dates(date(2026, 1, 1), date(2026, 12, 31))
SCHEDULES = st.builds(
    Schedule,
    st.sampled_from(ZONES),
    st.tuples(*[DAY_HOURS] * 7),
    st.dictionaries(
        DAYS_OF_2026, st.builds(SpecialDay, st.just("day"), DAY_HOURS, st.booleans()), max_size=3
    ),
)
INSTANTS = st.integers(0, 365 * 24 * 3600).map(
    lambda second: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
)
TEAM_IDS = st.sampled_from([*TEAMS, "gone"])
UNANSWERED = st.builds(Unanswered, TEAM_IDS, st.sampled_from(["nobody-free", "closed-now"]))
CHANNELS = st.builds(
    ChannelPlan,
    id=st.just("support"),
    numbers=st.just(("100",)),
    agent=st.booleans(),
    schedule=st.sampled_from([None, "office"]),
    open_answer=st.sampled_from(["agent", "team"]),
    handoff=st.lists(TEAM_IDS, unique=True).map(tuple),
    open_unanswered=UNANSWERED,
    closed_answer=st.sampled_from(["agent", "voicemail", "team"]),
    closed_unanswered=UNANSWERED,
    on_call=st.none()
    | st.builds(
        OnCall, st.just("PJSIP/150"), st.sets(st.sampled_from(["emergency", "urgent"])).map(tuple)
    ),
)
PLANS = st.builds(
    lambda channel, reachable, mailbox, schedule, grace: Plan(
        channels={"support": channel},
        teams={id_: TeamPlan(id_, *of) for id_, *of in zip(TEAMS, reachable, mailbox, strict=True)},
        schedules={"office": schedule},
        close_grace_s=grace,
        first_date=date(2026, 1, 1),
        last_date=date(2026, 12, 31),
    ),
    CHANNELS,
    st.tuples(*[st.booleans()] * len(TEAMS)),
    st.tuples(*[st.booleans()] * len(TEAMS)),
    SCHEDULES,
    st.integers(1, 1200),
)
OVERRIDES = st.none() | st.builds(Override, st.sampled_from(OverrideState), st.none() | INSTANTS)
WANTED = st.none() | TEAM_IDS | st.text(max_size=5)
FACTS = st.builds(
    Facts,
    stage=st.sampled_from(Stage),
    state=st.none() | st.sampled_from(State),
    arrived=st.none() | INSTANTS,
    override=OVERRIDES,
    agent=st.sampled_from(AgentHealth),
    outcome=st.none() | st.sampled_from(Outcome),
    wanted_team=WANTED,
    tried=st.lists(TEAM_IDS, max_size=4).map(tuple),
    status=st.sampled_from(STATUSES) | st.text(max_size=5),
    turns=st.integers(0, 4),
    waited=st.booleans(),
    hung_up=st.booleans(),
    resolved=st.booleans(),
)


def check(decision: Decision, plan: Plan) -> None:
    """What the dialplan, which follows it blindly, needs of a decision."""
    assert decision.because
    assert decision.prompt in PROMPTS
    assert set(decision.tasks) <= {"call_back"}
    assert (decision.purpose in ("answer", "message")) == (decision.kind is Kind.AGENT)
    assert (decision.message != "") == (decision.kind is Kind.VOICEMAIL)
    if decision.bypassed:
        assert decision.kind in (Kind.TEAM, Kind.ON_CALL, Kind.VOICEMAIL)
        assert plan.channels["support"].agent
    match decision.kind:
        case Kind.TEAM:
            assert plan.teams[decision.target].reachable
        case Kind.VOICEMAIL:
            assert plan.teams[decision.target].mailbox
        case Kind.ON_CALL:
            assert decision.target == "support"
            assert plan.channels["support"].on_call is not None
        case _:
            assert decision.target == ""


@given(FACTS, PLANS, INSTANTS)
@settings(max_examples=500, deadline=None)
def test_every_set_of_facts_has_a_destination_that_exists(
    facts: Facts, plan: Plan, now: datetime
) -> None:
    channel = plan.channels["support"]
    if facts.stage is not Stage.ARRIVAL and facts.turns and not channel.agent:
        channel = replace(channel, agent=True)
        plan = replace(plan, channels={"support": channel})
    decision = decide(facts, channel, plan, now)
    if not channel.agent:
        decision = replace(decision, bypassed=False)  # an outcome without an agent is nonsense
    check(decision, plan)
    if decision.kind is Kind.TEAM:
        assert len(facts.tried) < MAX_TEAM_ATTEMPTS
        assert decision.target not in facts.tried
    if decision.kind is Kind.AGENT:
        assert channel.agent
        assert facts.agent is AgentHealth.UP
    if decision.kind is Kind.WAIT:
        assert facts.stage is Stage.ARRIVAL
        assert not facts.waited
    if facts.hung_up:
        assert decision.kind is Kind.GOODBYE


@given(PLANS, OVERRIDES, INSTANTS)
@settings(deadline=None)
def test_on_arrival_the_state_is_the_hours(
    plan: Plan, override: Override | None, now: datetime
) -> None:
    channel = plan.channels["support"]
    standing = state_at(channel, plan, override, now)
    decision = decide(Facts(Stage.ARRIVAL, override=override), channel, plan, now)
    assert decision.state is standing.state
    if standing.until is not None:
        assert standing.until > now
        before = state_at(channel, plan, override, standing.until - timedelta(microseconds=1))
        after = state_at(channel, plan, override, standing.until)
        assert (before.state, before.people) == (standing.state, standing.people)
        assert (after.state, after.people) != (standing.state, standing.people)
        for part in range(1, 20):
            between = state_at(channel, plan, override, now + part * (standing.until - now) / 20)
            assert (between.state, between.until) == (standing.state, standing.until)
    elif in_force(override, now) is None:
        schedule = plan.schedule_of(channel)
        every_five_hours = (now + timedelta(hours=n) for n in range(0, 24 * 400, 5))
        assert {hours.look(schedule, then)[0] for then in every_five_hours} == {standing.state}


@dataclass
class Walk:
    """A whole call, played by chance: what each stage comes back with is drawn."""

    data: st.DataObject
    plan: Plan
    override: Override | None
    now: datetime
    path: list[Decision] = field(default_factory=list)
    stages: list[tuple[Stage, Outcome | None, str]] = field(default_factory=list)

    def run(self) -> None:
        channel, draw = self.plan.channels["support"], self.data.draw
        facts = Facts(
            Stage.ARRIVAL, override=self.override, agent=draw(st.sampled_from(AgentHealth))
        )
        arrived = self.now
        while True:
            decision = decide(facts, channel, self.plan, self.now)
            check(decision, self.plan)
            self.path.append(decision)
            assert len(self.path) <= STEPS, self.path
            if decision.kind is Kind.GOODBYE:
                return
            self.now += timedelta(seconds=draw(st.integers(0, 900)))
            health = draw(st.sampled_from(AgentHealth))
            if decision.kind is Kind.WAIT:
                facts = replace(facts, agent=health, waited=True)
                continue
            outcome = facts.outcome
            if decision.kind is Kind.AGENT:
                outcome = draw(st.sampled_from(Outcome))
            elif draw(st.integers(0, 9)) == 0:
                outcome = None  # the service was started anew, and knows nothing of the call
            rung = decision.kind is Kind.TEAM
            facts = Facts(
                stage=Stage(decision.kind),
                state=decision.state,
                arrived=arrived,
                override=self.override,
                agent=health,
                outcome=outcome,
                wanted_team=draw(WANTED),
                tried=(*facts.tried, decision.target) if rung else facts.tried,
                status=draw(st.sampled_from(STATUSES)),
                turns=facts.turns + (decision.kind is Kind.AGENT),
            )
            self.stages.append((facts.stage, outcome, facts.status))


@given(st.data(), PLANS, OVERRIDES, INSTANTS)
@settings(max_examples=500, deadline=None)
def test_every_call_comes_to_its_one_end(
    data: st.DataObject, plan: Plan, override: Override | None, now: datetime
) -> None:
    call = Walk(data, plan, override, now)
    call.run()
    kinds = [step.kind for step in call.path]
    assert kinds.count(Kind.GOODBYE) == 1
    assert kinds.count(Kind.TEAM) <= MAX_TEAM_ATTEMPTS
    assert kinds.count(Kind.AGENT) <= 2
    assert [step.purpose for step in call.path].count("message") <= 1
    for kind in (Kind.WAIT, Kind.ON_CALL, Kind.VOICEMAIL):
        assert kinds.count(kind) <= 1
    # No cycle: no destination is come to twice, but for the agent with its other purpose.
    places = [(step.kind, step.target, step.purpose) for step in call.path]
    assert len(set(places)) == len(places)
    if Kind.VOICEMAIL in kinds:
        assert kinds[kinds.index(Kind.VOICEMAIL) + 1 :] == [Kind.GOODBYE]


SERVED = {
    Stage.AGENT: {Outcome.RESOLVED, Outcome.MESSAGE, Outcome.NO_INPUT},
    Stage.TEAM: {"CONTINUE"},
    Stage.ON_CALL: {"ANSWER"},
    Stage.VOICEMAIL: {"SUCCESS"},
}


@given(st.data(), PLANS, OVERRIDES, INSTANTS)
@settings(deadline=None)
def test_nobody_is_sent_away_unserved_without_a_word_and_a_task(
    data: st.DataObject, plan: Plan, override: Override | None, now: datetime
) -> None:
    call = Walk(data, plan, override, now)
    call.run()
    end = call.path[-1]
    if call.stages:
        stage, outcome, status = call.stages[-1]
        if SERVED[stage] & {outcome if stage is Stage.AGENT else status}:
            assert (end.tasks, end.prompt) == ((), "")
            return
    assert (end.tasks, end.prompt) == (("call_back",), "no-message-taken")
    mailboxes = any(team.mailbox for team in plan.teams.values())
    assert not mailboxes or call.path[-2].kind is Kind.VOICEMAIL
