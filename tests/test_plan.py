"""The plan survives its file, and nothing else is taken for one."""

from dataclasses import replace
from datetime import date

import pytest

from asterisk_agent.plan import (
    ChannelPlan,
    OnCall,
    Plan,
    Schedule,
    SpecialDay,
    TeamPlan,
    Unanswered,
    from_json,
    to_json,
)

CHANNEL = ChannelPlan(
    id="support",
    numbers=("+15550100", "100"),
    agent=True,
    schedule="office",
    open_answer="agent",
    handoff=("support", "backoffice"),
    open_unanswered=Unanswered("support", "nobody-free"),
    closed_answer="voicemail",
    closed_unanswered=Unanswered("support", "closed-now"),
    on_call=OnCall("PJSIP/150", ("emergency",)),
)
PLAN = Plan(
    channels={"support": CHANNEL, "bare": replace(CHANNEL, schedule=None, on_call=None)},
    teams={"support": TeamPlan("support", True, True)},
    schedules={
        "office": Schedule(
            "Europe/Oslo",
            (((480, 720), (780, 1080)), (), (), (), ((1320, 120),), (), ()),
            {date(2026, 12, 24): SpecialDay("Christmas Eve", ((480, 720),), cut=True)},
        )
    },
    close_grace_s=600,
    first_date=date(2026, 1, 1),
    last_date=date(2028, 12, 31),
)


def test_round_trip():
    assert from_json(to_json(PLAN)) == PLAN


def test_equal_plans_are_equal_text():
    shuffled = replace(PLAN, channels=dict(reversed(PLAN.channels.items())))
    assert to_json(shuffled) == to_json(PLAN)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '"x"', '{"format": 1}', '{"format": 2}', to_json(PLAN)[:-40]]
    + [
        to_json(PLAN).replace(old, new)
        for old, new in [
            ("2028-12-31", "2028-13-31"),
            ('"agent": true', '"agnet": true'),
            ("[480, 720]", "[480]"),
            ("[480, 720]", "480"),
        ]
    ],
)
def test_anything_else_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"plan|char|month|unpack|values"):
        from_json(text)


def test_the_schedule_of_a_channel():
    assert PLAN.schedule_of(PLAN.channels["support"]) is PLAN.schedules["office"]
    assert PLAN.schedule_of(PLAN.channels["bare"]) is None
