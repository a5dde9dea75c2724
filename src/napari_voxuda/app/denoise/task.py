"""Denoise a whole volume in blocks, or a piece of one for a preview."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Message, Progress, Task
from napari_voxuda.app.denoise.fourier import ngm_slabs
from napari_voxuda.app.device import memory_bytes, resolve_device
from napari_voxuda.app.jobs import DenoiseJob, DeviceName
from napari_voxuda.data.reading import read_part, unchanged
from napari_voxuda.data.slabs import ArraySink, NegatedSink, SlabSink, release_pages
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError
from napari_voxuda.method.denoising import DenoiseSettings, denoise, denoise_halo
from napari_voxuda.segmentation.slab_window import SlabWindow
from napari_voxuda.segmentation.tiling import plan_tiles

if TYPE_CHECKING:
    import torch

__all__ = [
    "ValueStatistics",
    "denoise_blocks",
    "denoise_into",
    "denoise_region",
    "denoise_task",
    "measure_values",
]

_CORE_VOXELS = {"cpu": 48, "cuda": 192}  # a block and its intermediates fit a CPU's cache
_SLAB_BYTES = 1 << 25
_FOURIER_BYTES_PER_VOXEL = 24  # measured 16 to 18 beside the input
_AT_ONCE_BYTES = 1 << 29


@dataclass(frozen=True, kw_only=True)
class ValueStatistics:
    """What the filters need to know of a whole volume to filter a block of it.

    Parameters
    ----------
    minimum, maximum : float
        Lowest and highest value, as float32.
    standard_deviation : float
        Population standard deviation, at least 0.
    """

    minimum: float
    maximum: float
    standard_deviation: float


def denoise_task(job: DenoiseJob) -> Task[Volume]:
    """Denoise a whole volume.

    Parameters
    ----------
    job : DenoiseJob
        The volume, the denoiser's settings and the device.

    Yields
    ------
    Event
        `Progress` before each piece of work, and a `Message` where the work is done elsewhere
        than asked.

    Returns
    -------
    Volume
        float32, on the grid of the given volume and under its name.

    Raises
    ------
    InputError
        When a value is NaN or infinite, or the device is not there.
    OutputError
        When the interim file of the NGM denoiser cannot be written.

    Notes
    -----
    Both bilateral filters work on blocks with a halo and give the same bits as on the whole
    volume; beyond the result they need memory for one layer of blocks. The NGM denoiser transforms
    the whole volume, so that its filter has no seams, a large one by way of an interim file; the
    cube of the kept coefficients is round(n rho^(1/3)) along an axis of n voxels, the same band of
    frequencies as in a box of 32.
    """
    sink = ArraySink(job.volume.shape)
    yield from denoise_into(job, sink)
    return job.volume.with_data(sink.array())


def denoise_into(job: DenoiseJob, sink: SlabSink, *, scratch: Path | None = None) -> Task[None]:
    """Denoise a volume and give the result to `sink`; see `denoise_task`.

    Parameters
    ----------
    job : DenoiseJob
        The volume, the denoiser's settings and the device.
    sink : SlabSink
        Takes the result, float32.
    scratch : Path or None
        Folder of the interim file that NGM needs for a large volume; the system's when None.
    """
    with unchanged(job.volume):
        yield from _denoise_into(job, sink, scratch)


def _denoise_into(job: DenoiseJob, sink: SlabSink, scratch: Path | None) -> Task[None]:
    device = resolve_device(job.device)
    volume, settings = job.volume, job.settings
    statistics = yield from measure_values(volume.data, name=volume.name)
    target = NegatedSink(sink) if job.invert else sink
    if settings.method != "ngm":
        yield from denoise_blocks(volume.data, settings, device, statistics, target)
        return
    fits = yield from _device_for_fourier(volume, device)
    if fits is None:
        yield from ngm_slabs(volume.data, settings, target, scratch)
        return
    yield Progress(stage="Denoising", done=0, total=1)
    block = read_part(volume.data, slice(None)).astype(np.float32)
    target.append(_filtered(block, settings, fits, None, None))
    yield Progress(stage="Denoising", done=1, total=1)


def denoise_region(
    array: npt.NDArray[Any],
    settings: DenoiseSettings,
    value_range: tuple[float, float] | None = None,
    *,
    standard_deviation: float | None = None,
    device: DeviceName = "cpu",
) -> npt.NDArray[np.float32]:
    """Denoise a small piece of a volume at once, for a preview.

    Parameters
    ----------
    array : numpy.ndarray
        (d, h, w) real values; include `denoise_halo` voxels around what is shown.
    settings : DenoiseSettings
        The denoiser.
    value_range : tuple of float or None
        (lowest, highest) value of the whole volume; with it an IBF preview shows what the
        whole volume will look like. The piece's own when None.
    standard_deviation : float or None
        Of the whole volume, likewise for the bilateral filter.
    device : {"auto", "cpu", "cuda"}
        Where it is computed.

    Returns
    -------
    numpy.ndarray
        (d, h, w) float32.

    Raises
    ------
    InputError
        When the array is no volume, holds NaN or infinity, or the device is not there.
    """
    volume = Volume(data=array, name="preview")
    block = _finite_float32(volume.data, (0, 0, 0), volume.name)
    return _filtered(block, settings, resolve_device(device), value_range, standard_deviation)


def measure_values(array: npt.NDArray[Any], *, name: str = "volume") -> Task[ValueStatistics]:
    """Measure range and standard deviation of a volume, read one z-slab at a time.

    Parameters
    ----------
    array : numpy.ndarray
        (d, h, w) real values; may be a memory map larger than memory.
    name : str
        Names the volume in errors.

    Yields
    ------
    Progress
        Before each slab.

    Returns
    -------
    ValueStatistics
        Of the values as float32.

    Raises
    ------
    InputError
        When a value is NaN, infinite or beyond float32; says where.
    """
    depth = max(1, _SLAB_BYTES // (array[0].size * 8))
    starts = range(0, len(array), depth)
    low, high = math.inf, -math.inf
    count, mean, squares = 0, 0.0, 0.0
    for done, start in enumerate(starts):
        yield Progress(stage="Reading values", done=done, total=len(starts))
        slab = _finite_float32(read_part(array, slice(start, start + depth)), (start, 0, 0), name)
        low, high = min(low, float(slab.min())), max(high, float(slab.max()))
        wide = slab.astype(np.float64)
        slab_mean = float(wide.mean())
        wide -= slab_mean
        squares += float(np.vdot(wide, wide))
        squares += (slab_mean - mean) ** 2 * count * wide.size / (count + wide.size)
        count += wide.size
        mean += (slab_mean - mean) * wide.size / count
        release_pages(array)
    yield Progress(stage="Reading values", done=len(starts), total=len(starts))
    return ValueStatistics(minimum=low, maximum=high, standard_deviation=math.sqrt(squares / count))


def denoise_blocks(
    array: npt.NDArray[Any],
    settings: DenoiseSettings,
    device: torch.device,
    statistics: ValueStatistics,
    sink: SlabSink,
) -> Task[None]:
    """Denoise by one of the bilateral filters in blocks, with the statistics of the whole volume."""
    d, h, w = array.shape
    halo = denoise_halo(settings) or 0
    tiles = plan_tiles((d, h, w), core=_CORE_VOXELS[device.type], halo=halo, multiple=1)
    window = SlabWindow(tiles, sink)
    layer = 0
    for done, tile in enumerate(tiles):
        yield Progress(stage="Denoising", done=done, total=len(tiles))
        if tile.index[0] != layer:
            layer = tile.index[0]
            release_pages(array)
        read = tuple(
            slice(start, start + size)
            for start, size in zip(tile.start, tiles.tile_shape, strict=True)
        )
        block = read_part(array, read).astype(np.float32)
        filtered = _filtered(
            block,
            settings,
            device,
            (statistics.minimum, statistics.maximum),
            statistics.standard_deviation,
        )
        window.begin(tile)
        window.part(tile.kept)[:] = filtered[tile.kept_inside]
    window.finish()
    release_pages(array)
    yield Progress(stage="Denoising", done=len(tiles), total=len(tiles))


def _device_for_fourier(volume: Volume, device: torch.device) -> Task[torch.device | None]:
    """Return where the whole volume is transformed at once, None where it is done by parts."""
    import torch

    needed = volume.data.size * _FOURIER_BYTES_PER_VOXEL
    if device.type == "cuda":
        if (memory_bytes(device) or needed) >= needed:
            return device
        yield Message(
            text="The volume's Fourier transform does not fit the GPU's free memory; "
            "the CPU computes it.",
            level="warning",
        )
    return torch.device("cpu") if needed <= _AT_ONCE_BYTES else None


def _filtered(
    block: npt.NDArray[np.float32],
    settings: DenoiseSettings,
    device: torch.device,
    value_range: tuple[float, float] | None,
    standard_deviation: float | None,
) -> npt.NDArray[np.float32]:
    import torch

    tensor = torch.from_numpy(block).to(device)
    filtered = denoise(
        tensor, settings, value_range=value_range, standard_deviation=standard_deviation
    )
    result: npt.NDArray[np.float32] = filtered.cpu().numpy()
    return result


def _finite_float32(
    array: npt.NDArray[Any], start: tuple[int, int, int], name: str
) -> npt.NDArray[np.float32]:
    """Copy a piece that starts at `start` in its volume, refusing what float32 cannot hold."""
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name}: real numbers were wanted, got values of type {array.dtype}.")
    with np.errstate(over="ignore"):
        copy = np.array(array, dtype=np.float32, order="C")
    if not np.isfinite(copy).all():
        inside = np.argwhere(~np.isfinite(copy))[0]
        z, y, x = (int(a + b) for a, b in zip(inside, start, strict=True))
        raise InputError(
            f"{name}: finite values were wanted, got {array[tuple(inside)]} at voxel (z, y, x) = "
            f"({z}, {y}, {x}); replace such values, for example by the volume's mean."
        )
    return copy
