from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_voxuda.simulation.density import frequency_grids
from napari_voxuda.simulation.imaging import envelope, wedge
from napari_voxuda.simulation.noise import (
    coloured_noise,
    published_noise,
    reconstruction_noise,
    unit_variance,
    white_noise,
)

SHAPE = (32, 32, 32)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def frequency() -> torch.Tensor:
    k_z, k_y, k_x = frequency_grids(SHAPE)
    return torch.sqrt(k_z**2 + k_y**2 + k_x**2)


def power(volume: torch.Tensor, where: torch.Tensor) -> float:
    return float((torch.fft.rfftn(volume).abs() ** 2)[where.expand(32, 32, 17)].mean())


def test_white_noise_is_white() -> None:
    noise = white_noise(SHAPE, rng())
    assert noise.var().item() == pytest.approx(1.0, abs=0.03)
    low, high = power(noise, frequency() < 0.25), power(noise, frequency() > 0.4)
    assert low / high == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_every_noise_has_variance_one_and_mean_zero(seed: int) -> None:
    measured = wedge(SHAPE, -60, 60)
    band = envelope(frequency(), 0.2)
    for noise in (
        published_noise(measured, band, SHAPE, rng(seed)),
        coloured_noise(measured * band, SHAPE, rng(seed)),
        reconstruction_noise(measured * band, band, measured, SHAPE, rng(seed)),
        unit_variance(white_noise(SHAPE, rng(seed)) * 7 + 3),
    ):
        assert noise.shape == SHAPE
        assert noise.var(correction=0).item() == pytest.approx(1.0, abs=1e-4)
        assert noise.mean().item() == pytest.approx(0.0, abs=1e-4)


def test_published_noise_is_half_before_and_half_after_the_transfer() -> None:
    measured = wedge(SHAPE, -60, 60)
    noise = published_noise(measured, torch.ones_like(measured), SHAPE, rng())
    assert power(noise, measured > 0) / power(noise, measured == 0) == pytest.approx(2.0, rel=0.1)


def test_published_noise_is_band_limited() -> None:
    noise = published_noise(torch.ones(32, 32, 17), envelope(frequency(), 0.2), SHAPE, rng())
    assert power(noise, frequency() > 0.45) < 0.02 * power(noise, frequency() < 0.1)


def test_a_reconstruction_has_low_frequencies_and_little_in_the_wedge() -> None:
    measured = wedge(SHAPE, -60, 60)
    band = envelope(frequency(), 0.3)
    noise = reconstruction_noise(measured * band, band, measured, SHAPE, rng())
    assert power(noise, measured == 0) < 0.1 * power(noise, measured > 0)
    low = power(noise, (frequency() < 0.1) & (measured > 0))
    assert low > 5 * power(noise, (frequency() > 0.4) & (measured > 0))


def test_coloured_noise_differs_from_draw_to_draw() -> None:
    transfer = envelope(frequency(), 0.15)
    ratios = []
    for seed in range(8):
        noise = coloured_noise(transfer, SHAPE, rng(seed))
        ratios.append(power(noise, frequency() < 0.1) / power(noise, frequency() > 0.4))
    assert min(ratios) > 1
    assert max(ratios) > 2 * min(ratios)
