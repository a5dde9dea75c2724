"""Predict a whole volume tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Progress, Task
from napari_voxuda.data.reading import read_part
from napari_voxuda.data.slabs import ArraySink, SlabSink, release_pages
from napari_voxuda.errors import InputError
from napari_voxuda.segmentation.blending import BlendWeights
from napari_voxuda.segmentation.settings import SegmentSettings
from napari_voxuda.segmentation.slab_window import SlabWindow
from napari_voxuda.segmentation.smaller_tiles import Predict, TilePredictor
from napari_voxuda.segmentation.tiling import Tile, Tiling, plan_tiles, reflected_indices

__all__ = ["Predict", "predict_tiles", "read_tile"]


def predict_tiles(
    volume_array: npt.NDArray[Any],
    predict: Predict,
    settings: SegmentSettings,
    *,
    mean: float,
    std: float,
    invert: bool = False,
    sink: SlabSink | None = None,
) -> Task[npt.NDArray[np.float32]]:
    """Predict a volume of any shape and yield `Progress` after each batch of tiles.

    Where memory runs out it goes on with fewer and smaller tiles, and yields a `Message`.

    Parameters
    ----------
    volume_array : numpy.ndarray
        (d, h, w) real values; may be a read-only memory map, of which single tiles are copied.
    predict : callable
        Maps (n, d, h, w) float32 tiles, ``2 <= n <= max(2, settings.batch)`` and all of one shape
        with edges that are multiples of 8, to probabilities of the same shape.
    settings : SegmentSettings
        Core, halo, batch and how tiles are merged.
    mean, std : float
        Statistics of the whole volume; tiles are scaled to ``(value - mean) / std``.
    invert : bool
        Change the sign after scaling, for volumes in which protein is dark.
    sink : SlabSink or None
        Takes the probability slab by slab as it becomes final; kept in memory when None.

    Returns
    -------
    numpy.ndarray
        (d, h, w) float32 probability, as the sink gives it. Beyond it, memory is bounded by one layer
        of tiles along z.

    Raises
    ------
    InputError
        When the volume is not three-dimensional, is empty or complex, or `mean` or `std` is
        unusable, or `predict` changes the shape.
    NoMemoryError
        When memory runs out with the smallest tiles.
    """
    _check(volume_array, mean, std)
    depth, height, width = volume_array.shape
    tiling = plan_tiles((depth, height, width), core=settings.core, halo=settings.halo)
    scale = -std if invert else std
    sink = ArraySink((depth, height, width)) if sink is None else sink
    window = SlabWindow(tiling, sink, bounds=(0.0, 1.0))
    put = _merger(window, tiling, settings)
    predicted = TilePredictor(predict, settings.halo)
    done, layer = 0, 0
    yield Progress(stage="Segmenting", done=0, total=len(tiling))
    for tiles in _batched(iter(tiling), max(2, settings.batch)):
        boxes = [read_tile(volume_array, tile, tiling, mean=mean, scale=scale) for tile in tiles]
        for tile, probability in zip(tiles, predicted(boxes), strict=True):
            window.begin(tile)
            put(tile, probability)
        yield from predicted.news()
        if tiles[-1].index[0] != layer:
            layer = tiles[-1].index[0]
            release_pages(volume_array)
        done += len(tiles)
        yield Progress(stage="Segmenting", done=done, total=len(tiling))
    window.finish()
    release_pages(volume_array)
    found: npt.NDArray[np.float32] = sink.array()
    return found


def read_tile(
    volume: npt.NDArray[Any], tile: Tile, tiling: Tiling, *, mean: float = 0.0, scale: float = 1.0
) -> npt.NDArray[np.float32]:
    """Copy one tile out of a volume, mirrored beyond its end, as ``(value - mean) / scale``.

    Parameters
    ----------
    volume : numpy.ndarray
        (d, h, w) real values; only the tile's voxels are touched.
    tile, tiling : Tile, Tiling
        Which tile of which plan.
    mean, scale : float
        Computed with in float64, since tomograms with values near 1e11 exist.

    Returns
    -------
    numpy.ndarray
        (d, h, w) float32 of the tile's shape, writable and contiguous.
    """
    indices = [
        reflected_indices(start, axis.size, axis.length)
        for start, axis in zip(tile.start, tiling.axes, strict=True)
    ]
    region = tuple(slice(int(i.min()), int(i.max()) + 1) for i in indices)
    block = read_part(volume, region).astype(np.float64)
    block -= mean
    block /= scale
    z, y, x = (i - part.start for i, part in zip(indices, region, strict=True))
    return np.ascontiguousarray(block[np.ix_(z, y, x)], dtype=np.float32)


def _merger(
    window: SlabWindow, tiling: Tiling, settings: SegmentSettings
) -> Callable[[Tile, npt.NDArray[np.float32]], None]:
    """Return the function that writes a predicted tile into the window."""
    if settings.merge == "cores":

        def put_core(tile: Tile, probability: npt.NDArray[np.float32]) -> None:
            window.part(tile.kept)[:] = probability[tile.kept_inside]

        return put_core
    weights = BlendWeights(tiling, settings.window)

    def add_weighted(tile: Tile, probability: npt.NDArray[np.float32]) -> None:
        z, y, x = (
            min(start + axis.size, axis.length) - start
            for start, axis in zip(tile.start, tiling.axes, strict=True)
        )
        first_z, first_y, first_x = tile.start
        region = (
            slice(first_z, first_z + z),
            slice(first_y, first_y + y),
            slice(first_x, first_x + x),
        )
        window.part(region)[:] += (weights(tile) * probability)[:z, :y, :x]

    return add_weighted


def _batched(tiles: Iterator[Tile], size: int) -> Iterator[list[Tile]]:
    while batch := list(islice(tiles, size)):
        yield batch


def _check(volume: npt.NDArray[Any], mean: float, std: float) -> None:
    if volume.ndim != 3:
        raise InputError(
            f"segmentation: a volume (z, y, x) was wanted, got an array of shape {volume.shape}."
        )
    if np.iscomplexobj(volume):
        raise InputError("segmentation: real values were wanted, got complex ones.")
    if not (np.isfinite(mean) and np.isfinite(std) and std > 0):
        raise InputError(
            f"segmentation: a finite mean and a positive standard deviation were wanted, got {mean} "
            f"and {std}. A constant volume, or one with NaN or infinity, cannot be segmented."
        )
