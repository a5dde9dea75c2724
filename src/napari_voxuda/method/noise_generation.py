"""The noise generation module, Eq. (5), (6) and (15): the target's noise for the source."""

from __future__ import annotations

from typing import Literal

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import SPATIAL, check_volume, standard_normal, working
from napari_voxuda.method.fourier import HighPassShape, high_pass, kept_energy

__all__ = [
    "NoiseEstimate",
    "add_noise",
    "draw_subset",
    "gaussian_noise",
    "poisson_noise",
    "speckle_noise",
    "target_noise_variance",
]

NoiseEstimate = Literal["literal", "calibrated"]


def draw_subset(targets: torch.Tensor, count: int, generator: torch.Generator) -> torch.Tensor:
    """Draw the random target subtomograms whose noise is measured, without repetition.

    Parameters
    ----------
    targets : Tensor
        (n, ...) target subtomograms.
    count : int
        How many to draw, 1 to n; 10 in the paper.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    Tensor
        (count, ...) the drawn subtomograms.

    Raises
    ------
    InputError
        When `count` is not in 1 to n.
    """
    if not 1 <= count <= len(targets):
        raise InputError(
            f"draw_subset: count from 1 to {len(targets)} (the subtomograms there are) was wanted, "
            f"got {count}."
        )
    order = torch.randperm(len(targets), generator=generator, device=generator.device)
    return targets[order[:count].to(targets.device)]


def target_noise_variance(
    subset: torch.Tensor,
    pass_fraction: float = 0.244,
    *,
    shape: HighPassShape = "cube",
    estimate: NoiseEstimate = "literal",
) -> torch.Tensor:
    """Estimate the variance of the target's noise from the high frequencies of a few subtomograms.

    Parameters
    ----------
    subset : Tensor
        (..., n, d, h, w) randomly drawn target subtomograms; n is 10 in the paper.
    pass_fraction : float
        Fraction rho of the coefficients that is kept, above 0 and at most 1.
    shape : {"cube", "radial"}
        Shape of the kept region; see `high_pass_mask`.
    estimate : {"literal", "calibrated"}
        ``"literal"``: the variance of the mean of the n noise volumes, as the paper writes; it
        falls with n. ``"calibrated"``: the mean of their variances over the energy that the
        filter keeps, which is the true variance for white noise.

    Returns
    -------
    Tensor
        (...) variances sigma_t², in the squared unit of `subset`.

    Raises
    ------
    InputError
        When `subset` is no stack of real volumes, the estimate is unknown, or for the reasons of
        `high_pass_mask`.

    Notes
    -----
    On z-scored white noise the literal estimate is kept energy / n whatever the target, about
    0.15² for n = 10: it says nothing of how noisy the target is.
    """
    check_volume("target_noise_variance: subset", subset, leading=1)
    noise = high_pass(working(subset), pass_fraction, shape=shape)
    if estimate == "literal":
        return noise.mean(dim=-4).var(dim=SPATIAL, correction=0)
    if estimate == "calibrated":
        energy = kept_energy(subset.shape[-3:], pass_fraction, form=shape)
        return noise.var(dim=SPATIAL, correction=0).mean(dim=-1) / energy
    raise InputError(
        f"target_noise_variance: estimate 'literal' or 'calibrated' was wanted, got {estimate!r}."
    )


def gaussian_noise(
    volume: torch.Tensor, variance: torch.Tensor | float, generator: torch.Generator
) -> torch.Tensor:
    """Draw white Gaussian noise of the target's variance for a volume, Eq. (5).

    Parameters
    ----------
    volume : Tensor
        (..., d, h, w) whose shape, dtype and device the noise takes.
    variance : Tensor or float
        sigma_t², at least 0; a tensor holds one value per volume and has the leading shape, or
        one that broadcasts to it.
    generator : torch.Generator
        Source of randomness, on any device.

    Returns
    -------
    Tensor
        Like `volume`: eps ~ N(0, sigma_t²), drawn afresh for every voxel.

    Raises
    ------
    InputError
        When `volume` is no real volume or a variance is negative.
    """
    check_volume("gaussian_noise: volume", volume)
    deviation = _per_volume("gaussian_noise", variance, volume).sqrt()
    drawn = standard_normal(volume.shape, generator, volume.device)
    return (drawn * deviation).to(volume.dtype)


def poisson_noise(
    volume: torch.Tensor,
    rate: torch.Tensor | float,
    generator: torch.Generator,
    *,
    centred: bool = False,
) -> torch.Tensor:
    """Draw Poisson noise for a volume, an alternative that the paper compares.

    Parameters
    ----------
    volume : Tensor
        (..., d, h, w) whose shape, dtype and device the noise takes.
    rate : Tensor or float
        Mean (and variance) of the noise, at least 0; sigma_t in the paper. One value per
        volume as in `gaussian_noise`.
    generator : torch.Generator
        Source of randomness, on any device.
    centred : bool
        Subtract the rate, so that the noise has mean 0; the paper does not.

    Returns
    -------
    Tensor
        Like `volume`.

    Raises
    ------
    InputError
        When `volume` is no real volume or a rate is negative.
    """
    check_volume("poisson_noise: volume", volume)
    rates = _per_volume("poisson_noise", rate, volume).expand(volume.shape)
    drawn = torch.poisson(rates.to(generator.device), generator=generator).to(volume.device)
    return (drawn - rates if centred else drawn).to(volume.dtype)


def speckle_noise(
    volume: torch.Tensor, variance: torch.Tensor | float, generator: torch.Generator
) -> torch.Tensor:
    """Draw noise in proportion to the volume's values, Eq. (15).

    Parameters
    ----------
    volume : Tensor
        (..., d, h, w) real values.
    variance : Tensor or float
        sigma_t², at least 0; one value per volume as in `gaussian_noise`.
    generator : torch.Generator
        Source of randomness, on any device.

    Returns
    -------
    Tensor
        Like `volume`: eps = x · N(0, sigma_t²).

    Raises
    ------
    InputError
        When `volume` is no real volume or a variance is negative.
    """
    return volume * gaussian_noise(volume, variance, generator)


def add_noise(volume: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Add noise to a source volume, Eq. (6).

    Parameters
    ----------
    volume, noise : Tensor
        (..., d, h, w) of one shape.

    Returns
    -------
    Tensor
        Shape and dtype of `volume`: x' = x + eps.

    Raises
    ------
    InputError
        When the two differ in shape.
    """
    if volume.shape != noise.shape:
        raise InputError(
            f"add_noise: noise of shape {tuple(volume.shape)} was wanted, got {tuple(noise.shape)}."
        )
    return volume + noise.to(volume.dtype)


def _per_volume(where: str, value: torch.Tensor | float, volume: torch.Tensor) -> torch.Tensor:
    """Return float32 values that broadcast over the voxels of each volume."""
    values = torch.as_tensor(value, dtype=torch.float32, device=volume.device)
    if bool((values < 0).any()):
        raise InputError(f"{where}: a variance or rate of at least 0 was wanted, got {value}.")
    return values[..., None, None, None]
