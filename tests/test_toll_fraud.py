"""Nothing that a caller says, keys or sends reaches a place that the configuration does not name.

The decision, the service's answer to the dialplan, a take-over from the console, and the dialplan
itself; ``test_rough_live.py`` holds a real Asterisk to the same.
"""

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from good_config import write_good
from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_agent import dialplan
from asterisk_agent.config.compiling import plan_for
from asterisk_agent.config.load import load, survey
from asterisk_agent.control import Control
from asterisk_agent.errors import AgentError, ProtocolError
from asterisk_agent.reception import Reception
from asterisk_agent.records import Story
from asterisk_agent.routing import AgentHealth, Facts, Outcome, Stage, State, decide
from asterisk_agent.sandbox.destinations import (
    answers_in,
    devices_in,
    executed_in,
    strange,
    written_in,
)
from asterisk_agent.site import site_of
from asterisk_agent.visits import Visit, Visits
from asterisk_agent.wire.agi import Request
from asterisk_agent.wire.control import TakeOver, request_of

CONFIG = load(Path(__file__).parent.parent / "etc").model_copy(update={"state": "/nonexistent"})
TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
PLAN = plan_for(CONFIG, TODAY)
ALLOWED = answers_in(CONFIG)

HOSTILE = st.sampled_from(
    (
        "PJSIP/+19005551212@trunk",
        "Local/900@from-internal",
        "support&PJSIP/900",
        "support,900",
        "${EXTEN}",
        "${SHELL(id)}",
        "../support",
        "support\nAction: Originate",
        "+19005551212",
        "on-call",
        "0",
        "*28",
        "s",
        "h",
        "i",
    )
)
WORDS = HOSTILE | st.sampled_from([*CONFIG.teams, *CONFIG.channels, ""]) | st.text(max_size=12)


@given(
    st.sampled_from(list(PLAN.channels)),
    st.builds(
        Facts,
        stage=st.sampled_from(Stage),
        state=st.none() | st.sampled_from(State),
        agent=st.sampled_from(AgentHealth),
        outcome=st.none() | st.sampled_from(Outcome),
        wanted_team=st.none() | WORDS,
        tried=st.lists(WORDS, max_size=3).map(tuple),
        status=WORDS,
        turns=st.integers(0, 5),
        waited=st.booleans(),
        hung_up=st.booleans(),
    ),
)
@settings(deadline=None)
def test_no_decision_leaves_the_configuration(channel, facts):
    decision = decide(facts, PLAN.channels[channel], PLAN, NOW)
    assert (decision.kind, decision.target) in ALLOWED


async def finished(_visit, _outcome):
    return None


SITE = site_of(CONFIG, {}, TODAY)


@given(
    st.sampled_from(("start", "next")),
    st.lists(WORDS, max_size=10).map(tuple),
    st.dictionaries(st.sampled_from(("agi_callerid", "agi_uniqueid", "agi_extension")), WORDS),
    st.none() | WORDS,
)
@settings(deadline=None)
def test_no_answer_to_the_dialplan_leaves_the_configuration(path, arguments, variables, team):
    visits = Visits()
    desk = Reception(
        visits,
        lambda: SITE,
        lambda _channel: AgentHealth.UP,
        finished,
        now=lambda: NOW,
        clock=lambda: 0.0,
    )
    channel = CONFIG.channels["support"]
    story = Story("support", "", "open", NOW, unique_id="1.1", id=UUID(int=7))
    story.team = team  # what the brain thinks that the caller asked for
    visits.add(Visit(story, SITE, channel))
    answer = desk.start if path == "start" else desk.next
    try:
        told = asyncio.run(
            answer(Request(path, ("support", str(UUID(int=7)), *arguments), variables))
        )
    except ProtocolError:
        return
    assert (told["AGENT_ACTION"], told["AGENT_TARGET"]) in ALLOWED


