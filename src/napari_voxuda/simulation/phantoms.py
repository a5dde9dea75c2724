"""Built-in phantoms: made-up assemblies with the symmetry, mass and size of known complexes.

They hold no coordinates of any real structure. Each is named after the complex that it imitates
and says that it is a phantom.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache

import numpy as np

from napari_voxuda.errors import InputError
from napari_voxuda.simulation.assembly import Domain, grow_assembly
from napari_voxuda.simulation.molecules import Molecule

__all__ = ["GROUPS", "PHANTOMS", "phantom"]

_RNA_CONTRAST = 1.35
_RNA_VOLUME = 1.05  # Å³/Da of a particle that is two thirds RNA (0.92) and one third protein (1.21)

GROUPS: dict[str, tuple[str, ...]] = {
    "A": ("rubisco", "atcase", "clpp"),
    "B": ("shsp", "citrate-synthase", "ldh"),
}
"""The phantoms that imitate the two groups of structures in the paper's source."""


def _polar(z: float, radius: float, angle_deg: float) -> tuple[float, float, float]:
    angle = np.deg2rad(angle_deg)
    return z, float(radius * np.sin(angle)), float(radius * np.cos(angle))


def _rubisco(rng: np.random.Generator) -> Molecule:
    """D4, 8 large (53 kDa) and 8 small (15 kDa) subunits around a solvent channel."""
    domains = [
        Domain(centre=_polar(17, 36, 12), radii=(23, 20, 20)),
        Domain(centre=_polar(26, 27, -30), radii=(15, 14, 14)),
        Domain(centre=_polar(43, 26, 50), radii=(14, 15, 15)),
    ]
    return grow_assembly("rubisco-like phantom", domains, "D4", 550_000, rng)


def _atcase(rng: np.random.Generator) -> Molecule:
    """D3, two catalytic trimers and three regulatory dimers."""
    domains = [
        Domain(centre=_polar(22, 24, 0), radii=(17, 17, 17)),
        Domain(centre=_polar(20, 41, 25), radii=(15, 16, 16)),
        Domain(centre=_polar(10, 55, 60), radii=(12, 14, 14)),
    ]
    return grow_assembly("ATCase-like phantom", domains, "D3", 310_000, rng)


def _clpp(rng: np.random.Generator) -> Molecule:
    """D7, two heptameric rings that enclose a chamber."""
    domains = [
        Domain(centre=_polar(29, 29, 0), radii=(17, 13, 13)),
        Domain(centre=_polar(8, 38, 14), radii=(12, 9, 9)),
    ]
    return grow_assembly("ClpP-like phantom", domains, "D7", 300_000, rng)


def _shsp(rng: np.random.Generator) -> Molecule:
    """Tetrahedral shell of 12 subunits of 16 kDa."""
    domains = [
        Domain(centre=(34, 16, 12), radii=(15, 15, 15)),
        Domain(centre=(24, 33, 14), radii=(8, 12, 8)),
    ]
    return grow_assembly("small-heat-shock-protein-like phantom", domains, "T", 192_000, rng)


def _citrate_synthase(rng: np.random.Generator) -> Molecule:
    """D3, a trimer of dimers of 48 kDa subunits."""
    domains = [
        Domain(centre=_polar(16, 36, 18), radii=(21, 21, 18)),
        Domain(centre=_polar(26, 44, 48), radii=(13, 13, 13)),
    ]
    return grow_assembly("citrate-synthase-like phantom", domains, "D3", 288_000, rng)


def _ldh(rng: np.random.Generator) -> Molecule:
    """D2 tetramer of 35 kDa subunits."""
    domains = [
        Domain(centre=(19, 18, 14), radii=(19, 20, 16)),
        Domain(centre=(30, 28, 8), radii=(11, 11, 11)),
    ]
    return grow_assembly("LDH-like phantom", domains, "D2", 140_000, rng)


def _ribosome(rng: np.random.Generator) -> Molecule:
    """Two unequal irregular lobes, 3.2 MDa, rich in RNA."""
    domains = [
        Domain(centre=(35, 0, 0), radii=(68, 92, 88)),
        Domain(centre=(95, 20, 0), radii=(30, 40, 45)),
        Domain(centre=(50, 88, 45), radii=(28, 42, 24)),
        Domain(centre=(50, -80, 60), radii=(26, 38, 24)),
        Domain(centre=(-72, 0, 5), radii=(38, 60, 88)),
        Domain(centre=(-85, -10, 95), radii=(34, 38, 30)),
        Domain(centre=(-62, 45, -62), radii=(30, 30, 34)),
    ]
    return grow_assembly(
        "ribosome-like phantom",
        domains,
        "C1",
        3_200_000,
        rng,
        contrast=_RNA_CONTRAST,
        angstrom3_per_dalton=_RNA_VOLUME,
    )


