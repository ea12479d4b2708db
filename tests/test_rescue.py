"""The rescue script: what it answers, that it is quick, and that nothing makes it answer half.

It is run as Asterisk runs it: a process with the question as arguments, and Asterisk's side of the
dialogue on its standard input.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_agent import overrides, rescue
from asterisk_agent.overrides import Override, OverrideState
from asterisk_agent.plan import (
    ChannelPlan,
    OnCall,
    Plan,
    Schedule,
    SpecialDay,
    TeamPlan,
    Unanswered,
    to_json,
)
from asterisk_agent.routing import AgentHealth, Decision, Facts, Kind, Outcome, Stage, State, decide

WEEK = ((((8 * 60), (18 * 60)),),) * 5 + ((), ())
MAIN = ChannelPlan(
    id="main",
    numbers=("+15550001",),
    agent=True,
    schedule="office",
    open_answer="agent",
    handoff=("front", "back"),
    open_unanswered=Unanswered("front", "nobody-free"),
    closed_answer="agent",
    closed_unanswered=Unanswered("back", "closed-now"),
    on_call=OnCall("PJSIP/150", ("emergency",)),
)
PLAN = Plan(
    channels={"main": MAIN},
    teams={"front": TeamPlan("front", True, True), "back": TeamPlan("back", True, True)},
    schedules={
        "office": Schedule("Europe/Oslo", WEEK, {date(2026, 12, 25): SpecialDay("First day")})
    },
    close_grace_s=600,
    first_date=date(2025, 1, 1),
    last_date=date(2028, 12, 31),
)
UUID = "0b8f1c2e-1111-4222-8333-444455556666"
NOON = datetime(2026, 12, 1, 11, tzinfo=UTC)
"""A Tuesday, 12:00 in Oslo."""
NIGHT = NOON + timedelta(hours=12)
HOLIDAY = datetime(2026, 12, 25, 11, tzinfo=UTC)
NAMES = [
    "AGENT_ACTION", "AGENT_TARGET", "AGENT_MESSAGE", "AGENT_PROMPT", "AGENT_STATE", "AGENT_UUID",
    "AGENT_BRIEF", "AGENT_BYPASSED", "AGENT_FIRST", "AGENT_READY",
]  # fmt: skip
SCRIPT = [sys.executable, "-m", "asterisk_agent.rescue"]
GREETING = "agi_request: rescue\nagi_channel: PJSIP/trunk-1\nagi_calleridname: Ann\n\n"
OK = "200 result=1\n"
WHOLE = GREETING + OK * len(NAMES)


@pytest.fixture
def ask(tmp_path):
    """The variables that the script would set for a question."""
    file = tmp_path / "plan.json"
    file.write_text(to_json(PLAN), encoding="utf-8")

    def answer(*question, now=NOON):
        return rescue.answer_to([str(file), str(tmp_path / "overrides"), *question], now)

    answer.file = file
    answer.overrides = tmp_path / "overrides"
    return answer


@pytest.fixture
def run(ask):
    """Run the script with these arguments; Asterisk says ``text`` and then nothing more."""

    def start(*question, text=WHOLE):
        arguments = [*SCRIPT, str(ask.file), str(ask.overrides), *question]
        heard = text if isinstance(text, bytes) else text.encode()
        return subprocess.run(arguments, input=heard, capture_output=True, timeout=30, check=False)

    return start


def said(done):
    """The variables that a run has set."""
    pairs = {}
    for line in done.stdout.decode().splitlines():
        command, variable, name, value = line.split(" ", 3)
        assert (command, variable) == ("SET", "VARIABLE")
        pairs[name.strip('"')] = value.strip('"')
    return pairs


# --- What it answers --------------------------------------------------------------------------


def test_a_call_that_arrives_in_hours_goes_to_the_team(ask):
    answer = ask("start", "main", "")
    assert list(answer) == NAMES
    assert answer["AGENT_ACTION"], answer["AGENT_TARGET"] == ("team", "front")
    assert answer["AGENT_STATE"] == "open"
    assert answer["AGENT_BYPASSED"] == "1"
    assert answer["AGENT_PROMPT"]
    assert answer["AGENT_READY"] == "1"


@pytest.mark.parametrize(("now", "state"), [(NIGHT, "closed"), (HOLIDAY, "holiday")])
def test_a_call_that_arrives_out_of_hours_goes_to_the_mailbox(ask, now, state):
    answer = ask("start", "main", "", now=now)
    assert answer["AGENT_ACTION"] == "voicemail"
    assert answer["AGENT_TARGET"] == "back"
    assert answer["AGENT_MESSAGE"] == "closed-now"
    assert answer["AGENT_STATE"] == state


def test_a_conversation_that_was_lost_goes_to_people_with_an_apology(ask):
    answer = ask("next", "main", UUID, "agent", "open", "SUCCESS", "", _epoch(NOON), "1")
    assert (answer["AGENT_ACTION"], answer["AGENT_TARGET"]) == ("team", "front")
    assert answer["AGENT_PROMPT"] == "apology"
    assert answer["AGENT_UUID"] == UUID


def test_teams_are_rung_in_order_and_then_the_mailbox_records(ask):
    def after(tried):
        return ask("next", "main", UUID, "team", "open", "TIMEOUT", tried, _epoch(NOON), "0")

    assert after("front")["AGENT_TARGET"] == "back"
    assert after("front.back")["AGENT_ACTION"] == "voicemail"
    assert after("front.back")["AGENT_MESSAGE"] == "nobody-free"


def test_a_call_that_people_took_is_over(ask):
    answer = ask("next", "main", UUID, "team", "open", "CONTINUE", "front", _epoch(NOON), "0")
    assert answer["AGENT_ACTION"] == "goodbye"
    answer = ask("next", "main", "", "voicemail", "open", "SUCCESS", "", "", "")
    assert answer["AGENT_ACTION"] == "goodbye"


def test_an_override_counts(ask):
    overrides.write(ask.overrides, "main", Override(OverrideState.CLOSED))
    assert ask("start", "main", "")["AGENT_ACTION"] == "voicemail"
    overrides.write(ask.overrides, "main", Override(OverrideState.OPEN, NOON))
    assert ask("start", "main", "", now=NIGHT)["AGENT_ACTION"] == "voicemail"
    overrides.write(ask.overrides, "main", Override(OverrideState.OPEN, NIGHT + timedelta(hours=1)))
    assert ask("start", "main", "", now=NIGHT)["AGENT_ACTION"] == "team"


def test_missing_arguments_count_as_empty_and_more_are_let_be(ask):
    assert ask("start", "main") == ask("start", "main", "", "1700000000.7")
    short = ask("next", "main", UUID, "team", "open", "TIMEOUT", "front")
    assert short == ask(
        "next", "main", UUID, "team", "open", "TIMEOUT", "front", "", "", "1700000000.7"
    )


def test_an_id_that_is_none_is_not_given_back(ask):
    answer = ask("next", "main", 'x" "y', "team", "open", "TIMEOUT", "front", "", "")
    assert answer["AGENT_UUID"] == ""


def test_answers_as_routing_decides_with_the_agent_down(ask):
    """Every stage, state, status and list of teams, at three moments."""
    count = 0
    for now in (NOON, NIGHT, HOLIDAY):
        for stage in Stage:
            if stage is Stage.ARRIVAL:
                continue
            for state in State:
                for status in ("", "CONTINUE", "TIMEOUT", "SUCCESS", "FAILED", "ANSWER"):
                    for tried in ((), ("front",), ("front", "back")):
                        facts = Facts(
                            stage,
                            state=state,
                            arrived=NOON,
                            agent=AgentHealth.DOWN,
                            outcome=Outcome.LOST if stage is Stage.AGENT else None,
                            tried=tried,
                            status=status,
                            turns=1,
                        )
                        expected = decide(facts, MAIN, PLAN, now)
                        answer = ask(
                            "next", "main", UUID, stage, state, status, ".".join(tried),
                            _epoch(NOON), "1", now=now,
                        )  # fmt: skip
                        assert answer["AGENT_ACTION"] == expected.kind
                        assert answer["AGENT_TARGET"] == expected.target
                        assert answer["AGENT_MESSAGE"] == expected.message
                        assert answer["AGENT_PROMPT"] == expected.prompt
                        assert answer["AGENT_STATE"] == expected.state
                        count += 1
    assert count == 3 * 4 * 3 * 6 * 3


# --- What it refuses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        (),
        ("start",),
        ("start", ""),
        ("start", "other", ""),
        ("start", "../main", ""),
        ("stop", "main", ""),
        ("", "main", ""),
        ("next", "main"),
        ("next", "main", UUID, "", "open", "", "", "", ""),
        ("next", "main", UUID, "lunch", "open", "", "", "", ""),
        ("next", "main", UUID, "team", "ajar", "", "", "", ""),
        ("next", "main", UUID, "team", "open", "", "", "yesterday", ""),
        ("next", "main", UUID, "team", "open", "", "", "-1", ""),
        ("next", "main", UUID, "team", "open", "", "", "9" * 400, ""),
        ("next", "main", UUID, "team", "open", "", "", "", "one"),
        ("next", "main", UUID, "team", "open", "", "", "", "\u0661"),
    ],
)
def test_a_question_without_sense_gets_no_answer(ask, question):
    with pytest.raises(ValueError, match=r"."):
        ask(*question)


ARGUMENT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["start", "next", "main", UUID, "1", "0", *Stage, *State, "TIMEOUT", "front"]),
)


@settings(deadline=None)
@given(st.lists(ARGUMENT, max_size=12), st.integers(0, 4_000_000_000))
def test_any_arguments_get_a_whole_answer_or_none(tmp_path_factory, arguments, seconds):
    file = tmp_path_factory.getbasetemp() / "any-plan.json"
    if not file.exists():
        file.write_text(to_json(PLAN), encoding="utf-8")
    now = datetime.fromtimestamp(seconds, UTC)
    with suppress(ValueError):
        answer = rescue.answer_to([str(file), "/nowhere", *arguments], now)
        assert list(answer) == NAMES
        assert answer["AGENT_READY"] == "1"


ALWAYS_OPEN = replace(PLAN, channels={"main": replace(MAIN, schedule=None)})
BROKEN_PLANS = {
    "empty": b"",
    "half": to_json(PLAN).encode()[:300],
    "binary": bytes(range(256)),
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "another format": to_json(PLAN).replace('"format": 1', '"format": 99').encode(),
    "no schedules": to_json(replace(PLAN, schedules={})).encode(),
    "no such zone": to_json(PLAN).replace("Europe/Oslo", "Europe/Nowhere").encode(),
    "hostile ids": to_json(ALWAYS_OPEN).replace("front", 'x\\" \\n').encode(),
    "endless": b" " * (rescue.MAX_PLAN_BYTES + 1),
}


@pytest.mark.parametrize("name", BROKEN_PLANS)
def test_a_broken_plan_sets_nothing_and_says_why_in_a_line(ask, run, name):
    ask.file.write_bytes(BROKEN_PLANS[name])
    done = run("start", "main", "")
    assert done.returncode == 1
    assert done.stdout == b""
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("asterisk-agent-rescue: ")
    assert len(line) < 600


def test_a_missing_plan_or_a_folder_in_its_place_sets_nothing(ask, run):
    ask.file.unlink()
    assert (run("start", "main").returncode, run("start", "main").stdout) == (1, b"")
    ask.file.mkdir()
    assert (run("start", "main").returncode, run("start", "main").stdout) == (1, b"")


LEAF = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.just([]),
    st.just({}), st.just([[1, 2]]),
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_plan_that_was_changed_anywhere_gives_a_whole_answer_or_none(tmp_path_factory, data):
    plan = json.loads(to_json(PLAN))
    place = plan
    while True:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(keys))
        if not (isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans())):
            break
        place = place[key]
    place[key] = data.draw(LEAF)
    file = tmp_path_factory.getbasetemp() / "changed-plan.json"
    file.write_text(json.dumps(plan), encoding="utf-8")
    for question in (("start", "main"), ("next", "main", UUID, "team", "open", "FULL", "front")):
        for now in (NOON, HOLIDAY):
            with suppress(*rescue.SENSELESS):
                answer = rescue.answer_to([str(file), "/nowhere", *question], now)
                assert list(answer) == NAMES
                assert all(value.isascii() and '"' not in value for value in answer.values())


@pytest.mark.parametrize("kind", [Kind.AGENT, Kind.WAIT])
def test_never_sends_a_call_to_an_agent_that_is_not_there(kind):
    with pytest.raises(ValueError, match="needs the service"):
        rescue.variables(Decision(kind, "", "", State.OPEN, ""), "")


@pytest.mark.parametrize("field", ["target", "message", "prompt"])
@pytest.mark.parametrize("value", ['a"b', "a\\b", "a\nb", "a\rb", "a\0b", "a b", "${EXTEN}", "a/b"])
def test_no_value_can_leave_its_quotes(field, value):
    decision = Decision(Kind.TEAM, "front", "", State.OPEN, "")
    with pytest.raises(ValueError, match="would be"):
        rescue.variables(replace(decision, **{field: value}), "")


# --- The dialogue with Asterisk ---------------------------------------------------------------


def test_sets_the_variables_one_by_one_and_ready_last(run):
    done = run("next", "main", UUID, "team", "open", "TIMEOUT", "front", _epoch(NOON), "0")
    assert done.returncode == 0
    assert done.stderr == b""
    assert list(said(done)) == NAMES
    assert said(done)["AGENT_TARGET"] == "back"
    assert done.stdout.decode().splitlines()[-1] == 'SET VARIABLE "AGENT_READY" "1"'


def test_a_name_in_any_encoding_is_no_hindrance(run):
    done = run("start", "main", text=WHOLE.encode().replace(b"Ann", b"\xc5\xff"))
    assert said(done)["AGENT_READY"] == "1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "agi_request: rescue\n",
        GREETING,
        GREETING + OK + "200 result=-1\n",
        GREETING + OK + "511 Command Not Permitted on a dead channel or intercept routine\n",
        GREETING + OK + "510 Invalid or unknown command\n",
        GREETING + OK + "HANGUP\n",
        GREETING + OK + "\0\xff garbage\n",
        GREETING + OK * 5 + "200 result=1 (hangup)\n",
        "agi_calleridname: x\n\nagi_arg_1: y\n\n" + OK * len(NAMES),
    ],
)
def test_a_caller_who_is_gone_gets_no_more_than_began(run, text):
    done = run("start", "main", text=text)
    assert done.returncode == 1
    assert "AGENT_READY" not in said(done)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("last_words", ["", "520-Invalid command syntax.\n"])
def test_gives_up_when_asterisk_says_no_more(ask, last_words):
    """Also in the middle of a usage text, whose end pyst2 awaits for ever."""
    code = "from asterisk_agent import rescue; rescue.LIMIT_S = 1; raise SystemExit(rescue.main())"
    arguments = [sys.executable, "-c", code, str(ask.file), str(ask.overrides), "start", "main"]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write((GREETING + OK + last_words).encode())
        process.stdin.flush()
        began = time.monotonic()
        assert process.wait(20) == 1
        assert time.monotonic() - began < 10
        assert process.stderr.read().count(b"\n") == 1
        assert b"AGENT_READY" not in process.stdout.read()


def test_ends_when_asterisk_does_not_listen_any_more(ask):
    arguments = [*SCRIPT, str(ask.file), str(ask.overrides), "start", "main"]
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            arguments, input=GREETING.encode(), stdout=writing, stderr=subprocess.PIPE,
            timeout=30, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1


def test_a_hang_up_in_the_middle_ends_it(ask):
    arguments = [*SCRIPT, str(ask.file), str(ask.overrides), "start", "main"]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdin.write(GREETING.encode())
        process.stdin.flush()
        assert process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        time.sleep(0.1)
        process.stdin.write(OK.encode())
        process.stdin.close()
        assert process.wait(20) == 1
        assert process.stdout.read() == b""


# --- How long a caller waits for it -----------------------------------------------------------


def test_imports_nothing_heavy():
    code = "import sys, asterisk_agent.rescue; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = {name.partition(".")[0] for name in done.stdout.split()}
    assert "asterisk_agent" in modules
    assert not modules & {
        "pydantic", "yaml", "ruamel", "numpy", "typer", "click", "rich", "sqlalchemy", "holidays",
        "asyncio", "logging", "ssl", "http", "psutil", "multiprocessing", "subprocess",
    }  # fmt: skip


def test_a_caller_waits_less_than_300_ms(run):
    durations_ms = []
    for _ in range(11):
        began = time.monotonic()
        assert said(run("start", "main", ""))["AGENT_READY"] == "1"
        durations_ms.append((time.monotonic() - began) * 1000)
    print(f"from start to answer: {statistics.median(durations_ms):.0f} ms")
    assert statistics.median(durations_ms) < 300


def _epoch(moment):
    return str(int(moment.timestamp()))
