"""Cut boxes out of a volume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import TripleInt
from napari_voxuda.data.reading import read_part
from napari_voxuda.errors import InputError

__all__ = ["box_start", "cut_box"]


def box_start(position: Sequence[float] | npt.NDArray[np.float64], box: int) -> TripleInt:
    """Return the first voxel of the box whose centre is nearest to a position.

    The centre of a box of `box` voxels is voxel ``box // 2``, as RELION and IMOD have it.

    Parameters
    ----------
    position : sequence of float
        (z, y, x) in voxels; a voxel's centre is its 0-based index.
    box : int
        Edge of the box in voxels, at least 1.
    """
    z, y, x = (int(np.floor(p + 0.5)) - box // 2 for p in position)
    return z, y, x


def cut_box(data: npt.NDArray[Any], start: TripleInt, box: int | TripleInt) -> npt.NDArray[Any]:
    """Copy a box out of a volume; beyond the volume's faces it is mirrored.

    Parameters
    ----------
    data : numpy.ndarray
        (d, h, w) values; of a memory map only the box is read.
    start : tuple of int
        First voxel (z, y, x) of the box; may lie outside of the volume.
    box : int or tuple of int
        Edge lengths in voxels, at least 1.

    Returns
    -------
    numpy.ndarray
        (box, box, box) values in the type of `data`, in memory of its own. Mirroring is about the
        centre of the outermost voxel, as ``numpy.pad(mode="reflect")`` does, and goes on for boxes
        larger than the volume.

    Raises
    ------
    InputError
        When the volume is not three-dimensional or an edge is below 1.
    """
    edges = (box, box, box) if isinstance(box, int) else box
    if data.ndim != 3 or 0 in data.shape or len(edges) != 3 or min(edges) < 1:
        raise InputError(
            f"box: three edges of at least 1 voxel in a volume (z, y, x) were wanted, got {edges} in "
            f"an array of shape {data.shape}."
        )
    indices = [_mirrored(s, e, n) for s, e, n in zip(start, edges, data.shape, strict=True)]
    firsts = [int(i.min()) for i in indices]
    inner = read_part(
        data, tuple(slice(f, int(i.max()) + 1) for f, i in zip(firsts, indices, strict=True))
    )
    z, y, x = (i - f for i, f in zip(indices, firsts, strict=True))
    return np.ascontiguousarray(inner[np.ix_(z, y, x)])


def _mirrored(start: int, count: int, size: int) -> npt.NDArray[np.intp]:
    """Return `count` indices from `start` on, mirrored into 0 … size - 1."""
    period = max(1, 2 * (size - 1))
    inside = np.arange(start, start + count) % period
    return np.minimum(inside, period - inside)
