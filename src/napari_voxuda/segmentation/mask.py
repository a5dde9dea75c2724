"""From a probability map to the mask that is wanted: threshold, roundness, holes, smallest size."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda.segmentation.instances import fill_holes, remove_small
from napari_voxuda.segmentation.rounding import rounded_mask

__all__ = ["make_mask"]


def make_mask(
    probability: npt.NDArray[Any],
    threshold: float,
    *,
    roundness: float = 0.0,
    max_hole_voxels: int = 0,
    min_voxels: int = 0,
) -> npt.NDArray[np.uint8]:
    """Make a mask of a probability map.

    Parameters
    ----------
    probability : numpy.ndarray
        (d, h, w) foreground probability in [0, 1].
    threshold : float
        Voxels of at least this probability are foreground.
    roundness : float
        In [0, 1], how much each piece is then drawn towards a ball; see `rounded_mask`.
    max_hole_voxels : int
        Enclosed holes of at most this size are filled; see `fill_holes`.
    min_voxels : int
        Connected components with fewer voxels are removed in the end.

    Returns
    -------
    numpy.ndarray
        (d, h, w) uint8, 1 where foreground.
    """
    mask = fill_holes(rounded_mask(probability, threshold, roundness), max_hole_voxels)
    remove_small(mask, min_voxels)
    return mask
