"""The check before a run: the real task on a tiny target."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.app.adapt.test_task import SETTINGS, job, tomogram
from tests.app.conftest import run_to_end

from napari_voxuda._types import Event, Message, Progress
from napari_voxuda.adaptation import dry_run as dry_run_module
from napari_voxuda.app.adapt import preflight as preflight_module
from napari_voxuda.app.adapt.preflight import preflight_task
from napari_voxuda.app.adapt.preflight_report import Preflight
from napari_voxuda.app.jobs import AdaptJob
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.targets import TomogramTarget
from napari_voxuda.errors import InputError
from napari_voxuda.io.mrc import write_mrc


def check(wanted: AdaptJob) -> tuple[list[Event], Preflight]:
    report, events = run_to_end(preflight_task(wanted))
    return events, report


def test_a_tomogram_is_checked_and_nothing_is_left_behind(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    events, report = check(job(tmp_path / "run", seed=4))
    assert list(tmp_path.iterdir()) == []
    assert torch.equal(torch.get_rng_state(), state)
    stages = [e.done for e in events if isinstance(e, Progress) and e.stage == "Trying a step"]
    assert stages == [0, 1, 2, 3, 4, 5]
    assert (report.box, report.drawn, report.steps, report.batch) == (16, 12, 6, 2)
    assert (report.voxel_size_angstrom, report.contrast) == (pytest.approx(12.0), "dark")
    assert len(report.starts) == 12
    target = TomogramTarget(tomogram(), box=16, contrast="dark")
    assert list(report.starts) == target.places(12, torch.Generator().manual_seed(4))
    assert report.seconds >= report.steps * report.step_seconds > 0
    assert report.needed_bytes is None or report.needed_bytes > 0
    assert report.disk_bytes > 0
    assert dict(report.rows)["Contrast"] == "protein is dark, as chosen"
    assert any("small" in text for text in report.warnings)


def test_boxes_near_picks_and_boxes_of_a_folder(tmp_path: Path) -> None:
    picks = Picks(positions=np.array([[10.0, 10.0, 10.0], [9.0, 12.0, 12.0]]))
    _, report = check(job(tmp_path / "run", picks=picks))
    assert report.where == "near 2 picks"
    folder = tmp_path / "boxes"
    folder.mkdir()
    for number in range(3):
        write_mrc(folder / f"p{number}.mrc", tomogram((18, 18, 18)))
    _, report = check(job(tmp_path / "run", target=folder))
    assert report.where == "from 3 subtomograms"
    assert report.starts == ()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("labels", ["none", "confident", "ranked"])
def test_steps_with_labels_are_tried_where_a_run_has_them(
    tmp_path: Path, labels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []
    real = dry_run_module._take

    def spied(training, shortages):
        taken.append((training.done, training.labelled is not None))
        return real(training, shortages)

    monkeypatch.setattr(dry_run_module, "_take", spied)
    settings = replace(SETTINGS, steps=10, pseudo_labels=labels, pseudo_start=0.7)
    check(job(tmp_path / "run", settings=settings))
    expected = {"none": [], "confident": [(7, False)], "ranked": [(7, True)]}[labels]
    assert taken == [(0, False), (1, False), *expected]


def test_what_is_said_of_the_inputs_is_a_warning_too(tmp_path: Path) -> None:
    noise = tomogram()
    noise.data[:] = np.random.default_rng(3).normal(size=noise.shape)
    events, report = check(job(tmp_path / "run", target=noise, contrast="auto"))
    warned = [e.text for e in events if isinstance(e, Message) and e.level == "warning"]
    assert warned
    assert set(warned) <= set(report.warnings)


def test_a_run_that_does_not_fit_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight_module, "free_memory_bytes", lambda device: 1000)
    _, report = check(job(tmp_path / "run"))
    if report.needed_bytes is not None:
        assert any("will not fit" in text for text in report.doubts)


def test_memory_that_runs_out_in_the_step_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_voxuda.adaptation import training

    real = training.adaptation_step

    def hungry(learner, source, boxes, *rest, **named):
        if len(boxes) > 2:
            raise RuntimeError("DefaultCPUAllocator: not enough memory")
        return real(learner, source, boxes, *rest, **named)

    monkeypatch.setattr(training, "adaptation_step", hungry)
    _, report = check(job(tmp_path / "run", settings=replace(SETTINGS, batch=4)))
    assert report.batch == 2
    assert any("memory" in text.lower() for text in report.doubts)


def test_a_check_can_be_left_at_any_time_and_says_what_is_wrong(tmp_path: Path) -> None:
    for stop in range(4):
        task = preflight_task(job(tmp_path / "run"))
        for _ in range(stop + 1):
            next(task)
        task.close()
    with pytest.raises(InputError, match="a target was wanted"):
        check(job(tmp_path / "run", target=None))
    assert list(tmp_path.iterdir()) == []
