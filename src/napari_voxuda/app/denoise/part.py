"""Denoise a part of a volume: the same values as in the whole, without computing the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Task, TripleInt
from napari_voxuda.app.denoise.task import denoise_blocks, denoise_into, measure_values
from napari_voxuda.app.device import resolve_device
from napari_voxuda.app.jobs import DenoiseJob
from napari_voxuda.data.reading import read_part
from napari_voxuda.data.slabs import ArraySink, SlabSink
from napari_voxuda.method.denoising import denoise_halo

__all__ = ["denoise_part_task"]


def denoise_part_task(
    job: DenoiseJob, start: TripleInt, stop: TripleInt
) -> Task[npt.NDArray[np.float32]]:
    """Denoise the voxels from `start` to `stop` of a volume.

    Parameters
    ----------
    job : DenoiseJob
        The volume, the denoiser's settings and the device.
    start, stop : tuple of int
        (z, y, x) bounds of the part, within the volume.

    Yields
    ------
    Event
        As `denoise_task`.

    Returns
    -------
    numpy.ndarray
        (d, h, w) float32, what `denoise_task` makes of the part.

    Raises
    ------
    InputError, OutputError
        For the reasons of `denoise_task`.

    Notes
    -----
    All of the volume is read for its range of values. The NGM denoiser transforms all of it as well.
    """
    settings = job.settings
    shape = (stop[0] - start[0], stop[1] - start[1], stop[2] - start[2])
    sink = ArraySink(shape)
    if settings.method == "ngm":
        yield from denoise_into(job, _PartSink(sink, start, stop))
        return sink.array()
    device = resolve_device(job.device)
    statistics = yield from measure_values(job.volume.data, name=job.volume.name)
    halo = denoise_halo(settings) or 0
    bounds = list(zip(start, stop, job.volume.shape, strict=True))
    outer = [(max(0, a - halo), min(n, b + halo)) for a, b, n in bounds]
    block = read_part(job.volume.data, tuple(slice(a, b) for a, b in outer))
    inner_start = tuple(a - o[0] for a, o in zip(start, outer, strict=True))
    inner_stop = tuple(b - o[0] for b, o in zip(stop, outer, strict=True))
    part = _PartSink(sink, inner_start, inner_stop)
    yield from denoise_blocks(block, settings, device, statistics, part)
    found = sink.array()
    return -found if job.invert else found


class _PartSink:
    """Hands on the part of a volume that lies between two corners."""

    def __init__(self, sink: SlabSink, start: tuple[int, ...], stop: tuple[int, ...]) -> None:
        self._sink = sink
        self._depths = (start[0], stop[0])
        self._plane = (slice(start[1], stop[1]), slice(start[2], stop[2]))
        self._done = 0

    def append(self, slab: npt.NDArray[Any]) -> None:
        """Hand on what of the next slices belongs to the part."""
        first, last = (min(max(0, d - self._done), len(slab)) for d in self._depths)
        self._done += len(slab)
        if last > first:
            self._sink.append(slab[first:last, *self._plane])

    def array(self) -> npt.NDArray[Any]:
        """Return what the sink holds."""
        return self._sink.array()
