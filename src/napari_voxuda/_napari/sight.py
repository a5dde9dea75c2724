"""What of a layer can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_voxuda._types import Triple

if TYPE_CHECKING:
    from napari.layers import Layer

__all__ = ["is_in_sight", "visible_bounds"]

_NEAR_BORDER = 0.2  # of what is visible


def is_in_sight(layer: Layer, position: Triple) -> bool:
    """Whether a position (z, y, x) in voxels is visible, and not near an edge of the view.

    The edges of the layer itself do not count: there is nothing to see beyond them.
    """
    shape = layer.data.shape[-3:]
    start, stop = visible_bounds(layer, shape)
    for at, low, high, size in zip(position, start, stop, shape, strict=True):
        room = _NEAR_BORDER * (high - low)
        if (low > 0 and at < low + room) or (high < size and at > high - room):
            return False
    return True


def visible_bounds(layer: Layer, shape: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Return where the visible part of a layer begins and ends, in voxels.

    That is all of it before it was first drawn.
    """
    corners = np.asarray(layer.corner_pixels)[:, -3:]
    start, stop = [0, 0, 0], list(shape)
    if (corners[1] > corners[0]).sum() < 2:
        return start, stop
    for axis in range(3):
        low, high = int(corners[0, axis]), int(corners[1, axis]) + 1
        if high - low > 1:
            start[axis] = min(max(low, 0), shape[axis] - 1)
            stop[axis] = max(min(high, shape[axis]), start[axis] + 1)
    return start, stop
