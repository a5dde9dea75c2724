"""Molecules from density maps: the voxels inside the molecule become weighted points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Triple
from napari_voxuda.errors import InputError
from napari_voxuda.io.mrc import read_mrc
from napari_voxuda.simulation.molecules import Molecule

__all__ = ["molecule_from_map"]

_FINEST_ANGSTROM = 3.0
_MASK_SIGMA_ANGSTROM = 4.0
_LEVEL = 0.5
_DUST = 0.02

_Map = npt.NDArray[np.float32]


def molecule_from_map(path: str | Path, *, voxel_size_angstrom: float) -> Molecule:
    """Read a density map and turn its molecule into points.

    Parameters
    ----------
    path : str or pathlib.Path
        MRC file, protein bright, background near 0, with a known voxel size.
    voxel_size_angstrom : float
        Voxel size that the molecule will be rendered at; points are about half as far apart.

    Returns
    -------
    Molecule
        Its volume is that of the isosurface at half of the map's largest value, after a blur to
        about 10 Å; points weigh in proportion to the map's density.

    Raises
    ------
    InputError
        When the voxel size is unknown, or nothing in the map stands out.

    Notes
    -----
    At half of the peak the maps of a 20S proteasome and of a mitochondrial ribosome at 10 Å enclose
    their molecular volumes of 1.21 Å³/Da to about 15 %. Parts smaller than 2 % of the largest one
    are dust and left out.
    """
    volume = read_mrc(path)
    size = volume.grid.voxel_size_angstrom
    if size is None:
        raise InputError(
            f"{path}: a density map with a voxel size was wanted, but its header has none; set it."
        )
    data = np.asarray(volume.data, dtype=np.float32)
    if not np.isfinite(data).all():
        raise InputError(f"{path}: a map of finite values was wanted, got NaN or infinity.")
    spacing = max(_FINEST_ANGSTROM, 0.5 * voxel_size_angstrom)
    data, size = _resampled(_trimmed(data), size, spacing)
    inside = _inside(data, size, path)
    points = np.argwhere(inside) * np.asarray(size)
    weights = np.maximum(data[inside], 0.0)
    weights *= len(weights) * np.prod(size) / weights.sum()
    return Molecule(
        name=Path(path).name, points=points.astype(np.float32), volumes=weights.astype(np.float32)
    )


def _trimmed(data: _Map) -> _Map:
    """Cut away what surrounds the values above a tenth of the largest one, for speed."""
    bright = data > 0.1 * data.max()
    if not bright.any():
        return data
    spans = []
    for axis in range(3):
        found = np.flatnonzero(bright.any(axis=tuple(a for a in range(3) if a != axis)))
        spans.append(slice(max(0, found[0] - 3), found[-1] + 4))
    return data[tuple(spans)]


def _resampled(data: _Map, size: Triple, spacing: float) -> tuple[_Map, Triple]:
    """Average whole blocks where the map is finer than `spacing`, interpolate where coarser."""
    from scipy.ndimage import zoom

    blocks = [max(1, int(spacing / s)) for s in size]
    if max(blocks) > 1:
        kept = [n // b * b for n, b in zip(data.shape, blocks, strict=True)]
        data = data[: kept[0], : kept[1], : kept[2]]
        (d, h, w), (a, b, c) = data.shape, blocks
        data = data.reshape(d // a, a, h // b, b, w // c, c).mean(axis=(1, 3, 5))
        size = (size[0] * a, size[1] * b, size[2] * c)
    factors = [max(1.0, s / spacing) for s in size]
    if max(factors) > 1.2:
        before = data.shape
        data = zoom(data, factors, order=3, mode="nearest", grid_mode=False)
        # Corner voxels stay in place: spacing is (n - 1) / (m - 1) of the old one.
        d, h, w = (
            s * (n - 1) / max(m - 1, 1) for s, n, m in zip(size, before, data.shape, strict=True)
        )
        size = (d, h, w)
    return data, size


def _inside(data: _Map, size: Triple, path: str | Path) -> npt.NDArray[np.bool_]:
    """Return the voxels above half of the peak at about 10 Å, without dust."""
    from scipy.ndimage import gaussian_filter, label

    smooth = gaussian_filter(data, [_MASK_SIGMA_ANGSTROM / s for s in size], mode="constant")
    peak = float(smooth.max())
    spread = float(np.abs(smooth).mean())
    if peak <= 0 or peak < 2 * spread:
        raise InputError(
            f"{path}: a map with one bright molecule on a background near 0 was wanted; "
            "nothing in it stands out. Is the contrast inverted?"
        )
    parts, count = label(smooth >= _LEVEL * peak)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    sizes[0] = 0
    keep = sizes >= _DUST * sizes.max()
    keep[0] = False
    return np.asarray(keep[parts], dtype=np.bool_)
