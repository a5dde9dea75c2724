"""The transfer functions of one padded grid: from splatted points to what a tomogram shows."""

from __future__ import annotations

import numpy as np
import torch

from napari_voxuda._types import TripleInt
from napari_voxuda.simulation.density import frequency_grids, gaussian_transfer, splat_transfer
from napari_voxuda.simulation.imaging import (
    CtfMode,
    contrast_transfer,
    electron_wavelength_angstrom,
    envelope,
    wedge,
)
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["MASK_RESOLUTION_ANGSTROM", "Optics", "fringe_margin", "margin_of", "mask_sigma_voxels"]

MASK_RESOLUTION_ANGSTROM = 14.0
"""Resolution of the density that is thresholded to a mask."""


class Optics:
    """Transfer functions for volumes of one shape and voxel size.

    Parameters
    ----------
    shape : tuple of int
        (d, h, w) of the padded grid.
    voxel_size_angstrom, resolution_angstrom : float
        Voxel size and resolution of the density in Å.
    envelope_nyquist : float
        Sigma of the envelope as a fraction of the Nyquist frequency.
    voltage_kv, spherical_aberration_mm, amplitude_contrast : float
        See `contrast_transfer`.
    """

    def __init__(
        self,
        shape: TripleInt,
        *,
        voxel_size_angstrom: float,
        resolution_angstrom: float,
        envelope_nyquist: float,
        voltage_kv: float,
        spherical_aberration_mm: float,
        amplitude_contrast: float,
    ) -> None:
        self.shape = shape
        self.mask_sigma = mask_sigma_voxels(voxel_size_angstrom)
        self.voxel_size_angstrom = voxel_size_angstrom
        k_z, k_y, k_x = frequency_grids(shape)
        self.frequency = torch.sqrt(k_z**2 + k_y**2 + k_x**2)
        self.band = envelope(self.frequency, 0.5 * envelope_nyquist)
        sigma = 0.5 * resolution_angstrom / voxel_size_angstrom
        self._passed = self.band * gaussian_transfer(shape, sigma)
        self._ctf = {
            "voltage_kv": voltage_kv,
            "spherical_aberration_mm": spherical_aberration_mm,
            "amplitude_contrast": amplitude_contrast,
        }
        self.unsplat = 1.0 / splat_transfer(shape)
        blur = gaussian_transfer(shape, self.mask_sigma)
        self.to_mask = blur * self.unsplat

    def transfer(
        self, *, defocus_um: float, tilt_min_deg: float, tilt_max_deg: float, ctf: CtfMode
    ) -> torch.Tensor:
        """Return density blur x CTF x envelope x wedge on the half spectrum."""
        oscillation = contrast_transfer(
            self.frequency / self.voxel_size_angstrom,
            defocus_um=defocus_um,
            mode=ctf,
            **self._ctf,
        )
        return oscillation * self._passed * wedge(self.shape, tilt_min_deg, tilt_max_deg)

    def mask_rows(self, axis: int, inner: slice) -> torch.Tensor:
        """Return `to_mask` along one axis as a matrix (inner, length), for a part of the grid.

        The transfer is separable, so three small matrix products replace two Fourier transforms.
        """
        length = self.shape[axis]
        frequency = torch.fft.rfftfreq(length)
        transfer = torch.exp(-2.0 * (np.pi * self.mask_sigma) ** 2 * frequency**2)
        transfer = transfer / torch.sinc(frequency) ** 2
        spectrum = torch.fft.rfft(torch.eye(length), dim=0) * transfer[:, None]
        rows: torch.Tensor = torch.fft.irfft(spectrum, n=length, dim=0)[inner]
        return rows.contiguous()


def mask_sigma_voxels(voxel_size_angstrom: float) -> float:
    """Return the Gaussian width of the density that is thresholded to a mask, in voxels."""
    return max(0.5 * MASK_RESOLUTION_ANGSTROM / voxel_size_angstrom, 0.5)


def fringe_margin(
    *,
    voxel_size_angstrom: float,
    defocus_um: float,
    voltage_kv: float,
    envelope_nyquist: float,
) -> int:
    """Return how many voxels the CTF spreads a point, at least 8.

    A frequency k is displaced by ``λ Δf k``; the envelope ends near 1.5 sigma.
    """
    wavelength = electron_wavelength_angstrom(voltage_kv)
    cutoff = 0.5 / voxel_size_angstrom * min(1.0, 1.5 * envelope_nyquist)
    return int(max(8, np.ceil(wavelength * defocus_um * 1e4 * cutoff / voxel_size_angstrom)))


def margin_of(settings: SourceSettings) -> int:
    """Return how many voxels around a box are rendered and then cut off."""
    fringes = fringe_margin(
        voxel_size_angstrom=settings.voxel_size_angstrom,
        defocus_um=settings.defocus_um[1],
        voltage_kv=settings.voltage_kv,
        envelope_nyquist=settings.envelope_nyquist,
    )
    return min(fringes, max(8, settings.box // 2))
