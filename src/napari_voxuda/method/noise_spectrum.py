"""Noise with the target's power spectrum: what white noise of the right variance cannot match."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from napari_voxuda.errors import InputError
from napari_voxuda.method._tensors import SPATIAL, check_volume, standard_normal, working
from napari_voxuda.method.fourier import dft, inverse_dft

__all__ = ["noise_power_spectrum", "spectrum_noise"]


def noise_power_spectrum(subset: torch.Tensor) -> torch.Tensor:
    """Return the mean power spectrum of target boxes, each without its mean.

    Parameters
    ----------
    subset : Tensor
        (..., n, d, h, w) target boxes.

    Returns
    -------
    Tensor
        (..., d, h, w // 2 + 1) float32: ``|F|² / (d h w)`` averaged over the n boxes, so that white noise
        of variance v has the power v at every frequency but 0, where the power is 0.

    Raises
    ------
    InputError
        When `subset` is no stack of real volumes.

    Notes
    -----
    An extension of the noise generation module: the paper measures one variance and adds white
    noise. In a tomogram most voxels are noise, so the boxes' own power is nearly the noise's,
    with its missing wedge, its contrast transfer and its correlations between voxels.
    """
    check_volume("noise_power_spectrum: subset", subset, leading=1)
    boxes = working(subset)
    centred = boxes - boxes.mean(dim=SPATIAL, keepdim=True)
    voxels = centred.shape[-3:].numel()
    return dft(centred).abs().square().mean(dim=-4) / voxels


def spectrum_noise(
    power: torch.Tensor,
    shape: Sequence[int],
    generator: torch.Generator,
    *,
    strength: torch.Tensor | float = 1.0,
) -> torch.Tensor:
    """Draw Gaussian noise whose expected power spectrum is `power`.

    Parameters
    ----------
    power : Tensor
        (..., d, h, w // 2 + 1) non-negative, as `noise_power_spectrum` returns it; its leading
        dimensions broadcast to those of `shape`.
    shape : sequence of int
        (..., d, h, w) of the noise.
    generator : torch.Generator
        Source of randomness, on any device.
    strength : Tensor or float
        Factor on the noise's amplitude: one number, or one per volume in the leading shape of `shape`.

    Returns
    -------
    Tensor
        `shape`, float32, on the device of `power`; mean 0 wherever the power at frequency 0 is 0.

    Raises
    ------
    InputError
        When the power does not fit the shape or is negative somewhere.

    Notes
    -----
    White noise is transformed, multiplied by sqrt(power) and transformed back. White real
    noise has Hermitian coefficients of expected power 1, so no frequency needs special care.
    """
    size = tuple(shape)
    if len(size) < 3 or tuple(power.shape[-3:]) != (*size[-3:-1], size[-1] // 2 + 1):
        raise InputError(
            "spectrum_noise: a shape (..., d, h, w) was wanted whose power (..., d, h, w // 2 + 1) is "
            f"given, got shape {size} and power of shape {tuple(power.shape)}."
        )
    if bool((power < 0).any()):
        raise InputError("spectrum_noise: power of at least 0 was wanted, got negative values.")
    white = standard_normal(size, generator, power.device)
    noise = inverse_dft(dft(white) * power.float().sqrt(), size[-3:])
    factor = torch.as_tensor(strength, dtype=noise.dtype, device=noise.device)
    return noise * factor[..., None, None, None]
