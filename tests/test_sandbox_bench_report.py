"""From what was seen and logged to figures: matching, counting, the shape of the JSON."""

import json
import time
from datetime import UTC, datetime

import pytest

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.bench import levels_of, losses_of
from asterisk_agent.sandbox.bench_call import (
    CallSeen,
    Greeting,
    Turn,
    fell_silent,
    heard_s,
    longest_gap_s,
)
from asterisk_agent.sandbox.bench_caller import Said
from asterisk_agent.sandbox.bench_clips import Clip
from asterisk_agent.sandbox.bench_deck import LISTEN, Deck, Opening
from asterisk_agent.sandbox.bench_log import ServiceLog, measure
from asterisk_agent.sandbox.bench_meter import Size, Usage
from asterisk_agent.sandbox.bench_report import Goal, capacity, disturbances, goals, run_json
from asterisk_agent.sandbox.bench_run import RunResult
from asterisk_agent.sandbox.bench_screen import markdown
from asterisk_agent.sandbox.bench_script import Kind, Line
from asterisk_agent.sandbox.bench_soak import channels, memory_slope, soak_seconds
from asterisk_agent.sandbox.listening import Recording

LOUD = b"\x00\x20" * 160
DELAYS = {"end_of_turn": 400.0, "recognise": 200.0, "retrieve": 20.0, "model": 0.0}
DELAYS |= {"voice": 5.0, "playout": 10.0, "total": 500.0}


def clip(name="visit", kind=Kind.QUESTION, text="What is the price?", hears=(("89",),)):
    line = Line.model_validate(
        {"id": name, "kind": kind, "voice": "x", "says": text, "hears": hears}
    )
    return Clip(line, bytes(16_000))


def story(began, *turns):
    """A story that began at this monotonic moment: (who, text, seconds from there, delays)."""
    wall = datetime.fromtimestamp(began - time.monotonic() + time.time(), UTC)
    return {
        "started": wall.isoformat(),
        "answered": wall.isoformat(),
        "turns": [
            {"who": w, "text": t, "at_s": at, "heard_s": 1.0, "action": "answer", "delay_ms": d}
            for w, t, at, d in turns
        ],
    }


def test_a_turn_is_laid_beside_what_the_agent_wrote_down():
    turn = Turn(clip(), False, Said(110.0, 112.0), answered=112.6)
    call = CallSeen("+1", 100.0, answered=101.0, ended=120.0, turns=[turn])
    written = story(
        101.0,
        ("agent", "Hello.", 0.0, None),
        ("caller", "what is a price", 9.1, None),
        ("agent", "It costs $89.", 11.5, DELAYS),
    )
    (found,) = measure(call, written)
    assert found.delay_s == pytest.approx(0.6)
    assert found.understood == "what is a price"
    assert found.is_right
    assert found.parts_ms["end_of_turn"] == 400.0
    assert not found.missed
    assert not found.cut_off


def test_asking_whether_somebody_is_there_is_no_answer():
    turn = Turn(clip(), False, Said(110.0, 112.0), answered=119.0)
    call = CallSeen("+1", 100.0, answered=101.0, ended=130.0, turns=[turn])
    (found,) = measure(call, story(101.0, ("agent", "Are you still there?", 18.0, None)))
    assert found.missed
    assert not found.is_right


def test_an_answer_in_the_middle_of_the_question_is_a_false_end():
    turn = Turn(clip(), False, Said(110.0, 114.0), early=112.5, answered=114.0)
    call = CallSeen("+1", 100.0, answered=101.0, ended=130.0, turns=[turn])
    (found,) = measure(call, story(101.0, ("agent", "It costs $89.", 11.5, DELAYS)))
    assert found.cut_off
    assert found.delay_s is None
    assert not found.missed


@pytest.mark.parametrize(("text", "stop_s"), [("A long answer, " * 5, 0.25), ("Yes.", None)])
def test_an_answer_that_was_ending_anyway_was_not_interrupted(text, stop_s):
    turn = Turn(clip(), True, Said(110.0, 112.0), stopped=110.25, answered=112.5)
    call = CallSeen("+1", 100.0, answered=101.0, ended=130.0, turns=[turn])
    (found,) = measure(call, story(101.0, ("agent", text, 8.0, None)))
    assert found.stop_s == (pytest.approx(stop_s) if stop_s else None)


