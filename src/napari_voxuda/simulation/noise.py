"""Noise of a stated variance: white, as published, or coloured like a reconstruction's."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from napari_voxuda._types import TripleInt
from napari_voxuda.method.fourier import inverse_dft
from napari_voxuda.simulation.density import frequency_grids

__all__ = [
    "NoiseModel",
    "coloured_noise",
    "published_noise",
    "reconstruction_noise",
    "unit_variance",
    "white_noise",
]

NoiseModel = Literal["white", "coloured", "published"]
"""``white``: independent voxels. ``coloured``: white, through the microscope, and low-frequency
noise in random shares. ``published``: half before and half after the CTF, band-limited."""


def white_noise(shape: TripleInt, rng: np.random.Generator) -> torch.Tensor:
    """Draw independent standard normal values, (d, h, w) float32."""
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))


def unit_variance(volume: torch.Tensor) -> torch.Tensor:
    """Scale (d, h, w) to variance 1 and mean 0."""
    return (volume - volume.mean()) / volume.std(correction=0)


def published_noise(
    transfer: torch.Tensor, band: torch.Tensor, shape: TripleInt, rng: np.random.Generator
) -> torch.Tensor:
    """Draw noise that is half before and half after the CTF, then band-limited.

    Parameters
    ----------
    transfer, band : torch.Tensor
        (d, h, w // 2 + 1) what the microscope does to the density, and the final band limit.
    shape : tuple of int
        (d, h, w).
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    torch.Tensor
        (d, h, w) float32 of variance 1.
    """
    before = torch.fft.rfftn(white_noise(shape, rng)) * transfer
    after = torch.fft.rfftn(white_noise(shape, rng))
    return unit_variance(inverse_dft((before + after) * band, shape))


def coloured_noise(
    transfer: torch.Tensor, shape: TripleInt, rng: np.random.Generator
) -> torch.Tensor:
    """Draw noise with the spectrum of a reconstruction: random shares of three parts.

    The parts are white noise, noise that went through the microscope as the signal does, and noise
    with a power law ``1/k^p`` (p in [0.5, 2.5]). Parameters are those of `published_noise`.

    Returns
    -------
    torch.Tensor
        (d, h, w) float32 of variance 1.
    """
    shares = rng.dirichlet((1.5, 1.0, 0.7))
    k_z, k_y, k_x = frequency_grids(shape)
    radius = torch.sqrt(k_z**2 + k_y**2 + k_x**2).clamp_min(1.0 / max(shape))
    law = radius ** float(-0.5 * rng.uniform(0.5, 2.5))
    power = shares[0] + shares[1] * _unit_power(transfer) ** 2 + shares[2] * _unit_power(law) ** 2
    spectrum = torch.fft.rfftn(white_noise(shape, rng)) * torch.sqrt(power)
    return unit_variance(inverse_dft(spectrum, shape))


def reconstruction_noise(
    transfer: torch.Tensor,
    band: torch.Tensor,
    measured: torch.Tensor,
    shape: TripleInt,
    rng: np.random.Generator,
) -> torch.Tensor:
    """Draw noise with a fixed spectrum that resembles measured tomograms.

    4 % is a low-frequency background (``1/k³``), 40 % is shot noise through the band limit with a
    ``1/k`` slope as back-projection leaves it, 20 % is unresolved matter seen through the
    microscope, the rest is white; in the missing wedge 2 % of the power remain.

    Parameters
    ----------
    transfer, band, measured : torch.Tensor
        (d, h, w // 2 + 1) what the microscope does to the density, the band limit, and the wedge.
    shape : tuple of int
        (d, h, w).
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    torch.Tensor
        (d, h, w) float32 of variance 1.
    """
    k_z, k_y, k_x = frequency_grids(shape)
    radius = torch.sqrt(k_z**2 + k_y**2 + k_x**2).clamp_min(1.0 / 64.0)
    power = 0.04 * _unit_power(radius**-1.5) ** 2
    power = power + 0.40 * _unit_power(band * radius**-0.5) ** 2
    power = power + 0.20 * _unit_power(transfer) ** 2 + 0.36
    power = power * (0.02 + 0.98 * measured)
    spectrum = torch.fft.rfftn(white_noise(shape, rng)) * torch.sqrt(power)
    return unit_variance(inverse_dft(spectrum, shape))


def _unit_power(transfer: torch.Tensor) -> torch.Tensor:
    """Scale a transfer function so that it keeps the variance of white noise (to about 2 %)."""
    return transfer / torch.sqrt((transfer**2).mean())
