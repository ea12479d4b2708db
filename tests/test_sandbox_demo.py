"""The demo as a whole, and when it moves the clocks."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from asterisk_agent.config.load import load
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.demo import opening

ROOT = Path(__file__).parent.parent
NUMBER = "+15551230100"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 11, 23, 15, 0, tzinfo=UTC), None),
        (datetime(2026, 11, 23, 11, 0, tzinfo=UTC), datetime(2026, 11, 23, 13, 0, tzinfo=UTC)),
        # Ten minutes before the lunch break, and before the weekend.
        (datetime(2026, 11, 23, 16, 50, tzinfo=UTC), datetime(2026, 11, 23, 18, 0, tzinfo=UTC)),
        (datetime(2026, 11, 27, 20, 50, tzinfo=UTC), datetime(2026, 11, 30, 13, 0, tzinfo=UTC)),
    ],
)
def test_the_demo_is_in_office_hours(now, expected):
    assert opening(load(ROOT / "etc"), NUMBER, now) == expected


def test_an_unknown_number_is_refused():
    with pytest.raises(SandboxError, match="no channel"):
        opening(load(ROOT / "etc"), "+1999", datetime(2026, 11, 23, tzinfo=UTC))


@pytest.mark.asterisk
@pytest.mark.models
def test_every_step_of_the_demo_is_heard(tmp_path):
    command = [sys.executable, "-m", "asterisk_agent.sandbox.demo", "--json", "--out", tmp_path]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["ok"]
    assert sum(heard["is_answer"] for heard in result["heard"]) == 5
    assert all(Path(path).stat().st_size > 100_000 for path in result["recordings"])