@given(st.sampled_from(("team", "on-call", "phone", "voicemail", "device")), WORDS, WORDS)
@settings(deadline=None)
def test_no_take_over_leaves_the_configuration(kind, target, by):
    asked = []

    async def action(name, **headers):
        asked.append((name, headers))
        return [{"uniqueid": "1.1", "channel": "PJSIP/x-1"}] if name == "CoreShowChannels" else []

    visits = Visits()
    story = Story("support", "", "open", NOW, unique_id="1.1", id=UUID(int=7))
    visits.add(Visit(story, SITE, CONFIG.channels["support"]))
    control = Control(
        visits,
        lambda: CONFIG,
        action,
        now=lambda: NOW,
        health=dict,
        figures=str,
    )
    fields = {"do": "take-over", "call": str(UUID(int=7)), "to": f"{kind}:{target}", "by": by}

    async def ask():
        return [answer async for answer in control.answers(request_of(fields))]

    try:
        asyncio.run(ask())
    except AgentError:
        assert [name for name, _ in asked if name != "CoreShowChannels"] == []
        return
    variables = {h["Variable"]: h["Value"] for name, h in asked if name == "Setvar"}
    (redirect,) = [headers for name, headers in asked if name == "Redirect"]
    assert redirect["Context"] == "agent-ask"
    assert redirect["Exten"] in ("do-team", "do-on-call", "do-phone")
    place = (redirect["Exten"].removeprefix("do-"), variables["AGENT_TARGET"])
    assert place in ALLOWED | {("phone", user) for user in CONFIG.web.phones}


def test_a_take_over_names_who_asked_for_it():
    assert TakeOver(UUID(int=7), "team", "support", "anna") == request_of(
        {"do": "take-over", "call": str(UUID(int=7)), "to": "team:support", "by": "anna"}
    )


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return write_good(tmp_path_factory.mktemp("good"))


DIALLED = st.sampled_from(
    ("PJSIP/150", "PJSIP/150&PJSIP/900", "PJSIP/150,30,T", "PJSIP/${EXTEN}", "Local/900@out/n")
) | st.text("PJSI/150&,;${}@nLocal*#+ \t\"'\\", max_size=20)


@given(DIALLED, DIALLED, DIALLED)
@settings(deadline=None, max_examples=40)
def test_the_dialplan_names_only_what_the_configuration_names(good, on_call, member, context):
    text = (good / "channels.yaml").read_text(encoding="utf-8")
    quoted = [value.replace("'", "''") for value in (on_call, member, context)]
    found = survey(
        good,
        {
            "channels.yaml": text.replace("PJSIP/150", f"'{quoted[0]}'").encode(),
            "teams.yaml": (good / "teams.yaml")
            .read_text(encoding="utf-8")
            .replace("PJSIP/104", f"'{quoted[1]}'")
            .replace("ext-queues", f"'{quoted[2]}'")
            .encode(),
        },
    )
    if found.config is None:
        return
    made = dialplan.files(found.config, Path("/etc/asterisk/agent"), plan_for(found.config, TODAY))
    text = dialplan.included(made)
    assert strange(written_in(text), found.config) == []
    assert "PJSIP/900" not in text or "900" in on_call + member + context


def test_a_queue_that_a_variable_names_is_known_by_what_it_is_set_to():
    queue = " same => n,TryExec(Queue(agent-${AGENT_TEAM},c,,,60))\n"
    good = "exten => 600,1,Set(AGENT_TEAM=support)\n"
    assert list(written_in(good + queue)) == [("Queue", "agent-support")]
    for value in ("nobody", "${EXTEN}"):
        text = f"{good}exten => 1,1,Set(__AGENT_TEAM={value})\n{queue}"
        assert strange(written_in(text), CONFIG) == [("Queue", f"agent-{value}")]


def test_what_asterisk_executes_is_read_from_its_log():
    log = (
        '-- Executing [s@agent-team-support:3] Queue("PJSIP/a-1", "agent-support,crb,,,60") in\n'
        '-- Executing [900@out:1] Dial("PJSIP/a-1", "PJSIP/900@trunk,30") in new stack\n'
        '-- Executing [s@x:1] System("PJSIP/a-1", "rm -rf") in new stack\n'
        '-- Executing [s@agent-ask:1] Originate("PJSIP/a-1", "Local/s1@agent-asking/n,app") in\n'
    )
    assert "agent-support" in devices_in(CONFIG)
    assert strange(executed_in(log), CONFIG) == [
        ("Dial", "PJSIP/900@trunk"),
        ("System", "rm -rf"),
    ]
