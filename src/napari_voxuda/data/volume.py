"""A tomogram or subtomogram together with where it lies in space."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from napari_voxuda._types import Triple, TripleInt
from napari_voxuda.errors import InputError

__all__ = ["Grid", "Volume"]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where the voxels of a volume lie in space, all triples in the order (z, y, x).

    Parameters
    ----------
    voxel_size_angstrom : tuple of float or None
        Edge lengths of a voxel in Å; None when unknown (an MRC header with cell 0).
    origin_angstrom : tuple of float
        The MRC origin in Å.
    nstart : tuple of int
        The MRC start indices, in voxels.
    cell_angstrom, sampling : tuple or None
        The MRC header's cell lengths in Å and grid intervals (mz, my, mx), kept so that a derived
        file repeats them to the bit. None for grids that do not come from a header.
    imod_origin : bool
        Whether the origin comes from a header that IMOD takes to have the opposite sign: one without
        MRC2014's version number and without IMOD's flag. A derived file has to say the same.

    Raises
    ------
    InputError
        When a voxel size is not positive or a number not finite.
    """

    voxel_size_angstrom: Triple | None = None
    origin_angstrom: Triple = (0.0, 0.0, 0.0)
    nstart: TripleInt = (0, 0, 0)
    cell_angstrom: Triple | None = None
    sampling: TripleInt | None = None
    imod_origin: bool = False

    def __post_init__(self) -> None:
        size = self.voxel_size_angstrom
        if size is not None and not all(math.isfinite(v) and v > 0 for v in size):
            raise InputError(f"voxel size: positive Å values were wanted, got {size}.")
        if not all(math.isfinite(v) for v in self.origin_angstrom):
            raise InputError(f"origin: finite Å values were wanted, got {self.origin_angstrom}.")

    def position_angstrom(self, position: Triple) -> Triple | None:
        """Return where a position (z, y, x) in voxels lies in Å; None without a voxel size.

        That is ``index * voxel size + origin``; a voxel's centre is its 0-based index, and the start
        indices are not added.
        """
        if self.voxel_size_angstrom is None:
            return None
        terms = zip(position, self.voxel_size_angstrom, self.origin_angstrom, strict=True)
        z, y, x = (float(p * v + o) for p, v, o in terms)
        return z, y, x

    def with_voxel_size(self, voxel_size_angstrom: float | Triple) -> Grid:
        """Return this grid with a voxel size set by the user, in Å."""
        size = voxel_size_angstrom
        triple = (float(size),) * 3 if isinstance(size, int | float) else size
        return replace(self, voxel_size_angstrom=triple, cell_angstrom=None, sampling=None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Volume:
    """An array of voxels in the order (z, y, x) with its grid.

    Parameters
    ----------
    data : numpy.ndarray
        (d, h, w) values; may be a read-only memory map, or a `LazyArray`, which stands where one could.
    grid : Grid
        Voxel size, origin and start indices.
    name : str
        Shown to the user; the file's stem for a volume read from a file.
    path : pathlib.Path or None
        The file it was read from.
    warnings : tuple of str
        Sentences about doubtful header values that the user should see.

    Raises
    ------
    InputError
        When `data` is not three-dimensional or is empty.
    """

    data: npt.NDArray[Any]
    grid: Grid = field(default_factory=Grid)
    name: str = "volume"
    path: Path | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.data.ndim != 3 or 0 in self.data.shape:
            raise InputError(
                f"{self.name}: a volume (z, y, x) was wanted, got an array of shape {self.data.shape}."
            )

    @property
    def shape(self) -> TripleInt:
        """Voxels along (z, y, x)."""
        d, h, w = self.data.shape
        return d, h, w

    def with_data(self, data: npt.NDArray[Any], *, name: str | None = None) -> Volume:
        """Return a volume on the same grid with other values, for example its mask."""
        if data.shape != self.data.shape:
            raise InputError(
                f"{self.name}: data of shape {self.data.shape} was wanted, got {data.shape}."
            )
        return replace(self, data=data, name=name or self.name, path=None, warnings=())
