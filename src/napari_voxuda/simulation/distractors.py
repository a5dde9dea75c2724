"""Density that is imaged and never labelled: small proteins, gold beads and membranes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import TripleInt
from napari_voxuda.simulation.assembly import Domain, grow_assembly
from napari_voxuda.simulation.molecules import PROTEIN_ANGSTROM3_PER_DALTON, Molecule, coarsen
from napari_voxuda.simulation.room import Shell

__all__ = ["Distractor", "gold_bead", "membrane", "small_molecule", "small_protein"]

SMALL_MASS_DALTON = (15_000.0, 70_000.0)
"""Masses of small proteins; labelled random phantoms begin at 100 kDa."""

_SPACING = 0.7  # voxels between points, as in prepared molecules
_POOL = 40
_HEAD_ANGSTROM = 9.0  # thickness of a sheet of head groups if it were as dense as protein
_HEAD_SIGMA_ANGSTROM = 4.0
_WAVES_ANGSTROM = (150.0, 450.0)

_Array = npt.NDArray[np.float64]
_Points = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Distractor:
    """Something without a label.

    Parameters
    ----------
    kind : {"small protein", "gold bead", "membrane"}
        What it is.
    points : numpy.ndarray
        (n, 3) float32 positions (z, y, x) in voxels.
    weights : numpy.ndarray
        (n,) float32 scattering of each point, in cubic voxels of protein.
    """

    kind: Literal["small protein", "gold bead", "membrane"]
    points: _Points
    weights: _Points

    @property
    def radius(self) -> float:
        """Distance in voxels of the farthest point from the origin."""
        return float(np.sqrt((self.points**2).sum(axis=1).max()))

    def moved(self, centre: _Array) -> Distractor:
        """Return the same thing with its origin at `centre`."""
        points = self.points + centre.astype(np.float32)
        return Distractor(kind=self.kind, points=points, weights=self.weights)


def small_molecule(rng: np.random.Generator) -> Molecule:
    """Make up a globular protein of 15 to 70 kDa of one or two domains."""
    mass = rng.uniform(*SMALL_MASS_DALTON)
    share = rng.uniform(0.5, 1.0)
    large, small = (
        (3 * part * mass * PROTEIN_ANGSTROM3_PER_DALTON / (4 * np.pi)) ** (1 / 3)
        for part in (share, 1 - share)
    )
    domains = [_stretched((0.0, 0.0, 0.0), large, rng)]
    if small > 8.0:
        domains.append(_stretched((0.9 * (large + small), 0.0, 0.0), small, rng))
    return grow_assembly("small protein", domains, "C1", mass, rng)


def _stretched(
    centre: tuple[float, float, float], radius: float, rng: np.random.Generator
) -> Domain:
    axes = np.exp(rng.normal(0.0, 0.2, size=3))
    a, b, c = (float(v) for v in axes * radius / np.prod(axes) ** (1 / 3))
    return Domain(centre=centre, radii=(a, b, c))


@lru_cache(maxsize=512)
def _pooled(number: int, voxel_size_angstrom: float) -> tuple[_Points, _Points]:
    molecule = small_molecule(np.random.default_rng((7919, number)))
    coarse = coarsen(molecule, _SPACING * voxel_size_angstrom)
    scale = np.float32(voxel_size_angstrom)
    return coarse.points / scale, coarse.volumes / scale**3


def small_protein(
    voxel_size_angstrom: float, rotation: _Array, rng: np.random.Generator
) -> Distractor:
    """Draw one of a pool of small proteins around the origin, with proportions of its own.

    Parameters
    ----------
    voxel_size_angstrom : float
        Voxel size in Å.
    rotation : numpy.ndarray
        (3, 3) orientation.
    rng : numpy.random.Generator
        Source of randomness.
    """
    points, weights = _pooled(int(rng.integers(_POOL)), voxel_size_angstrom)
    logarithms = rng.normal(0.0, 0.15, size=3)
    factors = np.exp(logarithms - logarithms.mean())  # of product 1
    matrix = (rotation * factors).T.astype(np.float32)
    return Distractor(kind="small protein", points=points @ matrix, weights=weights)


def gold_bead(
    voxel_size_angstrom: float,
    *,
    diameter_angstrom: float,
    contrast: float,
    rng: np.random.Generator,
) -> Distractor:
    """Make a solid ball around the origin, `contrast` times as dense as protein."""
    radius = 0.5 * diameter_angstrom / voxel_size_angstrom
    spacing = min(_SPACING, radius / 3)
    half = int(np.ceil(radius / spacing)) + 1
    axis = np.arange(-half, half + 1) * spacing
    lattice = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    lattice = lattice + rng.uniform(-0.5, 0.5, size=3) * spacing
    points = lattice[(lattice**2).sum(axis=1) <= radius**2].astype(np.float32)
    weight = contrast * 4 / 3 * np.pi * radius**3 / len(points)
    weights = np.full(len(points), weight, np.float32)
    return Distractor(kind="gold bead", points=points, weights=weights)


def membrane(
    shell: Shell,
    voxel_size_angstrom: float,
    *,
    thickness_angstrom: float,
    sway: float,
    shape: TripleInt,
    margin: int,
    rng: np.random.Generator,
) -> Distractor:
    """Make the part of a bilayer that lies in a volume.

    Parameters
    ----------
    shell : Shell
        Where the bilayer runs, in voxels.
    voxel_size_angstrom : float
        Voxel size in Å.
    thickness_angstrom : float
        Distance of its two sheets of head groups in Å; 35 to 40 in cells.
    sway : float
        Largest distance from the sphere in voxels: membranes undulate.
    shape : tuple of int
        (d, h, w) of the volume.
    margin : int
        How far around it the bilayer is made, in voxels.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Distractor
        Two sheets, each as strong as 9 Å of protein times 0.8 to 1.5; the tails between them are
        as dense as water and so not there.
    """
    size = np.asarray(shape)
    middle = (size - 1) / 2
    uv, angle = _patch(shell, middle, float(np.linalg.norm(size / 2 + margin)), rng)
    outward = _outward(shell, middle, uv, angle)
    apart = np.abs(shell.centre + shell.radius * outward - middle) - size / 2
    inside = (apart[:, 0] < margin) & (apart[:, 1] < margin) & (apart[:, 2] < margin)
    uv, angle, outward = uv[inside], angle[inside], outward[inside]
    height = sway * _waves(uv, voxel_size_angstrom, rng) * np.cos(angle / 2) ** 2
    strength = rng.uniform(0.8, 1.5) * rng.uniform(0.85, 1.15, size=2)
    points, weights = [], []
    for side, density in zip((-0.5, 0.5), strength, strict=True):
        level = shell.radius + side * thickness_angstrom / voxel_size_angstrom
        blur = rng.normal(0.0, _HEAD_SIGMA_ANGSTROM / voxel_size_angstrom, size=len(uv))
        points.append(shell.centre + outward * (level + height + blur)[:, None])
        # The map from the plane to the sphere stretches circles by angle / sin(angle).
        area = _SPACING**2 * np.sinc(angle / np.pi) * (level / shell.radius) ** 2
        weights.append(area * density * _HEAD_ANGSTROM / voxel_size_angstrom)
    return Distractor(
        kind="membrane",
        points=np.concatenate(points).astype(np.float32),
        weights=np.concatenate(weights).astype(np.float32),
    )


def _patch(
    shell: Shell, middle: _Array, reach: float, rng: np.random.Generator
) -> tuple[_Array, _Array]:
    """Return points (n, 2) of a plane around the shell's foot, and their angles on the sphere."""
    away = float(np.linalg.norm(middle - shell.centre))
    cosine = (shell.radius**2 + away**2 - reach**2) / (2 * shell.radius * away)
    edge = shell.radius * float(np.arccos(np.clip(cosine, -1.0, 1.0)))
    axis = np.arange(-int(edge / _SPACING), int(edge / _SPACING) + 1) * _SPACING
    uv = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    uv = uv + rng.uniform(-0.3, 0.3, size=uv.shape)  # no lattice that the grid could beat with
    angle = np.linalg.norm(uv, axis=1) / shell.radius
    kept = angle * shell.radius <= edge
    return uv[kept], angle[kept]


def _outward(shell: Shell, middle: _Array, uv: _Array, angle: _Array) -> _Array:
    """Return unit vectors (n, 3) from the centre: the plane wrapped on the sphere by distance."""
    up = (middle - shell.centre) / np.linalg.norm(middle - shell.centre)
    first = np.cross(up, np.eye(3)[int(np.abs(up).argmin())])
    first /= np.linalg.norm(first)
    along = uv @ np.stack([first, np.cross(up, first)])
    scale = np.sinc(angle / np.pi) / shell.radius  # sin(angle) / |uv|
    return np.asarray(np.cos(angle)[:, None] * up + along * scale[:, None])


def _waves(uv: _Array, voxel_size_angstrom: float, rng: np.random.Generator) -> _Array:
    """Return an undulation in [-1, 1] of two random waves."""
    total = np.zeros(len(uv))
    for _ in range(2):
        turn, phase = rng.uniform(0, 2 * np.pi, size=2)
        wavenumber = 2 * np.pi * voxel_size_angstrom / rng.uniform(*_WAVES_ANGSTROM)
        total += 0.5 * np.sin(uv @ (wavenumber * np.array([np.cos(turn), np.sin(turn)])) + phase)
    return total
