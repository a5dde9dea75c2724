"""Simulated targets: tomograms whose imaging differs from seed to seed, and boxes cut from them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_voxuda.data.boxes import box_start, cut_box
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError
from napari_voxuda.io.mrc import write_mask, write_mrc
from napari_voxuda.simulation.scene import Scene, SceneSettings, make_scene

from .tiers import Tier

__all__ = [
    "CLASSES",
    "LARGEST_OFFSET",
    "Conditions",
    "Role",
    "Split",
    "class_of",
    "conditions_of",
    "facts",
    "random_boxes",
    "scene_seeds",
    "scenes",
    "simulate_scene",
    "write_boxes",
]

Split = Literal["dev", "final"]
Role = Literal["conditions", "target", "training"]

CLASSES = ("ribosome", "proteasome", "chaperonin")
LARGEST_OFFSET = 6
_FIRST_SEED = {"dev": 500_000_000, "final": 600_000_000}
_FIRST_OF_ROLE = {"conditions": 0, "target": 100, "training": 600}
_SEEDS_OF_ROLE = 400
_SMALL_PROTEINS_PER_VOXEL = (1.5e-4, 4e-4)
_MOST_SCENES = 40


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """How the tomograms of one seed were imaged; unknown to the adaptation but for the voxel size.

    Parameters
    ----------
    voxel_size_angstrom : float
        Voxel size in Å.
    signal : float
        Mean z-score inside the truth: the noise level.
    defocus_um, tilt_range_deg : float
        Defocus in µm (underfocus positive) and largest tilt in degrees.
    small_proteins_per_voxel : float
        How crowded the background is.
    gold_beads : int
        Gold beads in a tomogram.
    """

    voxel_size_angstrom: float
    signal: float
    defocus_um: float
    tilt_range_deg: float
    small_proteins_per_voxel: float
    gold_beads: int


def scene_seeds(split: Split, seed: int, role: Role) -> range:
    """Return the seeds of random numbers that a role of a split's data set may use.

    Those of different splits, seeds and roles have none in common, so that settings chosen on ``dev``
    never saw a scene of ``final``, and the supervised row never trains on what it is scored on.

    Raises
    ------
    InputError
        When `seed` is not from 0 to 999.
    """
    if not 0 <= seed < 1000:
        raise InputError(f"transfer: seeds from 0 to 999 were wanted, got {seed}.")
    first = _FIRST_SEED[split] + 1000 * seed + _FIRST_OF_ROLE[role]
    return range(first, first + (1 if role == "conditions" else _SEEDS_OF_ROLE))


def conditions_of(split: Split, seed: int) -> Conditions:
    """Draw noise level, optics, missing wedge, voxel size and crowding of a data set."""
    rng = np.random.default_rng(scene_seeds(split, seed, "conditions")[0])
    low, high = _SMALL_PROTEINS_PER_VOXEL
    return Conditions(
        voxel_size_angstrom=round(rng.uniform(11.0, 15.0), 1),
        signal=float(np.exp(rng.uniform(math.log(0.5), math.log(1.0)))),
        defocus_um=float(rng.uniform(2.5, 6.5)),
        tilt_range_deg=float(rng.uniform(48.0, 66.0)),
        small_proteins_per_voxel=float(rng.uniform(low, high)),
        gold_beads=int(rng.integers(0, 4)),
    )


def simulate_scene(
    conditions: Conditions, tier: Tier, seed: int, files: tuple[str, ...] = ()
) -> Scene:
    """Make one tomogram with its truth: the only place where the benchmark makes a scene.

    Parameters
    ----------
    conditions : Conditions
        How it is imaged.
    tier : Tier
        Its size.
    seed : int
        Of its content and noise.
    files : tuple of str
        Maps or structures for `CLASSES`, in this order; phantoms without.
    """
    import torch

    voxels = math.prod(tier.scene_shape)
    settings = SceneSettings(
        shape=tier.scene_shape,
        voxel_size_angstrom=conditions.voxel_size_angstrom,
        kinds=() if files else CLASSES,
        files=files,
        molecules=tier.molecules,
        small_proteins=round(conditions.small_proteins_per_voxel * voxels),
        gold_beads=conditions.gold_beads,
        signal=conditions.signal,
        contrast="dark",
        defocus_um=conditions.defocus_um,
        tilt_range_deg=conditions.tilt_range_deg,
    )
    return make_scene(settings, torch.Generator().manual_seed(seed))


def scenes(
    split: Split, seed: int, role: Role, tier: Tier, files: tuple[str, ...] = ()
) -> Iterator[Scene]:
    """Yield scene after scene of a data set."""
    conditions = conditions_of(split, seed)
    for number in scene_seeds(split, seed, role)[:_MOST_SCENES]:
        yield simulate_scene(conditions, tier, number, files)


def class_of(kind: str, files: tuple[str, ...] = ()) -> str:
    """Return the class of a scene's molecule: the phantom's name, or that of its file's place."""
    stems = [Path(file).stem for file in files]
    return CLASSES[stems.index(Path(kind).stem)] if files else kind


