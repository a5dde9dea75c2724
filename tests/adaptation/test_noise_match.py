"""What the source looks like after it was given the target's noise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from napari_voxuda.adaptation.noise_match import (
    SourceImages,
    exchange_appearance,
    match_noise,
)
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.method.noise_generation import target_noise_variance
from napari_voxuda.method.noise_spectrum import noise_power_spectrum


def coloured(count: int, seed: int) -> torch.Tensor:
    """Return noise with three times the amplitude along one axis' low frequencies."""
    generator = torch.Generator().manual_seed(seed)
    white = torch.fft.rfftn(torch.randn((count, 16, 16, 16), generator=generator), dim=(1, 2, 3))
    white[:, 1:4] *= 3
    white[:, -3:] *= 3
    return torch.fft.irfftn(white, s=(16, 16, 16), dim=(1, 2, 3))


def source(count: int = 64, scale: float = 1.0) -> SourceImages:
    generator = torch.Generator().manual_seed(9)
    clean = torch.zeros(count, 16, 16, 16)
    clean[:, 5:9, 5:9, 5:9] = scale
    clean -= clean.mean(dim=(1, 2, 3), keepdim=True)
    images = clean + scale * torch.randn(clean.shape, generator=generator)
    return SourceImages(images=images, clean=clean, masks=clean > 0)


def match(
    settings: AdaptSettings, images: SourceImages, subset: torch.Tensor, **changes: Any
) -> torch.Tensor:
    options: dict[str, Any] = {
        "signal_variance": images.clean.var(dim=(1, 2, 3)).mean().item(),
        "normalisation": "volume",
        "generator": torch.Generator().manual_seed(1),
    }
    return match_noise(images, subset, settings, **(options | changes))


def test_spectrum_noise_gives_the_source_the_spectrum_of_the_target() -> None:
    subset = coloured(200, 0) / coloured(200, 0).std()
    settings = AdaptSettings(noise="spectrum", snr=(0.001, 0.001))
    power = noise_power_spectrum(match(settings, source(), subset))
    ratio = power / noise_power_spectrum(subset).clamp(min=1e-6)
    assert ratio.flatten()[1:].median().item() == pytest.approx(1.0, abs=0.05)
    low, high = ratio[1:4].mean().item(), ratio[6:10].mean().item()
    assert low == pytest.approx(high, rel=0.1)


@pytest.mark.parametrize("snr", [0.05, 0.5])
def test_the_signal_has_the_stated_variance_ratio(snr: float) -> None:
    images = source()
    subset = torch.randn((50, 16, 16, 16), generator=torch.Generator().manual_seed(2))
    matched = match(AdaptSettings(noise="spectrum", snr=(snr, snr)), images, subset)
    unit = images.clean / images.clean.std()
    amplitude = (matched * unit).mean() / unit.square().mean()
    assert (amplitude**2 / (matched.var() - amplitude**2)).item() == pytest.approx(snr, rel=0.15)
    assert matched.var().item() == pytest.approx(1.0, rel=0.03)


def test_the_source_scale_does_not_matter() -> None:
    subset = torch.randn((10, 16, 16, 16), generator=torch.Generator().manual_seed(2))
    settings = AdaptSettings(noise="spectrum")
    torch.testing.assert_close(
        match(settings, source(4), subset), match(settings, source(4, scale=300.0), subset)
    )


def test_boxes_of_a_tomogram_keep_their_own_mean_and_variance() -> None:
    images = source(4)
    images.clean[0] = 0.0  # an empty box among crowded ones
    subset = torch.randn((10, 16, 16, 16), generator=torch.Generator().manual_seed(2))
    settings = AdaptSettings(noise="spectrum", snr=(1.0, 1.0))
    whole = match(settings, images, subset).var(dim=(1, 2, 3))
    assert whole[0] < 0.7 * whole[1]
    each = match(settings, images, subset, normalisation="subtomogram").var(dim=(1, 2, 3))
    torch.testing.assert_close(each, torch.ones(4), rtol=1e-3, atol=0)


