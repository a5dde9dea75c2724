from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_voxuda.errors import InputError
from napari_voxuda.method.improved_bilateral import (
    IMPROVED_BILATERAL_HALO,
    GradientOperator,
    gradient_difference,
    improved_bilateral_filter,
    laplacian_gradient,
    suggest_sigma_range,
)

OPERATORS: list[GradientOperator] = ["sobel", "laplacian"]
both_operators = pytest.mark.parametrize("operator", OPERATORS)


def _volume(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def slow_gradient(volume: np.ndarray, operator: str) -> np.ndarray:
    """Eq. (10) to (12) voxel by voxel on an array, with zeros where the stencil does not fit."""

    def laplace(z: int, y: int, x: int) -> float:
        total = -6 * volume[z, y, x]
        for axis, step in itertools.product(range(3), (-1, 1)):
            q = [z, y, x]
            q[axis] += step
            total += volume[tuple(q)]
        return float(total)

    out = np.zeros((3, *volume.shape))
    reach = 1 if operator == "sobel" else 2
    for p in itertools.product(*(range(reach, n - reach) for n in volume.shape)):
        for axis in range(3):
            if operator == "laplacian":
                ahead, behind = list(p), list(p)
                ahead[axis] += 1
                behind[axis] -= 1
                out[(axis, *p)] = laplace(*ahead) - laplace(*behind)
                continue
            for o in itertools.product((-1, 0, 1), repeat=3):
                weight = o[axis] * math.prod(2 - abs(o[a]) for a in range(3) if a != axis)
                out[(axis, *p)] += weight * volume[tuple(a + b for a, b in zip(p, o, strict=True))]
    return out


def slow_improved(
    volume: np.ndarray, sigma_domain: float, sigma_range: float, operator: str
) -> np.ndarray:
    """Eq. (13) and (14) voxel by voxel on the volume continued by its border voxels."""
    margin = 4
    unit = (volume - volume.min()) / (volume.max() - volume.min())
    unit = np.pad(unit, margin, mode="edge")
    gradient = slow_gradient(unit, operator)
    out = np.empty_like(volume)
    for p in np.ndindex(*volume.shape):
        inside = tuple(a + margin for a in p)
        above = below = 0.0
        for o in itertools.product((-1, 0, 1), repeat=3):
            q = tuple(a + b for a, b in zip(inside, o, strict=True))
            difference = gradient[(slice(None), *q)] - gradient[(slice(None), *inside)]
            weight = math.exp(-sum(b * b for b in o) / (2 * sigma_domain**2))
            weight *= math.exp(-float(difference @ difference) / (2 * sigma_range**2))
            above += weight * unit[q]
            below += weight
        out[p] = above / below
    return out * (volume.max() - volume.min()) + volume.min()


@both_operators
@pytest.mark.parametrize("shape", [(5, 5, 5), (1, 4, 3), (2, 1, 2)])
@pytest.mark.parametrize(("sigma_domain", "sigma_range"), [(120.0, 1.2), (0.8, 3.0), (1.5, 0.3)])
def test_equals_the_slow_loop(
    shape: tuple[int, int, int],
    sigma_domain: float,
    sigma_range: float,
    operator: GradientOperator,
) -> None:
    volume = 7 * _volume(*shape) - 20
    expected = slow_improved(volume.numpy(), sigma_domain, sigma_range, operator)
    result = improved_bilateral_filter(volume, sigma_domain, sigma_range, operator=operator)
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-12, atol=1e-12)


@both_operators
def test_gradient_equals_the_slow_loop_in_the_order_d_h_w(operator: GradientOperator) -> None:
    volume = _volume(5, 6, 7)
    padded = np.pad(volume.numpy(), 3, mode="edge")
    expected = slow_gradient(padded, operator)[:, 3:-3, 3:-3, 3:-3]
    result = laplacian_gradient(volume, operator=operator)
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-13)


