from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.app.mask.label_history import LabelHistory
from napari_voxuda.app.scene import LabelEdit


class Canvas:
    """A mask of five voxels with its marks, painted and undone by hand."""

    def __init__(self) -> None:
        self.labels = np.array([[[0, 0, 3, 3, 0]]], np.uint16)
        self.marks = np.zeros((1, 1, 5), np.uint8)
        self.history = LabelHistory()

    def paint(self, voxels, label):
        voxels = np.array(voxels)
        edit = LabelEdit(voxels=voxels, before=self.labels[0, 0][voxels].copy())
        self.labels[0, 0][voxels] = label
        self._take(edit)

    def undo(self, **labels):
        for voxel, label in labels.items():
            self.labels[0, 0, int(voxel[1:])] = label
        self._take(None)

    def _take(self, edit):
        voxels, values = self.history.edited(edit, self.labels, self.marks)
        self.marks.reshape(-1)[voxels] = values

    @property
    def shown(self):
        return self.marks[0, 0].tolist()


@pytest.fixture
def canvas():
    return Canvas()


def test_painting_and_erasing_are_corrections(canvas):
    canvas.paint([0, 1], 7)
    canvas.paint([3], 0)
    assert canvas.shown == [1, 1, 0, 2, 0]


def test_another_number_of_a_particle_is_no_correction(canvas):
    canvas.paint([2, 3], 9)
    assert canvas.shown == [0] * 5


def test_undo_takes_the_mark_back_and_redo_brings_it_again(canvas):
    canvas.paint([0], 1)
    canvas.undo(v0=0)
    assert canvas.shown == [0] * 5
    canvas.undo(v0=1)
    assert canvas.shown[0] == 1


def test_undo_of_the_programs_own_change_is_no_correction(canvas):
    canvas.paint([0], 1)
    canvas.labels[0, 0, 2] = 0  # a slider removes a voxel
    canvas.history.written(canvas.labels)
    canvas.undo(v2=3)
    assert canvas.shown == [1, 0, 0, 0, 0]


def test_what_the_program_writes_at_a_painted_voxel_is_no_correction(canvas):
    canvas.paint([0], 1)
    canvas.undo(v0=0)
    canvas.labels[0, 0, 0] = 5  # the threshold is lowered
    canvas.history.written(canvas.labels)
    canvas.paint([4], 1)
    assert canvas.shown == [0, 0, 0, 0, 1]


def test_undo_brings_an_older_mark_back(canvas):
    canvas.marks[0, 0, 0] = 1  # of an earlier session; the mask follows it
    canvas.labels[0, 0, 0] = 1
    canvas.paint([0], 0)
    assert canvas.shown[0] == 2
    canvas.undo(v0=1)
    assert canvas.shown[0] == 1
