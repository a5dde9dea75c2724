from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.adaptation.run_scores import read_scores
from napari_voxuda.app.compare.comparison import AGREEMENT, FALSE_NEGATIVE, FALSE_POSITIVE
from napari_voxuda.app.compare.controller import ComparisonController


class Setup:
    """A mask of two voxels, and a reference that shares one of them."""

    def __init__(self, view, scene, executor, tomogram, run) -> None:
        self.view, self.scene, self.executor = view, scene, executor
        mask, truth = (np.zeros(tomogram.shape, np.uint8) for _ in range(2))
        mask[1, 1, 1:3] = 1
        truth[1, 1, 2:4] = 7
        self.mask = scene.add_labels(mask, tomogram.grid, name="tomo mask")
        self.truth = scene.add_labels(truth, tomogram.grid, name="truth")
        self.scored = 0
        self.controller = ComparisonController(
            view,
            scene,
            executor,
            mask=lambda: self.mask,
            run=lambda: run,
            on_scored=self._count,
        )
        view.chosen = self.truth

    def _count(self):
        self.scored += 1

    def compare(self):
        self.controller.update()
        self.executor.run_all()
        return self.view.shown

    def overlay(self):
        return next((facts for facts in self.scene.layers.values() if facts["kind"] == "aid"), None)


@pytest.fixture
def setup(comparison_view, scene, executor, tomogram, tmp_path):
    (tmp_path / "run.json").write_text("{}")
    return Setup(comparison_view, scene, executor, tomogram, tmp_path)


def _errors(setup):
    return setup.overlay()["volume"].data[1, 1, 1:4].tolist()


def test_scores_are_shown_and_kept_with_the_run(setup, tmp_path):
    shown = setup.compare()
    assert setup.view.references == ["truth"]
    assert shown.counts.dice == 0.5
    assert (shown.mask, shown.reference) == ("tomo mask", "truth")
    setup.compare()  # of one mask that is being corrected only the last score is kept
    (kept,) = read_scores(tmp_path).comparisons
    assert (kept.truth, kept.dice) == ("truth", 0.5)
    assert setup.overlay() is None
    assert setup.scored == 2  # the list of runs is read again


def test_a_run_that_cannot_be_written_to_is_scored_all_the_same(setup, monkeypatch, tmp_path):
    setup.controller._run = lambda: tmp_path / "gone"
    assert setup.compare().counts.dice == 0.5


def test_the_overlay_comes_goes_and_follows_edits_and_undo(setup):
    setup.compare()
    setup.view.errors = True
    setup.controller.errors_changed()
    assert _errors(setup) == [FALSE_POSITIVE, 0, FALSE_NEGATIVE]
    setup.view.agreement = True
    setup.controller.errors_changed()
    assert _errors(setup) == [FALSE_POSITIVE, AGREEMENT, FALSE_NEGATIVE]
    layers = len(setup.scene.layers)
    flat = np.ravel_multi_index(([1], [1], [3]), setup.overlay()["volume"].shape)
    setup.scene.edit_labels(setup.mask, flat, np.array([1], np.uint8))
    setup.executor.run_all()
    assert _errors(setup) == [FALSE_POSITIVE, AGREEMENT, AGREEMENT]
    setup.scene.edit_labels(setup.truth, flat, np.array([0], np.uint8))
    setup.executor.run_all()
    assert _errors(setup)[2] == FALSE_POSITIVE
    assert len(setup.scene.layers) == layers
    setup.view.errors = False
    setup.controller.errors_changed()
    assert setup.overlay() is None


def test_the_overlay_is_no_reference(setup):
    setup.view.errors = True
    setup.compare()
    setup.controller.layers_changed()
    assert setup.overlay()
    assert setup.view.references == ["truth"]


def test_an_overlay_that_the_user_removed_stays_away(setup):
    setup.view.errors = True
    setup.compare()
    setup.scene.remove(next(k for k, f in setup.scene.layers.items() if f["kind"] == "aid"))
    setup.controller.layers_changed()
    assert not setup.view.errors
    setup.compare()
    assert setup.overlay() is None


@pytest.mark.parametrize("gone", ["mask", "truth"])
def test_without_mask_or_reference_there_is_nothing_to_show(setup, gone):
    setup.view.errors = True
    setup.compare()
    key = getattr(setup, gone)
    setup.scene.remove(key)
    setup.mask = None if gone == "mask" else setup.mask
    setup.controller.layers_changed()
    setup.controller.update()
    assert setup.view.shown is None
    assert setup.overlay() is None


def test_many_changes_are_compared_once(setup):
    for _ in range(5):
        setup.controller.update()
    setup.executor.run_all()
    assert len(setup.executor.jobs) == 2


def test_another_grid_is_said_and_takes_the_overlay_away(setup, tomogram):
    setup.view.errors = True
    setup.compare()
    setup.view.chosen = setup.scene.add_labels(
        np.zeros((2, 2, 2), np.uint8), tomogram.grid, name="other"
    )
    setup.compare()
    assert "got 2 x 2 x 2" in setup.view.problem
    assert setup.overlay() is None


def test_a_late_result_for_a_closed_dock_is_dropped(setup):
    setup.view.errors = True
    setup.controller.update()
    setup.controller.close()
    setup.executor.run_all()
    assert setup.view.shown is None
    assert setup.overlay() is None
