"""The figures of a chaos run."""

from asterisk_agent.sandbox.chaos_judge import End, Verdict, judge
from asterisk_agent.sandbox.chaos_report import markdown, summary
from asterisk_agent.sandbox.chaos_round import RoundResult
from asterisk_agent.sandbox.chaos_stages import Stage

HEAD = {
    "seed": 3,
    "date": "2026-11-23",
    "machine": {"processor": "P", "cores": 2, "memory_mb": 1},
    "versions": {"asterisk": "22"},
}


def caller(stage, end, silence_s=1.0, place="101"):
    return judge(
        Verdict("+1", stage, stage, end, place, ("101", "600"), silence_s=silence_s, took_s=5)
    )


def result(*rounds):
    return HEAD | summary(rounds)


def test_everybody_is_counted_by_fault_and_by_stage():
    found = result(
        RoundResult(
            "a", "A", [caller(Stage.RINGING, End.PERSON), caller(Stage.AGENT, End.AGENT)], 1.0
        ),
        RoundResult("b", "B", [caller(Stage.RINGING, End.PERSON, 2.5)], 0.5),
        RoundResult("a", "A", [caller(Stage.RINGING, End.MAILBOX, place="600")], 3.0),
    )
    assert (found["faults"], found["kinds"], found["callers"], found["rescued"]) == (3, 2, 4, 4)
    assert found["longest_silence_s"] == 2.5
    assert found["good"]
    first, second = found["by_fault"]
    assert (first["fault"], first["rounds"], first["callers"], first["again_s"]) == ("a", 2, 3, 3.0)
    assert second["longest_silence_s"] == 2.5
    ringing, agent = found["by_stage"]
    assert (ringing["stage"], ringing["callers"], ringing["as_planned"]) == ("ringing", 3, 3)
    assert (agent["agent"], agent["person"]) == (1, 0)
    assert "Not rescued" not in markdown(found)


def test_who_was_not_rescued_is_named_with_their_recording():
    lost = caller(Stage.THINKING, End.DROPPED)
    lost.recording, lost.why = "out/call.wav", "somehow"
    found = result(RoundResult("a", "A", [lost, caller(Stage.AGENT, End.AGENT)], 1.0))
    assert (found["rescued"], found["good"]) == (1, False)
    assert "- a, thinking: dropped; somehow; `out/call.wav`" in markdown(found)


def test_who_was_told_that_nobody_can_take_a_message_has_a_column():
    found = result(RoundResult("a", "A", [caller(Stage.VOICEMAIL, End.TOLD, place="")], 1.0))
    assert (found["told"], found["rescued"], found["good"]) == (1, 1, True)
    head, _, row = [line for line in markdown(found).splitlines() if line.startswith("|")][:3]
    column = [cell.strip() for cell in head.split("|")].index("told")
    assert row.split("|")[column].strip() == "1"


def test_an_agent_that_does_not_come_back_is_a_failure():
    found = result(RoundResult("a", "A", [caller(Stage.AGENT, End.AGENT)], None))
    assert (found["good"], found["agent_lost"]) == (False, 1)
    assert "| never" in markdown(found)
