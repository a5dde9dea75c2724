"""The molecules of a source, prepared once for fast rendering at one voxel size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt
import torch

from napari_voxuda._types import TripleInt
from napari_voxuda.errors import InputError
from napari_voxuda.simulation.density import (
    MASK_LEVEL,
    frequency_grids,
    mask_level_of,
    splat,
    splat_transfer,
)
from napari_voxuda.simulation.entries import molecule_from_entry
from napari_voxuda.simulation.filaments import random_filament
from napari_voxuda.simulation.maps import molecule_from_map
from napari_voxuda.simulation.molecules import Molecule, coarsen
from napari_voxuda.simulation.optics import margin_of, mask_sigma_voxels
from napari_voxuda.simulation.phantoms import GROUPS, phantom
from napari_voxuda.simulation.random_assembly import random_assembly
from napari_voxuda.simulation.settings import SourceSettings
from napari_voxuda.simulation.structures import read_structure

__all__ = [
    "FILAMENT_POOL",
    "POWER_BINS",
    "RANDOM_POOL",
    "Catalogue",
    "Prepared",
    "make_catalogue",
    "power_bins",
    "prepare",
    "read_molecule",
]

RANDOM_POOL = 400
"""Random phantoms that a source draws from; each is made when it is first drawn."""

FILAMENT_POOL = 40
"""Random filaments that a source draws from."""

POWER_BINS = 48
"""Length of `Prepared.power`."""

_LARGEST_GRID = 160
_COARSENING = 0.7  # cell edge in voxels; its spread, 0.2 voxel, is far below the blur


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A molecule in voxels, ready to be placed.

    Parameters
    ----------
    name : str
        The molecule's name.
    points : numpy.ndarray
        (n, 3) float32 positions (z, y, x) in voxels around the centre.
    weights : numpy.ndarray
        (2, n) float32: scattering and mask occupancy of each point, in cubic voxels.
    radius : float
        Radius in voxels of the sphere that holds all points.
    mass_dalton : float
        Mass in Da.
    power : torch.Tensor
        (bins,) rotation-averaged power |F(k)|² of the scattering, by frequency up to 0.9 cycles
        per voxel.
    """

    name: str
    points: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]
    radius: float
    mass_dalton: float
    power: torch.Tensor


class Catalogue:
    """Molecules by number, prepared on first use.

    Parameters
    ----------
    makers : sequence of callable
        Each makes one molecule; called when it is first needed.
    names : sequence of str
        What the molecules are called, for the record; may be fewer than `makers`.
    voxel_size_angstrom : float
        Voxel size in Å.
    filaments : sequence of callable
        Each makes one filament along z. Their numbers follow those of the molecules and do not
        count for the length.
    """

    def __init__(
        self,
        makers: Sequence[Callable[[], Molecule]],
        *,
        names: Sequence[str],
        voxel_size_angstrom: float,
        filaments: Sequence[Callable[[], Molecule]] = (),
    ) -> None:
        self._makers = (*makers, *filaments)
        self.filaments = len(filaments)
        self.names = list(names)

        def prepared(number: int) -> Prepared:
            return prepare(self._makers[number](), voxel_size_angstrom)

        self._get = lru_cache(maxsize=4096)(prepared)

    def __len__(self) -> int:
        return len(self._makers) - self.filaments

    def __getitem__(self, number: int) -> Prepared:
        return self._get(number)


def prepare(molecule: Molecule, voxel_size_angstrom: float) -> Prepared:
    """Coarsen a molecule to the voxel size and calibrate its mask."""
    coarse = coarsen(molecule, _COARSENING * voxel_size_angstrom)
    points = coarse.points / np.float32(voxel_size_angstrom)
    volumes = coarse.volumes / np.float32(voxel_size_angstrom**3)
    level = mask_level_of(points, volumes, mask_sigma_voxels(voxel_size_angstrom))
    scattering = volumes * np.float32(molecule.contrast)
    return Prepared(
        name=molecule.name,
        points=points,
        weights=np.stack([scattering, volumes * np.float32(MASK_LEVEL / level)]),
        radius=molecule.radius_angstrom / voxel_size_angstrom,
        mass_dalton=molecule.mass_dalton,
        power=_radial_power(points, scattering),
    )


