"""The configuration that is measured: always open, and as the command line wants it."""

from pathlib import Path

import pytest

from asterisk_agent.config.load import load
from asterisk_agent.sandbox.bench_config import open_always

EXAMPLE = Path(__file__).parent.parent / "etc"


def test_the_example_is_measured_as_it_is_but_always_open(tmp_path):
    before = load(EXAMPLE)
    found = load(open_always(EXAMPLE, tmp_path / "etc", worded=False, calls=None))
    assert all(channel.hours is None for channel in found.channels.values())
    assert found.engines == before.engines
    assert found.limits == before.limits
    assert found.teams == before.teams


@pytest.mark.parametrize("calls", [1, 16])
def test_worded_answers_and_another_limit(tmp_path, calls):
    found = load(open_always(EXAMPLE, tmp_path / "etc", worded=True, calls=calls))
    assert found.engines.llm.answers == "generative"
    assert found.engines.llm.model == load(EXAMPLE).engines.llm.model
    assert found.limits.calls == calls
