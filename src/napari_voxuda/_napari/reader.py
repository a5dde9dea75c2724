"""Open volumes as layers that know their voxel size and place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_voxuda.data.lazy import LazyArray
from napari_voxuda.data.volume import Volume

__all__ = ["get_reader", "is_mask", "layer_data", "open_layer"]

_LayerData = tuple[Any, dict[str, Any], str]
_Paths = str | Sequence[str]
_LARGEST_MASK_CHECK = 64 * 2**20
_LARGEST_LABELS = 2**30


def get_reader(path: _Paths) -> Callable[[_Paths], list[_LayerData]] | None:
    """Return a function that reads `path`, or None when a name is not that of a volume."""
    from napari_voxuda.io.volumes import is_volume_name

    names = [path] if isinstance(path, str) else list(path)
    if all(is_volume_name(name.rstrip("/\\")) for name in names):
        return _read
    return None


def _read(path: _Paths) -> list[_LayerData]:
    return [open_layer(Path(name)) for name in ([path] if isinstance(path, str) else path)]


def open_layer(path: Path) -> _LayerData:
    """Return a file, or a folder of OME-Zarr with all its resolutions, as napari layer data.

    What is doubtful about it is shown as a notification.
    """
    from napari.utils.notifications import show_info

    from napari_voxuda.io.volumes import read_volume, zarr_folder_of

    folder = zarr_folder_of(path)
    if folder is not None:
        volume, levels, is_label = _opened(folder)
    else:
        volume = read_volume(path)
        levels, is_label = [volume.data], False
    for warning in volume.warnings:
        show_info(f"{volume.name}: {warning}")
    return layer_data(volume, levels, is_label=is_label)


def _opened(folder: Path) -> tuple[Volume, list[Any], bool]:
    """Return an OME-Zarr image at its finest resolution, and all of its resolutions."""
    from napari_voxuda.io.ome_zarr import open_ome_zarr

    image = open_ome_zarr(folder)
    finest = image.levels[0]
    data: Any = finest.data
    volume = Volume(
        data=data, grid=finest.grid, name=image.name, path=image.path, warnings=image.warnings
    )
    return volume, [level.data for level in image.levels], image.is_label


def layer_data(
    volume: Volume, levels: Sequence[Any] | None = None, *, is_label: bool = False
) -> _LayerData:
    """Return `volume` as napari layer data: labels if it is a mask, else a lazy image.

    Parameters
    ----------
    volume : Volume
        The volume at its finest resolution.
    levels : sequence of array or None
        All resolutions, the finest first; an image with several becomes a pyramid.
    is_label : bool
        Whether the file says that these are labels.
    """
    from napari_voxuda._napari.layers import contrast_limits, volume_keywords

    keywords = volume_keywords(volume)
    labels = is_label and volume.data.nbytes <= _LARGEST_LABELS
    if (labels and volume.data.dtype.kind in "iu") or is_mask(volume):
        return np.array(volume.data), keywords, "labels"
    pyramid = list(levels or [volume.data])
    keywords |= {
        "contrast_limits": contrast_limits(pyramid[-1]),
        "colormap": "gray",
        "multiscale": len(pyramid) > 1,
        "rgb": False,
    }
    if len(pyramid) > 1:
        return pyramid, keywords, "image"
    data = volume.data
    if not data.dtype.isnative:  # OpenGL takes no other byte order than the machine's
        data = data.astype(data.dtype.newbyteorder("="))
    return data, keywords, "image"


def is_mask(volume: Volume) -> bool:
    """Whether a file looks like a mask: whole numbers from 0, named mask, labels or instances."""
    named = any(word in volume.name.lower() for word in ("mask", "label", "instance", "segment"))
    if not named or volume.data.dtype.kind not in "iu" or volume.data.nbytes > _LARGEST_MASK_CHECK:
        return False
    data = np.asarray(volume.data) if isinstance(volume.data, LazyArray) else volume.data
    return bool(data.min() == 0)
