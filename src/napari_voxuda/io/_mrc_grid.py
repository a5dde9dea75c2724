"""Where the voxels lie, read from and written to an MRC header."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Triple, TripleInt
from napari_voxuda.data.volume import Grid

__all__ = ["grid_from_header", "imod_flags", "put_grid"]

_VOXEL_RANGE = (0.01, 100_000.0)
_MRC2014 = 20141
_IMOD_STAMP = 1146047817
_IMOD_STANDARD_ORIGIN = 4


def grid_from_header(header: npt.NDArray[np.void], axes: TripleInt, warnings: list[str]) -> Grid:
    """Return where the voxels lie; doubtful numbers become unknown, with a warning."""
    cell = _triple(header["cella"])
    sampling = tuple(int(header[k]) for k in ("mz", "my", "mx"))
    starts = [int(header[k]) for k in ("nzstart", "nystart", "nxstart")]
    start = (starts[axes[0]], starts[axes[1]], starts[axes[2]])
    origin = _triple(header["origin"])
    if header["map"][:3] != b"MAP":
        origin = (0.0, 0.0, 0.0)
    elif not all(math.isfinite(v) for v in origin):
        warnings.append("The origin in the header is not finite; 0 is used.")
        origin = (0.0, 0.0, 0.0)
    return Grid(
        voxel_size_angstrom=_voxel_size(cell, sampling, warnings),
        origin_angstrom=origin,
        nstart=start,
        cell_angstrom=cell,
        sampling=sampling,  # type: ignore[arg-type]
        imod_origin=any(origin) and not _is_standard_origin(header),
    )


def put_grid(header: npt.NDArray[np.void], grid: Grid, shape: TripleInt) -> None:
    """Set cell, sampling, origin and start; the numbers of a source header are repeated."""
    sampling, cell = shape, (0.0, 0.0, 0.0)
    if grid.cell_angstrom is not None and grid.sampling is not None and min(grid.sampling) > 0:
        sampling = grid.sampling
        if all(math.isfinite(c) and c >= 0 for c in grid.cell_angstrom):
            cell = grid.cell_angstrom
    elif grid.voxel_size_angstrom is not None:
        sizes = zip(grid.voxel_size_angstrom, shape, strict=True)
        z, y, x = (size * n for size, n in sizes)
        cell = (z, y, x)
    header["mz"], header["my"], header["mx"] = sampling
    header["cella"] = cell[::-1]
    header["origin"] = grid.origin_angstrom[::-1]
    header["nzstart"], header["nystart"], header["nxstart"] = grid.nstart
    header["nversion"] = 0 if grid.imod_origin else _MRC2014


def imod_flags(header: npt.NDArray[np.void]) -> int | None:
    """Return IMOD's bit flags, None without its stamp."""
    stamp, flags = np.frombuffer(header.tobytes()[152:160], header.dtype["mode"])
    return int(flags) if int(stamp) == _IMOD_STAMP else None


def _is_standard_origin(header: npt.NDArray[np.void]) -> bool:
    """Whether IMOD takes the origin's sign to be MRC2014's: by its version number or IMOD's flag."""
    return int(header["nversion"]) > 0 or bool((imod_flags(header) or 0) & _IMOD_STANDARD_ORIGIN)


def _voxel_size(cell: Triple, sampling: Sequence[int], warnings: list[str]) -> Triple | None:
    """Return cell / sampling in Å, or None with a warning when that is no voxel size."""
    if all(v == 0 for v in cell):
        warnings.append("The voxel size in the header is 0, that is unknown; set it in Å.")
        return None
    if min(sampling) <= 0 or not all(math.isfinite(v) and v > 0 for v in cell):
        warnings.append("The voxel size in the header makes no sense; set it in Å.")
        return None
    z, y, x = (_shortest(c / m) for c, m in zip(cell, sampling, strict=True))
    if (z, y, x) == (1.0, 1.0, 1.0):
        warnings.append(
            "The voxel size in the header is exactly 1, which most often means unknown; set it in Å."
        )
        return None
    if not all(_VOXEL_RANGE[0] <= v <= _VOXEL_RANGE[1] for v in (z, y, x)):
        warnings.append(f"The voxel size in the header, {z:g} Å, is implausible; set it in Å.")
        return None
    if max(z, y, x) - min(z, y, x) > 1e-3 * max(z, y, x):
        warnings.append(f"The voxels are not cubes: {z:g} x {y:g} x {x:g} Å (z, y, x).")
    return z, y, x


def _shortest(value: float) -> float:
    """Return the shortest decimal within single precision, so 10.5200005 becomes 10.52."""
    for digits in range(1, 9):
        short = float(f"{value:.{digits}g}")
        if abs(short - value) <= 1.2e-7 * value:
            return short
    return value


def _triple(record: npt.NDArray[np.void]) -> Triple:
    return float(record["z"]), float(record["y"]), float(record["x"])
