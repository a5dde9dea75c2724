"""Checks that all readers of particle positions share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Triple, TripleInt
from napari_voxuda.errors import InputError

__all__ = ["check_inside", "checked_voxel_size", "scores_in_range"]


def checked_voxel_size(value: float | Triple | None, path: Path) -> npt.NDArray[np.float64]:
    """Return a voxel size in Å as (z, y, x).

    Raises
    ------
    InputError
        When it is unknown or not positive.
    """
    if value is None:
        raise InputError(
            f"{path}: coordinates cannot be converted while the tomogram's voxel size is unknown; "
            "set it in Å."
        )
    voxel = np.broadcast_to(np.asarray(value, dtype=np.float64), 3)
    if not (np.isfinite(voxel) & (voxel > 0)).all():
        raise InputError(f"voxel size: positive Å values were wanted, got {value}.")
    return voxel


def check_inside(positions: npt.NDArray[np.float64], shape: TripleInt, path: Path) -> None:
    """Refuse positions (n, 3) in voxels most of which are outside of the tomogram.

    Raises
    ------
    InputError
        When fewer than half are inside.
    """
    limits = np.array(shape) - 0.5
    inside = np.all((positions >= -0.5) & (positions <= limits), axis=1)
    if len(positions) and inside.mean() < 0.5:
        low, high = positions.min(axis=0).round(1).tolist(), positions.max(axis=0).round(1).tolist()
        raise InputError(
            f"{path}: positions inside a tomogram of {shape} voxels (z, y, x) were wanted, got "
            f"{int((~inside).sum())} of {len(positions)} outside (from {low} to {high}); check the voxel "
            "size and that the picks belong to this tomogram."
        )


def scores_in_range(scores: npt.NDArray[np.float64] | None) -> npt.NDArray[np.float64] | None:
    """Return values that may be scores, in [0, 1], and None for others."""
    if scores is None or not len(scores) or not np.isfinite(scores).all():
        return None
    return scores if scores.min() >= 0 and scores.max() <= 1 else None
