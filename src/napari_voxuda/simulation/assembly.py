"""Grow a pseudo-atomic assembly of exact mass from a few domains and a symmetry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_voxuda.simulation.molecules import PROTEIN_ANGSTROM3_PER_DALTON, Molecule

__all__ = ["RESIDUE_DALTON", "Domain", "grow_assembly", "symmetry_operations"]

RESIDUE_DALTON = 110.0
"""Mean mass of an amino-acid residue in Da; every pseudo-residue has it."""

_Array = npt.NDArray[np.float64]
_CLUMP_RADIUS_ANGSTROM = 16.0
_CLUMP_ANGSTROM3 = 30_000.0  # volume per clump; a clump itself has 17,000 Å3


@dataclass(frozen=True, kw_only=True)
class Domain:
    """An ellipsoid of the asymmetric unit.

    Parameters
    ----------
    centre : tuple of float
        (z, y, x) in Å; the symmetry axis is z and goes through the origin.
    radii : tuple of float
        Half axes along (z, y, x) in Å.
    """

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]

    @property
    def volume_angstrom3(self) -> float:
        """Volume in Å³."""
        return 4.0 / 3.0 * np.pi * float(np.prod(self.radii))


def symmetry_operations(group: str) -> _Array:
    """Return the rotations of a point group as matrices on (z, y, x) coordinates.

    Parameters
    ----------
    group : str
        Schoenflies symbol: ``"C1"``, ``"C5"``, ``"D7"``, ``"T"``, ``"O"`` or ``"I"``; the main
        axis of Cn and Dn is z. ``"C2x"`` is a twofold axis along x.

    Returns
    -------
    numpy.ndarray
        (m, 3, 3) rotation matrices, the identity among them.
    """
    from scipy.spatial.transform import Rotation

    if group == "C2x":
        return np.stack([np.eye(3), np.diag([-1.0, -1.0, 1.0])])
    matrices = Rotation.create_group(group).as_matrix()  # on (x, y, z), main axis z
    return np.ascontiguousarray(matrices[:, ::-1, ::-1])


def grow_assembly(
    name: str,
    domains: Sequence[Domain],
    group: str,
    mass_dalton: float,
    rng: np.random.Generator,
    *,
    contrast: float = 1.0,
    angstrom3_per_dalton: float = PROTEIN_ANGSTROM3_PER_DALTON,
    clumping: float = 0.5,
) -> Molecule:
    """Fill the symmetric copies of `domains` with pseudo-residues until the mass is reached.

    Random points in the domains are copied by the symmetry and blurred into a field on a lattice
    with one site per residue; the sites with the largest values are occupied. Overlapping domains
    merge, cavities stay open, and mass, volume and density are exact.

    Parameters
    ----------
    name : str
        Name of the molecule.
    domains : sequence of Domain
        The asymmetric unit.
    group : str
        Point group, see `symmetry_operations`.
    mass_dalton : float
        Mass in Da of the whole assembly.
    rng : numpy.random.Generator
        Source of randomness.
    contrast : float
        See `Molecule`.
    angstrom3_per_dalton : float
        Volume per mass; smaller for assemblies rich in RNA.
    clumping : float
        Share of the random points that form clumps, in [0, 1]; where domains are roomier than the
        mass needs, more of it makes larger voids.

    Returns
    -------
    Molecule
        The assembly, centred.
    """
    from scipy.ndimage import gaussian_filter

    site = RESIDUE_DALTON * angstrom3_per_dalton
    spacing = site ** (1.0 / 3.0)
    count = max(8, round(mass_dalton / RESIDUE_DALTON))
    operations = symmetry_operations(group)
    cloud = _cloud(domains, 3 * count // len(operations) + 1, clumping, rng)
    cloud = np.einsum("mij,nj->mni", operations, cloud).reshape(-1, 3)
    low = cloud.min(axis=0) - 5 * spacing
    shape = np.ceil((cloud.max(axis=0) - low) / spacing).astype(int) + 6
    field = np.zeros(shape, np.float32)
    np.add.at(field, tuple(np.floor((cloud - low) / spacing).astype(int).T), np.float32(1.0))
    field = gaussian_filter(field, 1.1, mode="constant", truncate=3.0)
    candidates = np.flatnonzero(field > 0.02)
    if len(candidates) < count:
        candidates = np.arange(field.size)
    # A stable order: symmetric sites tie, and partial sorts break ties in a processor's own way.
    occupied = candidates[np.argsort(-field.ravel()[candidates], kind="stable")[:count]]
    sites = np.stack(np.unravel_index(occupied, field.shape), axis=1)
    jitter = rng.uniform(0.1, 0.9, size=sites.shape)
    points = low + (sites + jitter) * spacing
    return Molecule(
        name=name,
        points=points.astype(np.float32),
        volumes=np.full(count, mass_dalton * angstrom3_per_dalton / count, np.float32),
        contrast=contrast,
        mass_dalton=mass_dalton,
    )


def _cloud(
    domains: Sequence[Domain], count: int, clumping: float, rng: np.random.Generator
) -> _Array:
    """Draw about `count` points in the domains, in proportion to their volumes, partly in clumps."""
    total = sum(d.volume_angstrom3 for d in domains)
    parts = []
    for domain in domains:
        wanted = max(4, round(count * domain.volume_angstrom3 / total))
        clumps = _in_ball(max(2, round(domain.volume_angstrom3 / _CLUMP_ANGSTROM3)), rng)
        near = clumps[rng.integers(len(clumps), size=int(wanted * clumping))]
        reach = np.minimum(_CLUMP_RADIUS_ANGSTROM / np.asarray(domain.radii), 0.4)
        near = near + _in_ball(len(near), rng) * reach
        points = np.concatenate([_in_ball(wanted - len(near), rng), near])
        parts.append(np.asarray(domain.centre) + points * np.asarray(domain.radii))
    return np.concatenate(parts)


def _in_ball(count: int, rng: np.random.Generator) -> _Array:
    """Draw points uniformly in the unit ball, (count, 3)."""
    direction = rng.standard_normal((count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True) + 1e-12
    return direction * rng.uniform(size=(count, 1)) ** (1.0 / 3.0)
