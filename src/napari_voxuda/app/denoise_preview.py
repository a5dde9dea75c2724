"""What a denoiser makes of the visible part of one slice, exactly as in the whole volume."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import TripleInt
from napari_voxuda.app.denoise import ValueStatistics, denoise_region, measure_values
from napari_voxuda.app.scene import SliceView
from napari_voxuda.data.volume import Volume
from napari_voxuda.method.denoising import DenoiseSettings, denoise_halo

__all__ = ["PreviewPiece", "ValueCache", "preview_slice"]

_LARGEST_EDGE = 768
_LARGEST_FOURIER_VOXELS = 1 << 24
_FOURIER_HALO = 16


class ValueCache:
    """Remembers range and deviation of the last volume, which the filters refer to."""

    def __init__(self) -> None:
        self._key: Hashable = None
        self._data: npt.NDArray[np.generic] | None = None
        self._statistics: ValueStatistics | None = None

    def knows(self, key: Hashable, volume: Volume) -> bool:
        """Whether `of` answers at once."""
        return self._statistics is not None and self._key == key and self._data is volume.data

    def of(self, key: Hashable, volume: Volume) -> ValueStatistics:
        """Return the statistics of `volume`, the data of the layer `key`; may read all of it."""
        statistics = self._statistics if self.knows(key, volume) else None
        if statistics is None:
            statistics = _measured(volume)
            self._key, self._data, self._statistics = key, volume.data, statistics
        return statistics


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
        Whether the whole volume would have the same values here.
    """

    data: npt.NDArray[np.float32]
    offset: TripleInt
    is_exact: bool = True


def preview_slice(
    volume: Volume, view: SliceView, settings: DenoiseSettings, statistics: ValueStatistics
) -> PreviewPiece:
    """Denoise what is visible of one slice, with the neighbourhood that the filter needs.

    Parameters
    ----------
    volume : Volume
        The whole volume; only the neighbourhood is read.
    view : SliceView
        The visible region; its middle 768 by 768 voxels are used where it is larger.
    settings : DenoiseSettings
        The denoiser.
    statistics : ValueStatistics
        Of the whole volume.

    Returns
    -------
    PreviewPiece
        The piece; that of the NGM denoiser is approximate on volumes above 16 million voxels,
        whose Fourier transform would take too long.
    """
    halo = denoise_halo(settings)
    whole = halo is None and volume.data.size <= _LARGEST_FOURIER_VOXELS
    reach = max(volume.shape) if whole else _FOURIER_HALO if halo is None else halo
    inner, outer = [], []
    for size, first, last in zip(volume.shape, view.start, view.stop, strict=True):
        excess = max(0, last - first - _LARGEST_EDGE) // 2
        low, high = first + excess, last - excess
        inner.append((low, high))
        outer.append((max(0, low - reach), min(size, high + reach)))
    region = np.array(volume.data[tuple(slice(a, b) for a, b in outer)])
    denoised = denoise_region(
        region,
        settings,
        (statistics.minimum, statistics.maximum),
        standard_deviation=statistics.standard_deviation,
    )
    crop = tuple(slice(i[0] - o[0], i[1] - o[0]) for i, o in zip(inner, outer, strict=True))
    z, y, x = (low for low, _ in inner)
    return PreviewPiece(
        data=np.ascontiguousarray(denoised[crop]),
        offset=(z, y, x),
        is_exact=whole or halo is not None,
    )
