"""The outlines of boxes, slice by slice, as a viewer of slices can show them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import TripleInt

__all__ = ["box_outlines"]


def box_outlines(starts: Sequence[TripleInt], box: int) -> list[npt.NDArray[np.float64]]:
    """Return a square for each slice that a box lies in.

    Parameters
    ----------
    starts : sequence of tuple
        First voxels (z, y, x) of the boxes.
    box : int
        Their edge in voxels.

    Returns
    -------
    list of numpy.ndarray
        (4, 3) corners (z, y, x) in voxels, along the outer faces of the outermost voxels.
    """
    near, far = -0.5, box - 0.5
    square = np.array([(near, near), (near, far), (far, far), (far, near)])
    outlines = []
    for z, y, x in starts:
        corners = square + np.array([y, x])
        for depth in range(z, z + box):
            outlines.append(np.column_stack([np.full(4, float(depth)), corners]))
    return outlines
