"""Masks and instance labels as whole numbers from 0 on, however a file stored them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError

__all__ = ["as_mask"]

_BACKGROUND_SHARE = 0.1


def as_mask(volume: Volume) -> Volume:
    """Return a mask or instance labels as unsigned integers with background 0.

    Parameters
    ----------
    volume : Volume
        (d, h, w) whole numbers of any type. Bytes that went through a program with another idea of
        their sign are put right: -128 and -127 (0 and 1 shifted), labels from -128 on where that is
        at least a tenth of the volume, 0 and -1 or -128 and 127 (0 and 255); and a mask of 0 and 255
        becomes one of 0 and 1.

    Returns
    -------
    Volume
        uint8 where labels go up to 255, else uint16 or uint32; same grid, name, path and warnings.

    Raises
    ------
    InputError
        When values are fractional, not finite, negative in another way, or too large.
    """
    data = volume.data
    low, high = _range(volume)
    shift, scale = 0, 1
    if low == -128 and high == 127 and _only(data, low, high):
        shift, scale = 128, 255
    elif (low >= -128 and high <= -127) or (low == -128 and _share(data, low) > _BACKGROUND_SHARE):
        shift = 128
    elif low == -1 and high in (-1, 0):
        scale = -1
    elif high == 255 and low in (0, 255) and _only(data, 0, 255):
        scale = 255
    elif low < 0:
        raise InputError(
            f"{volume.name}: a mask with values of at least 0 was wanted, got {low:.0f} to {high:.0f}."
        )
    largest = (high + shift) // scale if scale > 0 else 1
    if largest >= 1 << 32:
        raise InputError(f"{volume.name}: labels below 2^32 were wanted, got {largest:.0f}.")
    out = np.empty(data.shape, np.min_scalar_type(int(largest)))
    for i, plane in enumerate(data):
        out[i] = (plane.astype(np.int64) + shift) // scale
    return Volume(
        data=out, grid=volume.grid, name=volume.name, path=volume.path, warnings=volume.warnings
    )


def _range(volume: Volume) -> tuple[float, float]:
    """Return the smallest and largest value; refuse what is not a whole number."""
    data = volume.data
    if data.dtype.kind == "b":
        return 0.0, float(any(plane.any() for plane in data))
    if data.dtype.kind not in "iuf":
        raise InputError(f"{volume.name}: a mask of whole numbers was wanted, got {data.dtype}.")
    if data.dtype.kind == "f" and not all(_is_whole(plane) for plane in data):
        raise InputError(
            f"{volume.name}: a mask of whole numbers was wanted, got fractions or NaN; is this a "
            "tomogram or a probability map? Threshold it first."
        )
    return float(min(p.min() for p in data)), float(max(p.max() for p in data))


def _is_whole(plane: npt.NDArray[Any]) -> bool:
    return bool(np.isfinite(plane).all() and (plane == np.rint(plane)).all())


def _only(data: npt.NDArray[Any], *values: float) -> bool:
    """Whether no other values occur."""
    return all(np.isin(plane, values).all() for plane in data)


def _share(data: npt.NDArray[Any], value: float) -> float:
    """Return the fraction of voxels with a value."""
    return sum(int((plane == value).sum()) for plane in data) / data.size
