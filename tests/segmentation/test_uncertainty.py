from __future__ import annotations

import numpy as np
import pytest

from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.uncertainty import UncertainPlaces, sum_nearby


def test_the_sum_is_that_of_a_slow_loop():
    values = np.random.default_rng(0).random((9, 10, 11)).astype(np.float32)
    means, stride = sum_nearby(values, radius=2)
    assert stride == 1
    padded = np.pad(values, 2)
    for index in ((0, 0, 0), (4, 5, 6), (8, 9, 10)):
        box = padded[tuple(slice(i, i + 5) for i in index)]
        assert means[index] == pytest.approx(box.sum() / 125, rel=1e-5)
    coarse, stride = sum_nearby(values, radius=4)
    assert stride == 2
    assert coarse.shape == (5, 5, 6)
    padded = np.pad(values, 4)
    box = padded[4 : 4 + 9, 6 : 6 + 9, 8 : 8 + 9]
    assert coarse[2, 3, 4] == pytest.approx(box.sum() / 729, rel=1e-5)


@pytest.fixture
def uncertainty():
    values = np.zeros((30, 60, 60), np.float32)
    values[15, 30, 30] = 1.0  # a single voxel: least
    values[4:9, 4:9, 4:9] = 0.5
    values[20:26, 40:46, 10:16] = 0.6
    return values


def test_the_most_uncertain_neighbourhood_comes_first(uncertainty):
    walk = UncertainPlaces(uncertainty)
    assert walk.number == 0
    for centre in ((22, 42, 12), (6, 6, 6), (15, 30, 30)):
        place = walk.next()
        assert max(abs(a - b) for a, b in zip(place, centre, strict=True)) <= 5
    assert walk.number == 3
    assert walk.next() is None
    assert walk.number == 3


def test_one_can_go_back_and_on_again(uncertainty):
    walk = UncertainPlaces(uncertainty)
    first, second = walk.next(), walk.next()
    assert walk.previous() == first
    assert walk.previous() is None
    assert walk.next() == second
    assert walk.seen == (first, second)


def test_what_was_corrected_is_left_out_with_its_surroundings(uncertainty):
    walk = UncertainPlaces(uncertainty)
    walk.suppress(np.array([[22, 42, 12], [23, 42, 12]]))
    place = walk.next()
    assert max(abs(a - b) for a, b in zip(place, (6, 6, 6), strict=True)) <= 3


def test_places_lie_apart():
    walk = UncertainPlaces(np.ones((20, 20, 60), np.float32), radius=4)
    places = np.array([walk.next() for _ in range(4)])
    gaps = np.abs(places[:, None] - places[None]).max(2) + 99 * np.eye(4)
    assert gaps.min() >= 8


def test_a_flat_array_is_refused():
    with pytest.raises(InputError, match="volume"):
        UncertainPlaces(np.zeros((3, 3)))
