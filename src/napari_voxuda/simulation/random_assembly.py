"""Random assemblies: endless variety of symmetry, mass and shape, so that no class is learnt by heart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from napari_voxuda.simulation.assembly import Domain, grow_assembly
from napari_voxuda.simulation.molecules import PROTEIN_ANGSTROM3_PER_DALTON, Molecule

__all__ = ["MASS_RANGE_DALTON", "SHAPES", "random_assembly"]

MASS_RANGE_DALTON = (100_000.0, 4_000_000.0)
"""Masses are drawn log-uniformly from this range unless told otherwise."""

SHAPES = ("globular", "irregular", "two-lobed", "elongated", "barrel", "ring", "shell", "cluster")
"""The families of shapes that `random_assembly` draws from."""

_Array = npt.NDArray[np.float64]
_PACKING = (1.05, 1.6)  # volume of the domains over that of the mass: overlap, grooves and voids


def random_assembly(
    generator: torch.Generator,
    *,
    mass_range_dalton: tuple[float, float] = MASS_RANGE_DALTON,
    shape: str | None = None,
) -> Molecule:
    """Make up an assembly of random symmetry, mass, shape and contrast.

    Parameters
    ----------
    generator : torch.Generator
        Source of randomness on the CPU; one number is drawn from it.
    mass_range_dalton : tuple of float
        Smallest and largest mass in Da; the mass is log-uniform between them.
    shape : str or None
        One of `SHAPES`; drawn when None.

    Returns
    -------
    Molecule
        The assembly; its name tells shape, symmetry and mass.
    """
    seed = int(torch.randint(0, 2**62, (1,), generator=generator).item())
    rng = np.random.default_rng(seed)
    mass = float(np.exp(rng.uniform(*np.log(mass_range_dalton))))
    family = shape or SHAPES[rng.integers(len(SHAPES))]
    rich_in_rna = rng.uniform() < 0.25
    per_dalton = 1.05 if rich_in_rna else PROTEIN_ANGSTROM3_PER_DALTON
    contrast = rng.uniform(1.2, 1.5) if rich_in_rna else rng.uniform(0.9, 1.1)
    room = mass * per_dalton * rng.uniform(*_PACKING)
    domains, group = _FAMILIES[family](room, rng)
    return grow_assembly(
        f"random phantom ({family}, {group}, {mass / 1000:.0f} kDa)",
        domains,
        group,
        mass,
        rng,
        contrast=float(contrast),
        angstrom3_per_dalton=per_dalton,
        clumping=float(rng.uniform(0.3, 0.95)),
    )


def _radius(volume: float) -> float:
    return float((3.0 * volume / (4.0 * np.pi)) ** (1.0 / 3.0))


def _ellipsoid(volume: float, centre: _Array, rng: np.random.Generator, spread: float) -> Domain:
    """Return an ellipsoid of given volume and random proportions around `centre`."""
    axes = np.exp(rng.normal(0.0, spread, size=3))
    axes *= _radius(volume) / np.prod(axes) ** (1.0 / 3.0)
    z, y, x = (float(v) for v in centre)
    a, b, c = (float(v) for v in axes)
    return Domain(centre=(z, y, x), radii=(a, b, c))


def _direction(rng: np.random.Generator) -> _Array:
    vector = rng.standard_normal(3)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)


def _walk(volumes: _Array, rng: np.random.Generator, bend: float) -> list[Domain]:
    """Chain touching ellipsoids; `bend` 0 is a rod, 1 a freely turning and so compact chain."""
    centre, heading = np.zeros(3), _direction(rng)
    domains: list[Domain] = []
    centres: list[_Array] = []
    for volume in volumes:
        radius = _radius(float(volume))
        if domains:
            start = len(domains) - 1 if bend < 0.5 else int(rng.integers(len(domains)))
            heading = heading * (1 - bend) + bend * _direction(rng)
            heading /= np.linalg.norm(heading) + 1e-9
            reach = radius + float(np.mean(domains[start].radii))
            centre = centres[start] + heading * reach * rng.uniform(0.75, 0.95)
        domains.append(_ellipsoid(float(volume), centre, rng, 0.2))
        centres.append(centre)
    return domains


def _shares(volume: float, count: int, rng: np.random.Generator) -> _Array:
    shares = rng.dirichlet(np.full(count, 3.0))
    return np.asarray(volume * shares, dtype=np.float64)


def _globular(volume: float, rng: np.random.Generator) -> tuple[list[Domain], str]:
    group = str(rng.choice(["C1", "C2", "C3", "D2", "D3", "D4", "T", "O"]))
    order = {"C": int(group[1:] or 1), "D": 2 * int(group[1:] or 1)} if len(group) > 1 else {}
    copies = order.get(group[0], {"T": 12, "O": 24}.get(group, 1))
    outer = _radius(volume)
    count = int(rng.integers(1, 4))
    domains = [
        _ellipsoid(float(v), _direction(rng) * outer * rng.uniform(0.35, 0.75), rng, 0.2)
        for v in _shares(volume / copies, count, rng)
    ]
    return domains, group


def _irregular(volume: float, rng: np.random.Generator) -> tuple[list[Domain], str]:
    return _walk(_shares(volume, int(rng.integers(3, 12)), rng), rng, 1.0), "C1"


def _two_lobed(volume: float, rng: np.random.Generator) -> tuple[list[Domain], str]:
    share = rng.uniform(0.5, 0.75)
    large = _ellipsoid(volume * share * 0.8, np.zeros(3), rng, 0.15)
    small = _ellipsoid(volume * (1 - share) * 0.8, np.zeros(3), rng, 0.3)
    heading = _direction(rng)
    reach = [float(np.linalg.norm(heading / np.asarray(d.radii)) ** -1) for d in (large, small)]
    shift = heading * sum(reach) * rng.uniform(0.8, 1.05)
    parts = [large, Domain(centre=tuple(float(v) for v in shift), radii=small.radii)]  # type: ignore[arg-type]
    for piece in _shares(volume * 0.2, int(rng.integers(2, 6)), rng):
        host = parts[int(rng.integers(2))]
        where = np.asarray(host.centre) + _direction(rng) * np.asarray(host.radii) * 0.9
        parts.append(_ellipsoid(float(piece), where, rng, 0.3))
    return parts, "C1"


def _elongated(volume: float, rng: np.random.Generator) -> tuple[list[Domain], str]:
    group = str(rng.choice(["C1", "C2x"]))
    copies = 2 if group == "C2x" else 1
    count = max(2, int(rng.integers(3, 9)) // copies)
    return _walk(_shares(volume / copies, count, rng), rng, rng.uniform(0.05, 0.35)), group


def _tube(volume: float, rng: np.random.Generator, rings: int) -> tuple[list[Domain], str]:
    """Stack rings of one domain each under Cn or Dn."""
    fold = int(rng.integers(4, 13))
    mirrored = rings > 1
    copies = 2 * fold if mirrored else fold
    own = (rings + 1) // 2 if mirrored else rings
    each = volume / copies / own
    radius = _radius(each)
    flatten = rng.uniform(0.8, 1.3)
    circle = max(radius * 1.02, fold * radius * rng.uniform(1.6, 2.2) / (2 * np.pi))
    domains = []
    for k in range(own):
        angle, wide = rng.uniform(0, 2 * np.pi / fold), rng.uniform(0.8, 1.2)
        z = radius * flatten * (0.9 + 1.8 * k) if mirrored else 0.0
        domains.append(
            Domain(
                centre=(
                    z,
                    float(circle * wide * np.sin(angle)),
                    float(circle * wide * np.cos(angle)),
                ),
                radii=(radius * flatten, radius / flatten**0.5, radius / flatten**0.5),
            )
        )
    return domains, f"{'D' if mirrored else 'C'}{fold}"


def _barrel(volume: float, rng: np.random.Generator) -> tuple[list[Domain], str]:
    return _tube(volume, rng, int(rng.integers(2, 7)))


def _ring(volume: float, rng: np.random.Generator) -> tuple[list[Domain], str]:
    return _tube(volume, rng, 1)


def _shell(volume: float, rng: np.random.Generator) -> tuple[list[Domain], str]:
    group, copies = [("T", 12), ("O", 24), ("I", 60)][int(rng.integers(3))]
    thickness = min(rng.uniform(22, 45), 1.2 * _radius(volume))
    middle = max((volume / (4 * np.pi * thickness)) ** 0.5, 0.6 * _radius(volume))
    centre = _direction(rng) * middle
    return [_ellipsoid(volume / copies, centre, rng, 0.15)], group


def _cluster(volume: float, rng: np.random.Generator) -> tuple[list[Domain], str]:
    group = str(rng.choice(["C2", "C3", "C4", "C5", "C6", "D2", "D3"]))
    copies = int(group[1]) * (2 if group[0] == "D" else 1)
    domains = _walk(_shares(volume / copies, int(rng.integers(1, 4)), rng), rng, 1.0)
    away = _direction(rng) * _radius(volume / copies) * rng.uniform(0.9, 1.6)
    moved = [
        Domain(
            centre=tuple(float(v) for v in np.asarray(d.centre) + away),  # type: ignore[arg-type]
            radii=d.radii,
        )
        for d in domains
    ]
    return moved, group


_FAMILIES = {
    "globular": _globular,
    "irregular": _irregular,
    "two-lobed": _two_lobed,
    "elongated": _elongated,
    "barrel": _barrel,
    "ring": _ring,
    "shell": _shell,
    "cluster": _cluster,
}
