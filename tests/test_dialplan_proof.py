"""The generated dialplan decides as ``routing.decide`` does, at every minute and in every call.

The dialplan's side is the text itself, executed by the model in ``gotoiftime``, and the model is
held against the real Asterisk.
"""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from gotoiftime import END, Channel, Dialplan
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from asterisk_agent import dialplan, hours
from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Config
from asterisk_agent.dialplan import calendar
from asterisk_agent.overrides import Override, OverrideState, write
from asterisk_agent.plan import (
    ChannelPlan,
    OnCall,
    Plan,
    Schedule,
    SpecialDay,
    TeamPlan,
    Unanswered,
)
from asterisk_agent.routing import AgentHealth, Facts, Kind, Stage, State, decide
from asterisk_agent.sandbox.asterisk import PrivateAsterisk

EXAMPLE = load(Path(__file__).parent.parent / "etc")
DIRECTORY = Path("/etc/asterisk/agent")
ZONES = ("Europe/Oslo", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

# Everything that hours can have: gaps, midnight, holidays that cut and that do not.
RICH = Schedule(
    timezone="UTC",
    week=(
        ((480, 720), (780, 1080)),
        ((0, 1440),),
        ((480, 720), (700, 900)),
        ((1320, 120),),
        ((1320, 120), (480, 960)),
        ((1380, 60),),
        (),
    ),
    dates={
        date(2026, 1, 1): SpecialDay("New Year"),
        date(2026, 3, 29): SpecialDay("Sunday of the clocks", ((60, 240),)),
        date(2026, 4, 4): SpecialDay("Night of the clocks", ((1320, 240),)),
        date(2026, 5, 1): SpecialDay("Labour Day", cut=True),
        date(2026, 11, 26): SpecialDay("Thanksgiving"),
        date(2026, 12, 24): SpecialDay("Christmas Eve", ((480, 720),)),
        date(2026, 12, 25): SpecialDay("Christmas Day", cut=True),
        date(2026, 12, 31): SpecialDay("New Year's Eve", ((1200, 180),)),
        date(2027, 1, 1): SpecialDay("New Year"),
        date(2028, 2, 29): SpecialDay("Leap day", ((0, 1440),)),
    },
)


def plan_of(schedules: dict[str, Schedule]) -> Plan:
    """The example's first channel with other hours."""
    plan = dialplan.plan_for(EXAMPLE, date(2026, 11, 23))
    channel = replace(plan.channels["support"], schedule=next(iter(schedules)))
    return replace(plan, channels={"support": channel}, schedules=schedules)


def read(config: Config, plan: Plan) -> Dialplan:
    files = dialplan.files(config, DIRECTORY, plan)
    return Dialplan(files["extensions.conf"] + "".join(files[n] for n in dialplan.HAND_WRITTEN))


def in_zone(zone: str) -> dict[str, Schedule]:
    """The example's hours, and the rich ones, in a time zone."""
    example = dialplan.plan_for(EXAMPLE, date(2026, 11, 23)).schedules
    return {
        name: replace(hours, timezone=zone) for name, hours in {"rich": RICH, **example}.items()
    }


def state_by_text(text: Dialplan, schedule: str, instant: datetime) -> str:
    """What Gosub(agent-hours-…) answers at an instant, line by line."""
    call = text.channel(instant, AGENT_NOW=str(int(instant.timestamp())))
    call.context = f"agent-hours-{schedule}"
    call.goto("s,1")
    call.run({})
    return call.variables["AGENT_STATE"]


# --- The model and the real Asterisk -------------------------------------------------------------


def telling_instants(zone: str) -> Iterator[datetime]:
    """Around the clock changes of ten years, around special days, and here and there."""
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
    changes = hours.clock_changes(ZoneInfo(zone), start, datetime(2040, 1, 1, tzinfo=UTC))
    for change in (*changes[:4], *changes[-2:]):
        for seconds in (-3600, -1801, -60, -1, 0, 59, 1800, 3600, 7200):
            yield change + timedelta(seconds=seconds)
    for day in list(RICH.dates)[::2]:
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
        for minutes in (-1, 0, 60, 479, 480, 720, 1439, 1440):
            yield (midnight + minutes * MINUTE).astimezone(UTC)
    step = (end - start) / 37
    yield from (start + n * step for n in range(37))


@pytest.mark.asterisk
def test_the_model_is_faithful_to_the_real_asterisk(tmp_path: Path) -> None:
    schedules = {
        f"{name}-{index}": schedule
        for index, zone in enumerate(ZONES)
        for name, schedule in in_zone(zone).items()
    }
    text = "\n".join(calendar.hours(plan_of(schedules)))
    asked = [
        (f"{name}-{index}", instant)
        for index, zone in enumerate(ZONES)
        for instant in telling_instants(zone)
        for name in ("rich", "office")
    ]
    lines = "".join(
        f" same => n,Set(AGENT_NOW={int(instant.timestamp())})\n"
        " same => n,Set(TESTTIME=${AGENT_NOW})\n"
        f" same => n,Gosub(agent-hours-{name},s,1)\n"
        f" same => n,NoOp(RESULT {number} ${{AGENT_STATE}})\n"
        for number, (name, instant) in enumerate(asked)
    )
    contexts = f"[lab]\nexten => s,1,Answer()\n{lines}[hold]\nexten => s,1,Wait(60)\n[agent-end]\n"
    files = {"extensions.conf": contexts + text}
    with PrivateAsterisk(tmp_path, files=files) as asterisk:
        asterisk.cli("channel originate Local/s@lab extension s@hold")
        found: dict[str, str] = {}
        deadline = time.monotonic() + 60
        while len(found) < len(asked) and time.monotonic() < deadline:
            time.sleep(0.2)
            log = asterisk.log.read_text(encoding="utf-8", errors="replace")
            found = dict(re.findall(r'NoOp\("[^"]*", "RESULT (\d+) (\w*)"\)', log))
    model = Dialplan(f"[agent-end]\n{text}")
    expected = {str(n): state_by_text(model, *question) for n, question in enumerate(asked)}
    assert found == expected
    assert set(expected.values()) == {"open", "closed", "holiday"}
    print(f"\nthe model and Asterisk agree at {len(asked)} instants")
    assert len(asked) >= 200


# --- Every minute --------------------------------------------------------------------------------

FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
DOWN = Facts(Stage.ARRIVAL, agent=AgentHealth.DOWN)


def walk_every_minute(job: tuple[str, str]) -> tuple[int, list[str]]:
    """How many minutes were compared, and the first where text and routing differ."""
    schedule, zone = job
    plan = plan_of({schedule: in_zone(zone)[schedule]})
    text = read(EXAMPLE, plan)
    channel = plan.channels["support"]
    destinations = {state: _destination(text, state) for state in State}
    local_zone, days = ZoneInfo(zone), dict[date, dict[int, str]]()
    compared, wrong = 0, list[str]()
    seconds, end = int(FIRST.timestamp()), int(LAST.timestamp())
    while seconds < end and len(wrong) < 5:
        local = datetime.fromtimestamp(seconds, local_zone)
        day = local.date()
        if day not in days:
            days = {day: text.states_on(f"agent-hours-{schedule}", day, zone)}  # a date comes once
        by_text = days[day][local.hour * 60 + local.minute]
        decision = decide(DOWN, channel, plan, local)
        if by_text != decision.state or destinations[decision.state] != (
            decision.kind,
            decision.target,
            decision.message,
        ):
            wrong.append(f"{local.isoformat()}: {by_text}, {decision}")
        compared += 1
        seconds += 60
    return compared, wrong


def _destination(text: Dialplan, state: State) -> tuple[str, str, str]:
    """Where the text sends a call in a state: kind, team and message."""
    call = text.channel(FIRST, AGENT_CHANNEL="support", AGENT_TEAMS="0")
    call.context = "agent-static-support"
    call.goto(f"{state},1")
    where: list[tuple[str, str, str]] = []

    def arrives(kind: str) -> str:
        message = call.variables.get("AGENT_MESSAGE", "")
        team = call.variables["AGENT_TEAM"] if kind == "team" else call.extension
        where.append((kind, team, message))
        return END

    call.run({"Queue": lambda *_: arrives("team"), "VoiceMail": lambda *_: arrives("voicemail")})
    return where[0]


def test_text_and_routing_agree_at_every_minute_of_three_years() -> None:
    began = time.monotonic()
    jobs = [("office", zone) for zone in ZONES] + [("rich", "Australia/Lord_Howe")]
    with ProcessPoolExecutor(2) as pool:
        results = dict(zip(jobs, pool.map(walk_every_minute, jobs), strict=True))
    for (schedule, zone), (compared, wrong) in results.items():
        print(f"\n{schedule} in {zone}: {compared} minutes, {len(wrong)} differ", end="")
        assert wrong == []
        assert compared == (LAST - FIRST) // MINUTE
    print(f"\n{time.monotonic() - began:.0f} s")


# --- Random schedules ----------------------------------------------------------------------------

INTERVALS = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda i: i[0] != i[1])
NIGHTLY = st.tuples(st.integers(1200, 1439), st.integers(1, 300))
DAY_HOURS = st.lists(INTERVALS | NIGHTLY, max_size=3).map(tuple)
SCHEDULES = st.builds(
    Schedule,
    st.sampled_from(ZONES),
    st.tuples(*[DAY_HOURS] * 7),
    st.dictionaries(
        st.dates(date(2026, 3, 1), date(2026, 4, 30)),
        st.builds(SpecialDay, st.just("a day"), DAY_HOURS, st.booleans()),
        max_size=5,
    ),
)


