from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_voxuda.errors import InputError
from napari_voxuda.method.bilateral import BILATERAL_HALO, bilateral_filter, gaussian_kernel


def _volume(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def slow_bilateral(volume: np.ndarray, sigma_domain: float, sigma_range: float) -> np.ndarray:
    """Eq. (8) and (9) voxel by voxel; coordinates outside are clipped to the border."""

    def kernel(x: float, sigma: float) -> float:
        return math.exp(-(x**2) / (2 * sigma**2)) / (2 * math.pi * sigma**2)

    out = np.empty_like(volume)
    for p in np.ndindex(*volume.shape):
        above = below = 0.0
        for o in itertools.product((-1, 0, 1), repeat=3):
            q = tuple(min(max(a + b, 0), n - 1) for a, b, n in zip(p, o, volume.shape, strict=True))
            distance = math.sqrt(sum(b * b for b in o))
            weight = kernel(distance, sigma_domain) * kernel(volume[q] - volume[p], sigma_range)
            above += weight * volume[q]
            below += weight
        out[p] = above / below
    return out


@pytest.mark.parametrize("shape", [(5, 5, 5), (1, 4, 3), (2, 1, 1)])
@pytest.mark.parametrize(
    ("sigma_domain", "sigma_range"), [(120.0, 1.2), (0.8, 0.5), (1.5, 10.0), (100.0, 0.1)]
)
def test_equals_the_slow_loop(
    shape: tuple[int, int, int], sigma_domain: float, sigma_range: float
) -> None:
    volume = _volume(*shape)
    expected = slow_bilateral(volume.numpy(), sigma_domain, sigma_range)
    result = bilateral_filter(volume, sigma_domain, sigma_range)
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-12, atol=1e-12)


def test_infinite_widths_give_the_box_mean_of_the_replicated_volume() -> None:
    volume = _volume(4, 5, 6)
    padded = np.pad(volume.numpy(), 1, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3, 3))
    result = bilateral_filter(volume, math.inf, math.inf)
    np.testing.assert_allclose(result.numpy(), windows.mean(axis=(3, 4, 5)), atol=1e-13)


@pytest.mark.parametrize("width", ["domain", "range"])
def test_vanishing_widths_change_nothing(width: str) -> None:
    volume = _volume(4, 5, 6).float()
    small = {"domain": (1e-3, 1.0), "range": (120.0, 1e-30)}[width]
    assert torch.equal(bilateral_filter(volume, *small), volume)


@pytest.mark.parametrize("value", [0.0, 0.1, -3.7e11, 1e-8])
def test_a_constant_stays_to_the_bit(value: float) -> None:
    volume = torch.full((3, 4, 5), value)
    assert torch.equal(bilateral_filter(volume), volume)


def test_a_step_much_higher_than_the_range_width_stays_sharp() -> None:
    volume = torch.zeros(6, 6, 6)
    volume[:, :, 3:] = 100.0
    assert torch.equal(bilateral_filter(volume, 120.0, 1.0), volume)


@settings(deadline=None, max_examples=30)
@given(
    shape=st.tuples(*[st.integers(1, 5)] * 3),
    sigma=st.floats(0.05, 20),
    seed=st.integers(0, 1000),
    scale=st.floats(0.1, 100),
    shift=st.floats(-100, 100),
)
def test_facts(
    shape: tuple[int, int, int], sigma: float, seed: int, scale: float, shift: float
) -> None:
    volume = _volume(*shape, seed=seed)
    result = bilateral_filter(volume, 120.0, sigma)
    assert volume.min() - 1e-12 <= result.min()
    assert result.max() <= volume.max() + 1e-12
    moved = bilateral_filter(scale * volume + shift, 120.0, scale * sigma)
    torch.testing.assert_close(moved, scale * result + shift, rtol=1e-9, atol=1e-9)
    turned = bilateral_filter(volume.permute(2, 0, 1).flip(1), 120.0, sigma)
    torch.testing.assert_close(turned, result.permute(2, 0, 1).flip(1), rtol=1e-9, atol=1e-12)


def test_every_published_domain_width_acts_alike() -> None:
    volume = _volume(6, 6, 6)
    first, second = (bilateral_filter(volume, sigma, 1.2) for sigma in (100.0, 160.0))
    torch.testing.assert_close(first, second, rtol=0, atol=1e-4)


def test_halo_is_exactly_what_a_block_needs() -> None:
    volume = _volume(12, 6, 6).float()
    whole = bilateral_filter(volume)
    halo = BILATERAL_HALO
    assert torch.equal(bilateral_filter(volume[4 - halo : 8 + halo])[halo:-halo], whole[4:8])
    assert not torch.equal(bilateral_filter(volume[4:8]), whole[4:8])


def test_kernel_is_the_gaussian_without_its_constant() -> None:
    distance = torch.tensor([0.0, 0.5, 1.2, 3.0], dtype=torch.float64)
    expected = np.exp(-(distance.numpy() ** 2) / (2 * 1.2**2))
    np.testing.assert_allclose(gaussian_kernel(distance, 1.2).numpy(), expected, rtol=1e-15)
    assert torch.equal(gaussian_kernel(distance, math.inf), torch.ones(4, dtype=torch.float64))
    assert gaussian_kernel(distance.bfloat16(), 1.2).dtype == torch.bfloat16
    assert torch.equal(distance, torch.tensor([0.0, 0.5, 1.2, 3.0], dtype=torch.float64))


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.nan])
def test_widths_that_are_not_positive_are_refused(sigma: float) -> None:
    volume = torch.zeros(3, 3, 3)
    with pytest.raises(InputError, match="sigma_domain: a width above 0 was wanted"):
        bilateral_filter(volume, sigma, 1.0)
    with pytest.raises(InputError, match="sigma_range: a width above 0 was wanted"):
        bilateral_filter(volume, 1.0, sigma)
    with pytest.raises(InputError, match="sigma: a width above 0 was wanted"):
        gaussian_kernel(volume, sigma)
