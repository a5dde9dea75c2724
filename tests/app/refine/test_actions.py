from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.app.mask.session import MaskSession
from napari_voxuda.app.refine.actions import MaskActions
from napari_voxuda.app.running import InlineExecutor
from napari_voxuda.data.corrections import Corrections


@pytest.fixture
def mask(scene, view, tomogram):
    made = MaskSession(
        scene,
        InlineExecutor(),
        on_mask=lambda _: None,
        on_marks=lambda _: None,
        on_particles=lambda _: None,
        on_choice=lambda _: None,
        on_error=lambda error: view.say(str(error), "error"),
    )
    values = np.zeros(tomogram.shape, np.float32)
    values[1:3, 1:3, 1:3] = 0.9
    probability = tomogram.with_data(values)
    choice = view.request().mask
    made.begin(probability, tomogram.grid, choice, Corrections.none(tomogram.shape))
    return made


@pytest.fixture
def actions(view, mask):
    return MaskActions(view, mask)


def test_splitting_needs_one_particle(actions, view):
    actions.split([1, 2])
    assert view.said == [("warning", "Split: select one particle in the table.")]


def test_what_was_changed_is_selected_so_that_undo_means_it(actions, mask, scene):
    actions.paint(1)
    scene.selected = None
    actions.change()
    assert scene.selected == mask.mask_key
    actions.clear()  # nothing to clear
    assert scene.selected == mask.mask_key
    actions.delete([1])
    actions.clear()
    assert scene.selected not in (None, mask.mask_key)
    actions.delete([1])
    assert scene.selected == mask.mask_key


def test_a_refusal_is_said(actions, view):
    actions.merge([1])
    assert view.said[-1][0] == "error"
    assert "at least two" in view.said[-1][1]


def test_a_deletion_is_taken_back_by_clearing(actions, mask):
    actions.delete([1])
    assert len(mask.corrections()) == 8
    actions.clear()
    assert len(mask.corrections()) == 0
