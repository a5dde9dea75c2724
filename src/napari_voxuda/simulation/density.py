"""From placed points to density: splat onto a grid, blur in Fourier space, threshold to a mask."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from napari_voxuda._types import TripleInt
from napari_voxuda.method.fourier import inverse_dft

__all__ = [
    "MASK_LEVEL",
    "fast_length",
    "frequency_grids",
    "gaussian_transfer",
    "mask_level_of",
    "splat",
    "splat_transfer",
]

MASK_LEVEL = 0.5
"""Occupancy above which a voxel belongs to a mask, after each molecule's own calibration."""

_POSES = 8
_LARGEST_GRID = 160
_SMALL_VOXELS = 500


def splat(
    points: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    shape: TripleInt,
) -> npt.NDArray[np.float32]:
    """Distribute weighted points over their eight surrounding voxels (trilinear).

    Parameters
    ----------
    points : numpy.ndarray
        (n, 3) positions (z, y, x) in voxels; a voxel's centre is its 0-based index.
    weights : numpy.ndarray
        (n,) or (c, n) weights. The share of a point that falls outside the grid is lost, never
        wrapped.
    shape : tuple of int
        (d, h, w).

    Returns
    -------
    numpy.ndarray
        (d, h, w) or (c, d, h, w) float32 sums.
    """
    stacked = np.atleast_2d(weights)
    near = np.ones(len(points), bool)
    for column, length in zip(points.T, shape, strict=True):  # faster than all(axis=1)
        near &= (column > -1) & (column < length)
    points, stacked = points[near], stacked[:, near]
    # One voxel of padding on each side catches the shares that fall outside.
    padded = tuple(n + 2 for n in shape)
    low = np.floor(points)
    fraction = (points - low).astype(np.float32)
    corner = low.astype(np.int64) + 1
    flat = (corner[:, 0] * padded[1] + corner[:, 1]) * padded[2] + corner[:, 2]
    where, shares = [], []
    for dz, dy, dx in np.ndindex(2, 2, 2):
        share = np.abs(1 - dz - fraction[:, 0]) * np.abs(1 - dy - fraction[:, 1])
        shares.append(share * np.abs(1 - dx - fraction[:, 2]))
        where.append(flat + (dz * padded[1] + dy) * padded[2] + dx)
    index, share = np.concatenate(where), np.stack(shares)
    size = int(np.prod(padded))
    grids = np.empty((len(stacked), *shape), np.float32)
    for grid, own in zip(grids, stacked, strict=True):
        total = np.bincount(index, (share * own).ravel(), size)
        grid[...] = total.reshape(padded)[1:-1, 1:-1, 1:-1]
    return grids if np.ndim(weights) == 2 else grids[0]


@lru_cache(maxsize=8)
def frequency_grids(shape: TripleInt) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the frequencies of a half spectrum in cycles per voxel.

    Parameters
    ----------
    shape : tuple of int
        (d, h, w) of the volume.

    Returns
    -------
    tuple of torch.Tensor
        k_z (d, 1, 1), k_y (1, h, 1) and k_x (1, 1, w // 2 + 1), float32.
    """
    d, h, w = shape
    return (
        torch.fft.fftfreq(d)[:, None, None],
        torch.fft.fftfreq(h)[None, :, None],
        torch.fft.rfftfreq(w)[None, None, :],
    )


@lru_cache(maxsize=16)
def gaussian_transfer(shape: TripleInt, sigma_voxels: float) -> torch.Tensor:
    """Return the half-spectrum transfer function of a Gaussian blur, (d, h, w // 2 + 1)."""
    transfers = [
        torch.exp(-2.0 * (np.pi * sigma_voxels) ** 2 * k**2) for k in frequency_grids(shape)
    ]
    return transfers[0] * transfers[1] * transfers[2]


@lru_cache(maxsize=8)
def splat_transfer(shape: TripleInt) -> torch.Tensor:
    """Return the mean transfer function of `splat`, sinc² along each axis, (d, h, w // 2 + 1)."""
    transfers = [torch.sinc(k) ** 2 for k in frequency_grids(shape)]
    return transfers[0] * transfers[1] * transfers[2]


def mask_level_of(
    points: npt.NDArray[np.floating],
    volumes: npt.NDArray[np.floating],
    sigma: float,
) -> float:
    """Return the occupancy level whose isosurface encloses the molecular volume.

    Parameters
    ----------
    points : numpy.ndarray
        (n, 3) positions in voxels around the origin.
    volumes : numpy.ndarray
        (n,) volumes in cubic voxels; their sum is the volume to enclose.
    sigma : float
        Width of the Gaussian that makes the density, in voxels.

    Returns
    -------
    float
        The level, as a fraction of full occupancy; near 0.5 for a large compact molecule.
    """
    # Of a small molecule the accidental pose on the grid must not count.
    poses = _POSES if volumes.sum() < _SMALL_VOXELS else 1
    rng = np.random.default_rng(0)
    reach = int(np.ceil(np.linalg.norm(points, axis=1).max() + 4 * sigma)) + 2
    if 2 * reach > _LARGEST_GRID:  # very fine voxels: a coarser grid tells the same
        scale = _LARGEST_GRID / (2 * reach)
        return mask_level_of(points * scale, volumes * scale**3, max(sigma * scale, 0.5))
    edge = fast_length(2 * reach + 1)
    shape: TripleInt = (edge, edge, edge)
    blur = gaussian_transfer(shape, sigma) / splat_transfer(shape)
    pooled = []
    for _ in range(poses):
        turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
        posed = points @ turn.T + ((edge - 1) / 2 + rng.uniform(-0.5, 0.5, size=3))
        spectrum = torch.fft.rfftn(torch.from_numpy(splat(posed, volumes, shape))) * blur
        pooled.append(inverse_dft(spectrum, shape).ravel())
    every = torch.cat(pooled)
    rank = min(max(round(float(volumes.sum()) * poses), 1), every.numel() - 1)
    top = torch.topk(every, rank + 1).values
    # The level lies between the last voxel inside and the first outside.
    return float(0.5 * (top[-1] + top[-2]))


def fast_length(length: int) -> int:
    """Return the smallest length of at least `length` whose Fourier transform is fast."""
    from scipy.fft import next_fast_len

    return int(next_fast_len(length, real=True))
