from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from napari_voxuda.errors import InputError
from napari_voxuda.segmentation import components
from napari_voxuda.segmentation.instances import (
    fill_holes,
    find_particles,
    label_particles,
    mask_from_probability,
    max_voxels_of,
    min_voxels_of,
    voxel_volume_angstrom3,
)

TOUCHING = np.ones((3, 3, 3))  # 26-connectivity


@pytest.fixture(autouse=True, params=[1 << 22, 50])
def _slab(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs once in a single slab and once slice by slice."""
    monkeypatch.setattr(components, "_SLAB_VOXELS", request.param)


def blobs(seed: int = 0, shape: tuple[int, ...] = (11, 20, 31)) -> np.ndarray:
    """A probability map with components of many sizes."""
    noise = np.random.default_rng(seed).random(shape)
    smooth = ndimage.gaussian_filter(noise, 1.0)
    return ((smooth - smooth.min()) / np.ptp(smooth)).astype(np.float32)


def test_threshold_is_inclusive() -> None:
    probability = np.array([[[0.2, 0.5, np.nextafter(np.float32(0.5), 0), 0.9]]], dtype=np.float32)
    mask = mask_from_probability(probability, 0.5)
    assert mask.dtype == np.uint8
    assert mask.tolist() == [[[0, 1, 0, 1]]]


@pytest.mark.parametrize(("threshold", "value"), [(0.0, 1), (1.0, 0)])
def test_limits_of_the_threshold(threshold: float, value: int) -> None:
    assert (mask_from_probability(np.full((2, 3, 4), 0.5), threshold) == value).all()


@pytest.mark.parametrize("smallest", [0, 1, 2, 5, 20, 10_000])
def test_small_components_are_removed_and_no_others(smallest: int) -> None:
    probability = blobs()
    wanted = probability >= 0.6
    labels, count = ndimage.label(wanted, TOUCHING)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    assert len(set(sizes[1:])) > 5
    wanted &= sizes[labels] >= smallest
    mask = mask_from_probability(probability, 0.6, smallest)
    np.testing.assert_array_equal(mask, wanted)


def test_a_component_of_just_the_smallest_size_stays() -> None:
    probability = np.zeros((3, 3, 9))
    probability[1, 1, 1:5] = 1
    assert mask_from_probability(probability, 0.5, 4).sum() == 4
    assert mask_from_probability(probability, 0.5, 5).sum() == 0


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32, np.float32])
def test_labels_are_the_components_largest_first(dtype: type) -> None:
    mask = (blobs() >= 0.6).astype(dtype)
    labels = label_particles(mask)
    truth, count = ndimage.label(mask, TOUCHING)
    sizes = np.bincount(truth.ravel())[1:]
    pairs = np.unique(np.stack([labels.ravel(), truth.ravel()]), axis=1)
    assert labels.dtype.kind == "u"
    assert pairs.shape[1] == count + 1  # one to one, background included
    assert np.bincount(labels.ravel())[1:].tolist() == sorted(sizes, reverse=True)


@given(st.integers(0, 2**20))
def test_equal_sizes_come_in_raster_order(seed: int) -> None:
    mask = np.random.default_rng(seed).random((4, 9, 12)) < 0.03
    labels = label_particles(mask)
    flat = labels.ravel()
    found = [int(np.flatnonzero(flat == n)[0]) for n in range(1, flat.max(initial=0) + 1)]
    sizes = np.bincount(flat)[1:].tolist()
    keys = list(zip([-size for size in sizes], found, strict=True))
    assert keys == sorted(keys)


def test_voxels_that_share_a_corner_are_one_component() -> None:
    mask = np.zeros((4, 4, 4), dtype=np.uint8)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[3, 3, 3] = 1
    assert label_particles(mask).max() == 2


def test_every_value_but_zero_is_foreground() -> None:
    mask = np.array([[[-3, 0, 2, 300]]])
    assert label_particles(mask).tolist() == [[[2, 0, 1, 1]]]


def test_no_foreground_has_no_particle() -> None:
    labels = label_particles(np.zeros((3, 4, 5), dtype=np.uint8))
    assert labels.max() == 0
    assert find_particles(labels, np.zeros((3, 4, 5)), None) == []


def test_particles_agree_with_scipy() -> None:
    probability = blobs()
    labels = label_particles(probability >= 0.6)
    found = find_particles(labels, probability, (2.0, 3.0, 5.0))
    index = [particle.label for particle in found]
    assert index == list(range(1, int(labels.max()) + 1))
    np.testing.assert_allclose(
        [p.mean_probability for p in found], ndimage.mean(probability, labels, index), rtol=1e-6
    )
    np.testing.assert_allclose(
        [p.centroid for p in found], ndimage.center_of_mass(labels > 0, labels, index)
    )
    assert [p.voxels for p in found] == np.bincount(labels.ravel())[1:].tolist()
    assert [p.volume_angstrom3 for p in found] == [30.0 * p.voxels for p in found]


def test_centroid_counts_from_the_centre_of_the_first_voxel() -> None:
    labels = np.zeros((6, 7, 8), dtype=np.uint16)
    labels[1:3, 4, 5:8] = 1
    (particle,) = find_particles(labels, np.ones(labels.shape), None)
    assert particle.centroid == (1.5, 4.0, 6.0)
    assert particle.volume_angstrom3 is None


def test_labels_with_gaps_and_any_order_are_measured() -> None:
    labels = np.array([[[7, 0, 3, 3, 0, 2]]], dtype=np.int32)
    found = find_particles(labels, np.ones(labels.shape), None)
    assert [(p.label, p.voxels) for p in found] == [(3, 2), (2, 1), (7, 1)]


def test_particles_of_equal_size_come_in_the_order_of_their_labels() -> None:
    order = np.random.default_rng(0).permutation(np.arange(1, 201))
    labels = order.reshape(2, 10, 10)
    found = find_particles(labels, np.ones(labels.shape), None)
    assert [p.label for p in found] == list(range(1, 201))


@pytest.mark.parametrize(
    ("labels", "shape", "message"),
    [
        (np.zeros((2, 2, 2), dtype=int), (2, 2, 3), r"got \(2, 2, 2\) and \(2, 2, 3\)"),
        (np.zeros((2, 2), dtype=int), (2, 2), r"\(z, y, x\) were wanted"),
        (np.zeros((2, 2, 2)), (2, 2, 2), "whole-numbered labels were wanted, got float64"),
    ],
)
def test_refused_labels(labels: np.ndarray, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_particles(labels, np.zeros(shape), None)


@pytest.mark.parametrize(
    ("size", "voxel", "voxels"),
    [
        (0.0, None, 0),
        (0.0, (10.0, 10.0, 10.0), 0),
        (1000.0, (10.0, 10.0, 10.0), 1),
        (1000.1, (10.0, 10.0, 10.0), 2),
        (3000.0, (10.0, 10.0, 10.0), 3),
        (59.0, (2.0, 3.0, 5.0), 2),
        (3 * 13.6**3, (13.6, 13.6, 13.6), 3),
        (1e-6, (10.0, 10.0, 10.0), 1),
        (40 * (15.6 * 7.07) * 11.08, (11.08, 7.07, 15.6), 40),  # rounds to above 40 voxels
    ],
)
def test_smallest_size_in_voxels(size: float, voxel: Any, voxels: int) -> None:
    assert min_voxels_of(size, voxel) == voxels


@pytest.mark.parametrize(
    ("size", "voxel", "voxels"),
    [
        (0.0, None, 0),
        (999.9, (10.0, 10.0, 10.0), 0),
        (1000.0, (10.0, 10.0, 10.0), 1),
        (59.0, (2.0, 3.0, 5.0), 1),
        (3 * 13.6**3, (13.6, 13.6, 13.6), 3),
    ],
)
def test_largest_hole_in_voxels(size: float, voxel: Any, voxels: int) -> None:
    assert max_voxels_of(size, voxel) == voxels


@pytest.mark.parametrize(
    ("in_voxels", "what"), [(min_voxels_of, "minimum size"), (max_voxels_of, "holes")]
)
def test_a_size_in_angstrom_needs_the_voxel_size(in_voxels: Any, what: str) -> None:
    with pytest.raises(
        InputError, match=f"{what}: 5000 Å³ was asked for.* Set the voxel size in Å"
    ):
        in_voxels(5000.0, None)


def test_volume_of_a_voxel() -> None:
    assert voxel_volume_angstrom3((2.0, 3.0, 5.0)) == 30.0
    assert voxel_volume_angstrom3(None) is None


def test_enclosed_holes_up_to_a_size_are_filled():
    mask = np.zeros((7, 7, 12), np.uint8)
    mask[1:6, 1:6, 1:6] = 1
    mask[3, 3, 3:5] = 0  # a hole of two voxels
    mask[:3, 3, 1:6] = 1
    mask[0, 3, 3] = 0  # a dent at the border of the volume
    mask[1:6, 1:6, 7:12] = 1
    mask[3, 3, 9] = 0  # a hole of one voxel
    np.testing.assert_array_equal(fill_holes(mask, 0), mask)
    one = fill_holes(mask, 1)
    assert (one[3, 3, 9], one[3, 3, 3], one[0, 3, 3]) == (1, 0, 0)
    two = fill_holes(mask, 2)
    assert (two[3, 3, 9], two[3, 3, 3], two[0, 3, 3]) == (1, 1, 0)
    assert two.sum() == mask.sum() + 3


def test_background_is_cut_by_diagonal_foreground():
    mask = np.ones((5, 5, 5), np.uint8)
    mask[2, 2, 2] = mask[2, 1, 1] = 0  # touch at an edge only: two holes
    assert fill_holes(mask, 1).all()
