"""Boxes of a tomogram with the voxels that the user corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_voxuda._types import Contrast, TripleInt
from napari_voxuda.data.boxes import cut_box
from napari_voxuda.data.corrections import BACKGROUND, PARTICLE, Corrections
from napari_voxuda.data.normalise import volume_statistics
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError

__all__ = ["CorrectedBoxes", "CorrectedTarget"]


@dataclass(frozen=True, kw_only=True, eq=False)
class CorrectedBoxes:
    """Boxes with what the user says of their voxels.

    Parameters
    ----------
    images : Tensor
        (n, d, h, w) float32, normalised, protein bright.
    labels, known : Tensor
        (n, d, h, w) bool: particle or not, and whether the user said so.
    """

    images: Tensor
    labels: Tensor
    known: Tensor

    def to(self, device: torch.device) -> CorrectedBoxes:
        """Return the boxes on a device."""
        return CorrectedBoxes(
            images=self.images.to(device),
            labels=self.labels.to(device),
            known=self.known.to(device),
        )


class CorrectedTarget:
    """Draws boxes around corrections and at random places, mirrored at random along their axes.

    Parameters
    ----------
    volume : Volume
        The tomogram; may be memory-mapped.
    corrections : Corrections
        At least one voxel, of this volume.
    contrast : {"bright", "dark"}
        Contrast of protein in the file.
    box : int
        Edge of a box in voxels, a multiple of 8.

    Raises
    ------
    InputError
        When there are no corrections, they belong to another volume, or the volume is not finite.
    """

    def __init__(
        self, volume: Volume, corrections: Corrections, *, contrast: Contrast, box: int
    ) -> None:
        if corrections.shape != volume.shape:
            raise InputError(
                f"{volume.name}: corrections of a volume of shape {volume.shape} were wanted, got "
                f"those of one of {corrections.shape}."
            )
        if len(corrections) == 0:
            raise InputError(
                f"{volume.name}: corrected voxels were wanted, got none. Paint or erase where the "
                "mask is wrong, then refine."
            )
        self.box = box
        self._data = volume.data
        self._marks = corrections.to_labels()
        self._positions = corrections.positions
        self._places = corrections.places()
        mean, std = volume_statistics(volume.data, name=volume.name)
        self._mean, self._scale = mean, (-1.0 if contrast == "dark" else 1.0) / std

    @property
    def corrected(self) -> int:
        """Number of corrected voxels."""
        return len(self._positions)

    @property
    def voxels(self) -> int:
        """Number of voxels of the volume."""
        return int(self._marks.size)

    def around_corrections(self, count: int, generator: torch.Generator) -> CorrectedBoxes:
        """Return `count` boxes that each hold a corrected voxel, not always in the middle."""
        starts = []
        for which in torch.randint(len(self._places), (count,), generator=generator).tolist():
            place = self._places[which]
            voxel = place[int(torch.randint(len(place), (1,), generator=generator))]
            offset = torch.randint(self.box // 4, 3 * self.box // 4, (3,), generator=generator)
            starts.append(self._inside(self._positions[voxel] - offset.numpy()))
        return self._cut(starts, generator)

    def anywhere(self, count: int, generator: torch.Generator) -> CorrectedBoxes:
        """Return `count` boxes at random places of the volume."""
        unit = torch.rand((count, 3), generator=generator, dtype=torch.float64).numpy()
        room = np.array(self._data.shape) - self.box + 1
        return self._cut([self._inside(np.floor(u * room)) for u in unit], generator)

    def _inside(self, start: npt.NDArray[Any]) -> TripleInt:
        """Return `start` moved into the volume; where that is thinner than a box, centred."""
        room = np.array(self._data.shape) - self.box
        z, y, x = np.where(room >= 0, np.clip(start, 0, np.maximum(room, 0)), room // 2)
        return int(z), int(y), int(x)

    def _cut(self, starts: list[TripleInt], generator: torch.Generator) -> CorrectedBoxes:
        images, marks = [], []
        for start in starts:
            turned = (torch.rand(3, generator=generator) < 0.5).tolist()
            axes = tuple(axis for axis in range(3) if turned[axis])
            images.append(np.flip(cut_box(self._data, start, self.box), axes))
            marks.append(np.flip(cut_box(self._marks, start, self.box), axes))
        values = (np.stack(images).astype(np.float64) - self._mean) * self._scale
        said = torch.from_numpy(np.stack(marks))
        return CorrectedBoxes(
            images=torch.from_numpy(values.astype(np.float32)),
            labels=said == PARTICLE,
            known=(said == PARTICLE) | (said == BACKGROUND),
        )
