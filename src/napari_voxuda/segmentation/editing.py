"""Split a particle where it is thinnest, by a watershed on the distance to its surface."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda.errors import InputError

__all__ = ["cut_between", "split_particle"]

_LEVELS = 60_000
_SMOOTH_VOXELS = 1.0


def split_particle(particle: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Divide a particle into two parts.

    Parameters
    ----------
    particle : numpy.ndarray
        (d, h, w) bool, true inside; at least two voxels.

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
    The parts grow from the innermost voxel and from the voxel that is innermost among those farther from the
    first than both distances to the surface together. Where there is none, the particle is
    as good as a ball; it is then halved across its longest direction.
    """
    from scipy import ndimage

    inside = np.pad(particle, 1)
    voxels = np.argwhere(inside)
    if len(voxels) < 2:
        raise InputError("split: a particle of at least two voxels was wanted, got a single one.")
    depth = ndimage.distance_transform_edt(inside)
    smooth = np.where(inside, ndimage.gaussian_filter(depth, _SMOOTH_VOXELS), 0.0)
    at = tuple(voxels.T)
    first = voxels[smooth[at].argmax()]
    away = np.linalg.norm(voxels - first, axis=1)
    apart = away > smooth[tuple(first)] + smooth[at]
    peaks = _is_peak(smooth)[at] & apart
    if peaks.any():
        second = voxels[np.where(peaks, smooth[at], -1.0).argmax()]
        markers = np.zeros(inside.shape, np.int16)
        markers[~inside] = -1
        markers[tuple(first)], markers[tuple(second)] = 1, 2
        steps = (_LEVELS * (1 - smooth / smooth.max())).astype(np.uint16)
        found = ndimage.watershed_ift(steps, markers, structure=np.ones((3, 3, 3)))
        parts = np.where(inside & (found > 0), found, 0).astype(np.uint8)
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
    return near & (parts == 2)


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
