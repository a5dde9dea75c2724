"""From a probability map to a mask, its connected components and a list of particles.

Two foreground voxels belong to one component when they share a face, an edge or a corner
(26-connectivity). Volumes are read slab by slab.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Triple
from napari_voxuda.data.slabs import release_pages
from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.components import CONNECTIVITY, Components, slabs
from napari_voxuda.segmentation.particles import Particle

__all__ = [
    "CONNECTIVITY",
    "fill_holes",
    "find_particles",
    "label_particles",
    "mask_from_probability",
    "max_voxels_of",
    "measure_components",
    "min_voxels_of",
    "remove_small",
    "voxel_volume_angstrom3",
]

_Pieces = Iterable[tuple[slice, npt.NDArray[Any]]]


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
    voxels = _in_voxels("minimum size", min_size_angstrom3, voxel_size_angstrom)
    return math.ceil(voxels * (1 - 1e-12))


def max_voxels_of(max_hole_angstrom3: float, voxel_size_angstrom: Triple | None) -> int:
    """Return how many voxels a hole may have that is filled.

    Parameters
    ----------
    max_hole_angstrom3 : float
        Largest volume that is filled, in Å³; 0 fills nothing.
    voxel_size_angstrom : tuple of float or None
        Voxel edges (z, y, x) in Å.

    Returns
    -------
    int
        The largest count whose volume is at most `max_hole_angstrom3`.

    Raises
    ------
    InputError
        When a size is given and the voxel size is unknown.
    """
    return int(_in_voxels("holes", max_hole_angstrom3, voxel_size_angstrom) * (1 + 1e-12))


def _in_voxels(what: str, size_angstrom3: float, voxel_size_angstrom: Triple | None) -> float:
    if size_angstrom3 <= 0:
        return 0.0
    volume = voxel_volume_angstrom3(voxel_size_angstrom)
    if volume is None:
        raise InputError(
            f"{what}: {size_angstrom3:g} Å³ was asked for, but the voxel size of the volume is "
            "unknown. Set the voxel size in Å, or leave it at 0."
        )
    return size_angstrom3 / volume


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
    for slab in slabs(probability):
        np.greater_equal(probability[slab], threshold, out=mask[slab].view(np.bool_))
        release_pages(probability)
    remove_small(mask, min_voxels)
    return mask


def remove_small(mask: npt.NDArray[np.uint8], min_voxels: int) -> None:
    """Remove small components from a mask, in place.

    Parameters
    ----------
    mask : numpy.ndarray
        (d, h, w) uint8, 1 where foreground.
    min_voxels : int
        Components with fewer voxels are removed; 0 and 1 keep all.
    """
    if min_voxels <= 1:
        return
    components = Components(mask)
    small = components.voxels < min_voxels
    for slab, labels in components.labels():  # a slab has been read when it is changed
        mask[slab][small[labels]] = 0


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
    components = Components(mask)
    found = np.empty(mask.shape, np.min_scalar_type(components.count))
    for slab, labels in components.labels():
        found[slab] = labels
    return found


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
    pieces = ((slab, labels[slab]) for slab in slabs(labels))
    return _measured(pieces, int(labels.max()), probability, voxel_size_angstrom)


def measure_components(
    components: Components, probability: npt.NDArray[Any], voxel_size_angstrom: Triple | None
) -> list[Particle]:
    """Measure each component of a mask, whose labels are never held as a whole.

    Parameters
    ----------
    components : Components
        Of a mask, (d, h, w).
    probability, voxel_size_angstrom
        As for `find_particles`.

    Returns
    -------
    list of Particle
        As `find_particles` gives them of `label_particles`.
    """
    return _measured(components.labels(), components.count, probability, voxel_size_angstrom)


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


def _measured(
    pieces: _Pieces, largest: int, probability: npt.NDArray[Any], voxel_size: Triple | None
) -> list[Particle]:
    voxels, sums = _sums(pieces, largest + 1, probability)
    volume = voxel_volume_angstrom3(voxel_size)
    present = np.flatnonzero(voxels)
    order = present[np.argsort(-voxels[present], kind="stable")]
    return [_particle(label, int(voxels[label]), sums[label], volume) for label in order.tolist()]


def _sums(
    pieces: _Pieces, count: int, probability: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return voxel counts (n + 1,) and sums (n + 1, 4) of z, y, x and probability by label."""
    voxels = np.zeros(count, dtype=np.int64)
    sums = np.zeros((count, 4))
    for slab, labels in pieces:
        z, y, x = np.nonzero(labels)
        label = labels[z, y, x].astype(np.intp)
        at = (z + slab.start, y, x)
        voxels += np.bincount(label, minlength=count)
        for column, values in enumerate((*at, probability[at])):
            sums[:, column] += np.bincount(label, weights=values, minlength=count)
        release_pages(probability)
    return voxels, sums
