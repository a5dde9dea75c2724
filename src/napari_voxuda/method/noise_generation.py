"""The noise generation module, Eq. (2) to (6) and (15): the target's noise for the source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import SPATIAL, check_volume, standard_normal, working

__all__ = [
    "HighPassShape",
    "add_noise",
    "dft",
    "draw_subset",
    "gaussian_noise",
    "high_pass",
    "high_pass_mask",
    "high_pass_spectrum",
    "inverse_dft",
    "kept_energy",
    "poisson_noise",
    "speckle_noise",
    "target_noise_variance",
]

HighPassShape = Literal["cube", "radial"]
Estimate = Literal["literal", "calibrated"]


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


def dft(volume: torch.Tensor) -> torch.Tensor:
    """Return the 3-D discrete Fourier transform of a volume, Eq. (2).

    Parameters
    ----------
    volume : Tensor
        (..., d, h, w) real values.

    Returns
    -------
    Tensor
        (..., d, h, w // 2 + 1) complex coefficients, frequency 0 first. The other half of the
        last dimension is not stored: a real volume repeats the first half there, conjugated.

    Raises
    ------
    InputError
        When `volume` is no real volume.
    """
    check_volume("dft: volume", volume)
    spectrum: torch.Tensor = torch.fft.rfftn(working(volume), dim=SPATIAL)
    return spectrum


def inverse_dft(spectrum: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """Return the real volume of a half spectrum; the inverse of `dft`.

    Parameters
    ----------
    spectrum : Tensor
        (..., d, h, w // 2 + 1) complex, as `dft` returns it.
    shape : sequence of int
        (d, h, w) of the volume.

    Returns
    -------
    Tensor
        (..., d, h, w) real values.

    Raises
    ------
    InputError
        When the shape does not fit the spectrum.
    """
    size = tuple(shape)
    if len(size) != 3 or tuple(spectrum.shape[-3:]) != (*size[:-1], size[-1] // 2 + 1):
        raise InputError(
            "inverse_dft: a shape (d, h, w) with the spectrum (..., d, h, w // 2 + 1) was wanted, got "
            f"{size} for a spectrum of shape {tuple(spectrum.shape)}."
        )
    volume: torch.Tensor = torch.fft.irfftn(spectrum, s=size, dim=SPATIAL)
    return volume


def high_pass_mask(
    shape: Sequence[int],
    pass_fraction: float,
    *,
    form: HighPassShape = "cube",
    device: torch.device | str | None = None,
) -> torch.Tensor:
    """Return which Fourier coefficients the high-pass filter keeps.

    Parameters
    ----------
    shape : sequence of int
        (d, h, w) of the volume.
    pass_fraction : float
        Fraction rho of the coefficients that is kept, above 0 and at most 1; 0.244 in the paper.
    form : {"cube", "radial"}
        ``"cube"``: the centre block of the unshifted spectrum, round(n rho^(1/3)) coefficients along
        an axis of n. ``"radial"``: everything beyond a radius, in fractions of the sampling rate.
    device : torch.device or str, optional
        Where the mask is made.

    Returns
    -------
    Tensor
        (d, h, w) bool over the full spectrum with frequency 0 at index 0; True is kept.

    Raises
    ------
    InputError
        When the shape is not three positive numbers, the fraction is outside its bounds, or the
        form is unknown.

    Notes
    -----
    All rates that the paper tries are cubes of a whole number in a 32³ spectrum, and 24.4 %
    is 20³ of 32³: indices 6 to 25 along each axis. That block keeps +6 but not -6, so the filtered
    volume is complex and `high_pass` takes its real part.
    """
    if len(shape) != 3 or any(n < 1 for n in shape):
        raise InputError(f"high_pass_mask: shape (d, h, w) was wanted, got {tuple(shape)}.")
    if not 0 < pass_fraction <= 1:
        raise InputError(
            f"high_pass_mask: pass_fraction above 0 and at most 1 was wanted, got {pass_fraction}."
        )
    if form == "cube":
        return _cube(shape, pass_fraction, device)
    if form == "radial":
        return _beyond_radius(shape, pass_fraction, device)
    raise InputError(f"high_pass_mask: form 'cube' or 'radial' was wanted, got {form!r}.")


def high_pass_spectrum(
    spectrum: torch.Tensor, width: int, pass_fraction: float, *, shape: HighPassShape = "cube"
) -> torch.Tensor:
    """Keep the high-frequency coefficients of a spectrum, Eq. (3).

    Parameters
    ----------
    spectrum : Tensor
        (..., d, h, w // 2 + 1) complex, as `dft` returns it.
    width : int
        The volume's size w along the last axis, which the half spectrum does not tell.
    pass_fraction : float
        Fraction rho of the coefficients that is kept, above 0 and at most 1.
    shape : {"cube", "radial"}
        Shape of the kept region; see `high_pass_mask`.

    Returns
    -------
    Tensor
        Like `spectrum`. Coefficients kept on one side of the origin only are halved: that makes the
        inverse transform the real part of the literally masked one.

    Raises
    ------
    InputError
        When the width does not fit, or for the reasons of `high_pass_mask`.
    """
    if width // 2 + 1 != spectrum.shape[-1]:
        raise InputError(
            f"high_pass_spectrum: a width of {2 * spectrum.shape[-1] - 2} or "
            f"{2 * spectrum.shape[-1] - 1} was wanted for this spectrum, got {width}."
        )
    size = (*spectrum.shape[-3:-1], width)
    mask = high_pass_mask(size, pass_fraction, form=shape, device=spectrum.device)
    return spectrum * _symmetrised(mask)[..., : spectrum.shape[-1]]


def high_pass(
    volume: torch.Tensor, pass_fraction: float = 0.244, *, shape: HighPassShape = "cube"
) -> torch.Tensor:
    """Return the high-frequency part of a volume, which is mostly noise, Eq. (4).

    Parameters
    ----------
    volume : Tensor
        (..., d, h, w) real values.
    pass_fraction : float
        Fraction rho of the coefficients that is kept, above 0 and at most 1.
    shape : {"cube", "radial"}
        Shape of the kept region; see `high_pass_mask`.

    Returns
    -------
    Tensor
        Shape and dtype of `volume`: the real part of the inverse transform.

    Raises
    ------
    InputError
        When `volume` is no real volume, or for the reasons of `high_pass_mask`.
    """
    kept = high_pass_spectrum(dft(volume), volume.shape[-1], pass_fraction, shape=shape)
    return inverse_dft(kept, volume.shape[-3:]).to(volume.dtype)


def kept_energy(
    shape: Sequence[int], pass_fraction: float, *, form: HighPassShape = "cube"
) -> float:
    """Return the fraction of white noise's variance that the high-pass filter keeps.

    Parameters
    ----------
    shape : sequence of int
        (d, h, w) of the volume.
    pass_fraction : float
        Fraction rho of the coefficients that is kept, above 0 and at most 1.
    form : {"cube", "radial"}
        Shape of the kept region; see `high_pass_mask`.

    Returns
    -------
    float
        In (0, 1]; 0.227 for the paper's cube of 24.4 %, since only the real part is kept.

    Raises
    ------
    InputError
        For the reasons of `high_pass_mask`.
    """
    return float(_symmetrised(high_pass_mask(shape, pass_fraction, form=form)).square().mean())


def target_noise_variance(
    subset: torch.Tensor,
    pass_fraction: float = 0.244,
    *,
    shape: HighPassShape = "cube",
    estimate: Estimate = "literal",
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


def _cube(shape: Sequence[int], fraction: float, device: torch.device | str | None) -> torch.Tensor:
    mask = torch.ones(tuple(shape), dtype=torch.bool, device=device)
    for axis, n in enumerate(shape):
        side = max(1, min(n, round(n * fraction ** (1 / 3))))
        line = torch.zeros(n, dtype=torch.bool, device=device)
        start = (n - side + 1) // 2
        line[start : start + side] = True
        mask &= line.reshape([n if a == axis else 1 for a in range(3)])
    return mask


def _beyond_radius(
    shape: Sequence[int], fraction: float, device: torch.device | str | None
) -> torch.Tensor:
    square = torch.zeros(tuple(shape), device=device)
    for axis, n in enumerate(shape):
        frequency = torch.fft.fftfreq(n, device=device)
        square += frequency.square().reshape([n if a == axis else 1 for a in range(3)])
    dropped = square.numel() - max(1, round(fraction * square.numel()))
    return square >= square.flatten().kthvalue(dropped + 1).values


def _symmetrised(mask: torch.Tensor) -> torch.Tensor:
    """Return the mean of a spectrum's mask at k and at -k: what it does to the real part."""
    dims = tuple(range(mask.ndim))
    opposite = mask.flip(dims).roll((1,) * mask.ndim, dims)
    return (mask.float() + opposite.float()) / 2


def _per_volume(where: str, value: torch.Tensor | float, volume: torch.Tensor) -> torch.Tensor:
    """Return float32 values that broadcast over the voxels of each volume."""
    values = torch.as_tensor(value, dtype=torch.float32, device=volume.device)
    if bool((values < 0).any()):
        raise InputError(f"{where}: a variance or rate of at least 0 was wanted, got {value}.")
    return values[..., None, None, None]
