"""What a network finds in the slice that is on the screen, while it is trained and afterwards.

The slice is covered by flat tiles, from the middle of the view outwards, and predicted two tiles at a time. While a run
goes on, that happens between two steps, and a purse pays for it: each second of training puts 0.08 s
into it, and tiles are predicted only while it is not empty. So a picture costs the training
a thirteenth of its time, however large the view and however slow the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Event, Message, TripleInt
from napari_voxuda.app.scene import SliceView
from napari_voxuda.data.boxes import cut_box
from napari_voxuda.errors import is_out_of_memory
from napari_voxuda.segmentation.slice_tiles import SliceTile, plan_slice, tiles_bounds

if TYPE_CHECKING:
    import torch

    from napari_voxuda.networks.voxresnet import VoxResNet

__all__ = ["LivePiece", "LivePrediction", "SlicePicture", "ViewWish"]

SHARE = 0.08  # seconds for the picture in a second of training
_EVERY_SECONDS = 2.0
_AT_LAST_SECONDS = 6.0
_FULL_PURSE_SECONDS = 0.6
_PAIR = 2  # a CPU is several times slower with one tile than with two


class ViewWish:
    """What a run is asked to show: the view, or None for nothing, and of which of its tomograms.

    The dock writes it and the run reads it; a run in a process of its own gets a copy with each request
    for an event.
    """

    def __init__(self, view: SliceView | None = None, tomogram: int = 0) -> None:
        self.view = view
        self.tomogram = tomogram


@dataclass(frozen=True, kw_only=True, eq=False)
class LivePiece(Event):
    """The foreground probability in a part of one slice.

    Parameters
    ----------
    step : int
        Steps after which the network was as it is here; the latest of them where tiles differ.
    data : numpy.ndarray
        (d, h, w) float32 in [0, 1], one voxel thick; 0 where it is not known yet.
    offset : tuple of int
        (z, y, x) of its first voxel in the volume.
    tomogram : int
        Which of the run's tomograms it is of.
    """

    step: int
    data: npt.NDArray[np.float32]
    offset: TripleInt
    tomogram: int = 0


class SlicePicture:
    """The picture of one slice, made of tiles; those that are in view again are kept.

    Parameters
    ----------
    volume : numpy.ndarray
        (d, h, w) real values; may be memory-mapped.
    mean, scale : float
        A network sees ``(value - mean) / scale``, which has protein bright.
    """

    def __init__(self, volume: npt.NDArray[Any], *, mean: float, scale: float) -> None:
        self._volume = volume
        self._mean = mean
        self._scale = scale
        self._tiles: list[SliceTile] = []
        self._known: dict[SliceTile, npt.NDArray[np.float32]] = {}
        self._next = 0

    def look_at(self, view: SliceView) -> None:
        """Show another view."""
        depth, height, width = self._volume.shape
        tiles = plan_slice((depth, height, width), view.axis, view.start, view.stop)
        if tiles != self._tiles:
            self._tiles, self._next = tiles, 0
            self._known = {tile: self._known[tile] for tile in tiles if tile in self._known}

    @property
    def is_even(self) -> bool:
        """Whether every tile of the view is known and as new as the others."""
        return self.is_complete and self._next == 0

    @property
    def is_complete(self) -> bool:
        """Whether every tile of the view is known, be it from an earlier network."""
        return len(self._known) == len(self._tiles)

    def advance(self, predict: Callable[[torch.Tensor], torch.Tensor]) -> None:
        """Predict the next two tiles; after the last it begins again, in the middle."""
        import torch

        chosen = self._tiles[self._next : self._next + _PAIR]
        self._next = (self._next + len(chosen)) % len(self._tiles)
        boxes = [
            (cut_box(self._volume, tile.start, tile.shape).astype(np.float64) - self._mean)
            / self._scale
            for tile in chosen
        ]
        filled = [boxes[0]] * _PAIR if len(boxes) == 1 else boxes
        found = predict(torch.from_numpy(np.stack(filled).astype(np.float32))).cpu().numpy()
        for tile, probability in zip(chosen, found, strict=False):
            self._known[tile] = np.array(probability[tile.kept_inside], dtype=np.float32)

    def piece(self, step: int) -> LivePiece:
        """Return what is known of the view."""
        first, last = tiles_bounds(self._tiles)
        data = np.zeros([b - a for a, b in zip(first, last, strict=True)], dtype=np.float32)
        for tile, probability in self._known.items():
            data[
                tuple(slice(k.start - a, k.stop - a) for k, a in zip(tile.kept, first, strict=True))
            ] = probability
        return LivePiece(step=step, data=data, offset=first)


class LivePrediction:
    """Looks at the network of a run after each step; see `napari_voxuda.adaptation.loop.StepWatch`.

    Parameters
    ----------
    pictures : sequence of SlicePicture
        One for each of the target's tomograms.
    wish : ViewWish
        What is to be shown.
    smooth_voxels : float
        As the run's card says. Mirror images are not averaged: they would take eight times the work.
    clock : callable
        Returns seconds.
    """

    def __init__(
        self,
        pictures: Sequence[SlicePicture],
        wish: ViewWish,
        *,
        smooth_voxels: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pictures = pictures
        self._shown = 0
        self._wish: ViewWish | None = wish
        self._smooth = smooth_voxels
        self._clock = clock
        self._purse = _FULL_PURSE_SECONDS
        self._left_at = clock()
        self._told_at = -_EVERY_SECONDS
        self._news = False

    def after_step(self, network: VoxResNet, step: int) -> Iterator[Event]:
        """Predict as many tiles as the purse pays for, and tell at most every 2 s."""
        trained = self._clock() - self._left_at
        self._purse = min(self._purse + SHARE * trained, _FULL_PURSE_SECONDS)
        view = None if self._wish is None else self._wish.view
        if view is not None:
            try:
                self._look(network, view, self._wish.tomogram if self._wish else 0)
            except (MemoryError, RuntimeError, OSError) as error:
                if not is_out_of_memory(error):
                    raise
                self._wish = None
            else:
                if self._is_due():
                    self._told_at, self._news = self._clock(), False
                    yield replace(self._picture.piece(step), tomogram=self._shown)
        if self._wish is None and view is not None:
            yield Message(
                text="The live prediction did not fit into memory and is left out; the run goes on.",
                level="warning",
            )
        self._left_at = self._clock()

    @property
    def _picture(self) -> SlicePicture:
        return self._pictures[self._shown]

    def _is_due(self) -> bool:
        """Whether there is something new to tell: an even picture, or a piece of one that takes long."""
        waited = self._clock() - self._told_at
        told_early = waited >= _AT_LAST_SECONDS or not self._picture.is_complete
        return self._news and waited >= _EVERY_SECONDS and (told_early or self._picture.is_even)

    def _look(self, network: VoxResNet, view: SliceView, tomogram: int) -> None:
        from napari_voxuda.networks.prediction import predict_steadily

        device = next(network.parameters()).device

        def predict(batch: torch.Tensor) -> torch.Tensor:
            return predict_steadily(
                network, batch.to(device), mirrors=False, smooth_voxels=self._smooth
            )

        self._shown = tomogram
        self._picture.look_at(view)
        while self._purse > 0:
            started = self._clock()
            self._picture.advance(predict)
            self._purse -= max(self._clock() - started, 1e-3)
            self._news = True
            if self._picture.is_even:
                break
