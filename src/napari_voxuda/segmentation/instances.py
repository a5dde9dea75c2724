"""From a probability map to a mask, its connected components and a list of particles.

Two foreground voxels belong to one component when they share a face, an edge or a corner
(26-connectivity). Volumes are read slab by slab.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Triple
from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.particles import Particle

__all__ = [
    "CONNECTIVITY",
    "fill_holes",
    "find_particles",
    "label_particles",
    "mask_from_probability",
    "min_voxels_of",
    "voxel_volume_angstrom3",
]

CONNECTIVITY: Final[Literal[26]] = 26
"""Neighbours of a voxel: those that share a face, an edge or a corner with it."""

_SLAB_VOXELS = 1 << 22


def voxel_volume_angstrom3(voxel_size_angstrom: Triple | None) -> float | None:
    """Return the volume of a voxel in Å³, or None when its size (z, y, x) in Å is unknown."""
    return None if voxel_size_angstrom is None else math.prod(voxel_size_angstrom)


def min_voxels_of(min_size_angstrom3: float, voxel_size_angstrom: Triple | None) -> int:
    """Return how many voxels a component must have to reach a volume.

    Parameters
    ----------
    min_size_angstrom3 : float
        Smallest volume that is kept, in Å³; 0 keeps everything.
    voxel_size_angstrom : tuple of float or None
        Voxel edges (z, y, x) in Å.

    Returns
    -------
    int
        The smallest count whose volume is at least `min_size_angstrom3`; 0 for a size of 0.

    Raises
    ------
    InputError
        When a size is given and the voxel size is unknown.
    """
    if min_size_angstrom3 <= 0:
        return 0
    volume = voxel_volume_angstrom3(voxel_size_angstrom)
    if volume is None:
        raise InputError(
            f"minimum size: {min_size_angstrom3:g} Å³ was asked for, but the voxel size of the "
            "volume is unknown. Set the voxel size in Å, or leave the minimum size at 0."
        )
    return math.ceil(min_size_angstrom3 / volume * (1 - 1e-12))


def mask_from_probability(
    probability: npt.NDArray[Any], threshold: float, min_voxels: int = 0
) -> npt.NDArray[np.uint8]:
    """Threshold a probability map and remove small components.

    Parameters
    ----------
    probability : numpy.ndarray
        (d, h, w) real values.
    threshold : float
        Voxels of at least this value are foreground.
    min_voxels : int
        Components with fewer voxels are removed; 0 and 1 keep all.

    Returns
    -------
    numpy.ndarray
        (d, h, w) uint8, 1 where foreground.
    """
    mask = np.zeros(probability.shape, dtype=np.uint8)
    for slab in _slabs(probability):
        np.greater_equal(probability[slab], threshold, out=mask[slab].view(np.bool_))
    if min_voxels > 1:
        import cc3d

        cc3d.dust(
            mask,
            threshold=min_voxels,
            connectivity=CONNECTIVITY,
            binary_image=True,
            in_place=True,
        )
    return mask


def fill_holes(mask: npt.NDArray[np.uint8], max_voxels: int) -> npt.NDArray[np.uint8]:
    """Fill the holes of a mask that are not too large.

    Parameters
    ----------
    mask : numpy.ndarray
        (d, h, w) uint8, 1 where foreground.
    max_voxels : int
        Holes of at most this size are filled; below 1 none.

    Returns
    -------
    numpy.ndarray
        (d, h, w) uint8. A hole is background that does not reach the border of the volume and whose
        voxels hang together by their faces, since foreground does by its corners.
    """
    if max_voxels < 1 or not mask.any():
        return mask
    import cc3d

    outside = np.pad(mask == 0, 1, constant_values=True).view(np.uint8)  # one piece round it all
    kept = cc3d.dust(
        outside, threshold=max_voxels + 1, connectivity=6, binary_image=True, in_place=True
    )
    filled: npt.NDArray[np.uint8] = (kept[1:-1, 1:-1, 1:-1] == 0).astype(np.uint8)
    return filled


def label_particles(mask: npt.NDArray[Any]) -> npt.NDArray[np.unsignedinteger[Any]]:
    """Label the connected components of a mask, the largest first.

    Parameters
    ----------
    mask : numpy.ndarray
        (d, h, w); every value but 0 is foreground.

    Returns
    -------
    numpy.ndarray
        (d, h, w) unsigned labels: 0 background, 1 the largest component; components of equal size
        in the order of their first voxel (z, then y, then x).
    """
    import cc3d

    foreground = mask if mask.dtype in (np.bool_, np.uint8) else mask != 0
    labels = cc3d.connected_components(
        np.ascontiguousarray(foreground), connectivity=CONNECTIVITY, binary_image=True
    )
    count = int(labels.max())
    voxels = np.zeros(count + 1, dtype=np.int64)
    first = np.full(count + 1, labels.size, dtype=np.int64)
    for slab in _slabs(labels):
        flat = labels[slab].reshape(-1)
        where = np.flatnonzero(flat)
        found, position, repeats = np.unique(flat[where], return_index=True, return_counts=True)
        voxels[found] += repeats
        start = slab.start * labels[0].size
        first[found] = np.minimum(first[found], where[position] + start)
    order = np.lexsort((first[1:], -voxels[1:])) + 1
    renumbered = np.zeros(count + 1, dtype=labels.dtype)
    renumbered[order] = np.arange(1, count + 1)
    for slab in _slabs(labels):
        labels[slab] = renumbered[labels[slab]]
    found_labels: npt.NDArray[np.unsignedinteger[Any]] = labels
    return found_labels


def find_particles(
    labels: npt.NDArray[Any],
    probability: npt.NDArray[Any],
    voxel_size_angstrom: Triple | None,
) -> list[Particle]:
    """Measure each labelled component.

    Parameters
    ----------
    labels : numpy.ndarray
        (d, h, w) whole numbers: 0 background, as `label_particles` gives them.
    probability : numpy.ndarray
        (d, h, w) foreground probability.
    voxel_size_angstrom : tuple of float or None
        Voxel edges (z, y, x) in Å; None when unknown.

    Returns
    -------
    list of Particle
        Largest first, those of equal size by their label.

    Raises
    ------
    InputError
        When the shapes differ, or `labels` are not whole numbers.
    """
    if labels.shape != probability.shape or labels.ndim != 3:
        raise InputError(
            f"particles: labels and probability of one shape (z, y, x) were wanted, got "
            f"{labels.shape} and {probability.shape}."
        )
    if labels.dtype.kind not in "iub":
        raise InputError(f"particles: whole-numbered labels were wanted, got {labels.dtype}.")
    voxels, sums = _sums(labels, probability)
    volume = voxel_volume_angstrom3(voxel_size_angstrom)
    present = np.flatnonzero(voxels)
    order = present[np.argsort(-voxels[present], kind="stable")]
    return [_particle(label, int(voxels[label]), sums[label], volume) for label in order.tolist()]


def _particle(
    label: int, voxels: int, sums: npt.NDArray[np.float64], voxel_volume: float | None
) -> Particle:
    z, y, x, probability = (float(value) / voxels for value in sums)
    return Particle(
        label=label,
        centroid=(z, y, x),
        voxels=voxels,
        volume_angstrom3=None if voxel_volume is None else voxels * voxel_volume,
        mean_probability=probability,
    )


def _sums(
    labels: npt.NDArray[Any], probability: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return voxel counts (n + 1,) and sums (n + 1, 4) of z, y, x and probability by label."""
    count = int(labels.max()) + 1
    voxels = np.zeros(count, dtype=np.int64)
    sums = np.zeros((count, 4))
    for slab in _slabs(labels):
        z, y, x = np.nonzero(labels[slab])
        at = (z + slab.start, y, x)
        label = labels[at].astype(np.intp)
        voxels += np.bincount(label, minlength=count)
        for column, values in enumerate((*at, probability[at])):
            sums[:, column] += np.bincount(label, weights=values, minlength=count)
    return voxels, sums


def _slabs(volume: npt.NDArray[Any]) -> Iterator[slice]:
    """Cut the first axis so that a slab holds few million voxels."""
    thickness = max(1, _SLAB_VOXELS // max(1, volume[0].size))
    for start in range(0, len(volume), thickness):
        yield slice(start, start + thickness)
