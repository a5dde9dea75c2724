"""Corrections that follow what the user paints on a mask, undo included."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda.app.scene import LabelEdit
from napari_voxuda.data.corrections import BACKGROUND, PARTICLE

__all__ = ["LabelHistory"]


class LabelHistory:
    """Knows every voxel of a mask that the user painted, and what it was before.

    A voxel whose foreground the user changed is a correction; when undo brings it back to
    what it was, it has the mark again that it had then. What the program writes is no correction.
    """

    def __init__(self) -> None:
        self._voxels = np.zeros(0, np.int64)
        self._before = np.zeros(0, np.bool_)
        self._mark_before = np.zeros(0, np.uint8)
        self._last = np.zeros(0, np.bool_)

    def edited(
        self, edit: LabelEdit | None, labels: npt.NDArray[Any], marks: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        """Take note of a step and return which marks change, as flat indices and values.

        Parameters
        ----------
        edit : LabelEdit or None
            The step; None for undo and redo.
        labels : numpy.ndarray
            (d, h, w) the mask after the step.
        marks : numpy.ndarray
            (d, h, w) the corrections so far; see `napari_voxuda.data.corrections`.
        """
        if edit is not None:
            self._add(edit, marks)
        current = labels.reshape(-1)[self._voxels] != 0
        changed = current != self._last
        self._last = current
        wanted = np.where(current, PARTICLE, BACKGROUND).astype(np.uint8)
        wanted = np.where(current == self._before, self._mark_before, wanted)
        voxels, wanted = self._voxels[changed], wanted[changed]
        differs = marks.reshape(-1)[voxels] != wanted
        return voxels[differs], wanted[differs]

    def written(self, labels: npt.NDArray[Any]) -> None:
        """Take note that the program has written the mask (d, h, w)."""
        self._last = labels.reshape(-1)[self._voxels] != 0

    def _add(self, edit: LabelEdit, marks: npt.NDArray[np.uint8]) -> None:
        is_new = ~np.isin(edit.voxels, self._voxels)
        voxels, before = edit.voxels[is_new], edit.before[is_new] != 0
        self._voxels = np.concatenate([self._voxels, voxels])
        self._before = np.concatenate([self._before, before])
        self._last = np.concatenate([self._last, before])
        self._mark_before = np.concatenate([self._mark_before, marks.reshape(-1)[voxels]])