@settings(max_examples=150, deadline=None)
@given(SCHEDULES, st.lists(st.integers(0, 60 * 24 * 60), min_size=1, max_size=20))
@example(replace(RICH, timezone="Australia/Lord_Howe"), [36 * 24 * 60 + n for n in range(-60, 60)])
def test_random_schedules_mean_the_same_in_both(schedule: Schedule, minutes: list[int]) -> None:
    plan = plan_of({"random": schedule})
    text = Dialplan("[agent-end]\n" + "\n".join(calendar.hours(plan)))
    zone = schedule.timezone
    for minute in minutes:
        instant = datetime(2026, 3, 1, tzinfo=UTC) + minute * MINUTE
        state = decide(DOWN, plan.channels["support"], plan, instant).state
        assert state_by_text(text, "random", instant) == state, instant
        local = instant.astimezone(ZoneInfo(zone))
        whole_day = text.states_on("agent-hours-random", local.date(), zone)
        assert whole_day[local.hour * 60 + local.minute] == state, instant
        assert len(whole_day) == 1440


# --- Whole calls ---------------------------------------------------------------------------------

TEAMS = ("support", "billing", "backoffice")
UNANSWERED = st.builds(
    Unanswered, st.sampled_from(TEAMS), st.sampled_from(["nobody-free", "closed-now"])
)
CHANNELS = st.builds(
    ChannelPlan,
    id=st.just("support"),
    numbers=st.just(("15551230100",)),
    agent=st.booleans(),
    schedule=st.sampled_from([None, "rich"]),
    open_answer=st.sampled_from(["agent", "team"]),
    handoff=st.lists(st.sampled_from(TEAMS), unique=True).map(tuple),
    open_unanswered=UNANSWERED,
    closed_answer=st.sampled_from(["agent", "voicemail", "team"]),
    closed_unanswered=UNANSWERED,
    on_call=st.none() | st.just(OnCall("PJSIP/150", ("emergency", "urgent"))),
)
OVERRIDES = st.none() | st.builds(
    Override,
    st.sampled_from(OverrideState),
    st.none()
    | st.sampled_from([datetime(2026, 1, 2, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)]),
)
QUEUE_ENDS = st.sampled_from(
    ["TIMEOUT", "FULL", "JOINEMPTY", "LEAVEEMPTY", "UNKNOWN", "", "CONTINUE"]
)
MAILBOX_ENDS = st.sampled_from(["SUCCESS", "FAILED", "USEREXIT", ""])
Event = tuple[str, ...]


