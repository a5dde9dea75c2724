"""Open MRC files as layers that know their voxel size and place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_voxuda.data.volume import Volume

__all__ = ["get_reader", "is_mask", "layer_data"]

_LayerData = tuple[Any, dict[str, Any], str]
_Paths = str | Sequence[str]
_LARGEST_MASK_CHECK = 64 * 2**20


def get_reader(path: _Paths) -> Callable[[_Paths], list[_LayerData]] | None:
    """Return a function that reads `path`, or None when a name is not that of an MRC file."""
    from napari_voxuda.io.mrc import is_mrc_name

    names = [path] if isinstance(path, str) else list(path)
    if all(is_mrc_name(name) for name in names):
        return _read
    return None


def _read(path: _Paths) -> list[_LayerData]:
    from napari.utils.notifications import show_info

    from napari_voxuda.io.mrc import read_mrc

    layers = []
    for name in [path] if isinstance(path, str) else path:
        volume = read_mrc(Path(name))
        for warning in volume.warnings:
            show_info(f"{volume.name}: {warning}")
        layers.append(layer_data(volume))
    return layers


def layer_data(volume: Volume) -> _LayerData:
    """Return `volume` as napari layer data: labels if it is a mask, else a lazy image."""
    from napari_voxuda._napari.layers import contrast_limits, volume_keywords

    keywords = volume_keywords(volume)
    if is_mask(volume):
        return np.array(volume.data), keywords, "labels"
    keywords |= {
        "contrast_limits": contrast_limits(volume.data),
        "colormap": "gray",
        "multiscale": False,
        "rgb": False,
    }
    data = volume.data
    if not data.dtype.isnative:  # OpenGL takes no other byte order than the machine's
        data = data.astype(data.dtype.newbyteorder("="))
    return data, keywords, "image"


def is_mask(volume: Volume) -> bool:
    """Whether a file looks like a mask: whole numbers from 0, named mask, labels or instances."""
    named = any(word in volume.name.lower() for word in ("mask", "label", "instance", "segment"))
    if not named or volume.data.dtype.kind not in "iu" or volume.data.nbytes > _LARGEST_MASK_CHECK:
        return False
    return bool(volume.data.min() == 0)
