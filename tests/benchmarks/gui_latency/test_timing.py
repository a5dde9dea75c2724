from __future__ import annotations

import numpy as np
import pytest
from benchmarks.gui_latency.timing import delays, percentiles, seconds_per_step, step_seconds

from napari_voxuda.adaptation.events import StepDone
from napari_voxuda.adaptation.run_folder import RunFolder


def test_a_heartbeat_in_time_has_no_delay():
    found = delays([0.0, 0.01, 0.02, 0.03, 0.0401], every=0.01)
    np.testing.assert_allclose(found, 0.0, atol=2e-4)


def test_each_moment_of_a_long_wait_counts():
    found = delays([0.0, 0.011, 0.062, 0.0705], every=0.01)
    wanted = [0.001, 0.042, 0.032, 0.022, 0.012, 0.002, 0.0005]
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_without_ticks_there_is_no_delay():
    assert len(delays([1.0], every=0.01)) == 0
    assert percentiles(np.zeros(0)) == {}


def test_percentiles_are_told_in_ms():
    found = percentiles(np.arange(101) / 1e3)
    assert {k: pytest.approx(v) for k, v in found.items()} == {
        "p50": 50.0,
        "p95": 95.0,
        "p99": 99.0,
        "max": 100.0,
    }


def test_the_pace_is_read_from_the_log_of_a_run(tmp_path, monkeypatch):
    step = StepDone(
        step=1,
        total=3,
        losses={},
        coverage=0.0,
        foreground=0.0,
        learning_rate=1e-3,
        seconds_per_step=9.0,
    )
    with RunFolder.create(tmp_path / "run", {}) as run:
        for number in (1, 2, 3):
            run.log(StepDone(**{**step.__dict__, "step": number}))
    lines = (tmp_path / "run" / "events.jsonl").read_text().splitlines()
    times = ("10:00:00.000", "10:00:00.250", "10:00:01.000")
    stamped = [
        line.replace(line[: line.index(",")], f'{{"time": "2024-01-01T{time}+00:00"', 1)
        for line, time in zip(lines, times, strict=True)
    ]
    (tmp_path / "run" / "events.jsonl").write_text("\n".join(stamped) + "\n")
    assert step_seconds(tmp_path / "run") == {2: pytest.approx(0.25), 3: pytest.approx(0.75)}


def test_the_pace_is_the_median_of_a_phase_over_all_runs():
    runs = [{2: 1.0, 3: 2.0, 4: 50.0}, {2: 3.0, 3: 4.0}]
    assert seconds_per_step(runs, 2, 3) == 2.5
    assert np.isnan(seconds_per_step([], 2, 3))