def power_bins(radius: torch.Tensor, bins: int) -> torch.Tensor:
    """Return the bin of `Prepared.power` for frequencies in cycles per voxel."""
    return (radius * (bins / 0.9)).long().clamp(max=bins - 1)


def _radial_power(
    points: npt.NDArray[np.float32], weights: npt.NDArray[np.float32], bins: int = POWER_BINS
) -> torch.Tensor:
    half = int(np.ceil(np.abs(points).max())) + 2
    scale = min(1.0, _LARGEST_GRID / (2 * half))  # very fine voxels: nothing lies above
    edge = max(32, int(np.ceil(2 * half * scale)))
    shape: TripleInt = (edge, edge, edge)
    grid = torch.from_numpy(splat(points * scale + edge / 2, weights, shape))
    power = (torch.fft.rfftn(grid) / splat_transfer(shape)).abs() ** 2
    k_z, k_y, k_x = frequency_grids(shape)
    index = power_bins(scale * torch.sqrt(k_z**2 + k_y**2 + k_x**2), bins).ravel()
    total = torch.zeros(bins).index_add_(0, index, power.ravel())
    number = torch.zeros(bins).index_add_(0, index, torch.ones(index.numel()))
    return total / number.clamp_min(1.0)


def read_molecule(path: str, kind: str, voxel_size_angstrom: float) -> Molecule:
    """Read a molecule from a structure file or a density map, as fine as a voxel size needs.

    Raises
    ------
    InputError
        When the file cannot be used.
    """
    if kind == "maps":
        return molecule_from_map(path, voxel_size_angstrom=voxel_size_angstrom)
    return coarsen(read_structure(path), _COARSENING * voxel_size_angstrom)


def make_catalogue(settings: SourceSettings) -> Catalogue:
    """Return the molecules that the settings name.

    Parameters
    ----------
    settings : SourceSettings
        Of any kind but ``folder``.

    Returns
    -------
    Catalogue
        Files are read at once, so that a bad one is reported before anything is drawn; PDB entries
        that are not in the cache are fetched.

    Raises
    ------
    InputError
        When a file cannot be used, or the kind is ``folder``.
    DownloadError
        When a PDB entry cannot be fetched.
    """
    voxel = settings.voxel_size_angstrom
    if settings.kind == "folder":
        raise InputError("source: a folder holds subtomograms, not molecules.")
    makers: list[Callable[[], Molecule]]
    names: list[str]
    if settings.kind in ("structures", "maps"):
        molecules = [read_molecule(f, settings.kind, voxel) for f in settings.files]
    elif settings.kind == "pdb":
        molecules = [coarsen(molecule_from_entry(f), _COARSENING * voxel) for f in settings.files]
    elif settings.variety == "fixed":
        molecules = [phantom(name) for name in GROUPS[settings.group]]
    else:
        makers = [partial(_numbered, number) for number in range(RANDOM_POOL)]
        names = [f"random phantoms 0 to {RANDOM_POOL - 1}"]
        filaments: list[Callable[[], Molecule]] = []
        if settings.filament_fraction > 0:
            length = voxel * 3**0.5 * (settings.box + 2 * margin_of(settings))
            filaments = [partial(_filament, number, length) for number in range(FILAMENT_POOL)]
            names.append(f"random filaments 0 to {FILAMENT_POOL - 1}")
        return Catalogue(makers, names=names, voxel_size_angstrom=voxel, filaments=filaments)
    makers = [partial(_same, molecule) for molecule in molecules]
    names = [f"{m.name} ({m.mass_dalton / 1000:.0f} kDa)" for m in molecules]
    return Catalogue(makers, names=names, voxel_size_angstrom=voxel)


def _same(molecule: Molecule) -> Molecule:
    return molecule


def _numbered(number: int) -> Molecule:
    return random_assembly(torch.Generator().manual_seed(1_000_003 + number))


def _filament(number: int, length_angstrom: float) -> Molecule:
    generator = torch.Generator().manual_seed(2_000_003 + number)
    return random_filament(generator, length_angstrom=length_angstrom)
