"""Signs of life, judged on a clock of the test's own."""

import pytest

from asterisk_agent.liveness import Backoff, Limits, Watch, late

LIMITS = Limits(loop_s=1.5, playout_s=1.5, engines_s=5.0, start_s=60.0, stop_s=60.0, ask_s=1.0)


@pytest.fixture
def watch():
    """A service that was started at 100 and takes calls since 103."""
    watch = Watch(LIMITS, 100.0)
    watch.is_ready(103.0)
    return watch


def test_one_that_beats_is_alive(watch):
    for beat in range(100):
        now = 103.0 + beat * 0.25
        watch.heard(0.02, 0.4, now)
        assert watch.dead(now + 0.24) == ""
    assert watch.longest_s == 0.25


def test_one_that_falls_silent_is_dead_after_the_limit_and_not_before(watch):
    watch.heard(None, None, 110.0)
    assert watch.dead(111.49) == ""
    assert watch.dead(111.5) == "no sign of life for 1.5 s"


def test_it_is_asked_once_where_it_stands_before_it_is_given_up(watch):
    watch.heard(None, None, 110.0)
    asked = [watch.asks(110.0 + step / 10) for step in range(15)]
    assert asked.count(True) == 1
    assert asked.index(True) == 10
    watch.heard(None, None, 111.4)
    assert not watch.asks(112.3)
    assert watch.asks(112.4)
    assert watch.longest_s == pytest.approx(7.0)


def test_while_it_starts_it_may_be_silent_for_longer():
    watch = Watch(LIMITS, 100.0)
    assert not watch.ready
    assert not watch.asks(150.0)
    assert watch.dead(159.9) == ""
    assert watch.dead(160.0) == "no sign of life for 60.0 s"
    watch.heard(None, None, 159.9)
    assert watch.dead(219.8) == ""
    assert watch.healthy_s(219.8) == 0.0
    assert watch.longest_s == 0.0


def test_a_call_whose_audio_stands_still_is_a_reason_while_the_loop_turns(watch):
    watch.heard(1.4, 0.1, 110.0)
    assert watch.dead(110.0) == ""
    watch.heard(1.6, 0.1, 110.2)
    assert watch.dead(110.2) == "a call's audio stood still for 1.6 s"
    watch.heard(0.02, 0.1, 110.4)
    assert watch.dead(110.4) == ""


def test_engines_that_nobody_looks_after_are_a_reason(watch):
    watch.heard(None, 5.0, 110.0)
    assert watch.dead(110.0) == "nobody looked after the engines for 5.0 s"
    assert late(None, 4.9, LIMITS) == ""


def test_time_in_which_we_did_not_run_ourselves_does_not_count(watch):
    watch.heard(None, None, 110.0)
    watch.stood_still(30.0)
    assert watch.dead(141.4) == ""
    assert watch.dead(141.5)


def test_one_that_the_machine_has_no_time_for_gets_some_more(watch):
    watch.heard(None, None, 110.0)
    watch.starved(1.0)
    assert watch.dead(112.4) == ""
    assert watch.dead(112.5) == "no sign of life for 1.5 s"
    watch.starved(10.0)
    assert watch.dead(114.4) == ""
    assert watch.dead(114.5), "but not for ever"
    watch.heard(None, None, 120.0)
    watch.starved(3.0)
    assert watch.dead(124.4) == "", "each silence has its own"


def test_one_that_has_no_call_any_more_need_not_beat_but_has_to_end(watch):
    watch.stops(110.0)
    watch.heard(2.0, None, 110.5)
    watch.is_quiet(111.0)
    assert watch.dead(169.9) == ""
    assert watch.dead(170.0) == "it did not stop within 60 s"


def test_one_that_ends_by_itself_has_to_end_too(watch):
    watch.is_quiet(111.0)
    watch.stops(120.0)
    assert watch.dead(170.9) == ""
    assert watch.dead(171.0)


def test_while_it_stops_with_calls_it_has_to_beat(watch):
    watch.heard(None, None, 110.0)
    watch.stops(110.0)
    assert watch.dead(111.5) == "no sign of life for 1.5 s"


def test_the_first_loss_costs_no_pause_and_each_further_one_twice_as_much():
    backoff = Backoff()
    assert [backoff.pause_s(0.0) for _ in range(9)] == [0, 1, 2, 4, 8, 16, 30, 30, 30]


def test_losses_are_forgotten_after_minutes_of_health():
    backoff = Backoff(steady_s=180.0)
    for _ in range(4):
        backoff.pause_s(20.0)
    assert backoff.pause_s(179.9) == 8
    assert [backoff.pause_s(180.0), backoff.pause_s(0.0)] == [0, 1]
