"""Voxels of a volume that a user has corrected."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import TripleInt
from napari_voxuda.errors import InputError

__all__ = ["BACKGROUND", "PARTICLE", "Corrections", "fingerprint"]

PARTICLE = 1
BACKGROUND = 2
_CELL = 8
_SAMPLED = 4096


@dataclass(frozen=True, kw_only=True, eq=False)
class Corrections:
    """What a user says of single voxels, kept as a list since they are few.

    Parameters
    ----------
    shape : tuple of int
        Voxels of the volume along (z, y, x).
    positions : numpy.ndarray
        (n, 3) int32 indices (z, y, x), each voxel once.
    foreground : numpy.ndarray
        (n,) bool: particle, or background.
    joins : tuple of tuple of tuple of int
        Groups of voxels (z, y, x) whose components are one particle.

    Raises
    ------
    InputError
        When a position lies outside the volume, or the arrays differ in length.
    """

    shape: TripleInt
    positions: npt.NDArray[np.int32]
    foreground: npt.NDArray[np.bool_]
    joins: tuple[tuple[TripleInt, ...], ...] = ()

    def __post_init__(self) -> None:
        if self.positions.shape != (len(self.foreground), 3):
            raise InputError(
                f"corrections: (n, 3) positions and (n,) values were wanted, got "
                f"{self.positions.shape} and {self.foreground.shape}."
            )
        joined = np.array([v for group in self.joins for v in group], dtype=np.int64)
        for given in (self.positions, joined.reshape(-1, 3)):
            if ((given < 0) | (given >= np.array(self.shape))).any():
                raise InputError(
                    f"corrections: positions inside a volume of shape {self.shape} were wanted, "
                    "got some outside. They belong to another volume."
                )

    @classmethod
    def none(cls, shape: TripleInt) -> Corrections:
        """Return no corrections of a volume of `shape`."""
        return cls(
            shape=shape, positions=np.zeros((0, 3), np.int32), foreground=np.zeros(0, np.bool_)
        )

    @classmethod
    def from_labels(cls, labels: npt.NDArray[Any]) -> Corrections:
        """Read corrections from labels (d, h, w): 1 is particle, 2 background, 0 not corrected.

        Raises
        ------
        InputError
            When the labels are not whole numbers from 0 to 2, or not three-dimensional.
        """
        if labels.ndim != 3 or labels.dtype.kind not in "iub":
            raise InputError(
                f"corrections: whole-numbered labels (z, y, x) were wanted, got {labels.dtype} of "
                f"shape {labels.shape}."
            )
        where = np.nonzero(labels)
        values = labels[where].astype(np.int64)
        if values.size and (values.min() < PARTICLE or values.max() > BACKGROUND):
            raise InputError(
                f"corrections: the labels {PARTICLE} (particle) and {BACKGROUND} (background) were "
                f"wanted, got {int(values.max())}."
            )
        d, h, w = labels.shape
        return cls(
            shape=(d, h, w),
            positions=np.stack(where, axis=1).astype(np.int32),
            foreground=values == PARTICLE,
        )

    def __len__(self) -> int:
        """Return the number of corrected voxels."""
        return len(self.foreground)

    def to_labels(self) -> npt.NDArray[np.uint8]:
        """Return labels (d, h, w) uint8 as `from_labels` reads them."""
        labels = np.zeros(self.shape, np.uint8)
        labels[tuple(self.positions.T)] = np.where(self.foreground, PARTICLE, BACKGROUND)
        return labels

    def merged(self, newer: Corrections) -> Corrections:
        """Return these corrections with those of `newer`, which win where both have a voxel."""
        labels, over = self.to_labels(), newer.to_labels()
        joins = (*self.joins, *(group for group in newer.joins if group not in self.joins))
        return Corrections.from_labels(np.where(over, over, labels)).with_joins(joins)

    def with_joins(self, joins: tuple[tuple[TripleInt, ...], ...]) -> Corrections:
        """Return the same voxels with other groups of joined components."""
        return replace(self, joins=joins)

    def places(self) -> list[npt.NDArray[np.intp]]:
        """Return the indices of the corrected voxels, grouped by cells of 8 voxels.

        Each group has the same chance when boxes are drawn, so that one large correction does not
        outweigh several small ones.
        """
        if len(self) == 0:
            return []
        cells, which = np.unique(self.positions // _CELL, axis=0, return_inverse=True)
        order = np.argsort(which.reshape(-1), kind="stable")
        counts = np.bincount(which.reshape(-1), minlength=len(cells))
        return np.split(order, np.cumsum(counts)[:-1])


def fingerprint(data: npt.NDArray[Any]) -> str:
    """Return 16 hexadecimal digits that tell a volume (d, h, w) from others.

    Made from its shape and a sparse sample of its values, as float32 whatever their type.
    """
    import hashlib

    stride = max(1, int(np.ceil((data.size / _SAMPLED) ** (1 / 3))))
    sample = np.ascontiguousarray(data[::stride, ::stride, ::stride], dtype="<f4")
    digest = hashlib.sha256(repr(tuple(data.shape)).encode())
    digest.update(sample.tobytes())
    return digest.hexdigest()[:16]
