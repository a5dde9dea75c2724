"""What the network of a snapshot finds in the slice that is on the screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from napari_voxuda._types import Task
from napari_voxuda.app.live.view import LivePiece, SlicePicture
from napari_voxuda.app.scene import SliceView
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import FileFormatError

if TYPE_CHECKING:
    from napari_voxuda.networks.checkpoint import Model

__all__ = ["SnapshotViewer"]

_EVERY_SECONDS = 0.5


class SnapshotViewer:
    """Predicts views of a volume with snapshots; remembers the last network and its picture.

    Its tasks are run one after the other, in a worker.

    Parameters
    ----------
    clock : callable
        Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._data: npt.NDArray[Any] | None = None
        self._statistics = (0.0, 1.0)
        self._path: Path | None = None
        self._model: Model | None = None
        self._picture: SlicePicture | None = None

    def task(self, volume: Volume, path: Path, step: int, view: SliceView) -> Task[LivePiece]:
        """Predict what is visible of a slice.

        Parameters
        ----------
        volume : Volume
            The tomogram; only the tiles are read, and once all of it for mean and variance.
        path : Path
            The snapshot.
        step : int
            Its step.
        view : SliceView
            What is visible.

        Yields
        ------
        LivePiece
            What is known so far, from the middle outwards, twice a second.

        Returns
        -------
        LivePiece
            The whole view, or the middle of a large one.

        Raises
        ------
        FileFormatError
            When the snapshot is damaged or gone.
        InputError
            When the volume cannot be normalised.
        """
        model, picture = self._prepared(volume, path)
        picture.look_at(view)
        told = self._clock()
        while not picture.is_complete:
            picture.advance(model.predict)
            if self._clock() - told >= _EVERY_SECONDS:
                told = self._clock()
                yield picture.piece(step)
        yield from ()
        return picture.piece(step)

    def _prepared(self, volume: Volume, path: Path) -> tuple[Model, SlicePicture]:
        from napari_voxuda.data.normalise import volume_statistics

        if self._data is not volume.data:
            self._statistics = volume_statistics(volume.data, name=volume.name)
            self._data, self._picture = volume.data, None
        if self._model is None or self._path != path:
            self._model, self._path, self._picture = _load(path), path, None
        if self._picture is None:
            mean, std = self._statistics
            sign = -1.0 if self._model.contrast == "dark" else 1.0
            self._picture = SlicePicture(volume.data, mean=mean, scale=sign * std)
        return self._model, self._picture


def _load(path: Path) -> Model:
    """Load a snapshot; without the average over mirror images, which takes eight times as long."""
    from dataclasses import replace

    from napari_voxuda.networks.checkpoint import load_model

    if not path.is_file():
        raise FileFormatError(f"{path}: the snapshot is gone.")
    model = load_model(path)
    return replace(model, card=replace(model.card, mirrors=False))
