"""Bin a volume of any size slab by slab, reading no more than a slab at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["binned_shape", "binned_slabs", "factor_for"]

_SLAB_VOXELS = 1 << 22


def factor_for(shape: tuple[int, ...], most_voxels: int) -> int:
    """Return the smallest whole factor that leaves at most `most_voxels` voxels."""
    factor = 1
    while np.prod(binned_shape(shape, factor), dtype=np.int64) > most_voxels:
        factor += 1
    return factor


def binned_shape(shape: tuple[int, ...], factor: int) -> tuple[int, int, int]:
    """Return the shape after binning; a last block that is cut off counts."""
    d, h, w = (-(-size // factor) for size in shape)
    return d, h, w


def binned_slabs(
    volume: Any, factor: int, how: Literal["mean", "occupancy", "largest"]
) -> Iterator[tuple[slice, npt.NDArray[Any]]]:
    """Yield where each slab of the binned volume lies along z, and its values.

    Parameters
    ----------
    volume : array
        (d, h, w); may lie on disk.
    factor : int
        Edge of a block in voxels, at least 1. Blocks at the far borders may hold fewer voxels.
    how : {"mean", "occupancy", "largest"}
        What stands for a block: the mean of its values, the share of them that are not 0 (both
        float32), or the largest value.
    """
    depth, height, width = volume.shape
    blocks = max(1, _SLAB_VOXELS // (factor * height * width))
    for first in range(0, -(-depth // factor), blocks):
        slab = np.asarray(volume[first * factor : min((first + blocks) * factor, depth)])
        if how == "occupancy":
            slab = slab != 0
        if how != "largest":
            slab = slab.astype(np.float32)
        reduced = _reduced(slab, factor, how) if factor > 1 else slab
        yield slice(first, first + len(reduced)), reduced


def _reduced(slab: npt.NDArray[Any], factor: int, how: str) -> npt.NDArray[Any]:
    operation: Any = np.maximum if how == "largest" else np.add
    for axis, size in enumerate(slab.shape):
        starts = np.arange(0, size, factor)
        slab = operation.reduceat(slab, starts, axis=axis)
        if how != "largest":
            counts = np.diff(np.append(starts, size)).astype(np.float32)
            slab = slab / counts.reshape([-1 if i == axis else 1 for i in range(3)])
    return slab
