"""Where the tiles of a volume lie: whole numbers only, nothing is read or computed here.

Along each axis lie tiles of one size. Each keeps what is at least `halo` voxels away from its ends,
and at the two ends of the axis everything up to the border. The kept parts cover the volume exactly
once. Sizes and starts are multiples of `multiple`, so that the stride grid of a network falls on the
same voxels in every tile. The last tile is moved back to end with the volume: only an axis whose
length is no such multiple is continued, by less than one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import TripleInt
from napari_voxuda.errors import InputError

__all__ = ["AxisTiles", "Tile", "Tiling", "plan_tiles", "reflected_indices"]

Slices = tuple[slice, slice, slice]


@dataclass(frozen=True, kw_only=True)
class AxisTiles:
    """The tiles along one axis.

    Parameters
    ----------
    length : int
        Voxels of the volume along the axis.
    starts : tuple of int
        First voxel of each tile, ascending.
    size : int
        Voxels of a tile; the last tile may reach beyond the volume.
    halo : int
        Voxels that a tile gives up, at least, on a side where it has a neighbour.
    """

    length: int
    starts: tuple[int, ...]
    size: int
    halo: int

    @property
    def count(self) -> int:
        """Number of tiles, at least 1."""
        return len(self.starts)

    @property
    def end(self) -> int:
        """One past the last voxel that a tile reads, at least `length`."""
        return self.starts[-1] + self.size

    def kept(self, index: int) -> tuple[int, int]:
        """First and one-past-last voxel of the volume that a tile keeps."""
        first = 0 if index == 0 else self.starts[index] + self.halo
        last = self.length if index == self.count - 1 else self.starts[index + 1] + self.halo
        return first, last


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One tile of a volume, all triples in the order (z, y, x).

    Parameters
    ----------
    index : tuple of int
        Position in the grid of tiles.
    start : tuple of int
        First voxel; ``start + tile_shape`` may lie beyond the volume.
    kept : tuple of slice
        The voxels of the volume that this tile decides.
    """

    index: TripleInt
    start: TripleInt
    kept: Slices

    @property
    def kept_inside(self) -> Slices:
        """The kept voxels, counted from the tile's own start."""
        z, y, x = (
            slice(kept.start - start, kept.stop - start)
            for kept, start in zip(self.kept, self.start, strict=True)
        )
        return z, y, x


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """All tiles of a volume; iterating gives them in raster order.

    Parameters
    ----------
    axes : tuple of AxisTiles
        The tiles along z, y and x.
    """

    axes: tuple[AxisTiles, AxisTiles, AxisTiles]

    @property
    def shape(self) -> TripleInt:
        """Shape of the volume."""
        z, y, x = self.axes
        return z.length, y.length, x.length

    @property
    def tile_shape(self) -> TripleInt:
        """Shape of every tile."""
        z, y, x = self.axes
        return z.size, y.size, x.size

    def __len__(self) -> int:
        z, y, x = self.axes
        return z.count * y.count * x.count

    def __iter__(self) -> Iterator[Tile]:
        az, ay, ax = self.axes
        for i in range(az.count):
            for j in range(ay.count):
                for k in range(ax.count):
                    yield Tile(
                        index=(i, j, k),
                        start=(az.starts[i], ay.starts[j], ax.starts[k]),
                        kept=(slice(*az.kept(i)), slice(*ay.kept(j)), slice(*ax.kept(k))),
                    )


def plan_tiles(shape: TripleInt, *, core: int, halo: int, multiple: int = 8) -> Tiling:
    """Plan the tiles of a volume of any shape.

    Parameters
    ----------
    shape : tuple of int
        Voxels along (z, y, x), each at least 1.
    core : int
        Largest part of an inner tile that is kept, in voxels; rounded up to `multiple`. An axis is
        divided evenly, so the kept parts may be smaller.
    halo : int
        Context on each side towards a neighbour, in voxels; rounded up to `multiple`.
    multiple : int
        What sizes, steps and starts are multiples of (8 for a network of three strides of 2).

    Returns
    -------
    Tiling
        An axis of at most ``core + 2 * halo`` voxels takes a single tile and no halo.

    Raises
    ------
    InputError
        When the shape has an empty axis, or `core`, `halo` or `multiple` is out of range.
    """
    if len(shape) != 3 or min(shape) < 1:
        raise InputError(f"tiles: three axes of at least 1 voxel were wanted, got {tuple(shape)}.")
    if core < 1 or halo < 0 or multiple < 1:
        raise InputError(
            "tiles: core >= 1, halo >= 0 and multiple >= 1 were wanted, "
            f"got {core}, {halo} and {multiple}."
        )
    core, halo = _round_up(core, multiple), _round_up(halo, multiple)
    z, y, x = (_axis_tiles(length, core, halo, multiple) for length in shape)
    return Tiling(axes=(z, y, x))


def reflected_indices(start: int, size: int, length: int) -> npt.NDArray[np.intp]:
    """Return the voxels that a tile reads along one axis, mirrored at the volume's last voxels.

    Parameters
    ----------
    start, size : int
        The tile; it may reach beyond either end of the axis.
    length : int
        Voxels of the volume along the axis, at least 1.

    Returns
    -------
    numpy.ndarray
        (size,) indices in ``[0, length)``, the border voxel not repeated (numpy's ``"reflect"``);
        they span a contiguous range of at most `size` voxels.
    """
    if length == 1:
        return np.zeros(size, dtype=np.intp)
    period = 2 * (length - 1)
    index = np.arange(start, start + size, dtype=np.intp) % period
    return np.minimum(index, period - index)


def _axis_tiles(length: int, core: int, halo: int, multiple: int) -> AxisTiles:
    end = _round_up(length, multiple)
    if length <= core + 2 * halo:
        return AxisTiles(length=length, starts=(0,), size=end, halo=0)
    inner = length - 2 * halo
    count = -(-inner // core)
    step = _round_up(-(-inner // count), multiple)
    size = step + 2 * halo
    starts = tuple(min(i * step, end - size) for i in range(count))
    return AxisTiles(length=length, starts=starts, size=size, halo=halo)


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