def test_a_caller_who_speaks_into_the_farewell_was_overtaken():
    turn = Turn(clip(), True, Said(110.0, 112.0), stopped=110.3)
    call = CallSeen("+1", 100.0, answered=101.0, ended=130.0, turns=[turn])
    written = story(101.0, ("agent", "I'll put you through.", 8.0, DELAYS))
    assert len(measure(call, written)) == 1
    written["turns"][0]["action"] = "handoff"
    assert measure(call, written) == []


def test_an_answer_to_something_earlier_is_no_false_end():
    turn = Turn(clip(), False, Said(110.0, 114.0), early=110.3)
    call = CallSeen("+1", 100.0, answered=101.0, ended=130.0, turns=[turn])
    assert measure(call, story(101.0)) == []


def test_the_longest_wait_for_a_packet():
    recording = Recording(8000)
    for at in (0.0, 0.02, 0.04, 0.10, 0.12, 4.0):
        recording.add(at, b"", b"")
    assert longest_gap_s(recording, 0.0, 1.0) == pytest.approx(0.06)
    assert longest_gap_s(recording, 2.0, 3.0) == 0.0


def test_without_a_story_the_phone_is_believed():
    turn = Turn(clip(), False, Said(110.0, 112.0), answered=112.6)
    call = CallSeen("+1", 100.0, answered=101.0, ended=120.0, turns=[turn])
    (found,) = measure(call, None)
    assert found.delay_s == pytest.approx(0.6)


def test_a_call_without_a_question_has_nothing_to_measure():
    assert measure(CallSeen("+1", 100.0, answered=101.0, ended=120.0), None) == []


def test_when_a_voice_falls_silent():
    recording = Recording(8000)
    for index in range(100):
        is_voice = index < 40 or 50 <= index < 60 or index >= 90
        recording.add(index * 0.02, LOUD if is_voice else b"", b"")
    # 0.2 s of silence is a breath, 0.6 s the end.
    assert fell_silent(recording, 0.5) == pytest.approx(1.2)
    assert fell_silent(recording, 1.5) is None
    assert heard_s(recording, 0.0, 1.5) == pytest.approx(1.0)


def greeting(opening, sound_s):
    return CallSeen("+1", 0.0, greeting=Greeting(opening, 1.0, sound_s))


def result(**changes):
    turns = [Turn(clip(), False, Said(110.0, 112.0), answered=112.0 + d / 10) for d in range(1, 11)]
    call = CallSeen("+1", 100.0, answered=101.0, ended=161.0, turns=turns)
    values = {
        "calls": 1,
        "phones": "light",
        "seconds": 61.0,
        "seen": [call],
        "turns": [m for turn in turns for m in measure(_one(turn), None)],
        "usage": Usage(6.0, 1.5, 0.5, 12.0),
        "idle_size": Size(500, 450, 20, 30),
        "sizes": [Size(600, 560, 22, 31), Size(590, 540, 22, 31)],
        "gaps_ms": [3.0, 12.0],
        "loop_lag_ms": {"p99_under": 2.0, "max_under": 5.0, "n": 120},
    }
    return RunResult(**(values | changes))


def _one(turn):
    return CallSeen("+1", 100.0, answered=101.0, ended=161.0, turns=[turn])


def test_the_figures_have_the_keys_that_others_rely_on():
    figures = run_json(result(), cores=2)
    assert figures["calls"] == 1
    assert figures["turns"] == 10
    assert figures["reply_delay_s"] == {"p50": 0.5, "p95": 1.0, "max": 1.0, "n": 10}
    assert figures["answer_delay_s"]["n"] == 0, "the log tells which were answers"
    assert {"parts_s", "barge_in_s", "false_ends", "missed_ends", "word_error_rate"} <= set(figures)
    assert figures["cpu_s_per_call_minute"] == 6.0
    assert figures["rss_mb"] == 600
    assert figures["pss_mb"] == 560
    assert figures["longest_gap_ms"] == 12.0
    assert figures["load_generator"]["share_of_machine"] == pytest.approx(0.004)
    assert figures["others_share_of_machine"] == pytest.approx(4 / 122, abs=1e-3)
    json.dumps(figures)


def test_a_greeting_that_was_cut_short_was_stopped():
    cough = Opening(clip("cough", Kind.DISTURBANCE))
    seen = [greeting(LISTEN, 6.0), greeting(LISTEN, 6.1), greeting(cough, 5.9), greeting(cough, 2)]
    assert disturbances(result(seen=seen)) == {"cough": {"times": 2, "stopped": 1}}
    question = Opening(clip("friday"))
    assert disturbances(result(seen=[greeting(LISTEN, 6.0), greeting(question, 1.0)])) == {}


