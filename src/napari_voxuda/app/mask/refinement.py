"""Turn a probability map into labels again and again while a slider moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Triple, TripleInt
from napari_voxuda.data.corrections import BACKGROUND, PARTICLE
from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.settings import SegmentSettings

__all__ = ["MaskChoice", "RefinedMask", "join_labels", "refine_mask"]

_MOST_LIKELY = 0.5  # share of a volume that is foreground; molecules fill less
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
    roundness : float
        In [0, 1], how much each piece is drawn towards a ball; see `rounded_mask`.
    max_hole_angstrom3 : float
        Holes of at most this volume are filled, in the same unit.
    numbered : bool
        Whether each component gets its own label, or all get label 1.
    """

    threshold: float
    min_size_angstrom3: float = 0.0
    roundness: float = 0.0
    max_hole_angstrom3: float = 0.0
    numbered: bool = False

    def for_files(self) -> SegmentSettings:
        """Return the settings with which a segmentation into files makes the same mask."""
        return SegmentSettings(
            threshold=self.threshold,
            min_size_angstrom3=self.min_size_angstrom3,
            roundness=self.roundness,
            max_hole_angstrom3=self.max_hole_angstrom3,
        )


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
        """Say how much was found, and what to do where it cannot be right."""
        noun = "particle" if self.particles == 1 else "particles"
        found = f"{self.particles} {noun}, {100 * self.foreground:.2f} % of the volume"
        if self.foreground == 0.0:
            return f"{found}. Lower the threshold; if that does not help, train longer."
        if self.foreground > _MOST_LIKELY:
            return (
                f"{found}. ⚠ That is more than molecules fill: raise the threshold, see that the contrast "
                "is right, or train longer."
            )
        return found


def refine_mask(
    probability: npt.NDArray[np.float32],
    voxel_size_angstrom: Triple | None,
    choice: MaskChoice,
    *,
    marks: npt.NDArray[np.uint8] | None = None,
    joins: Sequence[Sequence[TripleInt]] = (),
) -> RefinedMask:
    """Return the labels that `choice` makes of `probability`.

    Parameters
    ----------
    probability : numpy.ndarray
        (d, h, w) float32 in [0, 1].
    voxel_size_angstrom : tuple of float or None
        Voxel edges (z, y, x) in Å.
    choice : MaskChoice
        Threshold, sizes and numbering.
    marks : numpy.ndarray or None
        (d, h, w) what the user corrected, which has the last word; see `data.corrections`.
    joins : sequence
        Groups of voxels (z, y, x) whose components get one number.

    Raises
    ------
    InputError
        When more particles are found than labels can number.
    """
    from napari_voxuda.segmentation.instances import label_particles
    from napari_voxuda.segmentation.mask import make_mask

    size = voxel_size_angstrom
    mask = make_mask(
        probability,
        choice.threshold,
        roundness=choice.roundness,
        max_hole_voxels=_most_voxels(choice.max_hole_angstrom3, size),
        min_voxels=_least_voxels(choice.min_size_angstrom3, size),
    )
    if marks is not None:
        mask[marks == PARTICLE] = 1
        mask[marks == BACKGROUND] = 0
    numbered = label_particles(mask)
    join_labels(numbered, joins)
    particles = int(np.count_nonzero(np.bincount(numbered.reshape(-1))[1:]))
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


def join_labels(
    labels: npt.NDArray[np.unsignedinteger[Any]], joins: Sequence[Sequence[TripleInt]]
) -> None:
    """Give the components of each group of voxels (z, y, x) their smallest number, in place.

    Voxels on background are left out.
    """
    if not joins:
        return
    renumbered = np.arange(int(labels.max()) + 1, dtype=labels.dtype)
    for group in joins:
        found = {int(renumbered[labels[voxel]]) for voxel in group} - {0}
        for label in found:
            renumbered[renumbered == label] = min(found)
    labels[...] = renumbered[labels]


def _least_voxels(size_angstrom3: float, voxel_size_angstrom: Triple | None) -> int:
    from napari_voxuda.segmentation.instances import min_voxels_of

    if voxel_size_angstrom is None:
        return round(size_angstrom3)
    return min_voxels_of(size_angstrom3, voxel_size_angstrom)


def _most_voxels(size_angstrom3: float, voxel_size_angstrom: Triple | None) -> int:
    from napari_voxuda.segmentation.instances import max_voxels_of

    if voxel_size_angstrom is None:
        return int(size_angstrom3)
    return max_voxels_of(size_angstrom3, voxel_size_angstrom)