@pytest.mark.parametrize("noise", ["ngm", "calibrated"])
def test_white_noise_has_the_measured_variance(noise: str) -> None:
    subset = coloured(20, 3)
    images = source(8)
    settings = replace(AdaptSettings(), noise=noise, noise_base="noisy")
    estimate = "literal" if noise == "ngm" else "calibrated"
    variance = float(target_noise_variance(subset, 0.244, estimate=estimate))
    matched = match(settings, images, subset)
    flat = matched.flatten(1)
    original = ((images.images - images.images.mean()) / images.images.std()).flatten(1)
    correlation = torch.stack(
        [torch.corrcoef(torch.stack(p))[0, 1] for p in zip(flat, original, strict=True)]
    )
    assert correlation.mean().item() == pytest.approx((1 + variance) ** -0.5, abs=0.02)


def test_poisson_noise_is_skewed_and_has_the_rate_of_the_paper() -> None:
    subset = coloured(20, 3)
    flat = SourceImages(
        images=torch.zeros(8, 16, 16, 16),
        clean=torch.zeros(8, 16, 16, 16),
        masks=torch.zeros(8, 16, 16, 16) > 0,
    )
    settings = AdaptSettings(noise="poisson", noise_base="noisy")
    noise = match(settings, flat, subset, signal_variance=1.0)
    rate = float(target_noise_variance(subset, 0.244, estimate="literal")) ** 0.5
    skewness = (noise**3).mean().item()  # of variance 1 and mean 0; 1 / sqrt(rate) for Poisson
    assert skewness == pytest.approx(rate**-0.5, rel=0.05)


@pytest.mark.parametrize(("base", "wanted"), [("noisy", False), ("clean", True)])
def test_speckle_grows_with_the_signal_that_it_is_added_to(base: str, wanted: bool) -> None:
    images = source(32)
    settings = replace(AdaptSettings(), noise="speckle", noise_base=base, snr=(1e-4, 1e-4))
    matched = match(settings, images, coloured(20, 3))
    ratio = matched[images.masks].var() / matched[~images.masks].var()
    assert (ratio.item() > 20) is wanted


def test_speckle_on_empty_boxes_stays_finite() -> None:
    images = source(2)
    images.clean[:] = 0.0
    settings = AdaptSettings(noise="speckle")
    assert match(settings, images, coloured(4, 3), signal_variance=1.0).isfinite().all()


def test_the_exchange_gives_each_box_the_low_frequencies_of_some_target_box() -> None:
    images, subset = source(6), coloured(3, 3)
    settings = AdaptSettings(noise="exchange", exchange_window=0.4)
    matched = torch.fft.rfftn(match(settings, images, subset), dim=(1, 2, 3))
    wanted = torch.fft.rfftn(subset, dim=(1, 2, 3)).abs()[:, 1:4, :4, :4]
    closest = (matched.abs()[:, None, 1:4, :4, :4] - wanted).flatten(2).abs().amax(2).amin(1)
    assert closest.max() < 1e-3
    boxes = torch.randn((4, 16, 16, 16), generator=torch.Generator().manual_seed(0))
    none = replace(settings, exchange_window=0.0)
    assert torch.equal(exchange_appearance(boxes, subset, none, torch.Generator()), boxes)


def test_noise_is_fresh_for_each_box_and_repeats_with_the_seed() -> None:
    subset = torch.randn((10, 16, 16, 16), generator=torch.Generator().manual_seed(2))
    images = SourceImages(
        images=torch.zeros(2, 16, 16, 16),
        clean=torch.zeros(2, 16, 16, 16),
        masks=torch.zeros(2, 16, 16, 16) > 0,
    )
    settings = AdaptSettings(noise="spectrum")
    once = match(settings, images, subset, signal_variance=1.0)
    assert not torch.allclose(once[0], once[1])
    assert torch.equal(once, match(settings, images, subset, signal_variance=1.0))
