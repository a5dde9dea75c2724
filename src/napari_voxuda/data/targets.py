"""Unlabelled target boxes: drawn from a tomogram, or from a set of subtomograms."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_voxuda._types import Contrast, Normalisation, TripleInt
from napari_voxuda.data.boxes import cut_box
from napari_voxuda.data.normalise import volume_statistics, z_score
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.reading import FileStamp
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError, TargetChangedError

__all__ = ["SubtomogramTarget", "Target", "TomogramTarget"]


class Target(ABC):
    """Where target boxes come from.

    Attributes
    ----------
    box : int
        Edge of a box in voxels.
    normalisation : {"volume", "subtomogram"}
        Over what the boxes are scaled to mean 0 and variance 1.
    """

    box: int
    normalisation: Normalisation

    @abstractmethod
    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return (count, box, box, box) float32 boxes, normalised, protein bright."""

    def check(self) -> None:  # noqa: B027  # nothing to do for what lies in memory
        """Make sure that the target is still what it was.

        Raises
        ------
        TargetChangedError
            When its file has gone, or holds other values than before.
        """

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return JSON-able facts that identify the target when a run is resumed."""


class TomogramTarget(Target):
    """Boxes of one tomogram, at random places or near picks.

    Parameters
    ----------
    volume : Volume
        The tomogram; may be memory-mapped.
    box : int
        Edge of a box in voxels; where the tomogram is thinner it is mirrored at its borders.
    contrast : {"bright", "dark"}
        Contrast of protein in the file.
    picks : Picks or None
        Positions near which boxes are drawn, up to a quarter box away along each axis.

    Raises
    ------
    InputError
        When the tomogram is not finite or constant, or a pick lies outside of it.
    """

    normalisation: Normalisation = "volume"

    def __init__(
        self, volume: Volume, *, box: int, contrast: Contrast, picks: Picks | None = None
    ) -> None:
        self.box = box
        self._data = volume.data
        self._sign = -1.0 if contrast == "dark" else 1.0
        is_mapped = volume.path is not None and isinstance(volume.data, np.memmap)
        self._stamp = FileStamp(volume.path) if is_mapped and volume.path else None
        digest = hashlib.sha256()
        self._mean, self._std = volume_statistics(volume.data, name=_name(volume), digest=digest)
        self._checksum = digest.hexdigest()
        self._picks = None if picks is None else _checked_picks(picks, volume)

    @property
    def values(self) -> npt.NDArray[Any]:
        """The tomogram's values (d, h, w) as they are in its file."""
        return self._data

    @property
    def mean(self) -> float:
        """Their mean."""
        return self._mean

    @property
    def scale(self) -> float:
        """By what ``value - mean`` is divided: the standard deviation, negative for dark protein."""
        return self._sign * self._std

    @property
    def picked(self) -> int | None:
        """Number of picks; None where boxes are drawn at random places."""
        return None if self._picks is None else len(self._picks)

    def check(self) -> None:
        """Make sure that the tomogram's file is there and, if it was written to, holds the same."""
        if self._stamp is None or not self._stamp.has_changed():
            return
        path = self._stamp.path
        stamp, digest = FileStamp(path), hashlib.sha256()
        with suppress(InputError):  # no volume any more: no checksum either
            volume_statistics(self._data, name=str(path), digest=digest)
        if digest.hexdigest() != self._checksum:
            raise TargetChangedError(
                f"{path}: the tomogram has changed since the run began. Put the file back as it was "
                "and go on, or start a new run."
            )
        self._stamp = stamp

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return (count, box, box, box) float32 boxes, normalised, protein bright."""
        starts = self.places(count, generator)
        boxes = np.stack([cut_box(self._data, start, self.box) for start in starts])
        scale = self._sign / self._std
        return (torch.from_numpy(boxes.astype(np.float32)) - self._mean) * scale

    def describe(self) -> dict[str, Any]:
        """Return shape, mean, standard deviation and SHA-256 of the tomogram's values."""
        return {
            "kind": "tomogram",
            "shape": list(self._data.shape),
            "mean": self._mean,
            "std": self._std,
            "checksum": self._checksum,
            "picks": self.picked,
        }

    def places(self, count: int, generator: torch.Generator) -> list[TripleInt]:
        """Return the first voxels (z, y, x) of the boxes that `draw` would return."""
        shape = torch.tensor(self._data.shape, dtype=torch.float64)
        unit = torch.rand((count, 3), generator=generator, dtype=torch.float64)
        room = shape - self.box
        if self._picks is None:
            start = torch.where(room > 0, unit * (room + 1), room / 2)
        else:
            chosen = torch.randint(len(self._picks), (count,), generator=generator)
            centre = torch.from_numpy(self._picks)[chosen] + (unit - 0.5) * self.box / 2
            start = centre - self.box / 2 + 0.5
            start = torch.where(room > 0, start.clamp(min=0).minimum(room), room / 2)
        whole = start.floor().long().tolist()
        return [(z, y, x) for z, y, x in whole]