def plan_and_config(
    channel: ChannelPlan, phones: list[bool], boxes: list[bool]
) -> tuple[Plan, Config]:
    """A plan, and a configuration that agrees with it, as far as the dialplan asks."""
    plan = plan_of({"rich": replace(RICH, timezone="Europe/Oslo")})
    teams = {team: TeamPlan(team, *of) for team, *of in zip(TEAMS, phones, boxes, strict=True)}
    plan = replace(plan, channels={"support": channel}, teams=teams, close_grace_s=600)
    written = {}
    for team in TEAMS:
        example = EXAMPLE.teams[team]
        changes: dict[str, object] = {"id": team}
        if not teams[team].reachable:
            changes |= {"members": (), "extension": None}
        if not teams[team].mailbox:
            changes |= {"voicemail": None}
        written[team] = example.model_copy(update=changes)
    channels = {"support": EXAMPLE.channels["support"]}
    return plan, EXAMPLE.model_copy(update={"teams": written, "channels": channels})


def call_by_text(text: Dialplan, call: Channel, ends: dict[str, list[str]]) -> list[Event]:
    """What a caller goes through with service and script gone."""
    events: list[Event] = []

    def queue(channel: Channel, arguments: str) -> None:
        events.append(("team", channel.variables["AGENT_TEAM"]))
        channel.variables["QUEUESTATUS"] = ends["team"].pop(0)

    def voicemail(channel: Channel, arguments: str) -> None:
        events.append(("voicemail", channel.extension))
        channel.variables["VMSTATUS"] = ends["voicemail"].pop(0)

    def playback(channel: Channel, arguments: str) -> None:
        events.append(("play", arguments.rpartition("/")[2]))

    def nobody_answers(channel: Channel, arguments: str) -> None:
        assert re.match(r"Local/[sr]1\.1@agent-asking/n,app,", arguments)

    def hangup(channel: Channel, arguments: str) -> str:
        events.append(("goodbye",))
        return END

    call.run(
        {
            "Queue": queue,
            "VoiceMail": voicemail,
            "Playback": playback,
            "Originate": nobody_answers,
            "Hangup": hangup,
        }
    )
    return events


