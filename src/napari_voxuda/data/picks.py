"""Particle positions in a tomogram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_voxuda.errors import InputError

__all__ = ["Picks"]

_ROUNDING = 1e-5


@dataclass(frozen=True, kw_only=True, eq=False)
class Picks:
    """Particle centres, in voxels of one tomogram.

    Parameters
    ----------
    positions : numpy.ndarray
        (n, 3) float64 coordinates (z, y, x) in voxels; a voxel's centre is its 0-based index.
    scores : numpy.ndarray or None
        (n,) values in [0, 1].

    Raises
    ------
    InputError
        When the shapes do not fit, a coordinate is not finite or a score outside [0, 1].
    """

    positions: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.positions.ndim != 2 or self.positions.shape[1] != 3:
            raise InputError(
                f"picks: positions of shape (n, 3) were wanted, got {self.positions.shape}."
            )
        if not np.isfinite(self.positions).all():
            raise InputError("picks: finite positions were wanted, got NaN or infinity.")
        if self.scores is not None and self.scores.shape != (len(self.positions),):
            raise InputError(
                f"picks: {len(self.positions)} scores were wanted, got {self.scores.shape}."
            )
        if self.scores is not None and not (np.abs(self.scores - 0.5) <= 0.5 + _ROUNDING).all():
            raise InputError(
                f"picks: scores in [0, 1] were wanted, got {self.scores.min():g} to "
                f"{self.scores.max():g}."
            )

    def __len__(self) -> int:
        return len(self.positions)
