"""The agent's minutes of a month."""

import pytest
from test_reception import CONFIG

from asterisk_agent.ceilings import is_spent, minutes_used
from asterisk_agent.config.schema import Ceiling
from asterisk_agent.records import Usage

CHANNEL = CONFIG.channels["support"].model_copy(update={"ceiling": Ceiling(minutes=10)})


@pytest.mark.parametrize(
    ("logged", "running", "spent"),
    [(9.9, [], False), (10.0, [], True), (9.0, [30], False), (9.0, [30, 30], True), (0, [], False)],
)
def test_what_is_logged_and_what_is_running_count(logged, running, spent):
    used = {"support": Usage("support", "2026-03", 3, logged)}
    assert is_spent(CHANNEL, used, running) is spent


def test_without_a_ceiling_nothing_is_ever_used_up():
    free = CONFIG.channels["support"].model_copy(update={"ceiling": None})
    assert not is_spent(free, {"support": Usage("support", "2026-03", 3, 1e9)})


def test_what_is_not_known_counts_for_nothing():
    assert minutes_used(CHANNEL, {}, [60]) == 1