def call_by_routing(
    plan: Plan, facts: Facts, now: datetime, ends: dict[str, list[str]]
) -> list[Event]:
    """What ``decide`` makes of the same call, asked again and again as the rescue script would."""
    events: list[Event] = []
    for _ in range(10):
        decision = decide(facts, plan.channels["support"], plan, now)
        facts = replace(facts, state=decision.state)
        if decision.prompt:
            events.append(("play", decision.prompt))
        if decision.kind is Kind.GOODBYE:
            return [*events, ("goodbye",)]
        if decision.kind is Kind.TEAM:
            tried, stage = (*facts.tried, decision.target), Stage.TEAM
            facts = replace(facts, tried=tried, stage=stage, status=ends["team"].pop(0))
        else:
            assert decision.kind is Kind.VOICEMAIL
            events.append(("play", f"message-{decision.message}"))
            facts = replace(facts, stage=Stage.VOICEMAIL, status=ends["voicemail"].pop(0))
        events.append((str(decision.kind), decision.target))
    raise AssertionError(events)


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    CHANNELS,
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
    OVERRIDES,
    st.integers(0, 365 * 24 * 60),
    st.lists(QUEUE_ENDS, min_size=3, max_size=3),
    st.lists(MAILBOX_ENDS, min_size=2, max_size=2),
    st.sampled_from(["arrival", "agent", "agent-after-teams"]),
    st.sampled_from([None, State.OPEN, State.CLOSED, State.HOLIDAY]),
    st.integers(0, 1200),
)
def test_whole_calls_go_the_same_way(  # noqa: PLR0917
    tmp_path: Path,
    channel: ChannelPlan,
    phones: list[bool],
    boxes: list[bool],
    override: Override | None,
    minute: int,
    queue_ends: list[str],
    mailbox_ends: list[str],
    begins: str,
    state: State | None,
    talked_s: int,
) -> None:
    plan, config = plan_and_config(channel, phones, boxes)
    config = config.model_copy(update={"state": str(tmp_path)})
    config.overrides_directory.mkdir(exist_ok=True)
    (config.overrides_directory / "support").unlink(missing_ok=True)
    if override is not None:
        write(config.overrides_directory, "support", override)
    text = read(config, plan)
    now = datetime(2026, 1, 1, tzinfo=UTC) + minute * MINUTE
    arrived = now - timedelta(seconds=talked_s)
    facts = Facts(Stage.ARRIVAL, agent=AgentHealth.DOWN, override=override)
    call = text.channel(now)
    if begins == "arrival":
        call.context = "asterisk-agent"
        call.goto("15551230100,1")
    else:
        # The service died while the caller talked with the agent.
        tried = ("support",) if begins == "agent-after-teams" else ()
        facts = replace(facts, stage=Stage.AGENT, state=state, arrived=arrived, tried=tried)
        call.variables |= {
            "AGENT_CHANNEL": "support",
            "AGENT_STAGE": "agent",
            "AGENT_STATE": str(state or ""),
            "AGENT_ARRIVED": str(int(arrived.timestamp())),
            "AGENT_TRIED": ".".join(tried),
            "AGENT_TEAMS": str(len(tried)),
            "AGENT_STEPS": "0",
            "AGENT_ASKS": "0",
        }
        call.context = "agent-ask"
        call.goto("next,1")
    by_text = call_by_text(text, call, {"team": [*queue_ends], "voicemail": [*mailbox_ends]})
    by_routing = call_by_routing(
        plan, facts, now, {"team": [*queue_ends], "voicemail": [*mailbox_ends]}
    )
    if by_text[:2] == [("play", "apology"), ("play", "no-message-taken")]:
        by_text = by_text[1:]  # a decision has only one prompt
    assert by_text == by_routing, "\n".join(call.trace)