def _proteasome_core(rng: np.random.Generator) -> Molecule:
    """D7 barrel of four stacked heptameric rings, 720 kDa."""
    domains = [
        Domain(centre=_polar(18, 41, 0), radii=(18, 17, 17)),
        Domain(centre=_polar(54, 38, 20), radii=(19, 17, 17)),
    ]
    return grow_assembly("20S-proteasome-like phantom", domains, "D7", 720_000, rng)


def _proteasome(rng: np.random.Generator) -> Molecule:
    """Barrel with two irregular caps that are related by a twofold axis, 2.5 MDa."""
    ring = [
        Domain(centre=_polar(z, 41, a + 51.43 * k), radii=(18, 17, 17))
        for z, a in ((18, 0), (54, 20))
        for k in range(7)
    ]
    cap = [Domain(centre=_polar(94, 32, 60 * k), radii=(20, 20, 20)) for k in range(6)]
    lid = [
        Domain(centre=(128, 22, 10), radii=(24, 42, 34)),
        Domain(centre=(118, 66, 20), radii=(40, 24, 28)),
        Domain(centre=(160, 25, -12), radii=(24, 32, 24)),
        Domain(centre=(140, -34, 26), radii=(20, 26, 20)),
    ]
    return grow_assembly("26S-proteasome-like phantom", ring + cap + lid, "C2x", 2_500_000, rng)


def _chaperonin(rng: np.random.Generator) -> Molecule:
    """D8 double ring of 16 subunits of 58 kDa with a cavity in each ring."""
    domains = [
        Domain(centre=_polar(16, 58, 0), radii=(18, 25, 19)),
        Domain(centre=_polar(42, 62, 8), radii=(16, 22, 14)),
        Domain(centre=_polar(64, 44, 14), radii=(14, 20, 20)),
    ]
    return grow_assembly("chaperonin-like phantom", domains, "D8", 940_000, rng)


def _ferritin(rng: np.random.Generator) -> Molecule:
    """Octahedral shell of 24 subunits of 20 kDa."""
    domains = [Domain(centre=(44, 24, 8), radii=(12, 22, 18))]
    return grow_assembly("ferritin-like phantom", domains, "O", 480_000, rng)


def _filament(rng: np.random.Generator) -> Molecule:
    """Straight segment of a two-start helix of 42 kDa subunits, about 380 Å long."""
    rise, twist = 27.5, -166.7
    domains = []
    for k in range(-7, 7):
        z, a = (k + 0.5) * rise, k * twist
        domains.append(Domain(centre=_polar(z, 19, a), radii=(26, 18, 18)))
        domains.append(Domain(centre=_polar(z + 8, 33, a + 20), radii=(14, 12, 12)))
    return grow_assembly("actin-filament-like phantom", domains, "C1", 14 * 42_000, rng)


PHANTOMS: dict[str, Callable[[np.random.Generator], Molecule]] = {
    "rubisco": _rubisco,
    "atcase": _atcase,
    "clpp": _clpp,
    "shsp": _shsp,
    "citrate-synthase": _citrate_synthase,
    "ldh": _ldh,
    "ribosome": _ribosome,
    "proteasome": _proteasome,
    "proteasome-core": _proteasome_core,
    "chaperonin": _chaperonin,
    "ferritin": _ferritin,
    "filament": _filament,
}
"""The built-in phantoms by short name."""


@cache
def phantom(name: str) -> Molecule:
    """Return a built-in phantom; the same name always gives the same points.

    Parameters
    ----------
    name : str
        One of `PHANTOMS`.

    Returns
    -------
    Molecule
        The assembly, about 5 Å between its points.

    Raises
    ------
    InputError
        When there is no phantom of this name.
    """
    if name not in PHANTOMS:
        raise InputError(f"phantom: one of {', '.join(PHANTOMS)} was wanted, got {name!r}.")
    return PHANTOMS[name](np.random.default_rng(zlib.crc32(name.encode())))
