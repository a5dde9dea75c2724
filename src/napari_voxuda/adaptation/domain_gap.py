"""How far source and target are apart: what was measured, and how the two compare."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Contrast
from napari_voxuda.adaptation.settings import AdaptSettings

__all__ = ["Comparison", "Domain", "DomainGap"]

_Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Domain:
    """What was measured on one kind of boxes.

    Parameters
    ----------
    power : numpy.ndarray
        (n,) mean power of each shell; white noise of variance v has the power v.
    density : numpy.ndarray
        (b,) probability density of the intensities in each bin, smoothed a little.
    spread : float
        Standard deviation of the intensities within a box.
    noise : float
        Standard deviation of the noise as the NGM's high-pass filter sees it (calibrated, so that
        it is true for white noise).
    image : numpy.ndarray
        (h, w) float32 central slice of one box.
    """

    power: _Array
    density: _Array
    spread: float
    noise: float
    image: npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Noise of a source over noise of the target, as amplitudes, where noise dominates.

    Parameters
    ----------
    level : float
        Of all these frequencies together.
    lowest, highest : float
        Of the shells that differ most.
    lowest_angstrom, highest_angstrom : float
        The size of the details that these shells hold, in Å.
    """

    level: float
    lowest: float
    highest: float
    lowest_angstrom: float
    highest_angstrom: float

    @property
    def deviation(self) -> float:
        """The largest relative difference in a shell."""
        return max(self.highest - 1, 1 - self.lowest, 0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class DomainGap:
    """Source and target beside each other; intensities are in the target's standard deviations.

    Parameters
    ----------
    frequencies : numpy.ndarray
        (n,) of the shells, in cycles per voxel.
    voxel_size_angstrom : float
        Voxel size of both, in Å.
    edges : numpy.ndarray
        (b + 1,) of the bins of intensities.
    target, source : Domain
        Target boxes, and source boxes as simulated, normalised as a network sees them.
    matched : Domain or None
        The source after noise matching; None where the settings add no noise.
    signal : numpy.ndarray
        (n,) power of the noise-free source image within the boxes that a network learns from.
    noisy : numpy.ndarray
        (n,) bool, the shells in which that is below a twentieth of the target's power.
    has_noisy_band : bool
        Whether there are at least three of them; else `noisy` is the finest third of all shells.
    sigma_t : tuple of float
        Square root of the paper's estimate, one for each draw of target boxes.
    residual : numpy.ndarray
        (h, w) float32 slice of the shown target box's high-pass part, which the NGM takes for noise.
    settings : AdaptSettings
        As the run was asked for.
    contrast : {"bright", "dark"}
        Contrast of protein in the target's file.
    target_boxes, source_boxes : int
        How many boxes were measured.
    """

    frequencies: _Array
    voxel_size_angstrom: float
    edges: _Array
    target: Domain
    source: Domain
    matched: Domain | None
    signal: _Array
    noisy: npt.NDArray[np.bool_]
    has_noisy_band: bool
    sigma_t: tuple[float, ...]
    residual: npt.NDArray[np.float32]
    settings: AdaptSettings
    contrast: Contrast
    target_boxes: int
    source_boxes: int

    def compare(self, domain: Domain) -> Comparison:
        """Return how strong the noise of `domain` is beside the target's."""
        ratio = np.sqrt(domain.power / np.maximum(self.target.power, 1e-30))[self.noisy]
        size = self.voxel_size_angstrom / self.frequencies[self.noisy]
        # A shell of radius k holds about 4 pi k² coefficients.
        weight = np.where(self.noisy, self.frequencies**2, 0.0)
        wanted = float((weight * self.target.power).sum())
        level = math.sqrt(float((weight * domain.power).sum()) / max(wanted, 1e-30))
        low, high = int(ratio.argmin()), int(ratio.argmax())
        return Comparison(
            level=level,
            lowest=float(ratio[low]),
            highest=float(ratio[high]),
            lowest_angstrom=float(size[low]),
            highest_angstrom=float(size[high]),
        )

    def overlap(self, domain: Domain) -> float:
        """Return the share of intensities that `domain` has in common with the target, 0 to 1."""
        common = np.minimum(domain.density, self.target.density)
        return float(common.sum() * (self.edges[1] - self.edges[0]))
