"""Read and write particle positions as the CryoET Data Portal keeps them: one JSON object a line.

A point is ``{"type": "point", "location": {"x": …, "y": …, "z": …}}`` in voxels of the tomogram, the
first voxel's centre at 0; oriented points have a rotation matrix beside, which is not read.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from napari_voxuda._types import TripleInt
from napari_voxuda.data.picks import Picks
from napari_voxuda.errors import FileFormatError
from napari_voxuda.io._json_files import finite_numbers, parsed, read_bounded
from napari_voxuda.io._positions import check_inside
from napari_voxuda.io.atomic import atomic_path

__all__ = ["count_ndjson_points", "read_ndjson_picks", "write_ndjson_picks"]

_TYPES = ("point", "orientedPoint", "instancePoint")


def read_ndjson_picks(path: str | Path, *, shape: TripleInt) -> Picks:
    """Read positions from a file of points.

    Parameters
    ----------
    path : str or pathlib.Path
        One JSON object a line; empty lines are left out.
    shape : tuple of int
        Voxels of the tomogram along (z, y, x).

    Returns
    -------
    Picks
        (n, 3) positions (z, y, x) in voxels.

    Raises
    ------
    InputError
        When there is no such file, or most positions lie outside of the tomogram.
    FileFormatError
        When a line is no such point.
    """
    path = Path(path).expanduser()
    positions = np.array(_points(path), dtype=np.float64).reshape(-1, 3)
    check_inside(positions, shape, path)
    return Picks(positions=positions)


def count_ndjson_points(path: str | Path) -> int:
    """Return the number of points in a file; raises as `read_ndjson_picks` does."""
    return len(_points(Path(path).expanduser()))


def write_ndjson_picks(path: str | Path, picks: Picks) -> None:
    """Write positions as points.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    picks : Picks
        (n, 3) positions (z, y, x) in voxels.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        for z, y, x in picks.positions.round(4).tolist():
            point = {"type": "point", "location": {"x": x, "y": y, "z": z}}
            stream.write(json.dumps(point) + "\n")


def _points(path: Path) -> list[list[float]]:
    found = []
    for number, line in enumerate(read_bounded(path).splitlines(), 1):
        if not line.strip():
            continue
        where = f" in line {number}"
        point = parsed(line, path, where)
        if point.get("type") not in _TYPES:
            raise FileFormatError(
                f"{path}: a point was wanted{where}, got the type {str(point.get('type'))[:40]!r}."
            )
        found.append(finite_numbers(point.get("location"), "zyx", path, where))
    return found
