"""Where a caller is, from the events of Asterisk's manager."""

import pytest

from asterisk_agent.sandbox.chaos_tracker import Tracker

CALLER, OTHER = "PJSIP/anonymous-00000001", "PJSIP/anonymous-00000002"
NUMBER = "+15556000001"


@pytest.fixture
def tracker():
    tracker = Tracker(None)
    tracker.trail(NUMBER)
    return tracker


def event(name, channel=CALLER, **fields):
    return {"event": name, "channel": channel, "calleridnum": NUMBER, **fields}


def step(application, data="", channel=CALLER):
    return event("Newexten", channel, application=application, appdata=data)


def test_a_call_is_known_by_its_number_and_then_by_its_line(tracker):
    tracker.take(event("Newchannel"))
    assert tracker.trail(NUMBER).channel == CALLER
    tracker.take(event("Newchannel", OTHER, calleridnum="+1999"))
    tracker.take(step("Queue", channel=OTHER))
    assert tracker.trail(NUMBER).step == ""


@pytest.mark.parametrize(
    ("application", "data", "expected"),
    [
        ("Answer", "", "asking"),
        ("TryExec", "AudioSocket(0b8f1c2e,127.0.0.1:9092)", "AudioSocket"),
        ("TryExec", "Queue(agent-support,crb(agent-brief^s^1),,,60)", "Queue"),
        ("TryExec", "VoiceMail(600@agent,s)", "VoiceMail"),
        ("TryExec", "Originate(Local/s1@agent-asking/n,app,NoOp,,,3,a)", "asking"),
        ("Playback", "/sounds/apology", "Playback"),
        ("ExecIf", "1?Playback(/sounds/message-closed)", "Playback"),
    ],
)
def test_steps(tracker, application, data, expected):
    tracker.take(step(application, data))
    assert tracker.trail(NUMBER).step == expected


def test_the_recorded_sentence_that_was_played_last_is_known(tracker):
    tracker.take(step("Playback", "/sounds/no-message-taken"))
    assert tracker.trail(NUMBER).prompt == "no-message-taken"
    began = tracker.trail(NUMBER).prompt_since
    tracker.take(event("Hangup"))
    assert (tracker.trail(NUMBER).prompt, tracker.trail(NUMBER).prompt_since) == (
        "no-message-taken",
        began,
    )
    tracker.take(step("ExecIf", "1?Playback(/sounds/message-closed)"))
    assert tracker.trail(NUMBER).prompt == "message-closed"


def test_what_is_not_executed_is_no_step(tracker):
    tracker.take(step("TryExec", "VoiceMail(600@agent,s)"))
    tracker.take(step("ExecIf", "0?Playback(/sounds/x)"))
    assert tracker.trail(NUMBER).step == "VoiceMail"
    assert tracker.trail(NUMBER).mailbox == "600"


@pytest.mark.parametrize("first", ["caller", "member"])
def test_who_shares_a_bridge_with_a_member_talks_to_them(tracker, first):
    tracker.take(step("TryExec", "Queue(agent-support,c)"))
    enters = [
        event("BridgeEnter", bridgeuniqueid="b1"),
        event("BridgeEnter", "PJSIP/101-00000007", bridgeuniqueid="b1"),
    ]
    for one in enters if first == "caller" else reversed(enters):
        assert tracker.trail(NUMBER).person == ""
        tracker.take(one)
    assert tracker.trail(NUMBER).person == "101"
    tracker.take(event("BridgeLeave", bridgeuniqueid="b1"))
    assert tracker.trail(NUMBER).person == ""


def test_a_member_in_another_bridge_is_somebody_elses(tracker):
    tracker.take(event("BridgeEnter", bridgeuniqueid="b1"))
    tracker.take(event("BridgeEnter", "PJSIP/101-00000007", bridgeuniqueid="b2"))
    assert tracker.trail(NUMBER).person == ""


def test_the_end(tracker):
    tracker.take(step("Answer"))
    tracker.take(event("Hangup"))
    assert tracker.trail(NUMBER).gone
    assert [way for _, way in tracker.trail(NUMBER).ways] == ["asking", "gone"]


def test_lines_of_questions_are_nobodys(tracker):
    tracker.take(step("AGI", channel="Local/s1@agent-asking-00000003;2"))
    assert tracker.trail(NUMBER).channel == ""
