from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.app.mask.particle_edits import deletion, list_particles, merger, split
from napari_voxuda.errors import InputError


@pytest.fixture
def labels():
    found = np.zeros((6, 8, 30), np.uint16)
    found[1:5, 1:6, 1:7] = 1
    found[2, 3, 7:9] = 1
    found[1:5, 1:6, 9:14] = 1
    found[2:4, 2:4, 20:23] = 2
    found[5, 7, 29] = 4
    return found


@pytest.fixture
def boxes(labels):
    found = list_particles(labels, np.ones(labels.shape, np.float32), (2.0, 2.0, 2.0))
    assert [p.label for p in found.particles] == [1, 2, 4]
    assert found.particles[1].volume_angstrom3 == 12 * 8
    return found.boxes


def _applied(labels, change):
    out = labels.copy()
    out.reshape(-1)[change.voxels] = change.values
    return out


def test_deleting_leaves_the_others(labels, boxes):
    out = _applied(labels, deletion(labels, [(2, boxes[2]), (4, boxes[4])]))
    np.testing.assert_array_equal(out, np.where(labels == 1, 1, 0))


def test_merging_takes_the_smallest_number_and_knows_a_voxel_of_each(labels, boxes):
    change, group = merger(labels, [(4, boxes[4]), (2, boxes[2])])
    out = _applied(labels, change)
    np.testing.assert_array_equal(out, np.where(labels == 4, 2, labels))
    assert [labels[voxel] for voxel in group] == [4, 2]


def test_one_particle_cannot_be_merged(labels, boxes):
    with pytest.raises(InputError, match="two particles"):
        merger(labels, [(2, boxes[2])])


def test_splitting_gives_a_new_number_and_a_cut(labels, boxes):
    out = _applied(labels, split(labels, 1, boxes[1]))
    assert out[2, 3, 2] != out[2, 3, 12]
    assert {int(out[2, 3, 2]), int(out[2, 3, 12])} == {1, 5}
    assert np.count_nonzero((labels == 1) & (out == 0)) in range(1, 10)
    np.testing.assert_array_equal(out[labels != 1], labels[labels != 1])


def test_splitting_without_a_free_number_is_refused(labels, boxes):
    labels[0, 0, 0] = 65535
    with pytest.raises(InputError, match="no label"):
        split(labels, 1, boxes[1])
