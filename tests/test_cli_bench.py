"""The short benchmark for operators: what its figures mean, and a real run."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import asterisk_agent.cli.speech  # noqa: F401 - a lone command would lose its name
from asterisk_agent.cli.app import app
from asterisk_agent.cli.bench import TurnCost, estimate

EXAMPLE = Path(__file__).parent.parent / "etc"


def cost(cpu_s, ready_s=0.3):
    return TurnCost("How much is it?", 1.5, ready_s / 3, ready_s / 3, ready_s / 3, cpu_s)


def test_twice_the_cores_carry_twice_the_calls():
    costs = [cost(0.6)] * 10
    one, two = estimate(costs, 0.01, 1), estimate(costs, 0.01, 2)
    assert two["calls"] == pytest.approx(2 * one["calls"], abs=1)
    assert one["cpu_s_per_turn"] == 0.6


def test_slower_engines_carry_fewer_calls_but_one_at_least():
    assert estimate([cost(0.3)], 0.01, 2)["calls"] > estimate([cost(1.2)], 0.01, 2)["calls"]
    assert estimate([cost(90.0)], 0.01, 1)["calls"] == 1


def test_listening_costs_too():
    assert estimate([cost(0.6)], 0.05, 2)["calls"] < estimate([cost(0.6)], 0.0, 2)["calls"]


@pytest.mark.models
def test_measures_the_example():
    done = CliRunner().invoke(app, ["bench", "--config", str(EXAMPLE), "--turns", "2", "--json"])
    assert done.exit_code == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["turns"] == 2
    assert result["calls"] >= 1
    assert result["median_s"]["answer_ready"] > 0
    assert "2/2" in done.stderr
