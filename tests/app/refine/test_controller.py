from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.app.jobs import RefineResult, Segmentation
from napari_voxuda.app.mask.handover import RefineStart
from napari_voxuda.app.mask.refinement import MaskChoice
from napari_voxuda.app.refine.controller import RefineController
from napari_voxuda.app.running import InlineExecutor
from napari_voxuda.errors import RunBusyError


@pytest.fixture
def controller(view, scene):
    return RefineController(view, scene, InlineExecutor())


@pytest.fixture
def start(scene, tomogram, tmp_path):
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    values = np.zeros(tomogram.shape, np.float32)
    values[1:3, 1:3, 1:3] = 0.9
    return RefineStart(
        layer=scene.add_volume(tomogram),
        run=tmp_path,
        probability=tomogram.with_data(values),
        placement=tomogram.grid,
        mask_key=None,
        choice=MaskChoice(threshold=0.5, numbered=True),
    )


@pytest.fixture
def begun(controller, view, start, monkeypatch):
    monkeypatch.setattr("napari_voxuda.adaptation.versions.list_versions", lambda run: [])
    controller.take_over(start)
    assert view.ready
    return controller


def test_without_a_run_one_is_told_to_choose_one(controller, view, scene, tomogram):
    view.values["layer"] = scene.add_volume(tomogram)
    controller.segment()
    assert "finished run" in view.said[-1][1]
    controller.find_uncertain()
    controller.refine()
    assert all(level == "error" for level, _ in view.said)


def test_without_a_tomogram_one_is_told_to_open_one(controller, view):
    controller.segment()
    assert "Open a tomogram" in view.said[-1][1]


def test_a_mask_that_is_handed_over_is_shown_with_its_particles(begun, view):
    assert [p.voxels for p in view.particles] == [8]
    assert view.marks == "Nothing corrected yet."
    assert "press Refine" in view.said[-1][1]


def test_refining_needs_corrections(begun, view):
    begun.refine()
    assert "got none" in view.said[-1][1]


def test_a_refined_probability_makes_a_new_mask_and_keeps_the_marks(
    begun, view, scene, start, monkeypatch
):
    jobs = []

    def task(job):
        jobs.append(job)
        yield from ()
        probability = np.zeros(start.probability.shape, np.float32)
        probability[5, 5, 5] = 1.0
        volume = start.probability.with_data(probability)
        found = Segmentation(probability=volume, mask=volume, particles=[])
        return RefineResult(version="Refined 1", segmentation=found)

    monkeypatch.setattr("napari_voxuda.app.refine.task.refine_task", task)
    begun.actions.delete([1])
    assert view.marks == "8 voxels corrected."
    assert list((start.run / "corrections").glob("*.safetensors"))
    begun.refine()
    assert len(jobs[0].corrections) == 8
    mask = scene.volume(begun.mask.mask_key).data
    assert np.argwhere(mask).tolist() == [[5, 5, 5]]
    assert "Refined 1" in view.said[-1][1]


def test_an_error_is_said_and_work_goes_on(begun, view, monkeypatch):
    def task(*_, **__):
        yield from ()
        raise RunBusyError("run: another process is writing to this run.")

    monkeypatch.setattr("napari_voxuda.app.refine.uncertainty.uncertainty_task", task)
    begun.find_uncertain()
    assert view.said[-1] == ("error", "run: another process is writing to this run.")
    assert not begun.busy


def test_the_same_volume_opened_again_keeps_the_marks_at_hand(begun, view, start):
    begun.actions.delete([1])
    begun.take_over(start)
    assert len(begun.mask.corrections()) == 8
