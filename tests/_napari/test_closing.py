"""Closing the viewer at any moment: it returns at once, raises nothing, and loses no work that was kept.

The work is real; it is held at one moment until the viewer is closed, so that closing cannot have waited for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from napari_voxuda._napari.export import open_export_window
from napari_voxuda._types import Progress
from napari_voxuda.adaptation.events import StepDone
from napari_voxuda.app.export.choice import ExportOffer
from napari_voxuda.app.job import Job, JobState
from napari_voxuda.app.runs.places import has_model, is_resumable, is_run
from napari_voxuda.gui.executor import ThreadExecutor

_DOCKS = ("Denoise (IBF)", "Vox-UDA refine", "Vox-UDA domain gap", "Vox-UDA 3-D")


@dataclass
class Hold:
    """Holds the first work that gets to a moment; `begin` holds it before its first event."""

    is_moment: Callable[[object], bool] = lambda event: False
    begin: bool = False
    go: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)
    jobs: list[Job] = field(default_factory=list)

    def start(self, real, executor, task, **calls):
        """Stand in for `ThreadExecutor.start`."""
        job = real(executor, lambda: self._held(task), **calls)
        self.jobs.append(job)
        return job

    def _held(self, task):
        if self.begin:
            self._stop_here()
        running = task()
        try:
            while True:
                event = next(running)
                yield event
                if self.is_moment(event):
                    self._stop_here()
        except StopIteration as stop:
            return stop.value
        finally:
            running.close()

    def _stop_here(self):
        self.reached.set()
        self.go.wait(60)


@pytest.fixture
def hold(monkeypatch):
    """Make a `Hold` that every dock of the test works under."""
    made = []

    def make(**moment):
        hold = Hold(**moment)
        real = ThreadExecutor.start
        monkeypatch.setattr(
            ThreadExecutor,
            "start",
            lambda self, task, **calls: hold.start(real, self, task, **calls),
        )
        made.append(hold)
        return hold

    yield make
    for one in made:
        one.go.set()


def _stage(words):
    return lambda event: isinstance(event, Progress) and event.stage == words


def _is_step(event):
    return isinstance(event, StepDone)


def _close(viewer, hold, until):
    """Close the viewer while the work is held, then let it go on, and see it end without an error."""
    until(hold.reached.is_set)
    viewer.close()
    assert any(job.state.is_active for job in hold.jobs)  # closing has not waited for it
    hold.go.set()
    until(lambda: not any(job.state.is_active for job in hold.jobs))
    assert [job.error for job in hold.jobs if job.error is not None] == []


@pytest.mark.parametrize(
    ("moment", "left"),
    [
        (_stage("Simulating the source"), "nothing, or a run to resume"),
        (_is_step, "a run to resume"),
        (_stage("Labelling the target"), "a run to resume"),
        (_stage("Segmenting"), "a model"),
    ],
    ids=["preparing", "a step", "labelling", "segmenting"],
)
def test_in_an_adaptation(viewer, adapt, until, hold, tmp_path, moment, left):
    adapt.training.form.fields["pseudo_labels"].setValue("ranked")
    adapt.training.form.fields["pseudo_start"].setValue(0.5)
    held = hold(is_moment=moment)
    adapt.bar.start_button.click()
    _close(viewer, held, until)
    run = tmp_path / "run"
    if left == "a model":
        assert has_model(run)
    elif left == "a run to resume" or is_run(run):
        assert is_resumable(run)


def test_in_an_adaptation_that_is_paused(viewer, adapt, until, hold, tmp_path):
    held = hold(is_moment=_is_step)
    adapt.bar.start_button.click()
    until(held.reached.is_set)
    adapt.bar.pause_button.click()
    held.go.set()
    until(lambda: adapt.bar.state_label.text().startswith("Paused"))
    job = adapt.controller._job
    viewer.close()
    until(lambda: job.state is JobState.CANCELLED)
    assert job.error is None
    assert is_resumable(tmp_path / "run")


def test_in_an_adaptation_in_a_process_of_its_own(viewer, adapt, until, hold, tmp_path):
    adapt.training.place_box.setCurrentIndex(adapt.training.place_box.findData("process"))
    adapt.training.form.fields["steps"].setValue(100_000)
    held = hold(is_moment=_is_step)
    adapt.bar.start_button.click()
    _close(viewer, held, until)
    run = tmp_path / "run"
    assert is_resumable(run)
    assert list((run / "checkpoints").glob("*.safetensors"))


def test_in_a_check_nothing_is_written(viewer, adapt, until, hold, tmp_path):
    held = hold(is_moment=_stage("Trying a step"))
    adapt.check.button.click()
    _close(viewer, held, until)
    assert not (tmp_path / "run").exists()


def test_in_a_measurement_of_the_gap(viewer, adapt, until, hold):
    gap = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA domain gap")[1]
    held = hold(is_moment=lambda event: isinstance(event, Progress))
    gap.bar.start_button.click()
    _close(viewer, held, until)


@pytest.mark.parametrize("work", ["segment", "refine", "uncertain"])
def test_in_a_refinement_the_model_stays(viewer, run, until, hold, work):
    dock = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA refine")[1]
    dock.run_group.run_row.set_paths([run])
    for name, value in {"steps": 2, "batch": 2, "source_count": 2}.items():
        dock.form.fields[name].setValue(value)
    before = (run / "model.safetensors").read_bytes()
    if work == "segment":
        held = hold(is_moment=_stage("Segmenting"))
        dock.run_group.segment_button.click()
    else:
        dock.run_group.segment_button.click()
        until(lambda: dock.bar.start_button.isEnabled() and "tomo mask" in viewer.layers)
        dock.corrections.particle_button.click()
        viewer.layers.selection.active.data_setitem((np.array([5]),) * 3, np.array([1]))
        until(lambda: dock.corrections.count.text().startswith("1 voxel"))
        held = hold(is_moment=lambda event: isinstance(event, Progress | StepDone))
        start = dock.bar.start_button if work == "refine" else dock.uncertainty.find_button
        start.click()
    _close(viewer, held, until)
    assert has_model(run)
    assert (run / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("work", ["apply", "preview", "suggest"])
def test_in_the_work_of_a_denoiser(viewer, until, hold, work):
    dock = viewer.window.add_plugin_dock_widget("napari-voxuda", "Denoise (IBF)")[1]
    held = hold(begin=True)
    button = {"apply": dock.bar.start_button, "preview": dock.preview_box}
    button.get(work, dock.suggest_button).click()
    _close(viewer, held, until)


def test_in_an_export_leaves_nothing_half_written(viewer, until, hold, tmp_path):
    image = viewer.layers[0]
    mask = viewer.add_labels(
        np.ones(image.data.shape, np.uint8), name="m", scale=image.scale, units=image.units
    )
    window = open_export_window(viewer, ExportOffer(layers=(mask.unique_id,)))
    window.options.folder_row.set_paths([tmp_path])
    until(window.bar.start_button.isEnabled)
    held = hold(is_moment=_stage("Exporting"))
    window.bar.start_button.click()
    _close(viewer, held, until)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_in_the_making_of_surfaces(viewer, until, hold):
    image = viewer.layers[0]
    labels = np.zeros(image.data.shape, np.uint8)
    labels[5:9, 5:9, 5:9] = 1
    viewer.add_labels(
        labels, name="m", scale=image.scale, translate=image.translate, units=image.units
    )
    dock = viewer.window.add_plugin_dock_widget("napari-voxuda", "Vox-UDA 3-D")[1]
    held = hold(begin=True)
    dock.toggle_button.click()
    _close(viewer, held, until)


def test_before_anything_was_started(viewer, adapt):
    for name in _DOCKS:
        viewer.window.add_plugin_dock_widget("napari-voxuda", name)
    viewer.close()
