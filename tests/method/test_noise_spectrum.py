from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method.noise_spectrum import noise_power_spectrum, spectrum_noise


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _coloured(count: int, *shape: int) -> torch.Tensor:
    """Noise with a missing wedge and power that falls with frequency."""
    z, _, x = np.meshgrid(*(np.fft.fftfreq(n) for n in shape), indexing="ij")
    radius = np.sqrt(sum(np.fft.fftfreq(n).reshape(s) ** 2 for n, s in _axes(shape)))
    gain = np.where(np.abs(z) > np.abs(x) * np.tan(np.pi / 3), 0.0, np.exp(-3 * radius))
    white = np.random.default_rng(0).normal(size=(count, *shape))
    return torch.from_numpy(
        np.fft.ifftn(np.fft.fftn(white, axes=(1, 2, 3)) * gain, axes=(1, 2, 3)).real
    )


def _axes(shape: tuple[int, ...]) -> list[tuple[int, tuple[int, int, int]]]:
    z, y, x = shape
    return [(z, (-1, 1, 1)), (y, (1, -1, 1)), (x, (1, 1, -1))]


@pytest.mark.parametrize("shape", [(6, 5, 8), (5, 6, 7), (1, 4, 4)])
def test_power_is_the_mean_square_of_the_coefficients(shape: tuple[int, int, int]) -> None:
    boxes = 3 + torch.randn(4, *shape, generator=_generator(), dtype=torch.float64)
    centred = boxes.numpy() - boxes.numpy().mean(axis=(1, 2, 3), keepdims=True)
    expected = (np.abs(np.fft.fftn(centred, axes=(1, 2, 3))) ** 2).mean(axis=0) / np.prod(shape)
    found = noise_power_spectrum(boxes)
    np.testing.assert_allclose(found.numpy(), expected[..., : shape[-1] // 2 + 1], atol=1e-12)
    assert float(found[0, 0, 0]) == pytest.approx(0, abs=1e-20)


def test_white_noise_has_its_variance_as_power_everywhere() -> None:
    boxes = 5 + 2 * torch.randn(400, 8, 8, 8, generator=_generator())
    power = noise_power_spectrum(boxes)
    power[0, 0, 0] = 4.0
    torch.testing.assert_close(power, torch.full_like(power, 4.0), rtol=0.35, atol=0)
    assert float(power.mean()) == pytest.approx(4.0, rel=0.02)


@pytest.mark.parametrize("shape", [(8, 8, 8), (8, 6, 7), (3, 9, 8)])
def test_drawn_noise_has_the_power_asked_for(shape: tuple[int, int, int]) -> None:
    power = noise_power_spectrum(_coloured(200, *shape)).float()
    noise = spectrum_noise(power, (4000, *shape), _generator())
    drawn = noise_power_spectrum(noise)
    # the mean of 4000 exponentially (on self-conjugate frequencies: chi-square) distributed powers
    torch.testing.assert_close(drawn, power, rtol=0.15, atol=1e-6)
    assert float((drawn.sum() / power.sum()).log().abs()) < 0.02
    assert float(noise.mean()) == pytest.approx(0, abs=1e-3)


def test_missing_wedge_stays_missing() -> None:
    power = noise_power_spectrum(_coloured(50, 16, 16, 16))
    missing = power < 1e-12 * power.max()
    noise = noise_power_spectrum(spectrum_noise(power, (3, 16, 16, 16), _generator()))
    assert missing.float().mean() > 0.1
    assert noise[missing].max() < 1e-10 * noise.max()


def test_drawn_noise_has_the_variance_of_the_boxes() -> None:
    boxes = 7 * _coloured(20, 12, 12, 12)
    noise = spectrum_noise(noise_power_spectrum(boxes), (50, 12, 12, 12), _generator())
    within = (boxes - boxes.mean(dim=(1, 2, 3), keepdim=True)).square().mean()
    assert float(noise.square().mean()) == pytest.approx(float(within), rel=0.05)


def test_strength_scales_each_volume() -> None:
    power = torch.ones(6, 6, 4)
    plain = spectrum_noise(power, (2, 3, 6, 6, 6), _generator())
    strength = torch.arange(6.0).reshape(2, 3)
    scaled = spectrum_noise(power, (2, 3, 6, 6, 6), _generator(), strength=strength)
    torch.testing.assert_close(scaled, plain * strength[..., None, None, None])
    half = spectrum_noise(power, (2, 3, 6, 6, 6), _generator(), strength=0.5)
    torch.testing.assert_close(half, plain / 2)


def test_leading_dimensions_of_the_power_broadcast() -> None:
    subsets = torch.randn(2, 5, 6, 6, 6, generator=_generator()) * torch.tensor(
        [1.0, 10.0]
    ).reshape(2, 1, 1, 1, 1)
    power = noise_power_spectrum(subsets)
    assert power.shape == (2, 6, 6, 4)
    noise = spectrum_noise(power, (2, 6, 6, 6), _generator())
    assert noise.shape == (2, 6, 6, 6)
    assert 5 < float(noise[1].std() / noise[0].std()) < 20
    assert torch.equal(noise, spectrum_noise(power, (2, 6, 6, 6), _generator()))


def test_wrong_input_is_refused() -> None:
    with pytest.raises(InputError, match=r"\(..., n, d, h, w\) was wanted"):
        noise_power_spectrum(torch.ones(4, 4, 4))
    with pytest.raises(InputError, match=r"got shape \(4, 4, 8\) and power of shape \(4, 4, 3\)"):
        spectrum_noise(torch.ones(4, 4, 3), (4, 4, 8), _generator())
    with pytest.raises(InputError, match="power of at least 0 was wanted"):
        spectrum_noise(-torch.ones(4, 4, 3), (4, 4, 4), _generator())
