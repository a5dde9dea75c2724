"""Turn a probability map into labels again and again while a slider moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Triple
from napari_voxuda.errors import InputError

__all__ = ["MaskChoice", "RefinedMask", "refine_mask"]

_MOST_LABELS = 65535


@dataclass(frozen=True, kw_only=True)
class MaskChoice:
    """How a mask is made from a probability map.

    Parameters
    ----------
    threshold : float
        Voxels of at least this probability are foreground, in [0, 1].
    min_size_angstrom3 : float
        Smaller connected components are removed, in Å³ (in voxels where their size is unknown).
    numbered : bool
        Whether each component gets its own label, or all get label 1.
    """

    threshold: float
    min_size_angstrom3: float = 0.0
    numbered: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class RefinedMask:
    """Labels and how many particles they hold.

    Parameters
    ----------
    labels : numpy.ndarray
        (d, h, w) uint16.
    particles : int
        Connected components.
    foreground : float
        Fraction of voxels that are not background.
    """

    labels: npt.NDArray[np.uint16]
    particles: int
    foreground: float

    @property
    def words(self) -> str:
        """Say how much was found."""
        noun = "particle" if self.particles == 1 else "particles"
        return f"{self.particles} {noun}, {100 * self.foreground:.2f} % of the volume"


def refine_mask(
    probability: npt.NDArray[np.float32], voxel_size_angstrom: Triple | None, choice: MaskChoice
) -> RefinedMask:
    """Return the labels that `choice` makes of `probability`.

    Parameters
    ----------
    probability : numpy.ndarray
        (d, h, w) float32 in [0, 1].
    voxel_size_angstrom : tuple of float or None
        Voxel edges (z, y, x) in Å.
    choice : MaskChoice
        Threshold, size and numbering.

    Raises
    ------
    InputError
        When more particles are found than labels can number.
    """
    from napari_voxuda.segmentation.instances import (
        label_particles,
        mask_from_probability,
        min_voxels_of,
    )

    if voxel_size_angstrom is None:
        min_voxels = round(choice.min_size_angstrom3)
    else:
        min_voxels = min_voxels_of(choice.min_size_angstrom3, voxel_size_angstrom)
    mask = mask_from_probability(probability, choice.threshold, min_voxels)
    numbered = label_particles(mask)
    particles = int(numbered.max())
    if choice.numbered and particles > _MOST_LABELS:
        raise InputError(
            f"labels: at most {_MOST_LABELS} particles can be numbered, got {particles}. "
            "Raise the threshold or the smallest size."
        )
    labels = numbered if choice.numbered else mask
    return RefinedMask(
        labels=labels.astype(np.uint16),
        particles=particles,
        foreground=float(np.count_nonzero(mask)) / mask.size,
    )
