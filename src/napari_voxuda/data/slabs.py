"""Volumes that are read and written a few z-slices at a time, so that memory stays bounded."""

from __future__ import annotations

import mmap
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import TripleInt
from napari_voxuda.errors import InputError

__all__ = ["ArraySink", "NegatedSink", "SlabSink", "release_pages"]


class SlabSink(Protocol):
    """Takes a volume in slabs of whole z-slices, first to last."""

    def append(self, slab: npt.NDArray[Any]) -> None:
        """Take the next slices, (n, h, w)."""

    def array(self) -> npt.NDArray[Any]:
        """Return the volume, (d, h, w), once all slices have come; it is not to be changed."""


class ArraySink:
    """Keeps a volume in memory.

    Parameters
    ----------
    shape : tuple of int
        Voxels along (z, y, x).

    Raises
    ------
    InputError
        When slices of another shape come, or more than the volume has.
    """

    def __init__(self, shape: TripleInt) -> None:
        self._values = np.empty(shape, dtype=np.float32)
        self._filled = 0

    def append(self, slab: npt.NDArray[Any]) -> None:
        """Copy the next slices, (n, h, w)."""
        end = self._filled + len(slab)
        if slab.shape[1:] != self._values.shape[1:] or end > len(self._values):
            raise InputError(
                f"slab: slices {self._filled} to {end - 1} of a volume of shape "
                f"{self._values.shape} were wanted, got an array of shape {slab.shape}."
            )
        self._values[self._filled : end] = slab
        self._filled = end

    def array(self) -> npt.NDArray[np.float32]:
        """Return the volume, (d, h, w) float32."""
        return self._values


class NegatedSink:
    """Changes the sign of what goes into a sink, which turns the contrast."""

    def __init__(self, sink: SlabSink) -> None:
        self._sink = sink

    def append(self, slab: npt.NDArray[Any]) -> None:
        """Hand on the next slices, times -1."""
        self._sink.append(-slab)

    def array(self) -> npt.NDArray[Any]:
        """Return what the sink holds."""
        return self._sink.array()


def release_pages(array: npt.NDArray[Any]) -> None:
    """Take the pages of a read-only memory map out of this process; the next access maps them again.

    Parameters
    ----------
    array : numpy.ndarray
        Any array; nothing happens where it is no read-only map of a file, or where the system does
        not offer it (Windows).

    Notes
    -----
    The system drops such pages itself when memory runs short. Until then they count as memory of
    the process, and a scheduler that kills jobs by their resident size does not know the difference.
    """
    advice = getattr(mmap, "MADV_DONTNEED", None)
    if advice is None or not isinstance(array, np.memmap) or array.mode != "r":
        return
    holder: Any = array
    while holder is not None and not isinstance(holder, mmap.mmap):
        holder = holder.obj if isinstance(holder, memoryview) else getattr(holder, "base", None)
    if holder is not None:
        holder.madvise(advice)
