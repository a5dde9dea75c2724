"""Labels of slabs joined to those of the whole volume."""

from __future__ import annotations

import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_voxuda.segmentation import components as subject
from napari_voxuda.segmentation.components import CONNECTIVITY, Components


def whole(found: Components, shape: tuple[int, ...]) -> np.ndarray:
    labels = np.zeros(shape, np.int64)
    for slab, values in found.labels():
        labels[slab] = values
    return labels


def largest_first(mask: np.ndarray) -> np.ndarray:
    """Label the whole volume at once, and number by size and first voxel with plain Python."""
    padded = np.pad(mask != 0, ((0, 1),) * 3)
    labels = cc3d.connected_components(padded, connectivity=CONNECTIVITY, binary_image=True)
    labels = labels[:-1, :-1, :-1]
    flat = labels.ravel()
    sizes = {k: int((flat == k).sum()) for k in range(1, int(flat.max()) + 1)}
    order = sorted(sizes, key=lambda k: (-sizes[k], int(np.argmax(flat == k))))
    return np.array([0, *(order.index(k) + 1 for k in sizes)])[labels]


@settings(max_examples=150, deadline=None)
@given(
    mask=arrays.arrays(
        np.uint8,
        arrays.array_shapes(min_dims=3, max_dims=3, max_side=7),
        elements=st.integers(0, 1),
    ),
    size=st.sampled_from([1, 20, 100, 1 << 22]),
)
def test_slabs_give_the_labels_of_the_whole(mask, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subject, "_SLAB_VOXELS", size)
        found = Components(mask)
        np.testing.assert_array_equal(whole(found, mask.shape), largest_first(mask))
    assert found.voxels[0] == 0
    np.testing.assert_array_equal(found.voxels[1:], -np.sort(-found.voxels[1:]))
    assert found.voxels.sum() == (mask != 0).sum()


@pytest.mark.parametrize("step", [(1, 1, 1), (1, -1, 1), (1, 0, -1), (1, 1, -1), (1, 0, 0)])
def test_a_diagonal_through_many_slabs_is_one_component(monkeypatch, step):
    monkeypatch.setattr(subject, "_SLAB_VOXELS", 1)
    mask = np.zeros((9, 11, 13), np.uint8)
    for i in range(9):
        mask[i, (5 + step[1] * (i % 5)) % 11, 6 + step[2] * (i % 2)] = 1
    assert Components(mask).count == largest_first(mask).max()


def test_a_fork_that_joins_late_is_one_component(monkeypatch):
    monkeypatch.setattr(subject, "_SLAB_VOXELS", 1)
    mask = np.zeros((6, 3, 9), np.uint8)
    mask[:5, 1, 0] = mask[:5, 1, 8] = 1
    mask[5, 1, :] = 1
    found = Components(mask)
    assert (found.count, found.voxels.tolist()) == (1, [0, 19])


def test_labels_come_in_the_smallest_type(monkeypatch):
    monkeypatch.setattr(subject, "_SLAB_VOXELS", 64)
    mask = np.zeros((20, 20, 40), np.uint8)
    mask[::2, ::2, ::2] = 1
    found = Components(mask)
    assert found.count == 2000
    assert {values.dtype for _, values in found.labels()} == {np.dtype(np.uint16)}


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 7, 9), (5, 1, 7), (7, 5, 1), (1, 1, 1001)])
def test_thin_volumes_full_of_single_voxels(shape):
    mask = np.zeros(shape, np.uint8)
    mask[::2, ::2, ::2] = 1
    assert Components(mask).count == mask.sum()


def test_an_empty_mask_has_no_component():
    found = Components(np.zeros((3, 4, 5), np.uint8))
    assert (found.count, found.voxels.tolist()) == (0, [0])
