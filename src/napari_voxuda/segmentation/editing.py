"""Split a particle where it is thinnest, by a watershed on the distance to its surface."""

from __future__ import annotations

import heapq
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda.errors import InputError

__all__ = ["cut_between", "split_particle"]

_SMOOTH_VOXELS = 1.0
_LEAST_DEPTH = 0.25  # of a second bulge, as a share of the first's


def split_particle(particle: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Divide a particle into two parts.

    Parameters
    ----------
    particle : numpy.ndarray
        (d, h, w) bool, true inside; at least two voxels. Of several pieces, the largest becomes part 1
        and the others part 2.

    Returns
    -------
    numpy.ndarray
        (d, h, w) uint8: 1 and 2 inside the particle, 1 the larger part, 0 outside.

    Raises
    ------
    InputError
        When the particle is a single voxel.

    Notes
    -----
    The parts grow from the innermost voxel, and from the innermost one of those that are the middle of a
    bulge of their own beside the largest ball around the first. Where there is none the
    particle is halved across its longest direction.
    """
    from scipy import ndimage

    inside = np.pad(particle, 1)
    voxels = np.argwhere(inside)
    if len(voxels) < 2:
        raise InputError("split: a particle of at least two voxels was wanted, got a single one.")
    pieces, count = ndimage.label(inside, structure=np.ones((3, 3, 3)))
    if count > 1:
        largest = 1 + np.bincount(pieces.reshape(-1))[1:].argmax()
        found = np.where(pieces == largest, 1, 2 * inside).astype(np.uint8)
        return found[1:-1, 1:-1, 1:-1]
    depth = ndimage.distance_transform_edt(inside)
    smooth = np.where(inside, ndimage.gaussian_filter(depth, _SMOOTH_VOXELS), 0.0)
    at = tuple(voxels.T)
    first = voxels[smooth[at].argmax()]
    away = np.linalg.norm(voxels - first, axis=1)
    peaks = _is_peak(smooth)[at] & (away > smooth[tuple(first)])
    peaks &= smooth[at] > _LEAST_DEPTH * smooth.max()
    if peaks.any():
        second = voxels[np.where(peaks, smooth[at], -1.0).argmax()]
        parts = _flood(smooth, inside, [tuple(first), tuple(second)])
    else:
        parts = np.zeros(inside.shape, np.uint8)
        parts[at] = 1 + _second_half(voxels)
    if np.count_nonzero(parts == 2) > np.count_nonzero(parts == 1):
        parts[inside] = 3 - parts[inside]
    return parts[1:-1, 1:-1, 1:-1]


def cut_between(parts: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Return the voxels of part 2 that touch part 1, by a face, an edge or a corner.

    Parameters
    ----------
    parts : numpy.ndarray
        (d, h, w) as `split_particle` returns them. Without the voxels returned, the parts are two
        components.
    """
    from scipy import ndimage

    near: npt.NDArray[Any] = ndimage.binary_dilation(parts == 1, structure=np.ones((3, 3, 3)))
    cut: npt.NDArray[np.bool_] = near & (parts == 2)
    return cut


def _flood(
    depth: npt.NDArray[np.float64], inside: npt.NDArray[np.bool_], seeds: list[tuple[int, ...]]
) -> npt.NDArray[np.uint8]:
    """Let regions grow from seeds over all voxels inside, the deepest first (a watershed).

    SciPy's own watershed compares neighbouring values instead and cuts a neck in the wrong place.
    """
    parts = np.zeros(inside.shape, np.uint8)
    queue: list[tuple[float, int, tuple[int, ...]]] = []
    for number, seed in enumerate(seeds, 1):
        parts[seed] = number
        heapq.heappush(queue, (-depth[seed], len(queue), seed))
    count = len(queue)
    while queue:
        _, _, voxel = heapq.heappop(queue)
        for step in product((-1, 0, 1), repeat=3):
            z, y, x = (int(v) + s for v, s in zip(voxel, step, strict=True))
            if inside[z, y, x] and not parts[z, y, x]:
                parts[z, y, x] = parts[voxel]
                heapq.heappush(queue, (-depth[z, y, x], count, (z, y, x)))
                count += 1
    return parts


def _is_peak(values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    from scipy import ndimage

    peak: npt.NDArray[np.bool_] = values >= ndimage.maximum_filter(values, 3)
    return peak


def _second_half(voxels: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether each voxel lies in the second half along the direction in which they spread most."""
    centred = voxels - voxels.mean(axis=0)
    direction = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    along = centred @ direction
    order = np.argsort(along, kind="stable")
    second = np.zeros(len(voxels), np.bool_)
    second[order[(len(voxels) + 1) // 2 :]] = True
    return second
