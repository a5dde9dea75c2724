"""The z-slices of a volume that tiles still write to; finished ones go on to where they are kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_voxuda.data.slabs import SlabSink
from napari_voxuda.segmentation.tiling import Slices, Tile, Tiling

__all__ = ["SlabWindow"]


class SlabWindow:
    """Takes tiles in raster order and hands on the slices that no later tile can reach.

    Parameters
    ----------
    tiling : Tiling
        The tiles. Those of one layer along z may write to all its slices.
    sink : SlabSink
        Gets the finished slices, first to last.
    bounds : tuple of float or None
        Finished values are brought into (lowest, highest).

    Notes
    -----
    Memory is that of one layer of tiles: their depth times the volume's height and width, in float32.
    """

    def __init__(
        self, tiling: Tiling, sink: SlabSink, bounds: tuple[float, float] | None = None
    ) -> None:
        length, height, width = tiling.shape
        depth = min(length, tiling.tile_shape[0])
        self._values = np.zeros((depth, height, width), dtype=np.float32)
        self._length = length
        self._first = 0  # the volume's slice that is the window's first
        self._sink = sink
        self._bounds = bounds

    def begin(self, tile: Tile) -> None:
        """Hand on the slices before a tile, as no later tile starts above it."""
        self._hand_on(min(tile.start[0], self._length))

    def part(self, region: Slices) -> npt.NDArray[np.float32]:
        """Return the voxels of a region of the volume; what is written to them stays."""
        z, y, x = region
        return self._values[z.start - self._first : z.stop - self._first, y, x]

    def finish(self) -> None:
        """Hand on everything that is left."""
        self._hand_on(self._length)

    def _hand_on(self, end: int) -> None:
        count = end - self._first
        if count <= 0:
            return
        done = self._values[:count]
        if self._bounds is not None:
            np.clip(done, *self._bounds, out=done)
        self._sink.append(done)
        self._values[:-count] = self._values[count:]
        self._values[-count:] = 0
        self._first = end