def test_sobel_is_that_of_an_independent_program() -> None:
    volume = _volume(5, 6, 7)
    result = laplacian_gradient(volume).numpy()
    for axis in range(3):
        expected = ndimage.sobel(volume.numpy(), axis=axis, mode="nearest")
        np.testing.assert_allclose(result[axis], expected, atol=1e-13)


@both_operators
def test_gradient_of_a_ramp(operator: GradientOperator) -> None:
    volume = torch.arange(9.0).expand(9, 9, 9)
    gradient = laplacian_gradient(volume, operator=operator)[:, 3:-3, 3:-3, 3:-3]
    slope = 2 * 16.0 if operator == "sobel" else 0.0
    assert torch.equal(gradient[2], torch.full_like(gradient[2], slope))
    assert not gradient[:2].any()


@both_operators
def test_infinite_widths_give_the_box_mean_of_the_replicated_volume(
    operator: GradientOperator,
) -> None:
    volume = _volume(4, 5, 6)
    padded = np.pad(volume.numpy(), 1, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3, 3))
    result = improved_bilateral_filter(volume, math.inf, math.inf, operator=operator)
    np.testing.assert_allclose(result.numpy(), windows.mean(axis=(3, 4, 5)), atol=1e-13)


@both_operators
@pytest.mark.parametrize("value", [0.0, 0.1, -3.7e11, 1e-8])
def test_a_constant_stays_to_the_bit(value: float, operator: GradientOperator) -> None:
    volume = torch.full((3, 4, 5), value)
    assert torch.equal(improved_bilateral_filter(volume, operator=operator), volume)


def test_a_ramp_is_smoothed_where_the_bilateral_filter_would_keep_it() -> None:
    ramp = 100 * torch.arange(9.0).expand(9, 9, 9)
    result = improved_bilateral_filter(ramp, 120.0, 0.05)
    inner = (slice(2, -2),) * 3
    torch.testing.assert_close(result[inner], ramp[inner])  # equal gradients: all weights 1
    noisy = ramp.clone()
    noisy[4, 4, 4] += 1.0
    assert (improved_bilateral_filter(noisy, 120.0, 0.05)[4, 4, 4] - 400).abs() < 0.1


@settings(deadline=None, max_examples=30)
@given(
    shape=st.tuples(*[st.integers(1, 5)] * 3),
    sigma=st.floats(0.05, 20),
    seed=st.integers(0, 1000),
    scale=st.floats(0.01, 1e4),
    shift=st.floats(-100, 100),
    operator=st.sampled_from(OPERATORS),
)
def test_facts(
    shape: tuple[int, int, int],
    sigma: float,
    seed: int,
    scale: float,
    shift: float,
    operator: GradientOperator,
) -> None:
    volume = _volume(*shape, seed=seed)
    result = improved_bilateral_filter(volume, 120.0, sigma, operator=operator)
    assert volume.min() - 1e-12 <= result.min()
    assert result.max() <= volume.max() + 1e-12
    moved = improved_bilateral_filter(scale * volume + shift, 120.0, sigma, operator=operator)
    torch.testing.assert_close(moved, scale * result + shift, rtol=1e-7, atol=1e-7)
    inverted = improved_bilateral_filter(-volume, 120.0, sigma, operator=operator)
    torch.testing.assert_close(inverted, -result, rtol=1e-9, atol=1e-9)
    turned = improved_bilateral_filter(
        volume.permute(2, 0, 1).flip(1), 120.0, sigma, operator=operator
    )
    torch.testing.assert_close(turned, result.permute(2, 0, 1).flip(1), rtol=1e-9, atol=1e-9)