def run_of(calls, p95, **changes):
    figures = run_json(result(), cores=2) | {"calls": calls} | changes
    delay_s = {"p50": p95, "p95": p95, "max": p95, "n": 40}
    return figures | {"answer_delay_s": delay_s, "reply_delay_s": delay_s}


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], None),
        ([run_of(1, 2.0)], 0),
        ([run_of(1, 0.5), run_of(4, 1.4), run_of(8, 1.6)], 4),
        ([run_of(8, 0.9), run_of(1, 0.5), run_of(4, 1.7)], 1),
        ([run_of(1, 0.5), run_of(16, 0.9, refused=2)], 1),
    ],
)
def test_capacity_is_the_last_level_at_which_nobody_waited(runs, expected):
    assert capacity(runs) == expected


def test_goals_say_met_missed_or_unmeasured():
    found = {goal.name: goal for goal in goals([run_of(1, 0.7)], 3.0, worded=False)}
    assert found["answer delay, one call, from the knowledge base: p50"].met is False
    assert found["answer delay, one call, from the knowledge base: p95"].met is True
    assert found["memory with 16 calls"].met is None
    assert found["start to first possible call"].met is True
    assert Goal("calls", 16, 20, "", at_least=True).met
    assert Goal("calls", 16, 20, "", at_least=True).as_json()["limit"] == "≥ 16"


def test_the_table_can_be_read():
    text = markdown(
        {
            "machine": {"processor": "P", "cores": 2, "memory_mb": 1},
            "versions": {"asterisk": "Asterisk 22"},
            "models": {"stt": "whisper"},
            "settings": {"engines": {"llm": {"answers": "auto"}}},
            "runs": [run_of(1, 0.5), run_of(4, 0.9)],
            "goals": [goal.as_json() for goal in goals([run_of(1, 0.5)], None, worded=True)],
        }
    )
    rows = [line for line in text.splitlines() if line.startswith("| answer delay, s: p95")]
    assert [cell.strip() for cell in rows[0].split("|")[2:4]] == ["0.5", "0.9"]


def test_the_deck_deals_the_same_mix_to_everybody():
    clips = [clip(f"{kind}{n}", kind) for kind in Kind for n in range(9)]
    deck = Deck(clips, turns=14)
    kinds = []
    while not deck.finished:
        dealt = deck.clip()
        deck.said(dealt)
        kinds.append(dealt.line.kind)
    assert kinds.count(Kind.QUESTION) == 14
    assert kinds.count(Kind.PAUSE) == 4
    assert kinds.count(Kind.LONG) == 2
    openings = [deck.opening().clip for _ in range(5)]
    assert openings[0] is None
    assert {one.line.kind for one in openings[1:]} == {Kind.QUESTION, Kind.DISTURBANCE}


def test_only_new_lines_of_the_log_count(tmp_path):
    path = tmp_path / "service.log"
    path.write_text("x longest_gap_ms=900\n")
    log = ServiceLog(path)
    with path.open("a") as file:
        file.write("2026 INFO call: conversation over call=a longest_gap_ms=12\n")
        file.write("2026 WARNING ami: connection lost\n")
    assert log.values("longest_gap_ms") == [12.0]
    assert log.troubles() == ["2026 WARNING ami: connection lost"]


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("90s", 90), ("2h", 7200)])
def test_how_long_to_soak(text, seconds):
    assert soak_seconds(text) == seconds


@pytest.mark.parametrize("text", ["30", "m", "1d", "-5m", ""])
def test_other_words_are_no_duration(text):
    with pytest.raises(SandboxError, match="not a duration"):
        soak_seconds(text)


def test_what_is_left_after_a_soak():
    assert channels("0 active channels\n0 active calls\n12 calls processed\n") == 0
    assert channels("1 active channel\n1 active call\n") == 1
    with pytest.raises(SandboxError):
        channels("No such command")
    sizes = [Size(0, 400 + (50 if n > 5 else n * 10), 1, 1) for n in range(200)]
    assert memory_slope(sizes) == 0
    assert memory_slope(sizes[:100]) is None
    assert memory_slope([Size(0, float(n), 1, 1) for n in range(100)], every_s=36) == 100


def test_levels():
    assert levels_of("1,2, 16") == (1, 2, 16)
    for text in ("", "0", "a", "1,,2", "-1"):
        with pytest.raises(SandboxError):
            levels_of(text)


def test_losses():
    assert losses_of("0,5, 20") == (0.0, 0.05, 0.2)
    for text in ("", "100", "a", "5,,20", "-1", "0.5"):
        with pytest.raises(SandboxError):
            losses_of(text)
