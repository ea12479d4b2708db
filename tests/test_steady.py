"""Lines that stand still, lines on hold, and phones that are silent when their owners are."""

import pytest

from asterisk_agent.steady import FLOOD_S, OUTAGE_S, QUIET_S, STEADY_S, STILL_S, LineWatch, Outage

FRAME_S = 0.02


def fed(seconds, start=0.0, *, silent=True, watch=None):
    watch = watch or LineWatch()
    for index in range(round(seconds / FRAME_S)):
        watch.heard(FRAME_S, start + index * FRAME_S, silent=silent)
    return watch


def test_a_steady_line_that_stands_still_is_dead():
    watch = fed(STEADY_S + 0.1)
    assert not watch.dead(STEADY_S + STILL_S, on_hold=False)
    assert watch.dead(STEADY_S + 0.1 + STILL_S + FRAME_S, on_hold=False)


@pytest.mark.parametrize("on_hold", [True, None])
def test_a_line_that_is_or_may_be_on_hold_is_not(on_hold):
    assert not fed(10).dead(60.0, on_hold)


def test_nothing_is_known_of_a_line_that_never_sent_its_silences():
    assert not LineWatch().dead(60.0, on_hold=False)
    assert not fed(STEADY_S - 0.1).dead(60.0, on_hold=False)
    assert not fed(30, silent=False).dead(60.0, on_hold=False)


def test_a_phone_that_sends_nothing_in_silence_is_never_steady():
    watch = LineWatch()
    for sentence in range(10):
        fed(1.0, sentence * 3.0, silent=False, watch=watch)
        fed(0.2, sentence * 3.0 + 1.0, watch=watch)
    assert not watch.dead(60.0, on_hold=False)


def test_who_was_silent_once_may_speak_on():
    watch = fed(STEADY_S + 0.1)
    fed(3.0, STEADY_S + 0.1, silent=False, watch=watch)
    assert watch.dead(STEADY_S + 3.1 + STILL_S + FRAME_S, on_hold=False)


def test_a_line_that_comes_back_from_hold_has_to_be_steady_again():
    watch = fed(5.0)
    fed(STEADY_S - 0.1, 20.0, watch=watch)
    assert not watch.dead(40.0, on_hold=False)
    fed(0.2, 20.0 + STEADY_S - 0.1, watch=watch)
    assert watch.dead(40.0, on_hold=False)


def test_a_quiet_line_is_behind_a_phone_that_sends():
    watch = fed(0.2)
    assert not watch.quiet(0.1 + QUIET_S, on_hold=False)
    assert watch.quiet(0.3 + QUIET_S, on_hold=False)
    assert not watch.lags_behind(60, 1.0)
    assert watch.quiet(1.6, on_hold=False)
    assert not watch.lags_behind(60 + 30, 1.6), "it may be a key that is held down"
    assert watch.quiet(2.2, on_hold=False)
    assert watch.lags_behind(60 + 60, 2.2)


def test_a_line_that_never_brought_anything_is_compared_too():
    watch = LineWatch(100.0)
    assert not watch.quiet(99.9 + QUIET_S, on_hold=False)
    assert watch.quiet(100.1 + QUIET_S, on_hold=False)


@pytest.mark.parametrize(
    "counts",
    [(60, 66, 72), (60, 110, None), (None, 95, 145), (60, 60, 60), (60, 12, 62), (60, 110, 115)],
)
def test_a_phone_that_sends_little_or_of_which_nothing_is_known_is_not_ahead(counts):
    watch = fed(0.2)
    assert watch.quiet(1.0, on_hold=False)
    assert not any(watch.lags_behind(count, 1.0 + at) for at, count in enumerate(counts))


@pytest.mark.parametrize("meanwhile", ["hold", "sound"])
def test_what_was_counted_before_a_hold_or_a_sound_does_not_count(meanwhile):
    watch = fed(0.2)
    assert watch.quiet(1.0, on_hold=False)
    assert not watch.lags_behind(10, 0.4)
    assert not watch.lags_behind(60, 1.0)
    if meanwhile == "hold":
        assert not watch.quiet(1.7, on_hold=True)
    else:
        watch.heard(FRAME_S, 1.5, silent=True)
    assert watch.quiet(2.4, on_hold=False)
    assert not watch.lags_behind(130, 2.4)
    assert not watch.lags_behind(160, 3.0)


def test_a_key_is_a_sign_of_life():
    watch = fed(STEADY_S + 0.1)
    watch.alive(2.0)
    assert not watch.dead(2.0 + STILL_S, on_hold=False)
    assert not watch.quiet(2.0 + QUIET_S - 0.1, on_hold=False)
    assert watch.dead(2.1 + STILL_S, on_hold=False)


def test_a_line_that_was_on_hold_begins_anew():
    watch = fed(STEADY_S + 0.1)
    assert not watch.dead(30.0, on_hold=True)
    assert not watch.dead(30.1, on_hold=False)
    assert not watch.quiet(30.1, on_hold=False)
    assert watch.quiet(30.1 + QUIET_S, on_hold=False)
    assert not watch.dead(60.0, on_hold=False), "its silences are still to be heard"


def test_two_lines_that_die_at_once_are_an_outage_for_a_while():
    outage = Outage()
    assert not outage.lasts(10.0)
    outage.died(10.0)
    assert not outage.lasts(10.1)
    outage.died(10.5)
    assert outage.lasts(10.5)
    assert not outage.lasts(10.0 + OUTAGE_S)


def test_lines_that_die_one_by_one_are_none():
    outage = Outage()
    outage.died(10.0)
    outage.died(10.0 + OUTAGE_S)
    assert not outage.lasts(10.0 + OUTAGE_S)


def test_a_flood_is_no_line():
    watch = LineWatch()
    assert not any(watch.floods(FRAME_S, index * FRAME_S) for index in range(500))
    assert not watch.floods(FLOOD_S - 0.1, 500 * FRAME_S)
    assert watch.floods(0.2, 500 * FRAME_S)


def test_what_was_held_up_on_the_way_is_no_flood():
    watch = LineWatch()
    watch.floods(FRAME_S, 0.0)
    assert not watch.floods(60.0, 60.0)
