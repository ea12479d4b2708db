"""What Prometheus reads."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from asterisk_agent import rescue
from asterisk_agent.metrics import LATELY, Metrics, Now
from asterisk_agent.records import Delays, Step, Story, TurnRecord

DOCS = Path(__file__).parents[1] / "docs"
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def values(metrics: Metrics) -> dict[str, float]:
    """Every sample: its name with its labels → its value."""
    found = {}
    for family in text_string_to_metric_families(metrics.text()):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_calls_steps_delays_and_the_present_are_counted(tmp_path):
    metrics = Metrics(tmp_path, lambda: Now(3, 2, 8, True, False, 5, 7, 1, 4))
    story = Story("support", "+15559876543", "open", NOW, outcome="answered", reason="person")
    story.ended = NOW + timedelta(seconds=42)
    story.path = [Step("agent", 0.1, "open"), Step("team:support", 20, "a person")]
    story.turns = [
        TurnRecord("caller", "a secret", 1.0),
        TurnRecord("agent", "an answer", 3.0, delay_ms=Delays(model=80, total=900)),
    ]
    metrics.finished(story)
    metrics.finished(story)
    metrics.lagged(0.004)
    found = values(metrics)
    assert found["asterisk_agent_calls_total{channel=support,outcome=answered,reason=person}"] == 2
    assert found["asterisk_agent_steps_total{channel=support,to=team}"] == 2
    assert found["asterisk_agent_answer_delay_seconds_count{stage=total}"] == 2
    assert found["asterisk_agent_answer_delay_seconds_sum{stage=total}"] == 1.8
    assert found["asterisk_agent_call_seconds_sum{}"] == 84
    assert found["asterisk_agent_loop_lag_seconds_bucket{le=0.005}"] == 1
    assert found["asterisk_agent_loop_lag_seconds_bucket{le=0.002}"] == 0
    assert found["asterisk_agent_calls_now{}"] == 3
    assert found["asterisk_agent_engine_queue{}"] == 5
    assert found["asterisk_agent_asterisk_connected{}"] == 0
    assert found["asterisk_agent_calls_unwritten{}"] == 7
    assert found["asterisk_agent_calls_lost{}"] == 1
    assert found["asterisk_agent_losses{}"] == 4
    text = metrics.text()
    assert "secret" not in text
    assert "5559876543" not in text


def test_the_worst_lag_of_the_last_minute_is_known(tmp_path):
    metrics = Metrics(tmp_path, lambda: Now(0, 0, 8, True, True, 0))
    assert metrics.worst_lag_s == 0
    metrics.lagged(0.2)
    for _ in range(LATELY - 1):
        metrics.lagged(0.003)
    assert metrics.worst_lag_s == 0.2
    metrics.lagged(0.004)
    assert metrics.worst_lag_s == 0.004


def test_rescues_are_counted_by_the_script_that_does_them(tmp_path):
    metrics = Metrics(tmp_path, lambda: Now(0, 0, 8, True, True, 0))
    assert values(metrics)["asterisk_agent_rescues_total{}"] == 0
    file = tmp_path / rescue.RESCUES
    rescue._count(file)
    rescue._count(file)
    assert values(metrics)["asterisk_agent_rescues_total{}"] == 2
    assert re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n){2}", file.read_text())
    file.write_bytes(b"x" * (rescue.MAX_COUNTED_BYTES + 1))
    rescue._count(file)
    assert file.read_text().count("\n") == 1
    rescue._count(tmp_path / "no" / "such" / "folder")  # a caller waits: nothing is raised


def test_the_dashboard_asks_for_figures_that_exist(tmp_path):
    text = Metrics(tmp_path, lambda: Now(0, 0, 8, True, True, 0)).text()
    known = set(re.findall(r"^# TYPE (\w+)", text, re.M)) | {"asterisk_agent_up"}
    dashboard = (DOCS / "grafana" / "asterisk-agent.json").read_text(encoding="utf-8")
    asked = set(re.findall(r"asterisk_agent_\w+", dashboard))
    assert len(asked) > 8
    assert {name.removesuffix("_bucket") for name in asked} <= known
    page = (DOCS / "console.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(?:asterisk_agent|…)_(\w+)`", page))
    known = {name.removeprefix("asterisk_agent_") for name in known if "_created" not in name}
    assert known - told == set()
