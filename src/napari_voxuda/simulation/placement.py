"""What is in a box and how it is imaged: drawn first as plain values, rendered later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from napari_voxuda.simulation.catalogue import Prepared
from napari_voxuda.simulation.clutter import large_distractors, small_distractors
from napari_voxuda.simulation.distractors import Distractor
from napari_voxuda.simulation.imaging import CtfMode
from napari_voxuda.simulation.optics import margin_of
from napari_voxuda.simulation.room import Ball, Body, Cloud, Host, Rod, direction, is_free
from napari_voxuda.simulation.settings import SourceSettings

__all__ = ["Draw", "Placement", "draw_box", "random_rotation"]

_Array = npt.NDArray[np.float64]
_TRIALS = 24
_STRETCH_SPREAD = 0.1
_CLOUD = 400  # about how many points of a molecule a distractor's distance is measured to
_THINNEST = 20  # at least every 20th point, so that gaps stay below 2 voxels


class Molecules(Protocol):
    """Prepared molecules by number; those from the length on are filaments."""

    @property
    def filaments(self) -> int:
        """How many filaments there are."""
        ...

    @property
    def names(self) -> list[str]:
        """What the molecules are called."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> Prepared: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Placement:
    """One molecule in a box.

    Parameters
    ----------
    molecule : int
        Its number in the catalogue.
    centre : numpy.ndarray
        (3,) position (z, y, x) in voxels of the box; a voxel's centre is its 0-based index.
    rotation : numpy.ndarray
        (3, 3) matrix that acts on (z, y, x) columns.
    stretch : numpy.ndarray
        (3,) factors of product 1 along the molecule's own axes, before the rotation.
    """

    molecule: int
    centre: _Array
    rotation: _Array
    stretch: _Array

    def apply(self, points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Stretch, rotate and move (n, 3) points in voxels."""
        matrix = (self.rotation * self.stretch).T.astype(np.float32)
        return points @ matrix + self.centre.astype(np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Draw:
    """Everything random about one box but the noise values themselves.

    Parameters
    ----------
    placements : tuple of Placement
        The molecules, the box's own first; none in an empty box.
    reference : int
        Number of the molecule that the SNR refers to; also drawn for empty boxes.
    snr : float
        Variance ratio.
    defocus_um, tilt_min_deg, tilt_max_deg : float
        Imaging conditions.
    ctf : {"raw", "flipped"}
        Whether phases are flipped.
    distractors : tuple of Distractor
        What is imaged with the molecules but not labelled.
    """

    placements: tuple[Placement, ...]
    reference: int
    snr: float
    defocus_um: float
    tilt_min_deg: float
    tilt_max_deg: float
    ctf: CtfMode
    distractors: tuple[Distractor, ...] = ()


def random_rotation(rng: np.random.Generator) -> _Array:
    """Draw a rotation matrix uniformly over all orientations (a normalised Gaussian quaternion)."""
    w, x, y, z = (q := rng.standard_normal(4)) / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def draw_box(settings: SourceSettings, molecules: Molecules, rng: np.random.Generator) -> Draw:
    """Draw the content and the imaging conditions of one box.

    Parameters
    ----------
    settings : SourceSettings
        Ranges to draw from.
    molecules : Molecules
        The catalogue.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Draw
        The drawn values.
    """
    reference = int(rng.integers(len(molecules)))
    empty = rng.uniform() < settings.empty_fraction
    spread = float(np.exp(rng.uniform(-1, 1) * np.log(settings.snr_spread)))
    jitter = rng.uniform(-1, 1, size=2) * settings.tilt_jitter_deg
    low, high = np.clip(settings.tilt_range_deg + jitter, 5.0, 90.0)
    flipped = settings.ctf == "flipped" or (settings.ctf == "mixed" and rng.uniform() < 0.5)
    placements, distractors = _content(settings, molecules, None if empty else reference, rng)
    return Draw(
        placements=placements,
        reference=reference,
        snr=float(rng.choice(np.asarray(settings.snr))) * spread,
        defocus_um=float(rng.uniform(*settings.defocus_um)),
        tilt_min_deg=-float(low),
        tilt_max_deg=float(high),
        ctf="flipped" if flipped else "raw",
        distractors=distractors,
    )


def _content(
    settings: SourceSettings,
    molecules: Molecules,
    own: int | None,
    rng: np.random.Generator,
) -> tuple[tuple[Placement, ...], tuple[Distractor, ...]]:
    """Draw molecules and distractors; `own` is the number of the box's own molecule."""
    aside = rng.spawn(1)[0]  # so that distractors do not change what else is drawn
    margin = margin_of(settings)
    placed: list[Placement] = []
    if own is not None:
        offset = rng.uniform(-1, 1, size=3) * settings.offset_voxels
        centre = (settings.box - 1) / 2 + offset
        placed.append(_oriented(own, centre, _stretch(settings, rng), rng))
        if molecules.filaments and aside.uniform() < settings.filament_fraction:
            number = len(molecules) + int(aside.integers(molecules.filaments))
            placed = [_crossing(settings, number, offset, aside)]
    distractors, bodies = large_distractors(settings, _cloud(placed, molecules), margin, aside)
    if own is not None:
        placed += _neighbours(settings, molecules, placed[0], bodies, rng)
    bodies.append(Cloud(_cloud(placed, molecules)))
    distractors += small_distractors(settings, bodies, random_rotation, aside)
    return tuple(placed), tuple(distractors)


def _cloud(placed: Sequence[Placement], molecules: Molecules) -> _Array:
    """Return some of the points (n, 3) of each molecule, in voxels of the box."""
    parts = [np.zeros((0, 3), np.float32)]
    for placement in placed:
        points = molecules[placement.molecule].points
        parts.append(placement.apply(points[:: min(max(1, len(points) // _CLOUD), _THINNEST)]))
    return np.concatenate(parts).astype(np.float64)


def _neighbours(
    settings: SourceSettings,
    molecules: Molecules,
    own: Placement,
    bodies: Sequence[Body],
    rng: np.random.Generator,
) -> list[Placement]:
    hosts = [_body(settings, molecules, own)]
    placed = []
    fewest = min(settings.fewest_neighbours, settings.neighbours)
    for _ in range(int(rng.integers(fewest, settings.neighbours + 1))):
        number = int(rng.integers(len(molecules)))
        stretch = _stretch(settings, rng)
        radius = molecules[number].radius * stretch.max()
        found = _free_centre(settings.box, hosts, bodies, radius, rng)
        if found is not None:
            placed.append(_oriented(number, found, stretch, rng))
            hosts.append(Ball(centre=found, radius=radius))
    return placed


def _crossing(
    settings: SourceSettings, number: int, offset: _Array, rng: np.random.Generator
) -> Placement:
    """Lay a filament through the box; an offset along its axis would only uncover its end."""
    rotation = random_rotation(rng)
    axis = rotation[:, 0]
    centre = (settings.box - 1) / 2 + offset - axis * (offset @ axis)
    return Placement(molecule=number, centre=centre, rotation=rotation, stretch=np.ones(3))


def _body(settings: SourceSettings, molecules: Molecules, own: Placement) -> Host:
    molecule = molecules[own.molecule]
    if own.molecule < len(molecules):
        return Ball(centre=own.centre, radius=molecule.radius * own.stretch.max())
    radius = float(np.sqrt((molecule.points[:, 1:] ** 2).sum(axis=1).max()))
    return Rod(centre=own.centre, axis=own.rotation[:, 0], radius=radius, span=0.5 * settings.box)


def _oriented(
    molecule: int, centre: _Array, stretch: _Array, rng: np.random.Generator
) -> Placement:
    return Placement(
        molecule=molecule, centre=centre, rotation=random_rotation(rng), stretch=stretch
    )


def _stretch(settings: SourceSettings, rng: np.random.Generator) -> _Array:
    """Draw a change of proportions for random phantoms; real molecules keep theirs."""
    if settings.kind != "phantom" or settings.variety != "random":
        return np.ones(3)
    factors = np.exp(rng.normal(0.0, _STRETCH_SPREAD, size=3))
    return np.asarray(factors / np.prod(factors) ** (1 / 3), dtype=np.float64)


def _free_centre(
    box: int,
    hosts: Sequence[Host],
    bodies: Sequence[Body],
    radius: float,
    rng: np.random.Generator,
) -> _Array | None:
    """Find a centre where a sphere touches none of the others but reaches into the box."""
    for _ in range(_TRIALS):
        if rng.uniform() < 0.6:  # close to one that is already there
            host = hosts[int(rng.integers(len(hosts)))]
            heading = direction(rng)
            trial = host.beside(heading, radius + rng.exponential(1.5), rng)
        else:
            reach = 0.7 * radius
            trial = rng.uniform(-reach, box - 1 + reach, size=3)
        if np.any(trial < -0.8 * radius) or np.any(trial > box - 1 + 0.8 * radius):
            continue
        if is_free(trial, radius - 1e-9, [*hosts, *bodies]):
            return np.asarray(trial, dtype=np.float64)
    return None
