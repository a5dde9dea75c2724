"""Read particle positions from any of the formats that are understood."""

from __future__ import annotations

from pathlib import Path

from napari_voxuda._types import Triple, TripleInt
from napari_voxuda.data.picks import Picks
from napari_voxuda.errors import FileFormatError
from napari_voxuda.io.copick_picks import read_copick_picks
from napari_voxuda.io.ndjson import read_ndjson_picks
from napari_voxuda.io.star import read_star_picks, tomogram_names
from napari_voxuda.io.table import read_csv_picks

__all__ = ["PICKS_SUFFIXES", "is_picks_name", "read_picks"]

PICKS_SUFFIXES: tuple[str, ...] = (".star", ".json", ".ndjson", ".csv")
"""STAR (RELION 4 and 5), copick, CryoET Data Portal, and tables."""


def is_picks_name(path: str | Path) -> bool:
    """Whether a file name ends like one of the formats of positions, in any case."""
    return Path(path).suffix.lower() in PICKS_SUFFIXES


def read_picks(
    path: str | Path,
    *,
    voxel_size_angstrom: float | Triple | None,
    shape: TripleInt,
    tomogram_name: str | None = None,
) -> Picks:
    """Read the positions of one tomogram's particles.

    Parameters
    ----------
    path : str or pathlib.Path
        File with one of `PICKS_SUFFIXES`.
    voxel_size_angstrom : float or tuple of float or None
        Voxel size of the tomogram in Å; not needed for ``.ndjson`` and ``.csv``, which are in voxels.
    shape : tuple of int
        Voxels of the tomogram along (z, y, x).
    tomogram_name : str or None
        Which tomogram's rows to take of a STAR file that holds several.

    Returns
    -------
    Picks
        (n, 3) positions (z, y, x) in voxels.

    Raises
    ------
    InputError
        When there is no such file, a voxel size is needed and unknown, or most positions lie
        outside of the tomogram.
    FileFormatError
        When it is of no format that is understood.
    """
    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    if suffix == ".json":
        return read_copick_picks(path, voxel_size_angstrom=voxel_size_angstrom, shape=shape)
    if suffix == ".ndjson":
        return read_ndjson_picks(path, shape=shape)
    if suffix == ".csv":
        return read_csv_picks(path, shape=shape)
    if suffix != ".star":
        raise FileFormatError(
            f"{path}: picks as {', '.join(PICKS_SUFFIXES)} were wanted, got {path.suffix or 'no suffix'!r}."
        )
    several = len(tomogram_names(path)) > 1
    return read_star_picks(
        path,
        voxel_size_angstrom=voxel_size_angstrom,
        shape=shape,
        tomogram_name=tomogram_name if several else None,
    )
