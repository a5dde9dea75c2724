from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda._napari.scene import ViewerScene


@pytest.fixture
def watched(make_napari_viewer):
    viewer = make_napari_viewer()
    layer = viewer.add_labels(np.zeros((4, 6, 8), np.uint16))
    layer.n_edit_dimensions = 3
    scene, edits = ViewerScene(viewer), []

    def told(edit):
        # The labels hold the new values already.
        after = None if edit is None else layer.data.reshape(-1)[edit.voxels].tolist()
        edits.append((edit, after))

    scene.watch_labels(layer.unique_id, told)
    return scene, layer, edits


def test_a_stroke_is_told_once_with_what_was_there(watched):
    _, layer, edits = watched
    layer.data[1, 2, 3] = 9
    layer.brush_size = 1
    with layer.block_history():  # as a drag of the mouse does
        layer.paint((1, 2, 3), 4)
        layer.paint((1, 2, 3), 5)
        layer.paint((1, 2, 4), 5)
    ((edit, after),) = edits
    shape = layer.data.shape
    flat = [np.ravel_multi_index(v, shape) for v in ((1, 2, 3), (1, 2, 4))]
    assert edit.voxels.tolist() == flat
    assert edit.before.tolist() == [9, 0]
    assert after == [5, 5]


def test_a_fill_and_a_change_by_indices_are_told_after_they_are_written(watched):
    scene, layer, edits = watched
    layer.fill((0, 0, 0), 3)
    assert len(edits[0][0].voxels) == layer.data.size
    assert set(edits[0][1]) == {3}
    scene.edit_labels(layer.unique_id, np.array([5, 6]), np.array([1, 2]))
    assert edits[1][0].before.tolist() == [3, 3]
    assert edits[1][1] == [1, 2]


def test_undo_and_redo_are_told_and_scrolling_is_not(watched):
    _, layer, edits = watched
    layer.paint((1, 2, 3), 4)
    edits.clear()
    layer.undo()
    assert [edit for edit, _ in edits] == [None]
    layer.redo()
    assert [edit for edit, _ in edits] == [None, None]
    layer.refresh()
    assert len(edits) == 2


def test_the_programs_own_changes_are_silent(watched):
    scene, layer, edits = watched
    scene.update_labels(layer.unique_id, np.ones_like(layer.data))
    scene.edit_labels(layer.unique_id, np.array([0]), np.array([7]), told=False)
    assert edits == []
    assert layer.data[0, 0, 0] == 7
    scene.close()
    layer.paint((1, 2, 3), 4)
    assert edits == []
