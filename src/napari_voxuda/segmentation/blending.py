"""Weights that blend overlapping tiles, normalised before use.

The tiles form a full grid and a tile's weight is a product over the axes, so the sum of all
weights at a voxel is a product as well. Each axis is therefore normalised on its own: the blended
volume is a plain running sum, and no second volume of weights is needed.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from napari_voxuda.segmentation.tiling import AxisTiles, Tile, Tiling

__all__ = ["BlendWeights", "WindowName", "axis_weights"]

WindowName = Literal["gaussian", "linear"]


def axis_weights(axis: AxisTiles, window: WindowName) -> npt.NDArray[np.float64]:
    """Return the normalised weight of each tile at each of its voxels along one axis.

    Parameters
    ----------
    axis : AxisTiles
        The tiles along the axis.
    window : {"gaussian", "linear"}
        A Gaussian with a sigma of one eighth of the tile, or a triangle; both peak in the tile's
        middle.

    Returns
    -------
    numpy.ndarray
        (count, size) in [0, 1]; at each voxel of the axis the weights of all tiles sum to 1.
    """
    middle = (axis.size - 1) / 2
    distance = np.abs(np.arange(axis.size) - middle)
    if window == "gaussian":
        profile = np.exp(-0.5 * (distance / (axis.size / 8)) ** 2)
    else:
        profile = 1.0 - distance / (middle + 1.0)
    total = np.zeros(axis.end)
    parts = [slice(start, start + axis.size) for start in axis.starts]
    for part in parts:
        total[part] += profile
    return np.stack([profile / total[part] for part in parts])


class BlendWeights:
    """The weights of all tiles of a volume; memory of the order of its edges.

    Parameters
    ----------
    tiling : Tiling
        The tiles; neighbours overlap by twice the halo.
    window : {"gaussian", "linear"}
        Shape of a tile's weight.
    """

    def __init__(self, tiling: Tiling, window: WindowName) -> None:
        self._axes = [axis_weights(axis, window) for axis in tiling.axes]

    def __call__(self, tile: Tile) -> npt.NDArray[np.float32]:
        """Return the weight of a tile, (d, h, w) float32 of the tile's shape."""
        z, y, x = (axis[i] for axis, i in zip(self._axes, tile.index, strict=True))
        weight: npt.NDArray[np.float64] = z[:, None, None] * y[:, None] * x
        return weight.astype(np.float32)
