from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.app.mask.layers import MaskLayers
from napari_voxuda.data.volume import Grid
from napari_voxuda.errors import InputError

SHAPE = (2, 3, 4)


@pytest.fixture
def edits():
    return {"mask": [], "marks": []}


@pytest.fixture
def marks():
    return np.zeros(SHAPE, np.uint8)


@pytest.fixture
def layers(scene, edits, marks):
    made = MaskLayers(scene, edits["mask"].append, edits["marks"].append)
    made.begin("tomo", Grid(), marks, None)
    return made


def test_the_mask_is_added_once_and_edits_are_told(scene, layers, edits):
    with pytest.raises(InputError, match="gone"):
        layers.labels()
    layers.edit_mask(np.array([3]), np.array([1]))
    assert not scene.layers
    layers.show_mask(np.zeros(SHAPE, np.uint16))
    layers.show_mask(np.ones(SHAPE, np.uint16))
    assert [v["name"] for v in scene.layers.values()] == ["tomo mask"]
    layers.edit_mask(np.array([3]), np.array([7]))
    assert layers.labels()[0, 0, 3] == 7
    assert [e.voxels.tolist() for e in edits["mask"]] == [[3]]
    layers.edit_mask(np.array([], np.int64), np.array([], np.int64))
    assert len(edits["mask"]) == 1


def test_marks_are_edited_in_place_and_their_layer_is_made_again(scene, layers, edits, marks):
    layers.edit_marks(np.array([0]), np.array([2]), told=False)
    assert marks[0, 0, 0] == 2
    assert edits["marks"] == []
    scene.remove(layers.show_marks())
    layers.paint_marks(1)
    assert scene.painting == (layers.show_marks(), 1)
    assert scene.volume(layers.show_marks()).data[0, 0, 0] == 2


def test_a_layer_at_hand_is_gone_on_with(scene, layers, marks):
    key = scene.add_labels(np.ones(SHAPE, np.uint16), Grid(), name="mine")
    layers.begin("tomo", Grid(), marks, key)
    assert layers.mask_key == key
    assert layers.mask().name == "mine"
    layers.go_to((1.0, 2.0, 3.0))
    assert scene.shown == (1.0, 2.0, 3.0)


def test_what_was_forgotten_is_heard_no_more(scene, layers, edits):
    layers.show_mask(np.zeros(SHAPE, np.uint16))
    key = layers.mask_key
    layers.forget()
    scene.edit_labels(key, np.array([0]), np.array([1]))
    assert edits["mask"] == []
    assert layers.mask() is None
