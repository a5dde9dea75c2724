"""Which molecules stand where in a synthetic tomogram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_voxuda.errors import InputError
from napari_voxuda.simulation.assembly import Domain, grow_assembly
from napari_voxuda.simulation.catalogue import Prepared, prepare, read_molecule
from napari_voxuda.simulation.clutter import MEMBRANE_ANGSTROM
from napari_voxuda.simulation.distractors import Distractor, membrane
from napari_voxuda.simulation.phantoms import phantom
from napari_voxuda.simulation.placement import random_rotation
from napari_voxuda.simulation.room import Ball, Body, Shell, is_free
from napari_voxuda.simulation.scene_settings import SceneSettings
from napari_voxuda.simulation.words import kind_of_word

__all__ = ["PlacedMolecule", "place_molecules", "place_unlabelled", "place_vesicles"]

_SMALL_KINDS = 6
_TRIALS_PER_MOLECULE = 60
_GOLD_CONTRAST = 6.0
_VESICLE_RADIUS_ANGSTROM = (150.0, 600.0)
_SWAY_ANGSTROM = 12.0
_SHEET_ANGSTROM = 8.0


@dataclass(frozen=True, kw_only=True, eq=False)
class PlacedMolecule:
    """A prepared molecule where it stands; `kind` is empty for what is not labelled.

    `number` is the class, from 1; 0 for what is not labelled.
    """

    molecule: Prepared
    kind: str
    centre: npt.NDArray[np.float64]
    rotation: npt.NDArray[np.float64]
    number: int = 0

    @property
    def body(self) -> Ball:
        """The sphere around it."""
        return Ball(centre=self.centre, radius=self.molecule.radius)

    @property
    def weights(self) -> npt.NDArray[np.float32]:
        """Scattering (n,) of its points."""
        return np.asarray(self.molecule.weights[0])

    @property
    def points(self) -> npt.NDArray[np.float64]:
        """Positions (n, 3) of its points in voxels of the tomogram."""
        return np.asarray(self.molecule.points @ self.rotation.T + self.centre)


def place_molecules(
    settings: SceneSettings, bodies: list[Body], rng: np.random.Generator
) -> list[PlacedMolecule]:
    """Place molecules one after the other where their bounding spheres are free of `bodies`."""
    prepared = _prepared(settings)
    placed: list[PlacedMolecule] = []
    taken = list(bodies)
    for turn in range(settings.molecules):
        number = turn % len(prepared)
        centre = _free_centre(settings, taken, prepared[number].radius, rng)
        if centre is not None:
            placed.append(
                PlacedMolecule(
                    molecule=prepared[number],
                    kind=settings.names[number],
                    centre=centre,
                    rotation=random_rotation(rng),
                    number=number + 1,
                )
            )
            taken.append(placed[-1].body)
    return placed


def _prepared(settings: SceneSettings) -> list[Prepared]:
    """Return the labelled molecules in the order of `SceneSettings.names`."""
    voxel = settings.voxel_size_angstrom
    molecules = [phantom(kind) for kind in settings.kinds]
    for file in settings.files:
        kind = kind_of_word(file)
        if kind != "structures" and kind != "maps":
            raise InputError(
                f"SceneSettings.files: a structure file or density map was wanted, got {file!r}."
            )
        molecules.append(read_molecule(file, kind, voxel))
    return [prepare(molecule, voxel) for molecule in molecules]


def _free_centre(
    settings: SceneSettings, bodies: list[Body], radius: float, rng: np.random.Generator
) -> npt.NDArray[np.float64] | None:
    size = np.asarray(settings.shape)
    for _ in range(_TRIALS_PER_MOLECULE):
        trial = rng.uniform(0, size - 1)
        if is_free(trial, radius, bodies):
            return np.asarray(trial, dtype=np.float64)
    return None


def place_vesicles(
    settings: SceneSettings, margin: int, rng: np.random.Generator
) -> tuple[list[Distractor], list[Body]]:
    """Place vesicles that do not touch; their membranes are made up to `margin` voxels outside."""
    voxel = settings.voxel_size_angstrom
    found: list[Distractor] = []
    shells: list[Body] = []
    outsides: list[Body] = []
    for _ in range(settings.vesicles):
        thickness = float(rng.uniform(*MEMBRANE_ANGSTROM))
        sway = float(rng.uniform(0.0, _SWAY_ANGSTROM)) / voxel
        half = (0.5 * thickness + _SHEET_ANGSTROM) / voxel + sway
        radius = float(rng.uniform(*_VESICLE_RADIUS_ANGSTROM)) / voxel
        centre = _free_centre(settings, outsides, radius + half, rng)
        if centre is None:
            continue
        shell = Shell(centre=centre, radius=radius, half=half)
        made = membrane(
            shell,
            voxel,
            thickness_angstrom=thickness,
            sway=sway,
            shape=settings.shape,
            margin=margin,
            rng=rng,
        )
        found.append(made)
        shells.append(shell)
        outsides.append(Ball(centre=centre, radius=radius + half))
    return found, shells


def place_unlabelled(
    settings: SceneSettings, bodies: list[Body], rng: np.random.Generator
) -> list[PlacedMolecule]:
    """Scatter small proteins and gold beads where there are no `bodies`."""
    small = [_small_protein(settings.voxel_size_angstrom, rng) for _ in range(_SMALL_KINDS)]
    gold = _gold_bead(settings.voxel_size_angstrom, rng)
    chosen = [small[rng.integers(_SMALL_KINDS)] for _ in range(settings.small_proteins)]
    chosen += [gold] * settings.gold_beads
    others: list[PlacedMolecule] = []
    for molecule in chosen:
        centre = _free_centre(settings, bodies, molecule.radius, rng)
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
