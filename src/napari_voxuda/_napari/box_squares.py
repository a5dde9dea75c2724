"""The outlines of boxes, slice by slice, as a viewer of slices can show them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import TripleInt

__all__ = ["box_squares"]


def box_squares(starts: Sequence[TripleInt], box: int) -> npt.NDArray[np.float64]:
    """Return the centre of the square that a box is, in each slice that it lies in.

    Parameters
    ----------
    starts : sequence of tuple
        First voxels (z, y, x) of the boxes.
    box : int
        Their edge in voxels.

    Returns
    -------
    numpy.ndarray
        (n * box, 3) positions (z, y, x) in voxels; the squares have edges of `box` voxels.
    """
    first = np.asarray(starts, dtype=np.float64).reshape(-1, 1, 3)
    middle = (box - 1) / 2
    within = np.stack([np.arange(box), np.full(box, middle), np.full(box, middle)], axis=-1)
    squares: npt.NDArray[np.float64] = first + within
    return squares.reshape(-1, 3)
