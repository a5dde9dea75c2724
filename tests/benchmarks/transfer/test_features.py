"""The embedding of features in the plane."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.transfer.features import _neighbours, mixing, t_sne


def blobs(distance: float, count: int = 40, features: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(2 * count, features))
    points[count:, 0] += distance
    return points, np.arange(2 * count) >= count


def test_two_blobs_stay_apart_in_the_plane() -> None:
    features, second = blobs(25.0)
    points = t_sne(features, np.random.default_rng(1))
    assert points.shape == (80, 2)
    assert mixing(points, second) == 0
    between = np.linalg.norm(points[second].mean(axis=0) - points[~second].mean(axis=0))
    within = max(
        np.linalg.norm(points[s] - points[s].mean(axis=0), axis=1).max() for s in (second, ~second)
    )
    assert between > 1.5 * within


def test_one_blob_stays_mixed() -> None:
    features, second = blobs(0.0)
    points = t_sne(features, np.random.default_rng(1))
    assert 0.3 < mixing(points, second) < 0.7


def test_neighbours_in_space_are_neighbours_in_the_plane() -> None:
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros(60)], axis=1)
    points = t_sne(ring, np.random.default_rng(0), perplexity=6)
    step = np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1)
    across = np.linalg.norm(points - np.roll(points, 30, axis=0), axis=1)
    assert np.median(step) < 0.2 * np.median(across)


def test_a_few_equal_points_give_finite_places() -> None:
    points = t_sne(np.ones((4, 3)), np.random.default_rng(0))
    assert np.isfinite(points).all()


def test_every_point_has_the_wanted_number_of_neighbours() -> None:
    features, _ = blobs(0.0)
    chance = _neighbours(features, 10.0)
    assert chance.sum() == pytest.approx(1)
    np.testing.assert_allclose(chance, chance.T)
    rows = chance / chance.sum(axis=1, keepdims=True)
    entropy = -(rows * np.log(np.maximum(rows, 1e-300))).sum(axis=1)
    assert np.exp(entropy).mean() == pytest.approx(10, rel=0.5)  # symmetrising blurs it


def test_mixing_counts_nearest_neighbours_of_the_other_domain() -> None:
    line = np.array([[0.0], [1.0], [5.0], [5.5]])
    assert mixing(line, np.array([False, False, True, True])) == 0
    assert mixing(line, np.array([False, True, False, True])) == 1
