"""Predict tiles, and in smaller pieces once memory has run out."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Message
from napari_voxuda.errors import InputError, NoMemoryError, is_out_of_memory
from napari_voxuda.segmentation.tiling import plan_tiles

if TYPE_CHECKING:
    import torch

__all__ = ["Predict", "SmallerTiles", "TilePredictor"]

Predict = Callable[["torch.Tensor"], "torch.Tensor"]
"""(n, d, h, w) float32 normalised, protein bright → (n, d, h, w) probability in [0, 1]."""

_SMALLEST_CORE = 8
_PAIR = 2  # a CPU is several times slower with one tile than with two


class SmallerTiles(Message):
    """Memory ran out, and the work goes on with fewer or smaller tiles."""


class TilePredictor:
    """Predicts batches of tiles; when memory runs out, less at once from there on.

    First two tiles at once, then each tile cut into smaller ones with the same halo, whose cores are halved as often
    as needed.

    Parameters
    ----------
    predict : callable
        The network; see `Predict`.
    halo : int
        Context that a piece of a tile reads towards each neighbour, in voxels.
    """

    def __init__(self, predict: Predict, halo: int) -> None:
        self._predict = predict
        self._halo = -(-halo // 8) * 8
        self._most: int | None = None  # tiles at once, where that is fewer than asked
        self._core: int | None = None  # of the pieces of a tile
        self._news: list[SmallerTiles] = []

    def __call__(self, tiles: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
        """Return (n, d, h, w) float32 probabilities of n tiles of one shape.

        Raises
        ------
        InputError
            When the network changes the shape.
        NoMemoryError
            When memory runs out with the smallest pieces.
        """
        while True:
            try:
                return self._predicted(tiles)
            except (MemoryError, RuntimeError, OSError) as error:
                if not is_out_of_memory(error) or isinstance(error, NoMemoryError):
                    raise
            self._take_less(tiles)

    def news(self) -> list[SmallerTiles]:
        """Return what has happened since the last call, in words."""
        news, self._news = self._news, []
        return news

    def _predicted(self, tiles: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
        if self._core is not None:
            return np.stack([self._in_pieces(tile, self._core) for tile in tiles])
        most = self._most or len(tiles)
        parts = [tiles[first : first + most] for first in range(0, len(tiles), most)]
        return np.concatenate([self._at_once(part) for part in parts])

    def _at_once(self, tiles: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
        """Predict a batch; a single tile goes twice, since oneDNN is slow on batches of one."""
        import torch

        filled = [*tiles, tiles[0]] if len(tiles) == 1 else tiles
        batch = torch.from_numpy(np.stack(filled))
        probability = self._predict(batch)
        if probability.shape != batch.shape:
            raise InputError(
                f"prediction: shape {tuple(batch.shape)} was wanted, got {tuple(probability.shape)}."
            )
        found: npt.NDArray[np.float32] = probability.detach().float().cpu().numpy()
        return found[: len(tiles)]

    def _in_pieces(self, tile: npt.NDArray[np.float32], core: int) -> npt.NDArray[np.float32]:
        depth, height, width = tile.shape
        plan = plan_tiles((depth, height, width), core=core, halo=self._halo)
        found, pieces = np.empty_like(tile), list(plan)
        for first in range(0, len(pieces), _PAIR):
            pair = pieces[first : first + _PAIR]
            # A tile's edges are multiples of 8, so that no piece reaches beyond it.
            boxes = [
                tile[tuple(slice(s, s + n) for s, n in zip(p.start, plan.tile_shape, strict=True))]
                for p in pair
            ]
            for piece, probability in zip(pair, self._at_once(boxes), strict=True):
                found[piece.kept] = probability[piece.kept_inside]
        return found

    def _take_less(self, tiles: Sequence[npt.NDArray[np.float32]]) -> None:
        import torch

        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if self._core is None and min(len(tiles), self._most or len(tiles)) > _PAIR:
            self._most = _PAIR
            words = f"{len(tiles)} tiles at once; it goes on with {_PAIR}"
        else:
            context = 2 * self._halo
            edge = max(tiles[0].shape) if self._core is None else self._core + context
            core = (edge - context) // 2 // 8 * 8
            if core < _SMALLEST_CORE:
                raise NoMemoryError(
                    "segmentation: memory ran out although the tiles are as small as they can be. "
                    "Close other programs, choose the CPU as device, or a smaller halo."
                )
            self._core = core
            words = f"tiles of {edge} voxels; it goes on with tiles of {core + context}"
        self._news.append(
            SmallerTiles(text=f"Segmenting: memory ran out with {words}.", level="warning")
        )
