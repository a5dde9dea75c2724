"""The benchmark's window, at a tiny size: everything is measured and nothing is asserted of times."""

from __future__ import annotations

import json

import pytest
from benchmarks.gui_latency.plan import Plan, train_without_window, write_tomogram
from benchmarks.gui_latency.timing import step_seconds
from benchmarks.gui_latency.window import Window

from benchmarks import closing


def test_a_run_is_measured_at_rest_and_scrolling(make_napari_viewer, tmp_path):
    plan = Plan.make(tmp_path, 8, tiny=True)
    write_tomogram(plan)
    viewer = make_napari_viewer(show=True)
    window = Window(viewer, plan)
    before = viewer.dims.current_step[0]
    measured = [window.idle(), window.train("thread", tmp_path / "run")]
    assert viewer.dims.current_step[0] != before
    for phases in measured:
        assert list(phases) == ["rest", "scrolling"]
        for phase in phases.values():
            assert {"p50", "p95", "p99", "max", "seconds", "cpu"} <= set(phase)
    assert set(step_seconds(tmp_path / "run")) == set(range(2, 9))
    assert not window.dock.controller.busy


@pytest.mark.slow
def test_the_command_line_trains_the_same_run(tmp_path):
    plan = Plan.make(tmp_path, 8, tiny=True)
    write_tomogram(plan)
    train_without_window(plan, tmp_path / "run")
    assert set(step_seconds(tmp_path / "run")) == set(range(2, 9))


@pytest.mark.parametrize("place", ["process", "thread", "none"])
def test_a_program_ends_when_its_window_is_closed(monkeypatch, tmp_path, place):
    monkeypatch.setattr(closing, "_PLACES", (place,))
    out = tmp_path / "closing.json"
    arguments = ["--cases", "1", "--tiny", "--latest", "3", "--work", str(tmp_path / "work")]
    closing.main([*arguments, "--json", str(out)])
    (case,) = json.loads(out.read_text())["cases"]
    assert (case["place"], case["code"], case["raised"]) == (place, 0, False)
    assert 0 < case["seconds"] < 60.0
    assert case["state"] == "none" or place != "none"  # a slow machine may not have begun the run
