"""Give source images the noise of the target."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_voxuda._types import Normalisation
from napari_voxuda.adaptation.settings import AdaptSettings
from napari_voxuda.data.normalise import z_score
from napari_voxuda.method.amplitude import exchange_amplitude
from napari_voxuda.method.noise_generation import (
    add_noise,
    gaussian_noise,
    poisson_noise,
    speckle_noise,
    target_noise_variance,
)
from napari_voxuda.method.noise_spectrum import noise_power_spectrum, spectrum_noise

__all__ = ["SourceImages", "exchange_appearance", "match_noise"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceImages:
    """Source boxes of one step.

    Parameters
    ----------
    images : Tensor
        (n, d, h, w) as simulated, with the source's own noise.
    clean : Tensor
        (n, d, h, w) before noise, on the same scale for all boxes.
    masks : Tensor
        (n, d, h, w) bool.
    """

    images: Tensor
    clean: Tensor
    masks: Tensor


def match_noise(
    source: SourceImages,
    subset: Tensor,
    settings: AdaptSettings,
    *,
    signal_variance: float,
    normalisation: Normalisation,
    generator: torch.Generator,
) -> Tensor:
    """Return x_s': source boxes with the noise of the target, normalised like it.

    Parameters
    ----------
    source : SourceImages
        Source boxes.
    subset : Tensor
        (N_sampled, d, h, w) normalised target boxes, protein bright.
    settings : AdaptSettings
        ``noise``, ``noise_base``, ``noise_pass_fraction``, ``snr`` and ``exchange_window`` are used.
    signal_variance : float
        Mean variance of a box's labelled molecules over the whole source, the unit of the
        signal-to-noise ratio.
    normalisation : {"volume", "subtomogram"}
        How the target is normalised. In a tomogram a box keeps its own mean and variance, so that
        an empty box differs from a crowded one; the noise then has the target's variance and only
        the variance that the signal adds on average is divided out.
    generator : torch.Generator
        Source of randomness, on the CPU.

    Returns
    -------
    Tensor
        (n, d, h, w) float32.
    """
    if settings.noise == "exchange":
        return exchange_appearance(z_score(source.images), subset, settings, generator)
    noise = _noise(source, subset, settings, generator)
    if settings.noise_base == "noisy":
        return z_score(add_noise(z_score(source.images), noise))
    snr = _log_uniform(settings.snr, len(source.images), generator).to(subset.device)
    variance = noise.var().clamp(min=1e-12)  # speckle on empty boxes is nothing
    gain = (snr * variance / signal_variance).sqrt()
    mixed = add_noise(gain.view(-1, 1, 1, 1) * source.clean, noise)
    if normalisation == "subtomogram":
        return z_score(mixed)
    within = subset.var(dim=(1, 2, 3), correction=0).mean()  # a tomogram's boxes differ in mean
    return mixed * (within / (variance * (1 + snr))).sqrt().view(-1, 1, 1, 1)


def exchange_appearance(
    boxes: Tensor, others: Tensor, settings: AdaptSettings, generator: torch.Generator
) -> Tensor:
    """Return boxes with the low-frequency amplitude of random boxes of the other domain.

    Parameters
    ----------
    boxes : Tensor
        (n, d, h, w) normalised boxes of one domain.
    others : Tensor
        (m, d, h, w) normalised boxes of the other; each of `boxes` takes one at random.
    settings : AdaptSettings
        ``exchange_window`` is used.
    generator : torch.Generator
        Source of randomness, on the CPU.

    Returns
    -------
    Tensor
        (n, d, h, w).
    """
    chosen = torch.randint(len(others), (len(boxes),), generator=generator)
    return exchange_amplitude(boxes, others[chosen.to(others.device)], settings.exchange_window)


def _noise(
    source: SourceImages, subset: Tensor, settings: AdaptSettings, generator: torch.Generator
) -> Tensor:
    """Draw the noise that the settings name, at the level measured on the target."""
    if settings.noise == "spectrum":
        power = noise_power_spectrum(subset)
        return spectrum_noise(power, source.images.shape, generator).to(subset.device)
    variance = target_noise_variance(
        subset,
        settings.noise_pass_fraction,
        estimate="calibrated" if settings.noise == "calibrated" else "literal",
    )
    if settings.noise == "poisson":  # sigma_t is the rate in the paper
        return poisson_noise(source.images, variance.sqrt(), generator)
    if settings.noise == "speckle":
        base = source.images if settings.noise_base == "noisy" else source.clean
        return speckle_noise(z_score(base), variance, generator)
    return gaussian_noise(source.images, variance, generator)


def _log_uniform(bounds: tuple[float, float], count: int, generator: torch.Generator) -> Tensor:
    low, high = (math.log(bound) for bound in bounds)
    return (low + (high - low) * torch.rand(count, generator=generator)).exp()
