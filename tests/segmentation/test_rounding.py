from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_voxuda.scores.overlap import overlap
from napari_voxuda.segmentation import components
from napari_voxuda.segmentation.instances import mask_from_probability
from napari_voxuda.segmentation.rounding import rounded_mask

TOUCHING = np.ones((3, 3, 3))


@pytest.fixture(autouse=True, params=[1 << 22, 2000])
def _slab(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs once in a single slab and once in many."""
    monkeypatch.setattr(components, "_SLAB_VOXELS", request.param)


def distance(shape: tuple[int, ...], centre: tuple[float, ...]) -> np.ndarray:
    axes = np.ogrid[tuple(slice(n) for n in shape)]
    return np.sqrt(sum((axis - c) ** 2 for axis, c in zip(axes, centre, strict=True)))


def probability_of(truth: np.ndarray, *, noise: float, seed: int = 0) -> np.ndarray:
    """A probability map whose log-odds are the truth's, with noise of some voxels' width."""
    rough = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=truth.shape), 1.5)
    odds = np.where(truth, 1.0, -2.0) + noise * rough / rough.std()
    return (1 / (1 + np.exp(-odds))).astype(np.float32)


def dice(mask: np.ndarray, truth: np.ndarray) -> float:
    return overlap(mask, truth.astype(np.uint8)).foreground.dice


def expected(probability: np.ndarray, threshold: float, roundness: float) -> np.ndarray:
    """The rule voxel by voxel, over whole volumes."""
    mask = probability >= threshold
    labels, count = ndimage.label(mask, TOUCHING)
    odds = np.log(probability / (1 - probability)) - np.log(threshold / (1 - threshold))
    found = np.zeros(mask.shape, bool)
    for label in range(1, count + 1):
        piece = labels == label
        voxels = np.argwhere(piece)
        centre = np.average(voxels, axis=0, weights=probability[piece])
        radius = (3 * len(voxels) / (4 * np.pi)) ** (1 / 3)
        away = distance(mask.shape, tuple(centre))
        inside = np.mean(away[piece] <= radius + 0.2)
        weight = roundness * np.clip((inside - 0.5) / 0.25, 0, 1) * (len(voxels) >= 20)
        gain = np.clip(6 * (1 - away / radius), -4, 4)
        near = away <= radius * (1 + 4 / 6)
        found |= piece & (odds >= 4 * weight)
        if weight > 0:
            found |= near & (odds + weight * gain >= 0)
    return found


@pytest.mark.parametrize("roundness", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("threshold", "seed"), [(0.5, 0), (0.3, 1), (0.7, 2)])
def test_each_voxel_is_judged_by_the_rule(threshold: float, seed: int, roundness: float) -> None:
    truth = np.zeros((24, 40, 44), bool)
    for centre, radius in (((11, 12, 12), 6.5), ((12, 27, 33), 5.0), ((4, 33, 8), 3.0)):
        truth |= distance(truth.shape, centre) <= radius
    probability = probability_of(truth, noise=1.0, seed=seed)
    found = rounded_mask(probability, threshold, roundness)
    assert found.dtype == np.uint8
    wanted = expected(probability.astype(np.float64), threshold, roundness)
    assert np.count_nonzero(found != wanted) <= 1  # a voxel on the edge of two roundings
    plain = mask_from_probability(probability, threshold)
    assert (found == plain).all() == (roundness == 0)


def test_a_ragged_ball_becomes_rounder() -> None:
    truth = distance((32, 32, 32), (15, 16, 17)) <= 7.5
    probability = probability_of(truth, noise=1.0)
    scores = [dice(rounded_mask(probability, 0.5, r), truth) for r in (0.0, 0.1, 0.3, 1.0)]
    assert scores == sorted(scores)
    assert scores[-1] > scores[0] + 0.05


@pytest.mark.parametrize("kind", ["filament", "membrane", "shell"])
def test_what_is_no_ball_stays_as_it_is(kind: str) -> None:
    truth = np.zeros((24, 48, 48), bool)
    if kind == "filament":
        truth[10:14, 22:26, 2:46] = True
    elif kind == "membrane":
        truth[11:13, 2:46, 2:46] = True
    else:
        away = distance(truth.shape, (12, 24, 24))
        truth = (away <= 10) & (away > 8)
    probability = np.where(truth, 0.6, 0.4)
    np.testing.assert_array_equal(rounded_mask(probability, 0.5, 1.0), truth)


def test_a_speck_stays_as_it_is() -> None:
    probability = np.full((9, 9, 9), 0.49)
    probability[4, 4, 3:6] = 0.51
    np.testing.assert_array_equal(rounded_mask(probability, 0.5, 1.0), probability > 0.5)


def test_sure_voxels_far_from_the_ball_stay_and_sure_background_in_it_too() -> None:
    truth = distance((32, 32, 32), (16, 16, 16)) <= 6
    probability = np.where(truth, 0.6, 0.4)
    probability[16, 16, 16] = 0.01
    probability[16, 16, 22:29] = 0.99
    found = rounded_mask(probability, 0.5, 1.0)
    assert found[16, 16, 28] == 1
    assert found[16, 16, 16] == 0


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_limits_of_the_threshold(threshold: float) -> None:
    probability = np.random.default_rng(0).random((8, 9, 10))
    probability[4, 4, 4] = 1.0
    found = rounded_mask(probability, threshold, 1.0)
    np.testing.assert_array_equal(found, mask_from_probability(probability, threshold))
