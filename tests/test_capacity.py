"""How many calls a machine is believed to carry."""

import pytest

from asterisk_agent.capacity import BUSY_AT_MOST, TURN_EVERY_S, calls_carried, cpu_share


def test_the_calls_fill_no_more_than_their_share() -> None:
    for turn_cpu_s in (0.1, 0.5, 2.0):
        for cores in (1, 2, 64):
            calls = calls_carried(turn_cpu_s, cores)
            assert (calls + 1) * cpu_share(turn_cpu_s) > BUSY_AT_MOST * cores
            assert calls == 1 or calls * cpu_share(turn_cpu_s) <= BUSY_AT_MOST * cores


def test_one_call_is_always_taken() -> None:
    assert calls_carried(100.0, 1) == 1


def test_a_turn_costs_its_share_of_the_time_between_two() -> None:
    assert cpu_share(TURN_EVERY_S, 0.0) == pytest.approx(1.0)
