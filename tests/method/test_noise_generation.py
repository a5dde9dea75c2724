from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method.fourier import HighPassShape, high_pass_mask, kept_energy
from napari_voxuda.method.noise_generation import (
    NoiseEstimate,
    add_noise,
    draw_subset,
    gaussian_noise,
    poisson_noise,
    speckle_noise,
    target_noise_variance,
)


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _white(*shape: int, sigma: float = 1.0, seed: int = 0) -> torch.Tensor:
    return sigma * torch.randn(shape, generator=_generator(seed), dtype=torch.float64)


@pytest.mark.parametrize("shape", ["cube", "radial"])
@pytest.mark.parametrize("fraction", [0.084, 0.244, 0.8])
def test_literal_variance_is_that_of_the_mean_noise_volume(
    shape: HighPassShape, fraction: float
) -> None:
    subset = _white(4, 5, 6, 7)
    mask = high_pass_mask((5, 6, 7), fraction, form=shape).numpy()
    volumes = [np.fft.ifftn(np.fft.fftn(box) * mask).real for box in subset.numpy()]
    literal = target_noise_variance(subset, fraction, shape=shape)
    assert float(literal) == pytest.approx(np.mean(volumes, axis=0).var(), rel=1e-9)
    calibrated = target_noise_variance(subset, fraction, shape=shape, estimate="calibrated")
    expected = np.mean([v.var() for v in volumes]) / kept_energy((5, 6, 7), fraction, form=shape)
    assert float(calibrated) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shape", ["cube", "radial"])
@pytest.mark.parametrize("sigma", [0.1, 1.0, 30.0])
def test_calibrated_estimate_is_exact_on_white_noise(shape: HighPassShape, sigma: float) -> None:
    subset = 1000 + _white(10, 32, 32, 32, sigma=sigma)
    found = target_noise_variance(subset, shape=shape, estimate="calibrated").sqrt()
    assert float(found) == pytest.approx(sigma, rel=0.01)


@pytest.mark.parametrize("count", [5, 10, 20])
def test_literal_estimate_falls_with_the_size_of_the_subset(count: int) -> None:
    subset = _white(count, 32, 32, 32)
    expected = kept_energy((32, 32, 32), 0.244) / count
    assert float(target_noise_variance(subset)) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("estimate", ["literal", "calibrated"])
def test_leading_shape_counts_separate_subsets(estimate: NoiseEstimate) -> None:
    subsets = _white(2, 3, 4, 8, 8, 8) * torch.arange(1.0, 7.0).reshape(2, 3, 1, 1, 1, 1)
    found = target_noise_variance(subsets, estimate=estimate)
    assert found.shape == (2, 3)
    for i in range(2):
        for j in range(3):
            alone = target_noise_variance(subsets[i, j], estimate=estimate)
            torch.testing.assert_close(found[i, j], alone)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_measured_in_float32(dtype: torch.dtype) -> None:
    subset = _white(10, 16, 16, 16).to(dtype)
    found = target_noise_variance(subset)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, target_noise_variance(subset.float()))


def test_gaussian_noise_has_the_variance_asked_for_in_each_volume() -> None:
    variance = torch.tensor([[0.0, 1.0, 4.0], [0.25, 9.0, 100.0]])
    noise = gaussian_noise(torch.zeros(2, 3, 40, 40, 40), variance, _generator())
    found = noise.var(dim=(-3, -2, -1))
    torch.testing.assert_close(found, variance, rtol=0.02, atol=0)
    assert (noise.mean(dim=(-3, -2, -1)).abs() <= 4 * (variance / 64000).sqrt()).all()
    kurtosis = (noise[0, 1] ** 4).mean()
    assert float(kurtosis) == pytest.approx(3.0, abs=0.1)


def test_gaussian_noise_is_fresh_for_each_sample_and_white() -> None:
    noise = gaussian_noise(torch.zeros(2, 32, 32, 32), 1.0, _generator())
    for a, b in [(noise[0], noise[1]), (noise[0, 1:], noise[0, :-1])]:
        correlation = torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]
        assert abs(float(correlation)) < 0.03


def test_speckle_noise_is_in_proportion_to_the_values() -> None:
    volume = torch.tensor([0.0, 1.0, -10.0]).reshape(3, 1, 1, 1).expand(3, 40, 40, 40)
    noise = speckle_noise(volume, 0.25, _generator())
    found = noise.std(dim=(-3, -2, -1))
    torch.testing.assert_close(found, torch.tensor([0.0, 0.5, 5.0]), rtol=0.02, atol=0)
    equal = gaussian_noise(torch.ones(4, 4, 4), 0.25, _generator())
    torch.testing.assert_close(speckle_noise(torch.ones(4, 4, 4), 0.25, _generator()), equal)


def test_poisson_noise_has_its_rate_as_mean_and_variance() -> None:
    volume = torch.zeros(2, 40, 40, 40)
    rate = torch.tensor([0.15, 3.0])
    noise = poisson_noise(volume, rate, _generator())
    torch.testing.assert_close(noise.mean(dim=(1, 2, 3)), rate, rtol=0.03, atol=0)
    torch.testing.assert_close(noise.var(dim=(1, 2, 3)), rate, rtol=0.05, atol=0)
    assert torch.equal(noise, noise.round())
    centred = poisson_noise(volume, rate, _generator(), centred=True)
    torch.testing.assert_close(centred, noise - rate.reshape(2, 1, 1, 1))


def test_adding_noise_adds_it() -> None:
    volume, noise = _white(2, 3, 4, 5), _white(2, 3, 4, 5, seed=1)
    assert torch.equal(add_noise(volume, noise), volume + noise)
    assert add_noise(volume.half(), noise).dtype == torch.float16


def test_subset_holds_different_boxes_and_repeats_with_its_seed() -> None:
    targets = torch.arange(20.0).reshape(20, 1, 1, 1)
    drawn = [draw_subset(targets, 10, _generator(seed)).flatten().tolist() for seed in (0, 0, 1)]
    assert len(set(drawn[0])) == 10
    assert drawn[0] == drawn[1] != drawn[2]
    assert sorted(draw_subset(targets, 20, _generator()).flatten().tolist()) == list(range(20))


@pytest.mark.parametrize("count", [0, 4])
def test_impossible_subset_is_refused(count: int) -> None:
    with pytest.raises(InputError, match=f"count from 1 to 3 .* was wanted, got {count}"):
        draw_subset(torch.zeros(3, 2, 2, 2), count, _generator())


def test_wrong_input_is_refused() -> None:
    volume = torch.zeros(3, 3, 3)
    with pytest.raises(InputError, match=r"\(..., n, d, h, w\) was wanted, got shape \(3, 3, 3\)"):
        target_noise_variance(volume)
    with pytest.raises(InputError, match="estimate 'literal' or 'calibrated' was wanted"):
        target_noise_variance(volume[None], estimate="guessed")  # type: ignore[arg-type]
    for draw in (gaussian_noise, speckle_noise, poisson_noise):
        with pytest.raises(InputError, match=r"of at least 0 was wanted, got -0\.1"):
            draw(volume, -0.1, _generator())
    with pytest.raises(InputError, match=r"noise of shape \(3, 3, 3\) was wanted, got \(3, 3\)"):
        add_noise(volume, torch.zeros(3, 3))