def write_boxes(
    made: Iterator[Scene], folder: Path, tier: Tier, seed: int, files: tuple[str, ...] = ()
) -> None:
    """Cut subtomograms around the molecules of scenes and write them with their truth.

    Each box holds the molecule that its file is named after, off the centre by up to
    ±`LARGEST_OFFSET` voxels along each axis, and whatever stands beside it; the truth is every labelled
    molecule in it. Protein is bright in the files.

    Raises
    ------
    InputError
        When the scenes do not hold enough molecules.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    missing = dict.fromkeys(CLASSES, tier.per_class)
    for scene in made:
        for particle in scene.particles:
            name = class_of(particle.kind, files)
            if missing[name] == 0:
                continue
            missing[name] -= 1
            offset = rng.integers(-LARGEST_OFFSET, LARGEST_OFFSET + 1, 3)
            start = box_start(np.asarray(particle.centre) + offset, tier.box)
            _write_box(folder / f"{name}_{missing[name]:04d}", scene, start, tier.box)
        if not any(missing.values()):
            return
    raise InputError(
        f"transfer: {tier.per_class} molecules of each class were wanted, got fewer from "
        f"{_MOST_SCENES} scenes; make the scenes larger."
    )


def random_boxes(made: Iterator[Scene], folder: Path, tier: Tier, seed: int) -> None:
    """Cut boxes at random places, empty ones included, and write them with their truth."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    names = count()
    for scene, _ in zip(made, range(3), strict=False):
        room = np.asarray(scene.volume.shape) - tier.box + 1
        for _ in range(tier.per_class * len(CLASSES)):
            z, y, x = (int(n) for n in rng.integers(0, room))
            _write_box(folder / f"box_{next(names):04d}", scene, (z, y, x), tier.box)


def facts(split: Split, tier: Tier, files: tuple[str, ...]) -> dict[str, Any]:
    """Return what a simulated data set depends on, beside its seed."""
    return {
        "split": split,
        "box": tier.box,
        "per_class": tier.per_class,
        "shape": list(tier.scene_shape),
        "molecules": tier.molecules,
        "files": [Path(file).name for file in files],
        "conditions": asdict(conditions_of(split, 0)),
    }


def _write_box(path: Path, scene: Scene, start: tuple[int, int, int], box: int) -> None:
    low, high = np.zeros(3, int), np.asarray(scene.volume.shape) - box
    z, y, x = (int(n) for n in np.clip(start, low, high))
    values: npt.NDArray[Any] = cut_box(scene.volume.data, (z, y, x), box)
    truth = cut_box(scene.mask.data, (z, y, x), box)
    grid = Grid(voxel_size_angstrom=scene.volume.grid.voxel_size_angstrom)
    write_mrc(path.with_name(f"{path.name}.mrc"), Volume(data=-values, grid=grid))
    write_mask(path.with_name(f"{path.name}_mask.mrc"), Volume(data=truth, grid=grid))
