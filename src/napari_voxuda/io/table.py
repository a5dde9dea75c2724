"""Write the table of segmented particles as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from napari_voxuda._types import Triple
from napari_voxuda.data.volume import Grid
from napari_voxuda.io.atomic import atomic_path

__all__ = ["PARTICLE_COLUMNS", "ParticleRow", "write_particles_csv"]

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
