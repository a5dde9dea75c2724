"""The tiles that cover what is visible of one slice: whole numbers only, nothing is read here."""

from __future__ import annotations

from dataclasses import dataclass

from napari_voxuda._types import TripleInt
from napari_voxuda.errors import InputError

__all__ = ["SliceTile", "plan_slice", "tiles_bounds"]

_MULTIPLE = 8  # three strides of 2
_CORE = 80
_HALO = 8
_THICKNESS = 16  # at least four slices on each side of the one that is kept


@dataclass(frozen=True, kw_only=True)
class SliceTile:
    """A flat tile around a piece of a slice, all triples in the order (z, y, x).

    Parameters
    ----------
    start, shape : tuple of int
        What is read; it may lie partly outside of the volume. The edges are multiples of 8.
    kept_start, kept_stop : tuple of int
        The voxels of the slice that it decides, all inside of the volume.
    """

    start: TripleInt
    shape: TripleInt
    kept_start: TripleInt
    kept_stop: TripleInt

    @property
    def kept(self) -> tuple[slice, ...]:
        """The kept voxels, counted from the volume's first."""
        return tuple(slice(a, b) for a, b in zip(self.kept_start, self.kept_stop, strict=True))

    @property
    def kept_inside(self) -> tuple[slice, ...]:
        """The kept voxels, counted from the tile's own first."""
        ends = zip(self.kept_start, self.kept_stop, self.start, strict=True)
        return tuple(slice(a - first, b - first) for a, b, first in ends)


def plan_slice(
    shape: TripleInt, axis: int, start: TripleInt, stop: TripleInt, *, longest: int = 480
) -> list[SliceTile]:
    """Return the tiles that cover the visible part of a slice, from its middle outwards.

    The tiles lie on one grid of the volume, so that those of two views of the same slice are the same.

    Parameters
    ----------
    shape : tuple of int
        Voxels of the volume.
    axis : int
        The axis across the slice.
    start, stop : tuple of int
        The visible voxels, ``start < stop``; along `axis` they are the slice and the next one.
    longest : int
        Longest edge in voxels of what is covered; the middle of a larger view is.

    Raises
    ------
    InputError
        When the view lies outside of the volume or is empty.
    """
    inside = all(0 <= a < b <= n for a, b, n in zip(start, stop, shape, strict=True))
    if not inside or stop[axis] != start[axis] + 1:
        raise InputError(
            f"view: one slice inside of {shape} was wanted, got {start} to {stop} across axis {axis}."
        )
    spans, middle = [], []
    for along, (first, last) in enumerate(zip(start, stop, strict=True)):
        if along == axis:
            spans.append([(first, first + 1)])
        else:
            excess = max(0, last - first - longest) // 2
            low, high = (first + excess) // _CORE, -(-(last - excess) // _CORE)
            ends = [(i * _CORE, min((i + 1) * _CORE, shape[along])) for i in range(low, high)]
            spans.append(ends)
        middle.append((first + last) / 2)
    tiles = [_tile((z, y, x), axis) for z in spans[0] for y in spans[1] for x in spans[2]]

    def distance(tile: SliceTile) -> float:
        ends = zip(tile.kept_start, tile.kept_stop, middle, strict=True)
        return sum(((a + b) / 2 - centre) ** 2 for a, b, centre in ends)

    return sorted(tiles, key=distance)


def tiles_bounds(tiles: list[SliceTile]) -> tuple[TripleInt, TripleInt]:
    """Return first and one-past-last voxel (z, y, x) of what at least one tile keeps."""
    z, y, x = (min(tile.kept_start[axis] for tile in tiles) for axis in range(3))
    d, h, w = (max(tile.kept_stop[axis] for tile in tiles) for axis in range(3))
    return (z, y, x), (d, h, w)


def _tile(spans: tuple[tuple[int, int], ...], axis: int) -> SliceTile:
    start, shape = [], []
    for along, (first, _) in enumerate(spans):
        if along == axis:
            start.append((first - _THICKNESS // 4) // _MULTIPLE * _MULTIPLE)
            shape.append(_THICKNESS)
        else:
            start.append(first - _HALO)
            shape.append(_CORE + 2 * _HALO)
    z, y, x = start
    d, h, w = shape
    (z0, z1), (y0, y1), (x0, x1) = spans
    return SliceTile(
        start=(z, y, x), shape=(d, h, w), kept_start=(z0, y0, x0), kept_stop=(z1, y1, x1)
    )
