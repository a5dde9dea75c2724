"""How the masks were made that undo and redo may bring back."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda.app.mask.refinement import MaskChoice

__all__ = ["ChoiceHistory"]

_KEPT = 100  # steps, as many as the viewer takes back
_MOST_VOXELS = 100_000_000  # more would take a noticeable time


class ChoiceHistory:
    """Knows by their checksum how the last masks were made."""

    def __init__(self) -> None:
        self._choices: dict[int, MaskChoice] = {}

    def made(self, labels: npt.NDArray[Any], choice: MaskChoice) -> None:
        """Take note of how labels (d, h, w) were made."""
        if labels.size > _MOST_VOXELS:
            return
        mark = _checksum(labels)
        self._choices.pop(mark, None)
        self._choices[mark] = choice
        if len(self._choices) > _KEPT:
            del self._choices[next(iter(self._choices))]

    def find(self, labels: npt.NDArray[Any]) -> MaskChoice | None:
        """Return how labels (d, h, w) were made, or None where that is not known."""
        if labels.size > _MOST_VOXELS:
            return None
        return self._choices.get(_checksum(labels))


def _checksum(labels: npt.NDArray[Any]) -> int:
    return zlib.crc32(np.ascontiguousarray(labels).data)
