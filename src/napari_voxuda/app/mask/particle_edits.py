"""Delete, merge and split particles of a labels array: which voxels get which label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Triple, TripleInt
from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.particles import Particle

__all__ = ["Change", "ParticleList", "deletion", "list_particles", "merger", "split"]

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, kw_only=True, eq=False)
class ParticleList:
    """The particles of a labels layer.

    Parameters
    ----------
    particles : list of Particle
        Largest first.
    boxes : dict
        The bounding box of each label.
    """

    particles: list[Particle]
    boxes: dict[int, Box]


@dataclass(frozen=True, kw_only=True, eq=False)
class Change:
    """New labels of some voxels.

    Parameters
    ----------
    voxels : numpy.ndarray
        (n,) flat indices.
    values : numpy.ndarray
        (n,) labels.
    """

    voxels: npt.NDArray[np.int64]
    values: npt.NDArray[np.int64]


def list_particles(
    labels: npt.NDArray[Any],
    probability: npt.NDArray[np.float32],
    voxel_size_angstrom: Triple | None,
) -> ParticleList:
    """Measure the particles of `labels` (d, h, w) and find their bounding boxes."""
    from scipy import ndimage

    from napari_voxuda.segmentation.instances import find_particles

    found = ndimage.find_objects(labels)
    boxes = {label: box for label, box in enumerate(found, 1) if box is not None}
    return ParticleList(
        particles=find_particles(labels, probability, voxel_size_angstrom), boxes=boxes
    )


def deletion(labels: npt.NDArray[Any], boxes: Sequence[tuple[int, Box]]) -> Change:
    """Return the change that makes particles background, given as (label, bounding box)."""
    voxels = np.concatenate([_inside(labels, label, box) for label, box in boxes])
    return Change(voxels=voxels, values=np.zeros(len(voxels), np.int64))


def merger(
    labels: npt.NDArray[Any], boxes: Sequence[tuple[int, Box]]
) -> tuple[Change, tuple[TripleInt, ...]]:
    """Return the change that gives particles their smallest label, and a voxel of each of them.

    Raises
    ------
    InputError
        When fewer than two are given.
    """
    if len(boxes) < 2:
        raise InputError("Merge: at least two particles were wanted. Select them in the table.")
    target = min(label for label, _ in boxes)
    inside = [_inside(labels, label, box) for label, box in boxes]
    voxels = np.concatenate(
        [v for v, (label, _) in zip(inside, boxes, strict=True) if label != target]
    )
    shape = labels.shape
    group = [tuple(int(i) for i in np.unravel_index(int(v[len(v) // 2]), shape)) for v in inside]
    change = Change(voxels=voxels, values=np.full(len(voxels), target, np.int64))
    return change, tuple((z, y, x) for z, y, x in group)


def split(labels: npt.NDArray[Any], label: int, box: Box) -> Change:
    """Return the change that divides a particle in two, with a cut of one voxel between the parts.

    Raises
    ------
    InputError
        When it is a single voxel, or no further label is free.
    """
    from napari_voxuda.segmentation.editing import cut_between, split_particle

    parts = split_particle(np.asarray(labels[box]) == label)
    new = int(labels.max()) + 1
    if new > np.iinfo(labels.dtype).max:
        raise InputError(f"Split: no label above {new - 1} is free. Move a slider to number anew.")
    values = np.where(parts == 2, new, 0)
    values[cut_between(parts)] = 0
    inside = np.nonzero(parts == 2)
    voxels = _flat(inside, box, labels.shape)
    return Change(voxels=voxels, values=values[inside].astype(np.int64))


def _inside(labels: npt.NDArray[Any], label: int, box: Box) -> npt.NDArray[np.int64]:
    return _flat(np.nonzero(labels[box] == label), box, labels.shape)


def _flat(
    where: tuple[npt.NDArray[Any], ...], box: Box, shape: tuple[int, ...]
) -> npt.NDArray[np.int64]:
    whole = tuple(i + part.start for i, part in zip(where, box, strict=True))
    flat: npt.NDArray[np.int64] = np.ravel_multi_index(whole, shape).astype(np.int64)
    return flat
