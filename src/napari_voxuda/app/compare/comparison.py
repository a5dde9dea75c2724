"""Compare a mask with other labels of the same volume: scores, and where the two differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError
from napari_voxuda.scores.overlap import Confusion, overlap

__all__ = [
    "AGREEMENT",
    "COMPARISON_COLORS",
    "FALSE_NEGATIVE",
    "FALSE_POSITIVE",
    "Comparison",
    "check_same_grid",
    "compare_masks",
]

FALSE_POSITIVE, FALSE_NEGATIVE, AGREEMENT = 1, 2, 3
COMPARISON_COLORS = {FALSE_POSITIVE: "#d55e00", FALSE_NEGATIVE: "#4fe0c4", AGREEMENT: "#5d3a9b"}
"""Vermilion, turquoise and violet: the colour-blind tell them apart, also from corrections."""

_SLAB_VOXELS = 1 << 22
_SAME_SIZE = 0.01
_SAME_PLACE = 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """How a mask agrees with a reference.

    Parameters
    ----------
    mask, reference : str
        Their names.
    counts : Confusion
        Voxels of the foreground, which is every label but 0.
    errors : numpy.ndarray
        (d, h, w) uint8: `FALSE_POSITIVE`, `FALSE_NEGATIVE`, `AGREEMENT` where both have a particle,
        and 0.
    note : str
        What the user should know; mostly empty.
    """

    mask: str
    reference: str
    counts: Confusion
    errors: npt.NDArray[np.uint8]
    note: str = ""


def check_same_grid(mask: Volume, reference: Volume) -> str:
    """Refuse volumes whose voxels do not lie at the same places; return a note, mostly empty.

    A voxel size that is unknown, or an origin of 0, which programs write that know none, is no reason
    to refuse.

    Raises
    ------
    InputError
        When shapes, voxel sizes or origins differ.
    """
    if mask.shape != reference.shape:
        raise InputError(
            f"{reference.name}: labels of {_times(mask.shape)} voxels (z, y, x) as in {mask.name} were "
            f"wanted, got {_times(reference.shape)}. Choose labels of the same tomogram and binning."
        )
    size, other = mask.grid.voxel_size_angstrom, reference.grid.voxel_size_angstrom
    if size is None or other is None:
        return ""
    if not np.allclose(size, other, rtol=_SAME_SIZE):
        raise InputError(
            f"{reference.name}: voxels of {size[2]:g} Å as in {mask.name} were wanted, got "
            f"{other[2]:g} Å. Choose labels of the same tomogram and binning."
        )
    here, there = mask.grid.origin_angstrom, reference.grid.origin_angstrom
    away = np.abs(np.subtract(here, there)) / size
    if (away <= _SAME_PLACE).all():
        return ""
    if any(here) and any(there):
        raise InputError(
            f"{reference.name}: labels at the place of {mask.name} were wanted, but they lie "
            f"{_times(round(float(v)) for v in away)} voxels (z, y, x) away from it. Choose labels of the "
            "same piece of the tomogram."
        )
    return "One of the two has no origin; they are compared voxel by voxel."


def compare_masks(mask: Volume, reference: Volume) -> Comparison:
    """Count and mark where the foreground of a mask differs from that of a reference.

    Parameters
    ----------
    mask, reference : Volume
        (d, h, w) labels on one grid; every value but 0 is foreground.

    Raises
    ------
    InputError
        When the two do not lie on one grid.
    """
    note = check_same_grid(mask, reference)
    errors = np.zeros(mask.shape, np.uint8)
    counts = Confusion()
    thickness = max(1, _SLAB_VOXELS // errors[:1].size)
    for start in range(0, len(errors), thickness):
        slab = slice(start, start + thickness)
        found, wanted = np.asarray(mask.data[slab]) != 0, np.asarray(reference.data[slab]) != 0
        counts += overlap(found, wanted).foreground
        errors[slab][found & ~wanted] = FALSE_POSITIVE
        errors[slab][~found & wanted] = FALSE_NEGATIVE
        errors[slab][found & wanted] = AGREEMENT
    return Comparison(
        mask=mask.name, reference=reference.name, counts=counts, errors=errors, note=note
    )


def _times(values: Any) -> str:
    return " x ".join(str(value) for value in values)
