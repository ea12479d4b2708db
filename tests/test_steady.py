"""Lines that stand still, lines on hold, and phones that are silent when their owners are."""

import pytest

from asterisk_agent.steady import STEADY_S, STILL_S, LineWatch

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
        fed(1.0, sentence * 3.0, watch=watch)  # its last second of each sentence is quiet
    assert not watch.dead(60.0, on_hold=False)


def test_a_line_that_comes_back_from_hold_has_to_be_steady_again():
    watch = fed(5.0)
    fed(1.0, 20.0, watch=watch)
    assert not watch.dead(40.0, on_hold=False)
    fed(STEADY_S, 21.0, watch=watch)
    assert watch.dead(40.0, on_hold=False)
