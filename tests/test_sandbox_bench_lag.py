"""The event loop's lag in a run: what the service's own metrics counted between two looks."""

from pathlib import Path

from asterisk_agent.metrics import Metrics, Now
from asterisk_agent.sandbox.bench_lag import lag_ms, read_lags


def test_the_lag_of_a_run_is_what_was_counted_since_its_start(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path, lambda: Now(0, 0, 8, True, True, 0))
    metrics.lagged(0.9)
    before = read_lags(metrics.text())
    for _ in range(99):
        metrics.lagged(0.0015)
    metrics.lagged(0.03)
    assert lag_ms(before, read_lags(metrics.text())) == {
        "p99_under": 2.0,
        "max_under": 50.0,
        "n": 100,
    }


def test_a_lag_over_the_last_bound_has_none(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path, lambda: Now(0, 0, 8, True, True, 0))
    before = read_lags(metrics.text())
    metrics.lagged(3.0)
    assert lag_ms(before, read_lags(metrics.text()))["max_under"] is None


def test_nothing_counted_is_no_lag_of_zero() -> None:
    assert lag_ms({}, read_lags("# TYPE other counter\nother 1\n")) == {
        "p99_under": None,
        "max_under": None,
        "n": 0,
    }
