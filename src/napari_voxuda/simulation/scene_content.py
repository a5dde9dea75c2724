"""Which molecules stand where in a synthetic tomogram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_voxuda.simulation.assembly import Domain, grow_assembly
from napari_voxuda.simulation.catalogue import Prepared, prepare
from napari_voxuda.simulation.phantoms import phantom
from napari_voxuda.simulation.placement import random_rotation
from napari_voxuda.simulation.scene_settings import SceneSettings

__all__ = ["PlacedMolecule", "place_molecules", "place_unlabelled"]

_SMALL_KINDS = 6
_TRIALS_PER_MOLECULE = 60
_GOLD_CONTRAST = 6.0


@dataclass(frozen=True, kw_only=True, eq=False)
class PlacedMolecule:
    """A prepared molecule where it stands; `kind` is empty for what is not labelled."""

    molecule: Prepared
    kind: str
    centre: npt.NDArray[np.float64]
    rotation: npt.NDArray[np.float64]

    @property
    def points(self) -> npt.NDArray[np.float64]:
        """Positions (n, 3) of its points in voxels of the tomogram."""
        return np.asarray(self.molecule.points @ self.rotation.T + self.centre)


def place_molecules(settings: SceneSettings, rng: np.random.Generator) -> list[PlacedMolecule]:
    """Place molecules one after the other where their bounding spheres are free."""
    prepared = {k: prepare(phantom(k), settings.voxel_size_angstrom) for k in settings.kinds}
    placed: list[PlacedMolecule] = []
    for number in range(settings.molecules):
        kind = settings.kinds[number % len(settings.kinds)]
        centre = _free_centre(settings, placed, prepared[kind].radius, rng)
        if centre is not None:
            placed.append(
                PlacedMolecule(
                    molecule=prepared[kind],
                    kind=kind,
                    centre=centre,
                    rotation=random_rotation(rng),
                )
            )
    return placed


def _free_centre(
    settings: SceneSettings, placed: list[PlacedMolecule], radius: float, rng: np.random.Generator
) -> npt.NDArray[np.float64] | None:
    size = np.asarray(settings.shape)
    for _ in range(_TRIALS_PER_MOLECULE):
        trial = rng.uniform(0, size - 1)
        if all(
            np.linalg.norm(trial - other.centre) >= radius + other.molecule.radius
            for other in placed
        ):
            return np.asarray(trial, dtype=np.float64)
    return None


def place_unlabelled(
    settings: SceneSettings, placed: list[PlacedMolecule], rng: np.random.Generator
) -> list[PlacedMolecule]:
    """Scatter small proteins and gold beads outside the labelled molecules."""
    small = [_small_protein(settings.voxel_size_angstrom, rng) for _ in range(_SMALL_KINDS)]
    gold = _gold_bead(settings.voxel_size_angstrom, rng)
    chosen = [small[rng.integers(_SMALL_KINDS)] for _ in range(settings.small_proteins)]
    chosen += [gold] * settings.gold_beads
    others: list[PlacedMolecule] = []
    for molecule in chosen:
        centre = _free_centre(settings, placed, molecule.radius, rng)
        if centre is not None:
            others.append(
                PlacedMolecule(
                    molecule=molecule, kind="", centre=centre, rotation=random_rotation(rng)
                )
            )
    return others


def _small_protein(voxel_size_angstrom: float, rng: np.random.Generator) -> Prepared:
    mass = rng.uniform(20_000, 60_000)
    radius = (mass * 1.21 * 0.75 / np.pi) ** (1 / 3)
    stretch = rng.uniform(0.8, 1.25)
    domain = Domain(
        centre=(0.0, 0.0, 0.0), radii=(radius * stretch**2, radius / stretch, radius / stretch)
    )
    return prepare(grow_assembly("small protein", [domain], "C1", mass, rng), voxel_size_angstrom)


def _gold_bead(voxel_size_angstrom: float, rng: np.random.Generator) -> Prepared:
    domain = Domain(centre=(0.0, 0.0, 0.0), radii=(50.0, 50.0, 50.0))
    mass = domain.volume_angstrom3 / 1.21
    bead = grow_assembly("gold bead", [domain], "C1", mass, rng, contrast=_GOLD_CONTRAST)
    return prepare(bead, voxel_size_angstrom)
