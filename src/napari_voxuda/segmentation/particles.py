"""One connected component of a mask."""

from __future__ import annotations

from dataclasses import dataclass

from napari_voxuda._types import Triple

__all__ = ["Particle"]


@dataclass(frozen=True, kw_only=True)
class Particle:
    """A connected component of foreground voxels.

    Parameters
    ----------
    label : int
        1-based number in the instance labels.
    centroid : tuple of float
        Centre (z, y, x) in voxels, 0-based.
    voxels : int
        Number of voxels.
    volume_angstrom3 : float or None
        Volume in Å³; None when the voxel size is unknown.
    mean_probability : float
        Mean foreground probability over its voxels.
    """

    label: int
    centroid: Triple
    voxels: int
    volume_angstrom3: float | None
    mean_probability: float
