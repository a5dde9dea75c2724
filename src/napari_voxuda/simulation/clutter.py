"""Draw the distractors of one box: first the large ones, which molecules avoid, then the small."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from napari_voxuda.simulation.distractors import Distractor, gold_bead, membrane, small_protein
from napari_voxuda.simulation.room import Ball, Body, Cloud, Shell, direction, is_free
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["GOLD_CONTRAST", "MEMBRANE_ANGSTROM", "large_distractors", "small_distractors"]

GOLD_CONTRAST = (3.0, 8.0)
"""Density of gold beads over that of protein; less than gold has, as reconstructions clip it."""

MEMBRANE_ANGSTROM = (35.0, 40.0)
"""Distance between the two sheets of head groups."""

_GOLD_DIAMETER_ANGSTROM = (50.0, 120.0)
_VESICLE_RADIUS_ANGSTROM = (150.0, 1000.0)
_FLAT_RADIUS_ANGSTROM = 20_000.0
_FLAT_FRACTION = 0.3
_LARGEST_SWAY_ANGSTROM = 12.0
_SHEET_ANGSTROM = 8.0  # half a head-group sheet, with its blur
_TRIALS = 24
_GAP_VOXELS = 0.5

_Array = npt.NDArray[np.float64]
_Rotation = Callable[[np.random.Generator], _Array]


def large_distractors(
    settings: SourceSettings, cloud: _Array, margin: int, rng: np.random.Generator
) -> tuple[list[Distractor], list[Body]]:
    """Draw a membrane and a gold bead, or neither, beside the box's own molecule.

    Parameters
    ----------
    settings : SourceSettings
        Fractions and sizes.
    cloud : numpy.ndarray
        (n, 3) points of the molecule in voxels; none in an empty box.
    margin : int
        How far beyond the box things are made, in voxels.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    tuple of list
        The distractors, and the bodies that other molecules have to avoid.
    """
    found: list[Distractor] = []
    bodies: list[Body] = []
    with_gold, with_membrane = rng.uniform(size=2) < (
        settings.gold_fraction,
        settings.membrane_fraction,
    )
    if with_membrane and (made := _membrane(settings, cloud, margin, rng)) is not None:
        found.append(made[0])
        bodies.append(made[1])
    if with_gold and (bead := _gold(settings, [Cloud(cloud), *bodies], rng)) is not None:
        found.append(bead[0])
        bodies.append(bead[1])
    return found, bodies


def small_distractors(
    settings: SourceSettings,
    bodies: Sequence[Body],
    rotation: _Rotation,
    rng: np.random.Generator,
) -> list[Distractor]:
    """Draw small proteins that touch none of the bodies."""
    found = []
    for _ in range(int(rng.integers(settings.small_proteins + 1))):
        protein = small_protein(settings.voxel_size_angstrom, rotation(rng), rng)
        centre = _free_centre(settings.box, bodies, protein.radius, rng)
        if centre is not None:
            found.append(protein.moved(centre))
    return found


def _gold(
    settings: SourceSettings, bodies: Sequence[Body], rng: np.random.Generator
) -> tuple[Distractor, Ball] | None:
    diameter = rng.uniform(*_GOLD_DIAMETER_ANGSTROM)
    contrast = rng.uniform(*GOLD_CONTRAST)
    radius = 0.5 * diameter / settings.voxel_size_angstrom
    centre = _free_centre(settings.box, bodies, radius, rng)
    if centre is None:
        return None
    bead = gold_bead(
        settings.voxel_size_angstrom, diameter_angstrom=diameter, contrast=contrast, rng=rng
    )
    return bead.moved(centre), Ball(centre=centre, radius=radius + _GAP_VOXELS)


def _free_centre(
    box: int, bodies: Sequence[Body], radius: float, rng: np.random.Generator
) -> _Array | None:
    """Find a centre in or just outside the box for a ball that touches none of the bodies."""
    reach = 0.5 * radius
    for _ in range(_TRIALS):
        trial = rng.uniform(-reach, box - 1 + reach, size=3)
        if is_free(trial, radius + _GAP_VOXELS, bodies):
            return np.asarray(trial, dtype=np.float64)
    return None


def _membrane(
    settings: SourceSettings, cloud: _Array, margin: int, rng: np.random.Generator
) -> tuple[Distractor, Shell] | None:
    voxel = settings.voxel_size_angstrom
    thickness = rng.uniform(*MEMBRANE_ANGSTROM)
    sway = rng.uniform(0.0, _LARGEST_SWAY_ANGSTROM) / voxel
    radius = rng.uniform(*_VESICLE_RADIUS_ANGSTROM)
    if rng.uniform() < _FLAT_FRACTION:
        radius = _FLAT_RADIUS_ANGSTROM
    half = (0.5 * thickness + _SHEET_ANGSTROM) / voxel + sway
    shell = _shell(settings.box, cloud, radius / voxel, half, rng)
    if shell is None:
        return None
    edge = settings.box
    made = membrane(
        shell,
        voxel,
        thickness_angstrom=thickness,
        sway=sway,
        shape=(edge, edge, edge),
        margin=margin,
        rng=rng,
    )
    return made, shell


def _shell(
    box: int, cloud: _Array, radius: float, half: float, rng: np.random.Generator
) -> Shell | None:
    """Lay a sphere against the molecule, around it or beside it, so that it crosses the box."""
    middle = np.full(3, (box - 1) / 2)
    for _ in range(_TRIALS):
        normal = direction(rng)
        if len(cloud):
            extent = float((cloud @ normal).max())
            centroid = cloud.mean(axis=0)
            gap = half + _GAP_VOXELS + rng.exponential(2.0)
            touch = centroid + normal * (extent - float(centroid @ normal) + gap)
        else:
            touch = rng.uniform(0.1 * box, 0.9 * box, size=3)
        outside = Shell(centre=touch + normal * radius, radius=radius, half=half)
        around = Shell(centre=touch - normal * radius, radius=radius, half=half)
        shell = around if rng.uniform() < 0.5 and _holds(around, cloud) else outside
        if np.all(np.abs(shell.foot(middle) - middle) < 0.45 * box):
            return shell
    return None


def _holds(shell: Shell, cloud: _Array) -> bool:
    """Return whether all points lie inside the sphere and clear of its membrane."""
    if not len(cloud):
        return True
    farthest = float(np.linalg.norm(cloud - shell.centre, axis=1).max())
    return farthest <= shell.radius - shell.half - _GAP_VOXELS
