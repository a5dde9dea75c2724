"""What a denoiser makes of the visible part of one slice, as in the whole volume, and fast."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import TripleInt
from napari_voxuda.app.denoise.task import ValueStatistics, denoise_region, measure_values
from napari_voxuda.app.scene import SliceView
from napari_voxuda.data.reading import read_part
from napari_voxuda.data.volume import Volume
from napari_voxuda.method.denoising import DenoiseSettings, denoise_halo

if TYPE_CHECKING:
    import torch

__all__ = ["PreviewPiece", "PreviewSource", "preview_slice"]

_LARGEST_EDGE = 1024
_LARGEST_STACK_VOXELS = 1 << 26
_LARGEST_FOURIER_VOXELS = 1 << 24
_FOURIER_HALO = 16

Bounds = tuple[tuple[int, int], ...]


class PreviewSource:
    """Reads what previews need of a volume and remembers what it read and computed last.

    A slider step needs the same voxels as the step before, and the same gradients. They are not
    read again before another volume, slice or region is asked for.
    """

    def __init__(self) -> None:
        self._key: Hashable = None
        self._data: Any = None
        self._statistics: ValueStatistics | None = None
        self._kept: dict[str, tuple[Hashable, Any]] = {}

    def statistics(self, key: Hashable, volume: Volume) -> ValueStatistics:
        """Return the statistics of `volume`, the data of the layer `key`; may read all of it."""
        self._take(key, volume)
        if self._statistics is None:
            self._statistics = _measured(volume)
        return self._statistics

    def block(
        self, kind: str, volume: Volume, axis: int, outer: Bounds, pad: int
    ) -> npt.NDArray[np.float32]:
        """Return a part of the volume with its `axis` first.

        Parameters
        ----------
        kind : str
            What it is for: the last block of each kind is kept.
        volume : Volume
            The volume.
        axis : int
            The axis that comes first.
        outer : tuple of tuple of int
            (first, last + 1) along z, y and x; where it reaches up to `pad` voxels beyond the
            volume, the border voxels are repeated.
        pad : int
            How far.

        Returns
        -------
        numpy.ndarray
            float32 in C order, not to be changed; the volume's own array where it is asked for as
            it lies in memory.
        """
        block: npt.NDArray[np.float32] = self.kept(
            kind, volume, (axis, outer), lambda: _read_block(volume, axis, outer, pad)
        )
        return block

    def kept(self, kind: str, volume: Volume, wanted: Hashable, make: Callable[[], Any]) -> Any:
        """Return what was made last of this `kind`; make it anew for other data or another `wanted`."""
        if volume.data is not self._data:
            self._take(None, volume)
        kept = self._kept.get(kind)
        if kept is None or kept[0] != wanted:
            kept = (wanted, make())
            self._kept[kind] = kept
        return kept[1]

    def _take(self, key: Hashable, volume: Volume) -> None:
        if self._key != key or self._data is not volume.data:
            self._key, self._data, self._statistics = key, volume.data, None
            self._kept.clear()


def _read_block(volume: Volume, axis: int, outer: Bounds, pad: int) -> npt.NDArray[np.float32]:
    inside = [(max(0, a), min(n, b)) for (a, b), n in zip(outer, volume.shape, strict=True)]
    whole = all(i == (0, n) for i, n in zip(inside, volume.shape, strict=True))
    if whole and _is_ready(volume.data):
        values = volume.data  # a copy of a large volume takes longer than its filter
    else:
        values = read_part(volume.data, tuple(slice(a, b) for a, b in inside))
    moved = np.moveaxis(values.astype(np.float32, copy=False), axis, 0)
    if pad:
        beyond = [(i[0] - o[0], o[1] - i[1]) for i, o in zip(inside, outer, strict=True)]
        beyond.insert(0, beyond.pop(axis))
        moved = np.pad(moved, beyond, mode="edge")
    return np.ascontiguousarray(moved)


def _is_ready(data: npt.NDArray[Any]) -> bool:
    """Whether an array lies in memory as torch takes it; a view may be one of a file."""
    own = type(data) is np.ndarray and data.base is None
    return own and data.dtype == np.dtype(np.float32) and data.flags.writeable


def _measured(volume: Volume) -> ValueStatistics:
    task = measure_values(volume.data, name=volume.name)
    while True:
        try:
            next(task)
        except StopIteration as stop:
            statistics: ValueStatistics = stop.value
            return statistics


@dataclass(frozen=True, kw_only=True, eq=False)
class PreviewPiece:
    """A denoised piece of one slice.

    Parameters
    ----------
    data : numpy.ndarray
        (d, h, w) float32 with one voxel along the axis across the slice.
    offset : tuple of int
        (z, y, x) of its first voxel in the volume.
    is_exact : bool
        Whether the whole volume would have the same values here, up to rounding.
    """

    data: npt.NDArray[np.float32]
    offset: TripleInt
    is_exact: bool = True


def preview_slice(
    volume: Volume,
    view: SliceView,
    settings: DenoiseSettings | None,
    statistics: ValueStatistics,
    source: PreviewSource | None = None,
) -> PreviewPiece:
    """Denoise what is visible of one slice, with the neighbourhood that the filter needs.

    Parameters
    ----------
    volume : Volume
        The whole volume; only the neighbourhood is read.
    view : SliceView
        The visible region; its middle 1024 by 1024 voxels are used where it is larger.
    settings : DenoiseSettings or None
        The denoiser; the slice as it is without.
    statistics : ValueStatistics
        Of the whole volume.
    source : PreviewSource or None
        Remembers what was read for the next call.

    Returns
    -------
    PreviewPiece
        The piece; that of the NGM denoiser is approximate on volumes above 67 million voxels
        (16 million for its radial shape), of which only the slices near by are used.
    """
    source = PreviewSource() if source is None else source
    inner = _inner_bounds(view)
    is_exact = True
    if settings is None:
        plane = source.block("raw", volume, view.axis, inner, 0)[0]
    elif settings.method != "ngm":
        plane = _bilateral_plane(volume, view.axis, inner, settings, statistics, source)
    elif settings.shape == "cube":
        plane, is_exact = _cube_plane(volume, view.axis, inner, settings, source)
    else:
        plane, is_exact = _radial_plane(volume, view.axis, inner, settings)
    z, y, x = (low for low, _ in inner)
    data = np.expand_dims(np.ascontiguousarray(plane), view.axis)
    return PreviewPiece(data=data, offset=(z, y, x), is_exact=is_exact)


def _inner_bounds(view: SliceView) -> Bounds:
    bounds = []
    for first, last in zip(view.start, view.stop, strict=True):
        excess = max(0, last - first - _LARGEST_EDGE) // 2
        bounds.append((first + excess, min(last - excess, first + excess + _LARGEST_EDGE)))
    return tuple(bounds)


def _bilateral_plane(
    volume: Volume,
    axis: int,
    inner: Bounds,
    settings: DenoiseSettings,
    statistics: ValueStatistics,
    source: PreviewSource,
) -> npt.NDArray[np.float32]:
    import torch

    from napari_voxuda.method.slice_filter import bilateral_slice, slice_gradient, slice_mean

    halo = denoise_halo(settings) or 0
    outer = tuple((a - halo, b + halo) for a, b in inner)

    def slab() -> torch.Tensor:
        return torch.from_numpy(source.block(settings.method, volume, axis, outer, halo))

    domain, width = settings.sigma_domain, settings.sigma_range
    if settings.method == "bilateral":
        # A kernel wider by the deviation does what division of the values by it does.
        unit = statistics.standard_deviation or 1.0
        return bilateral_slice(slab(), domain, width * unit).numpy()
    limits, operator = (statistics.minimum, statistics.maximum), settings.operator
    features = source.kept(
        "gradient",
        volume,
        (axis, outer, limits, operator),
        lambda: slice_gradient(slab(), value_range=limits, operator=operator),
    )
    return slice_mean(features, domain, width).numpy()


def _cube_plane(
    volume: Volume,
    axis: int,
    inner: Bounds,
    settings: DenoiseSettings,
    source: PreviewSource,
) -> tuple[npt.NDArray[np.float32], bool]:
    import torch

    from napari_voxuda.method.ngm_slice import ngm_denoise_slice

    outer, whole = _stack_bounds(volume.shape, axis, inner)
    stack = torch.from_numpy(source.block("ngm", volume, axis, outer, 0))
    index = inner[axis][0] - outer[axis][0]
    plane = ngm_denoise_slice(stack, 0, index, settings.pass_fraction).numpy()
    crop = [
        slice(i[0] - o[0], i[1] - o[0])
        for n, (i, o) in enumerate(zip(inner, outer, strict=True))
        if n != axis
    ]
    return plane[tuple(crop)], whole


def _stack_bounds(shape: TripleInt, axis: int, inner: Bounds) -> tuple[Bounds, bool]:
    """Return the part of a volume whose Fourier transform a preview uses, and if it is all."""
    size = shape[0] * shape[1] * shape[2]
    if size <= _LARGEST_STACK_VOXELS:
        return tuple((0, n) for n in shape), True
    outer = [
        (max(0, a - _FOURIER_HALO), min(n, b + _FOURIER_HALO))
        for (a, b), n in zip(inner, shape, strict=True)
    ]
    area = int(np.prod([b - a for n, (a, b) in enumerate(outer) if n != axis]))
    count = min(shape[axis], max(2 * _FOURIER_HALO + 1, _LARGEST_STACK_VOXELS // area))
    first = min(max(0, inner[axis][0] - count // 2), shape[axis] - count)
    outer[axis] = (first, first + count)
    return tuple(outer), False


def _radial_plane(
    volume: Volume, axis: int, inner: Bounds, settings: DenoiseSettings
) -> tuple[npt.NDArray[np.float32], bool]:
    whole = volume.data.size <= _LARGEST_FOURIER_VOXELS
    reach = max(volume.shape) if whole else _FOURIER_HALO
    outer = [
        (max(0, a - reach), min(n, b + reach))
        for (a, b), n in zip(inner, volume.shape, strict=True)
    ]
    region = read_part(volume.data, tuple(slice(a, b) for a, b in outer))
    denoised = denoise_region(region, settings)
    crop = tuple(slice(i[0] - o[0], i[1] - o[0]) for i, o in zip(inner, outer, strict=True))
    return np.moveaxis(denoised[crop], axis, 0)[0], whole
