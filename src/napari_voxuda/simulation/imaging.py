"""How a microscope and a tilt series change a density: contrast transfer and missing wedge."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
import torch

from napari_voxuda._types import TripleInt
from napari_voxuda.simulation.density import frequency_grids

__all__ = ["CtfMode", "contrast_transfer", "electron_wavelength_angstrom", "envelope", "wedge"]

CtfMode = Literal["raw", "flipped", "none"]
"""``raw`` oscillates; ``flipped`` is its absolute value, as after CTF correction by phase
flipping; ``none`` keeps only the envelope."""


def electron_wavelength_angstrom(voltage_kv: float) -> float:
    """Return the relativistic de Broglie wavelength of an electron in Å, 0.0197 at 300 kV."""
    volts = voltage_kv * 1e3
    return 12.264259661581491 / float(np.sqrt(volts * (1.0 + 9.784755918798087e-7 * volts)))


def contrast_transfer(
    frequency: torch.Tensor,
    *,
    defocus_um: float,
    voltage_kv: float = 300.0,
    spherical_aberration_mm: float = 2.7,
    amplitude_contrast: float = 0.1,
    mode: CtfMode = "raw",
) -> torch.Tensor:
    """Return the contrast transfer function, positive at low frequency (protein bright).

    Parameters
    ----------
    frequency : torch.Tensor
        (...) spatial frequency in 1/Å.
    defocus_um : float
        Underfocus in µm, positive.
    voltage_kv : float
        Acceleration voltage in kV.
    spherical_aberration_mm : float
        Spherical aberration in mm.
    amplitude_contrast : float
        Fraction of amplitude contrast in [0, 1]; the value at zero frequency.
    mode : {"raw", "flipped", "none"}
        Whether phases are left, flipped, or the CTF is left out.

    Returns
    -------
    torch.Tensor
        (...) values in [-1, 1].

    Notes
    -----
    ``sqrt(1 - A²) sin(γ) + A cos(γ)`` with ``γ = π λ Δf k² - π/2 Cs λ³ k⁴``.
    """
    if mode == "none":
        return torch.ones_like(frequency)
    wavelength = electron_wavelength_angstrom(voltage_kv)
    square = frequency**2
    phase = np.pi * wavelength * (defocus_um * 1e4) * square
    phase = phase - 0.5 * np.pi * (spherical_aberration_mm * 1e7) * wavelength**3 * square**2
    # sin(γ + asin A) is sqrt(1 - A²) sin γ + A cos γ
    transfer = torch.sin(phase + float(np.arcsin(amplitude_contrast)))
    return transfer.abs() if mode == "flipped" else transfer


def envelope(frequency: torch.Tensor, cutoff: float) -> torch.Tensor:
    """Return a Gaussian envelope ``exp(-k² / (2 cutoff²))``; both in the same unit."""
    return torch.exp(-(frequency**2) / (2.0 * cutoff**2))


def wedge(shape: TripleInt, tilt_min_deg: float, tilt_max_deg: float) -> torch.Tensor:
    """Return which half-spectrum coefficients a tilt series about y measures.

    Parameters
    ----------
    shape : tuple of int
        (d, h, w) of the volume; the beam runs along z when untilted.
    tilt_min_deg, tilt_max_deg : float
        The tilt range, ``-90 <= tilt_min_deg <= 0 <= tilt_max_deg <= 90``.

    Returns
    -------
    torch.Tensor
        (d, h, w // 2 + 1) float32, 1 where measured and 0 in the missing wedge.

    Notes
    -----
    The projection at tilt t measures the plane ``k_z = k_x tan(t)``, so what is measured lies
    between the planes of the two extreme tilts and contains ``k_z = 0``.
    """
    angle = _plane_angle(shape)
    slack = 1e-6
    measured = (angle <= np.deg2rad(tilt_max_deg) + slack) & (
        angle >= np.deg2rad(tilt_min_deg) - slack
    )
    return torch.where(measured.expand(shape[0], shape[1], -1), 1.0, 0.0)


@lru_cache(maxsize=8)
def _plane_angle(shape: TripleInt) -> torch.Tensor:
    """Return the angle of each coefficient in the plane (k_z, k_x), (d, 1, w // 2 + 1)."""
    k_z, _, k_x = frequency_grids(shape)
    return torch.atan2(k_z, k_x)  # k_x >= 0 in a half spectrum