class SubtomogramTarget(Target):
    """A set of subtomograms, each normalised by itself: the paper's protocol.

    Parameters
    ----------
    volumes : sequence of Volume
        At least one; each edge at least `box`. Larger ones give crops at random places.
    box : int
        Edge of a box in voxels.
    contrast : {"bright", "dark"}
        Contrast of protein in the files.

    Raises
    ------
    InputError
        When a volume is smaller than the box, not finite or constant.
    """

    normalisation: Normalisation = "subtomogram"

    def __init__(self, volumes: Sequence[Volume], *, box: int, contrast: Contrast) -> None:
        if not volumes:
            raise InputError("target: at least one subtomogram was wanted, got none.")
        digest = hashlib.sha256()
        for volume in volumes:
            if min(volume.shape) < box:
                raise InputError(
                    f"{_name(volume)}: edges of at least {box} voxels were wanted, "
                    f"got {volume.shape}. Choose a smaller box."
                )
            volume_statistics(volume.data, name=_name(volume), digest=digest)
        self._checksum = digest.hexdigest()
        self.box = box
        self._volumes = volumes
        self._sign = -1.0 if contrast == "dark" else 1.0

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return (count, box, box, box) float32 boxes, normalised, protein bright."""
        chosen = torch.randint(len(self._volumes), (count,), generator=generator).tolist()
        unit = torch.rand((count, 3), generator=generator, dtype=torch.float64).tolist()
        boxes = [self._crop(i, u) for i, u in zip(chosen, unit, strict=True)]
        return z_score(torch.from_numpy(np.stack(boxes))) * self._sign

    def describe(self) -> dict[str, Any]:
        """Return number, first and last name, and SHA-256 of the subtomograms' values."""
        return {
            "kind": "subtomograms",
            "count": len(self._volumes),
            "first": self._volumes[0].name,
            "last": self._volumes[-1].name,
            "checksum": self._checksum,
        }

    def _crop(self, index: int, unit: list[float]) -> np.ndarray[Any, np.dtype[np.float32]]:
        data = self._volumes[index].data
        start = [int(u * (n - self.box + 1)) for u, n in zip(unit, data.shape, strict=True)]
        return cut_box(data, (start[0], start[1], start[2]), self.box).astype(np.float32)


def _name(volume: Volume) -> str:
    return str(volume.path or volume.name)


def _checked_picks(picks: Picks, volume: Volume) -> np.ndarray[Any, np.dtype[np.float64]]:
    if len(picks) == 0:
        raise InputError("picks: at least one position was wanted, got none.")
    outside = ((picks.positions < -0.5) | (picks.positions > np.array(volume.shape) - 0.5)).any(1)
    if outside.any():
        worst = picks.positions[outside][0].round(1).tolist()
        raise InputError(
            f"picks: positions inside the volume of shape {volume.shape} were wanted, got "
            f"{int(outside.sum())} outside, for example (z, y, x) = {worst}. Check that the picks "
            "belong to this tomogram and to its voxel size."
        )
    return picks.positions
