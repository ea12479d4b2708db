"""What is known of a call under way."""

from types import SimpleNamespace

import pytest

from asterisk_agent.visits import Visit


@pytest.mark.parametrize(
    ("followed", "connected", "held", "on_hold"),
    [
        (True, True, False, False),
        (True, True, True, True),
        # Asterisk stopped telling: what it told last.
        (True, False, False, False),
        (True, False, True, True),
        # It tells again, and has not told of a hold.
        (False, True, False, False),
        # Nobody ever told.
        (False, False, False, None),
    ],
)
def test_a_line_is_on_hold_as_far_as_asterisk_told_last(followed, connected, held, on_hold):
    visit = Visit(SimpleNamespace(), SimpleNamespace(), SimpleNamespace())
    visit.followed, visit.held = followed, held
    assert visit.on_hold(connected=connected) is on_hold
