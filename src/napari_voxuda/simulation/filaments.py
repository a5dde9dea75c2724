"""Random filaments and tubes, like actin or microtubules, longer than the box that they cross."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from napari_voxuda.simulation.assembly import Domain, grow_assembly
from napari_voxuda.simulation.molecules import PROTEIN_ANGSTROM3_PER_DALTON, Molecule

__all__ = ["FILAMENT_RADIUS_ANGSTROM", "random_filament"]

FILAMENT_RADIUS_ANGSTROM = (30.0, 130.0)
"""Outer radii; actin has about 40 Å, a microtubule 125 Å."""

_THINNEST_TUBE_ANGSTROM = 65.0  # thinner ones have no lumen
_WALL_ANGSTROM = (35.0, 55.0)
_RISE_ANGSTROM = (35.0, 60.0)

_Array = npt.NDArray[np.float64]


def random_filament(generator: torch.Generator, *, length_angstrom: float) -> Molecule:
    """Make up a straight helical filament along z.

    Parameters
    ----------
    generator : torch.Generator
        Source of randomness on the CPU; one number is drawn from it.
    length_angstrom : float
        Length in Å, to within a subunit.

    Returns
    -------
    Molecule
        A tube with a lumen, or a rod of two to four strands; its name tells which. Its mass is
        that of the whole length.

    Notes
    -----
    Identical subunits of 1.21 Å³/Da stand in strands along z; the strands are shifted against
    each other and twist around the axis, as in the families of actin and tubulin.
    """
    seed = int(torch.randint(0, 2**62, (1,), generator=generator).item())
    rng = np.random.default_rng(seed)
    outer = float(rng.uniform(*FILAMENT_RADIUS_ANGSTROM))
    rise = float(rng.uniform(*_RISE_ANGSTROM))
    if outer >= _THINNEST_TUBE_ANGSTROM:
        wall = float(rng.uniform(*_WALL_ANGSTROM))
        middle = outer - wall / 2
        strands = max(5, round(2 * np.pi * middle / rng.uniform(40, 60)))
        twist = float(np.deg2rad(rng.uniform(-3, 3)))
        kind = "tube"
    else:
        wall, middle = outer, outer / 2
        strands = int(rng.integers(2, 5))
        twist = float(np.deg2rad(rng.uniform(-30, 30)))
        kind = "rod"
    unit = _subunit(2 * np.pi * middle / strands, rise, wall, rng)
    places = _helix(strands, rise, twist, int(rng.integers(1, 4)), length_angstrom)
    points = np.concatenate([_placed(unit.points, middle, z, angle) for z, angle in places])
    return Molecule(
        name=f"random filament ({kind} of {strands} strands, radius {outer:.0f} Å)",
        points=points.astype(np.float32),
        volumes=np.tile(unit.volumes, len(places)),
        contrast=float(rng.uniform(0.9, 1.1)),
        mass_dalton=unit.mass_dalton * len(places),
    )


def _subunit(arc: float, rise: float, wall: float, rng: np.random.Generator) -> Molecule:
    """Grow a subunit of two domains that fills most of its place; axes are (z, around, outward)."""
    fill = rng.uniform(0.65, 0.95)
    mass = fill * arc * rise * wall / PROTEIN_ANGSTROM3_PER_DALTON
    share = float(rng.uniform(0.35, 0.5))
    shift = float(rng.uniform(-0.15, 0.15)) * wall
    domains = [
        Domain(
            centre=(sign * part * rise / 2, 0.0, sign * shift),
            radii=((1 - part) * rise * 0.62, arc * 0.58, wall * 0.5),
        )
        for sign, part in ((1.0, share), (-1.0, 1 - share))
    ]
    return grow_assembly("subunit", domains, "C1", mass, rng)


def _helix(
    strands: int, rise: float, twist: float, starts: int, length: float
) -> list[tuple[float, float]]:
    """Return height and angle of each subunit; neighbouring strands are shifted along z."""
    half = int(np.ceil(length / rise / 2))
    return [
        (
            (level + starts * strand / strands) * rise,
            2 * np.pi * strand / strands + twist * (level + starts * strand / strands),
        )
        for level in range(-half, half)
        for strand in range(strands)
    ]


def _placed(points: npt.NDArray[np.float32], middle: float, z: float, angle: float) -> _Array:
    around, outward = points[:, 1], points[:, 2] + middle
    return np.stack(
        [
            points[:, 0] + z,
            around * np.cos(angle) + outward * np.sin(angle),
            outward * np.cos(angle) - around * np.sin(angle),
        ],
        axis=1,
    )