@both_operators
def test_a_block_with_halo_and_the_whole_range_gives_the_same_bits(
    operator: GradientOperator,
) -> None:
    volume = _volume(16, 7, 9).float()
    value_range = (float(volume.min()), float(volume.max()))
    whole = improved_bilateral_filter(volume, operator=operator)
    halo = IMPROVED_BILATERAL_HALO[operator]

    def block(margin: int) -> torch.Tensor:
        filtered = improved_bilateral_filter(
            volume[6 - margin : 10 + margin], operator=operator, value_range=value_range
        )
        return filtered[margin : margin + 4]

    assert torch.equal(block(halo), whole[6:10])
    assert not torch.equal(block(halo - 1), whole[6:10])


def test_the_range_of_each_volume_is_its_own() -> None:
    volume = _volume(5, 5, 5)
    both = improved_bilateral_filter(torch.stack([volume, 1000 * volume]))
    torch.testing.assert_close(both[1], 1000 * both[0])
    wide = improved_bilateral_filter(volume, value_range=(-1e6, 1e6))
    box = improved_bilateral_filter(volume, sigma_range=math.inf)
    torch.testing.assert_close(wide, box, rtol=0, atol=1e-6)


def test_difference_is_the_norm_over_the_three_components() -> None:
    p, q = _volume(2, 3, 4, 5, 6), _volume(2, 3, 4, 5, 6, seed=1)
    expected = np.linalg.norm(p.numpy() - q.numpy(), axis=1)
    np.testing.assert_allclose(gradient_difference(p, q).numpy(), expected, rtol=1e-12)
    assert not gradient_difference(p, p).any()


def test_suggestion_is_a_fraction_of_the_median_difference_between_neighbours() -> None:
    volume = _volume(6, 5, 4)
    unit = ((volume - volume.min()) / (volume.max() - volume.min())).numpy()
    gradient = laplacian_gradient(torch.from_numpy(unit)).numpy()
    found = []
    for p in np.ndindex(*unit.shape):
        for o in itertools.product((-1, 0, 1), repeat=3):
            q = tuple(a + b for a, b in zip(p, o, strict=True))
            if o > (0, 0, 0) and all(0 <= a < n for a, n in zip(q, unit.shape, strict=True)):
                found.append(np.linalg.norm(gradient[:, *p] - gradient[:, *q]))
    expected = 0.65 * np.sort(found)[(len(found) - 1) // 2]
    assert suggest_sigma_range(volume) == pytest.approx(expected, rel=1e-9)
    assert suggest_sigma_range(50 * volume - 7) == pytest.approx(expected, rel=1e-9)
    assert suggest_sigma_range(volume.float()) == pytest.approx(expected, rel=1e-4)


def test_suggestion_for_noise_lies_in_the_published_range() -> None:
    assert 0.8 < suggest_sigma_range(_volume(4, 32, 32, 32)) < 1.6


@pytest.mark.parametrize("shape", [(1, 1, 1), (4, 4, 4)])
def test_no_suggestion_without_variation(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="choose sigma_range by hand"):
        suggest_sigma_range(torch.ones(shape))


def test_wrong_settings_are_refused() -> None:
    volume = torch.zeros(3, 3, 3)
    with pytest.raises(InputError, match="operator sobel or laplacian was wanted, got 'canny'"):
        improved_bilateral_filter(volume, operator="canny")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="laplacian_gradient: operator"):
        laplacian_gradient(volume, operator="canny")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="sigma_range: a width above 0 was wanted, got 0"):
        improved_bilateral_filter(volume, 1.0, 0.0)
    with pytest.raises(InputError, match="sigma_domain: a width above 0 was wanted, got nan"):
        improved_bilateral_filter(volume, math.nan, 1.0)
    with pytest.raises(InputError, match=r"\(lowest, highest\) value were wanted, got \(2, 1\)"):
        improved_bilateral_filter(volume, value_range=(2, 1))
    with pytest.raises(InputError, match=r"one shape \(..., 3, d, h, w\) were wanted"):
        gradient_difference(torch.zeros(2, 3, 3, 3), torch.zeros(2, 3, 3, 3))
