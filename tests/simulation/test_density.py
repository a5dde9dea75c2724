from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_voxuda.simulation.density import (
    fast_length,
    gaussian_transfer,
    mask_level_of,
    splat,
    splat_transfer,
)


def slow_splat(points: np.ndarray, weights: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    grid = np.zeros(shape)
    for index in np.ndindex(shape):
        share = np.prod(np.clip(1 - np.abs(points - index), 0, None), axis=1)
        grid[index] = (share * weights).sum()
    return grid


def test_splatting_is_trilinear() -> None:
    rng = np.random.default_rng(0)
    points, weights = rng.uniform(-2, 8, (40, 3)), rng.uniform(0, 1, 40)
    shape = (5, 6, 7)
    np.testing.assert_allclose(
        splat(points, weights, shape), slow_splat(points, weights, shape), atol=1e-5
    )


def test_splatting_keeps_weight_and_centre_inside_and_wraps_nothing() -> None:
    points = np.array([[3.3, 4.6, 2.2]])
    grid = splat(points, np.array([2.0]), (8, 9, 10))
    assert grid.sum() == pytest.approx(2.0)
    centre = [
        (grid.sum(axis=tuple({0, 1, 2} - {a})) * np.arange(grid.shape[a])).sum() / 2
        for a in range(3)
    ]
    np.testing.assert_allclose(centre, points[0], atol=1e-5)
    outside = splat(np.array([[-1.5, 3, 3], [3, 3, 12.0], [3, 9.2, 3]]), np.ones(3), (8, 9, 10))
    assert outside.sum() == 0
    half = splat(np.array([[-0.25, 3, 3]]), np.ones(1), (8, 9, 10))
    assert half.sum() == pytest.approx(0.75)
    assert half[-1].sum() == 0


def test_several_weights_share_one_pass() -> None:
    points = np.random.default_rng(1).uniform(0, 5, (20, 3))
    weights = np.random.default_rng(2).uniform(0, 1, (2, 20))
    both = splat(points, weights, (6, 6, 6))
    np.testing.assert_array_equal(both[1], splat(points, weights[1], (6, 6, 6)))


def blurred(points: np.ndarray, shape: tuple[int, int, int], sigma: float) -> np.ndarray:
    grid = torch.from_numpy(splat(points, np.full(len(points), 1 / len(points)), shape))
    spectrum = torch.fft.rfftn(grid) * gaussian_transfer(shape, sigma) / splat_transfer(shape)
    return np.asarray(torch.fft.irfftn(spectrum, s=shape))


def gaussians(points: np.ndarray, shape: tuple[int, int, int], sigma: float) -> np.ndarray:
    total = np.zeros(shape)
    for point in points:
        distance = ((np.indices(shape) - point[:, None, None, None]) ** 2).sum(axis=0)
        total += np.exp(-distance / (2 * sigma**2)) / (2 * np.pi * sigma**2) ** 1.5
    return total / len(points)


def test_a_cloud_is_blurred_like_a_sum_of_gaussians() -> None:
    shape, sigma = (20, 20, 20), 1.0
    points = np.random.default_rng(0).uniform(6, 13, (1500, 3))
    wanted = gaussians(points, shape, sigma)
    np.testing.assert_allclose(blurred(points, shape, sigma), wanted, atol=0.02 * wanted.max())


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])
def test_even_a_single_point_is_nearly_a_gaussian(shift: float) -> None:
    point = np.array([[11.0 + shift, 12.0, 12.0 - shift]])
    got, wanted = blurred(point, (24,) * 3, 1.3), gaussians(point, (24,) * 3, 1.3)
    np.testing.assert_allclose(got, wanted, atol=0.2 * wanted.max())
    assert got.sum() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("radius", [3.0, 6.0, 10.0])
def test_the_level_encloses_the_volume_of_a_ball(radius: float) -> None:
    axis = np.arange(-12, 12.01, 0.5)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    points = points[np.linalg.norm(points, axis=1) <= radius]
    volumes = np.full(len(points), 0.125)
    level = mask_level_of(points, volumes, 0.7)
    # A flat surface keeps its place at one half; a curved one needs a lower level.
    assert 0.4 < level <= 0.52
    if radius == 10.0:
        assert level == pytest.approx(0.47, abs=0.02)


def test_a_thin_molecule_needs_a_lower_level() -> None:
    rod = np.zeros((100, 3))
    rod[:, 0] = np.linspace(-10, 10, 100)
    assert mask_level_of(rod, np.full(100, 0.2), 0.7) < 0.4


@pytest.mark.parametrize(("length", "fast"), [(45, 45), (47, 48), (49, 50), (97, 100)])
def test_fast_lengths_have_small_factors(length: int, fast: int) -> None:
    assert fast_length(length) == fast
