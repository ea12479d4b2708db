"""Rough callers against the real Asterisk and the service with its models: all are served."""

from pathlib import Path

import pytest

from asterisk_agent.sandbox.bench_config import open_always
from asterisk_agent.sandbox.rough import CALLS, hold
from asterisk_agent.sandbox.rough_scenarios import SCENARIOS

pytestmark = [pytest.mark.asterisk, pytest.mark.models]
EXAMPLE = Path(__file__).parent.parent / "etc"


async def test_rough_callers_are_served_and_leave_nothing_behind(start_pbx, tmp_path):
    pbx = start_pbx(open_always(EXAMPLE, tmp_path / "etc", worded=False, calls=CALLS))
    short = [scenario for scenario in SCENARIOS if scenario.short]
    verdicts = await hold(pbx, short)
    assert [f"{one.name}: {one.why}" for one in verdicts if not one.good] == []
    assert len(verdicts) == len(short) + 9
