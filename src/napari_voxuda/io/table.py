"""Write the table of segmented particles as CSV, and read positions from such tables."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import numpy as np

from napari_voxuda._types import Triple, TripleInt
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Grid
from napari_voxuda.errors import FileFormatError
from napari_voxuda.io._json_files import read_bounded
from napari_voxuda.io._positions import check_inside, scores_in_range
from napari_voxuda.io.atomic import atomic_path

__all__ = ["PARTICLE_COLUMNS", "ParticleRow", "read_csv_picks", "write_particles_csv"]

PARTICLE_COLUMNS = (
    "label",
    "z_voxel",
    "y_voxel",
    "x_voxel",
    "z_angstrom",
    "y_angstrom",
    "x_angstrom",
    "voxels",
    "volume_angstrom3",
    "mean_probability",
)
"""Columns of the table; those in Å are empty when the voxel size is unknown."""

_POSITIONS = (
    ("z_voxel", "y_voxel", "x_voxel"),
    ("axis-0", "axis-1", "axis-2"),  # napari's points
    ("z", "y", "x"),
)
_SCORES = ("mean_probability", "score")


class ParticleRow(Protocol):
    """What the table needs to know of a particle; see `napari_voxuda.segmentation.Particle`."""

    @property
    def label(self) -> int:
        """Number in the instance labels."""

    @property
    def centroid(self) -> Triple:
        """Centre (z, y, x) in voxels, 0-based."""

    @property
    def voxels(self) -> int:
        """Number of voxels."""

    @property
    def volume_angstrom3(self) -> float | None:
        """Volume in Å³."""

    @property
    def mean_probability(self) -> float:
        """Mean foreground probability."""


def write_particles_csv(path: str | Path, particles: Iterable[ParticleRow], grid: Grid) -> None:
    """Write one line for each particle.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    particles : iterable of Particle
        Label, centre, size and mean probability of each.
    grid : Grid
        Of the segmented volume. A position in Å is voxel index times voxel size plus the MRC
        origin (not ``nstart``), which is where viewers show it.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(PARTICLE_COLUMNS)
        for particle in particles:
            writer.writerow(_row(particle, grid))


def read_csv_picks(path: str | Path, *, shape: TripleInt) -> Picks:
    """Read positions from a table with a heading.

    Parameters
    ----------
    path : str or pathlib.Path
        CSV file with the columns ``z_voxel``, ``y_voxel``, ``x_voxel`` (as written here), ``axis-0``,
        ``axis-1``, ``axis-2`` (as napari saves points) or ``z``, ``y``, ``x``, in voxels; and
        ``mean_probability`` or ``score`` for scores in [0, 1].
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
        When it is no such table.
    """
    path = Path(path).expanduser()
    lines = read_bounded(path).splitlines()
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if row]
    except csv.Error as error:
        raise FileFormatError(f"{path}: a CSV table was wanted: {error}.") from error
    heading = rows[0] if rows else []
    columns = next((c for c in _POSITIONS if set(c) <= set(heading)), None)
    if columns is None:
        raise FileFormatError(
            f"{path}: a table with the columns {', '.join(_POSITIONS[0])} was wanted, got "
            f"{', '.join(heading)[:100] or 'nothing'}."
        )
    score = next((c for c in _SCORES if c in heading), None)
    wanted = [heading.index(c) for c in (*columns, *([score] if score else []))]
    table = np.array([_numbers(row, wanted, path, n) for n, row in enumerate(rows[1:], 2)])
    table = table.reshape(-1, len(wanted))
    positions = np.ascontiguousarray(table[:, :3])
    check_inside(positions, shape, path)
    return Picks(positions=positions, scores=scores_in_range(table[:, 3]) if score else None)


def _numbers(row: list[str], wanted: list[int], path: Path, number: int) -> list[float]:
    """Return the chosen cells of a row as finite numbers."""
    try:
        values = [float(row[i]) for i in wanted]
    except (IndexError, ValueError) as error:
        raise FileFormatError(f"{path}: numbers were wanted in row {number}: {error}.") from error
    if not np.isfinite(values).all():
        raise FileFormatError(f"{path}: finite numbers were wanted in row {number}.")
    return values


def _row(particle: ParticleRow, grid: Grid) -> list[str]:
    """Return the cells of one particle."""
    angstrom = grid.position_angstrom(particle.centroid)
    volume = particle.volume_angstrom3
    return [
        str(particle.label),
        *(f"{v:.2f}" for v in particle.centroid),
        *([""] * 3 if angstrom is None else [f"{v:.2f}" for v in angstrom]),
        str(particle.voxels),
        "" if volume is None else f"{volume:.1f}",
        f"{particle.mean_probability:.4f}",
    ]
