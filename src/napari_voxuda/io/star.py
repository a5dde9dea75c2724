"""Read and write particle positions as RELION STAR files.

RELION 5 stores ångström from the tomogram's centre (``rlnCenteredCoordinateXAngst``), RELION 4 and
others pixels of the unbinned tilt series from the first voxel (``rlnCoordinateX``). With `n` voxels of
`v` Å along an axis, index `i` (0-based, the voxel's centre) is ``(i - n / 2) * v`` in the first and
``i * v / p`` in the second, `p` being the pixel size of the coordinates.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from napari_voxuda import __version__
from napari_voxuda._types import Triple, TripleInt
from napari_voxuda.data.picks import Picks
from napari_voxuda.errors import FileFormatError, InputError, OutputError
from napari_voxuda.io._positions import check_inside, checked_voxel_size, scores_in_range
from napari_voxuda.io._star_names import of_one_tomogram, row_names, star_name
from napari_voxuda.io._star_table import StarTable, read_particle_table
from napari_voxuda.io.atomic import atomic_path

__all__ = [
    "StarConvention",
    "read_star_picks",
    "star_summary",
    "tomogram_names",
    "write_star_picks",
]

StarConvention = Literal["relion5", "relion4"]
"""Centred ångström, or pixels of the unbinned tilt series."""

_CENTRED = tuple(f"rlnCenteredCoordinate{axis}Angst" for axis in "ZYX")
_PIXELS = tuple(f"rlnCoordinate{axis}" for axis in "ZYX")
_SHIFTS = tuple(f"rlnOrigin{axis}Angst" for axis in "ZYX")
_SCORE = "rlnAutopickFigureOfMerit"


def read_star_picks(
    path: str | Path,
    *,
    voxel_size_angstrom: float | Triple | None,
    shape: TripleInt,
    tomogram_name: str | None = None,
    coordinate_pixel_angstrom: float | None = None,
) -> Picks:
    """Read the positions of one tomogram's particles from a STAR file.

    Parameters
    ----------
    path : str or pathlib.Path
        STAR file of RELION 5 (centred ångström) or RELION 4, Warp and others (pixels).
    voxel_size_angstrom : float or tuple of float or None
        Voxel size of the tomogram in Å.
    shape : tuple of int
        Voxels of the tomogram along (z, y, x).
    tomogram_name : str or None
        Which tomogram's rows to take, by ``rlnTomoName`` (or ``rlnMicrographName``); folders and
        suffixes are ignored, and ``TS_01_10.00Apx`` finds ``TS_01``. Needed when the file holds
        several tomograms.
    coordinate_pixel_angstrom : float or None
        Å per pixel of ``rlnCoordinateX``; by default what the file says.

    Returns
    -------
    Picks
        (n, 3) positions (z, y, x) in voxels of the tomogram, refined shifts (``rlnOriginXAngst``)
        taken off; scores where the file has figures of merit in [0, 1].

    Raises
    ------
    InputError
        When there is no such file, the voxel size or the pixel size of the coordinates is unknown,
        the tomogram is not in the file or not the only one, or most positions lie outside of it.
    FileFormatError
        When it is not a STAR file with particle coordinates.
    """
    path = Path(path).expanduser()
    voxel = checked_voxel_size(voxel_size_angstrom, path)
    table = read_particle_table(path, (_CENTRED, _PIXELS))
    table = of_one_tomogram(table, path, tomogram_name)
    if table.has(_CENTRED):
        positions = table.numbers(_CENTRED) / voxel + np.array(shape) / 2
    else:
        pixel = _coordinate_pixel(table, path, coordinate_pixel_angstrom)
        positions = table.numbers(_PIXELS) * pixel[:, None] / voxel
    if table.has(_SHIFTS) and not table.has(("rlnTomoSubtomogramRot",)):
        positions = positions - table.numbers(_SHIFTS) / voxel
    check_inside(positions, shape, path)
    return Picks(positions=positions, scores=_scores(table))


def tomogram_names(path: str | Path) -> list[str]:
    """Return the names of the tomograms in a STAR file, in their order; empty if it names none.

    Parameters
    ----------
    path : str or pathlib.Path
        STAR file of particles.

    Raises
    ------
    InputError
        When there is no such file.
    FileFormatError
        When it is not a STAR file with particle coordinates.
    """
    path = Path(path).expanduser()
    return list(dict.fromkeys(row_names(read_particle_table(path, (_CENTRED, _PIXELS)))))


def star_summary(path: str | Path) -> tuple[StarConvention, int]:
    """Return the convention of a STAR file's coordinates and the number of its particles.

    Parameters
    ----------
    path : str or pathlib.Path
        STAR file of particles.

    Raises
    ------
    InputError
        When there is no such file.
    FileFormatError
        When it is not a STAR file with particle coordinates.
    """
    table = read_particle_table(Path(path).expanduser(), (_CENTRED, _PIXELS))
    return "relion5" if table.has(_CENTRED) else "relion4", len(table)


def write_star_picks(
    path: str | Path,
    picks: Picks,
    *,
    tomogram_name: str,
    voxel_size_angstrom: float | Triple | None,
    shape: TripleInt,
    convention: StarConvention = "relion5",
    coordinate_pixel_angstrom: float | None = None,
) -> None:
    """Write particle positions as a STAR file.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    picks : Picks
        (n, 3) positions (z, y, x) in voxels of the tomogram.
    tomogram_name : str
        Goes into ``rlnTomoName``, without what RELION cannot read there: spaces and accents
        become underscores, quotes are left out, ``data_1`` becomes ``data-1``.
    voxel_size_angstrom : float or tuple of float or None
        Voxel size of the tomogram in Å.
    shape : tuple of int
        Voxels of the tomogram along (z, y, x).
    convention : {"relion5", "relion4"}
        Centred ångström, or pixels with an optics table that tells their size.
    coordinate_pixel_angstrom : float or None
        Å per pixel of the unbinned tilt series, used by ``"relion4"``; by default the voxel size of
        the tomogram, so that the coordinates are its voxels.

    Raises
    ------
    InputError
        When the voxel size is unknown, or nothing is left of the name.
    OutputError
        When the file cannot be written.
    """
    path = Path(path)
    voxel = checked_voxel_size(voxel_size_angstrom, path)
    name = star_name(tomogram_name)
    lines = [f"# napari-voxuda {__version__}", ""]
    if convention == "relion5":
        values, columns = (picks.positions - np.array(shape) / 2) * voxel, _CENTRED
    elif convention == "relion4":
        pixel = float(coordinate_pixel_angstrom or voxel.max())
        values, columns = picks.positions * voxel / pixel, _PIXELS
        optics = ["rlnOpticsGroup", "rlnOpticsGroupName", "rlnTomoTiltSeriesPixelSize"]
        lines += _loop("optics", optics, [f"1 opticsGroup1 {pixel:.6f}"])
    else:
        raise InputError(f"convention: relion5 or relion4 was wanted, got {convention!r}.")
    tags = ["rlnTomoName", *columns[::-1]]
    rows = [f"{name} {x:.4f} {y:.4f} {z:.4f}" for z, y, x in values]
    if convention == "relion4":
        tags, rows = [*tags, "rlnOpticsGroup"], [f"{row} 1" for row in rows]
    if picks.scores is not None:
        tags = [*tags, _SCORE]
        rows = [f"{row} {score:.6f}" for row, score in zip(rows, picks.scores, strict=True)]
    lines += _loop("particles", tags, rows)
    if path.suffix.lower() != ".star":
        raise OutputError(f"{path}: a name ending in .star was wanted.")
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _loop(block: str, tags: list[str], rows: list[str]) -> list[str]:
    numbered = [f"_{tag} #{i}" for i, tag in enumerate(tags, start=1)]
    return [f"data_{block}", "", "loop_", *numbered, *rows, ""]


def _coordinate_pixel(table: StarTable, path: Path, given: float | None) -> npt.NDArray[np.float64]:
    """Return Å per pixel of ``rlnCoordinateX``, for each row."""
    if given is not None:
        return np.full(len(table), float(given))
    image = table.setting("rlnImagePixelSize")
    names = row_names(table)
    if image is not None and names and all(name.endswith(".tomostar") for name in names):
        return image  # WarpTools writes the coordinates in pixels of the exported images
    found = table.setting("rlnTomoTiltSeriesPixelSize")
    if found is None:
        found, magnification = (
            table.setting("rlnDetectorPixelSize"),
            table.setting("rlnMagnification"),
        )
        if found is not None and magnification is not None:
            found = found * 10_000 / magnification
    if found is None and image is not None:
        binning = table.setting("rlnTomoSubtomogramBinning")
        found = image if binning is None else image / binning
    for name in ("rlnPixelSize", "rlnMicrographOriginalPixelSize"):
        found = table.setting(name) if found is None else found
    if found is None:
        raise InputError(
            f"{path}: the coordinates are in pixels of unknown size (no rlnTomoTiltSeriesPixelSize, "
            "rlnDetectorPixelSize or rlnImagePixelSize); give their size in Å."
        )
    if not (np.isfinite(found) & (found > 0)).all():
        raise FileFormatError(f"{path}: positive pixel sizes were wanted, got {found.min()}.")
    return found


def _scores(table: StarTable) -> npt.NDArray[np.float64] | None:
    """Return the figures of merit where they are scores in [0, 1]."""
    if not table.has((_SCORE,)):
        return None
    return scores_in_range(table.numbers((_SCORE,))[:, 0])
