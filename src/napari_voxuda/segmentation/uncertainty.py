"""Where a user's look is worth most: places at which many unsure voxels lie together.

A single voxel on the threshold is nothing special, every outline has some. What counts is how many voxels a
correction there would set right: the uncertainty is summed over the neighbourhood that a brush covers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import TripleInt
from napari_voxuda.errors import InputError

__all__ = ["BRUSH_VOXELS", "UncertainPlaces", "sum_nearby"]

BRUSH_VOXELS = 4
"""Half width of the neighbourhood over which uncertainty is summed, in voxels."""


def sum_nearby(
    uncertainty: npt.NDArray[Any], radius: int = BRUSH_VOXELS
) -> tuple[npt.NDArray[np.float32], int]:
    """Return the mean uncertainty in a cube around the points of a coarse grid.

    Parameters
    ----------
    uncertainty : numpy.ndarray
        (d, h, w) values in [0, 1].
    radius : int
        Half width of the cube, at least 0; beyond the volume nothing is uncertain.

    Returns
    -------
    means : numpy.ndarray
        (ceil(d / stride), …) float32; element i stands for voxel ``i * stride``.
    stride : int
        Voxels between two points, half the radius.
    """
    stride = max(1, radius // 2)
    width = 2 * radius + 1
    out: npt.NDArray[Any] = uncertainty
    for axis in range(3):
        out = _running_mean(np.moveaxis(out, axis, 0), width, stride)
        out = np.moveaxis(out, 0, axis)
    return np.ascontiguousarray(out, dtype=np.float32), stride


def _running_mean(values: npt.NDArray[Any], width: int, stride: int) -> npt.NDArray[np.float32]:
    """Return the mean of `width` planes around every `stride`-th plane along the first axis."""
    half = width // 2
    means = [
        values[max(0, at - half) : at + half + 1].sum(axis=0, dtype=np.float32) / width
        for at in range(0, len(values), stride)
    ]
    return np.stack(means)


class UncertainPlaces:
    """Walks through the most uncertain places of a volume, none near one that was seen before.

    Parameters
    ----------
    uncertainty : numpy.ndarray
        (d, h, w) values in [0, 1].
    radius : int
        Half width of the neighbourhood over which it is summed, in voxels.
    apart : int or None
        Least distance of two places along one of the axes; twice the radius without.
    """

    def __init__(
        self,
        uncertainty: npt.NDArray[Any],
        *,
        radius: int = BRUSH_VOXELS,
        apart: int | None = None,
    ) -> None:
        if uncertainty.ndim != 3:
            raise InputError(
                f"uncertainty: a volume (z, y, x) was wanted, got shape {uncertainty.shape}."
            )
        self._shape = uncertainty.shape
        self._score, self._stride = sum_nearby(uncertainty, radius)
        self._apart = 2 * radius if apart is None else apart
        self._seen: list[TripleInt] = []
        self._at = -1

    @property
    def seen(self) -> tuple[TripleInt, ...]:
        """The places that were shown, in their order."""
        return tuple(self._seen)

    @property
    def number(self) -> int:
        """Number of the present place, from 1 on; 0 before the first."""
        return self._at + 1

    def suppress(self, positions: Sequence[Sequence[int]] | npt.NDArray[Any]) -> None:
        """Leave out the neighbourhoods of `positions` (n, 3) from now on."""
        reach = self._apart / self._stride
        cells = np.unique(np.asarray(positions).reshape(-1, 3) // self._stride, axis=0)
        for cell in cells:
            part = tuple(
                slice(max(0, math.floor(c - reach)), math.ceil(c + reach) + 1) for c in cell
            )
            self._score[part] = 0.0

    def next(self) -> TripleInt | None:
        """Return the next place (z, y, x), or None where nothing uncertain is left."""
        if self._at + 1 < len(self._seen):
            self._at += 1
            return self._seen[self._at]
        best = np.unravel_index(int(self._score.argmax()), self._score.shape)
        if self._score[best] <= 0:
            return None
        z, y, x = (
            min(int(i) * self._stride, n - 1) for i, n in zip(best, self._shape, strict=True)
        )
        self._seen.append((z, y, x))
        self._at += 1
        self.suppress([(z, y, x)])
        return z, y, x

    def previous(self) -> TripleInt | None:
        """Return the place that was shown before, or None at the first."""
        if self._at <= 0:
            return None
        self._at -= 1
        return self._seen[self._at]
