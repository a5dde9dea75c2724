"""A molecule as a cloud of weighted points, which is what the simulator rotates and renders."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from napari_voxuda.errors import InputError

__all__ = ["PROTEIN_ANGSTROM3_PER_DALTON", "Molecule", "coarsen"]

PROTEIN_ANGSTROM3_PER_DALTON = 1.21
"""Volume of protein per mass: 1 / (1.35 g/cm³ x 0.602 Da cm³ / (g Å³)) = 1.23, usually 1.21."""

_Points = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Molecule:
    """A molecular assembly made of weighted points.

    Parameters
    ----------
    name : str
        What it is; phantoms say so in their names.
    points : numpy.ndarray
        (n, 3) float32 coordinates (z, y, x) in Å; they are centred on the volume-weighted mean.
    volumes : numpy.ndarray
        (n,) float32 volume that each point stands for, in Å³.
    contrast : float
        Scattering per volume relative to protein; about 1.4 for assemblies rich in RNA.
    mass_dalton : float
        Mass of the whole assembly in Da.

    Raises
    ------
    InputError
        When there are no points, shapes differ, or a value is not finite.
    """

    name: str
    points: _Points
    volumes: _Points
    contrast: float = 1.0
    mass_dalton: float = field(default=0.0)

    def __post_init__(self) -> None:
        if self.points.ndim != 2 or self.points.shape[1] != 3 or len(self.points) == 0:
            raise InputError(
                f"{self.name}: points of shape (n, 3) were wanted, got {self.points.shape}."
            )
        if self.volumes.shape != (len(self.points),):
            raise InputError(
                f"{self.name}: {len(self.points)} volumes were wanted, got {self.volumes.shape}."
            )
        if not (np.isfinite(self.points).all() and np.isfinite(self.volumes).all()):
            raise InputError(f"{self.name}: finite coordinates and volumes were wanted.")
        centre = np.average(self.points.astype(np.float64), axis=0, weights=self.volumes)
        object.__setattr__(self, "points", (self.points - centre).astype(np.float32))
        if self.mass_dalton <= 0:
            object.__setattr__(self, "mass_dalton", self.volume_angstrom3 / 1.21)

    @property
    def volume_angstrom3(self) -> float:
        """The molecular volume in Å³."""
        return float(self.volumes.sum(dtype=np.float64))

    @cached_property
    def radius_angstrom(self) -> float:
        """Radius in Å of the sphere around the centre that holds every point."""
        return float(np.sqrt((self.points.astype(np.float64) ** 2).sum(axis=1).max()))


def coarsen(molecule: Molecule, spacing_angstrom: float) -> Molecule:
    """Merge the points of each cubic cell into one point at their weighted mean.

    Parameters
    ----------
    molecule : Molecule
        Assembly of any number of points.
    spacing_angstrom : float
        Edge of the cells in Å; 0.7 of a voxel changes nothing visible and is much faster.

    Returns
    -------
    Molecule
        The same volume and mass in fewer points.
    """
    cells = np.floor(molecule.points / spacing_angstrom).astype(np.int64)
    cells -= cells.min(axis=0)
    extent = cells.max(axis=0) + 1
    keys = (cells[:, 0] * extent[1] + cells[:, 1]) * extent[2] + cells[:, 2]
    _, inverse = np.unique(keys, return_inverse=True)
    volumes = np.bincount(inverse, weights=molecule.volumes)
    weighted = [
        np.bincount(inverse, weights=molecule.volumes * molecule.points[:, axis]) / volumes
        for axis in range(3)
    ]
    return Molecule(
        name=molecule.name,
        points=np.stack(weighted, axis=1).astype(np.float32),
        volumes=volumes.astype(np.float32),
        contrast=molecule.contrast,
        mass_dalton=molecule.mass_dalton,
    )
