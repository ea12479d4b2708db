"""Lines that stand still, lines on hold, and phones that are silent when their owners are."""

import pytest

from asterisk_agent.steady import FLOOD_S, STEADY_S, STILL_S, LineWatch

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


def test_a_flood_is_no_line():
    watch = LineWatch()
    assert not any(watch.floods(FRAME_S, index * FRAME_S) for index in range(500))
    assert not watch.floods(FLOOD_S - 0.1, 500 * FRAME_S)
    assert watch.floods(0.2, 500 * FRAME_S)


def test_what_was_held_up_on_the_way_is_no_flood():
    watch = LineWatch()
    watch.floods(FRAME_S, 0.0)
    assert not watch.floods(60.0, 60.0)
