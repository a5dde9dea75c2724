"""Read parts of a volume, also of one whose file shrinks or goes while it is read.

A program that touches a memory map beyond the end of its file is ended by the system (SIGBUS), without a
word. So parts of a memory-mapped volume are read from the file by ordinary calls, which fail with an
error that can be told.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import TargetChangedError

__all__ = ["FileStamp", "read_part", "unchanged"]


class FileStamp:
    """What a file looks like from outside: which it is, its size, and when it was written.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Raises
    ------
    TargetChangedError
        When it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._facts = _facts(path)

    def has_changed(self) -> bool:
        """Whether it looks different by now.

        Raises
        ------
        TargetChangedError
            When it has gone.
        """
        return _facts(self.path) != self._facts


@contextmanager
def unchanged(volume: Volume) -> Iterator[None]:
    """Go around all reading of a volume that stays in its file.

    Raises
    ------
    TargetChangedError
        At the end, when the file has gone or was written to meanwhile: what was read may be of both.
    """
    mapped = isinstance(volume.data, np.memmap)
    stamp = FileStamp(volume.path) if mapped and volume.path is not None else None
    yield
    if stamp is not None and stamp.has_changed():
        raise TargetChangedError(
            f"{stamp.path}: the file was written to while it was read. Put it back as it was, then "
            "start again."
        )


def read_part(array: npt.NDArray[Any], region: slice | tuple[slice, ...]) -> npt.NDArray[Any]:
    """Copy a part of a volume into memory.

    Parameters
    ----------
    array : numpy.ndarray
        (d, h, w) values; a memory map of a file, or anything else.
    region : slice or tuple of slice
        The part, with steps of 1.

    Returns
    -------
    numpy.ndarray
        The values in the type of `array`, in C order and memory of their own.

    Raises
    ------
    TargetChangedError
        When the file has gone or is shorter than it was.
    """
    part: Any = array[region]
    mapped = getattr(part, "_mmap", None)
    name = getattr(part, "filename", None)
    is_plain = all(stride > 0 for stride in part.strides) and part.size > 0
    if mapped is None or name is None or not is_plain or not hasattr(os, "preadv"):
        return np.array(part, order="C", subok=False)
    begin = part.offset - part.offset % mmap.ALLOCATIONGRANULARITY  # of the map, in the file
    place = begin + _address(part) - np.frombuffer(mapped, np.uint8).ctypes.data
    out = np.empty(part.shape, part.dtype)
    try:
        descriptor = os.open(name, os.O_RDONLY)
    except OSError as error:
        raise _gone(Path(name), error) from error
    try:
        _fill(out, part, descriptor, place)
    except (OSError, EOFError) as error:
        raise TargetChangedError(
            f"{name}: the file was cut short while it was read, or cannot be read any more "
            f"({error}). Put the whole file back, then go on or start again."
        ) from error
    finally:
        os.close(descriptor)
    return out


def _fill(out: npt.NDArray[Any], part: npt.NDArray[Any], descriptor: int, place: int) -> None:
    """Read `part` slice by slice along its outermost axis in the file."""
    order = sorted(range(part.ndim), key=lambda axis: -part.strides[axis])
    part_in_file, out_in_file = part.transpose(order), out.transpose(order)
    shape, strides = part_in_file.shape[1:], part_in_file.strides[1:]
    span = sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) + part.itemsize
    buffer = bytearray(span)
    values = np.ndarray(shape, part.dtype, buffer, strides=strides)
    for index in range(len(part_in_file)):
        _read_exactly(descriptor, buffer, place + index * part_in_file.strides[0])
        out_in_file[index] = values


def _read_exactly(descriptor: int, buffer: bytearray, place: int) -> None:
    view, done = memoryview(buffer), 0
    while done < len(buffer):
        got = os.preadv(descriptor, [view[done:]], place + done)
        if got == 0:
            raise EOFError(f"{len(buffer) - done} bytes are missing at byte {place + done}")
        done += got


def _address(array: npt.NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])


def _facts(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise _gone(path, error) from error
    return found.st_ino, found.st_size, found.st_mtime_ns


def _gone(path: Path, error: OSError) -> TargetChangedError:
    reason = (error.strerror or str(error)).lower()
    return TargetChangedError(
        f"{path}: the file cannot be found any more ({reason}). Put it back, then go on or start again."
    )
