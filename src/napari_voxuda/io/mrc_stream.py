"""Write an MRC file slab by slab while it is computed, and keep interim volumes in files.

What goes into the file is what `napari_voxuda.io.mrc.write_mrc` writes of the whole volume, to the bit.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import TripleInt
from napari_voxuda.data.slabs import release_pages
from napari_voxuda.data.volume import Grid
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io._mrc_header import HEADER_BYTES
from napari_voxuda.io._mrc_write import check_name, header_bytes, packed_stream
from napari_voxuda.io.atomic import atomic_path

__all__ = ["FileSink", "scratch_sink", "stream_mrc"]


class FileSink:
    """Appends slabs of whole z-slices to an open file; memory is that of one slab.

    Nothing is written through a memory map: on a full disk that would end the process, while a plain
    write raises an error.

    Parameters
    ----------
    stream : file
        Open for reading and writing, at its beginning.
    shape : tuple of int
        Voxels along (z, y, x).
    dtype : numpy.dtype
        Type of a voxel in the file.
    offset : int
        Bytes that are left free at the beginning.
    name : str
        Names the volume in errors.
    """

    def __init__(
        self,
        stream: IO[bytes],
        shape: TripleInt,
        dtype: npt.DTypeLike,
        *,
        offset: int = 0,
        name: str = "volume",
    ) -> None:
        self._stream = stream
        self._shape = shape
        self._dtype = np.dtype(dtype)
        self._offset = offset
        self._name = name
        self._filled = 0
        stream.write(bytes(offset))

    def append(self, slab: npt.NDArray[Any]) -> None:
        """Write the next slices, (n, h, w).

        Raises
        ------
        InputError
            When the slices have another shape, there are more than the volume has, or a value
            is not finite.
        """
        end = self._filled + len(slab)
        if slab.shape[1:] != self._shape[1:] or end > self._shape[0]:
            raise InputError(
                f"{self._name}: slices {self._filled} to {end - 1} of a volume of shape {self._shape} "
                f"were wanted, got an array of shape {slab.shape}."
            )
        for plane in slab:
            values = np.ascontiguousarray(plane, dtype=self._dtype)
            if not np.isfinite(values).all():
                raise InputError(
                    f"{self._name}: finite values were wanted for a file, got NaN or infinity."
                )
            self._stream.write(values.data)
        self._filled = end

    def array(self) -> npt.NDArray[Any]:
        """Return the volume as a read-only memory map, (d, h, w), once all slices have come.

        Raises
        ------
        InputError
            When slices are missing.
        """
        if self._filled != self._shape[0]:
            raise InputError(
                f"{self._name}: {self._shape[0]} slices were wanted, got {self._filled}."
            )
        self._stream.flush()
        mapped: npt.NDArray[Any] = np.memmap(
            self._stream,
            self._dtype,
            mode="r",
            offset=self._offset,
            shape=self._shape,
        )
        return mapped


@contextmanager
def stream_mrc(
    path: str | Path,
    shape: TripleInt,
    grid: Grid,
    *,
    dtype: npt.DTypeLike = "<f4",
    label: str | None = None,
    name: str = "volume",
) -> Iterator[FileSink]:
    """Write an MRC file slab by slab; it appears when the block succeeds.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; its suffix is one of `MRC_SUFFIXES`, with ``.gz`` or ``.bz2`` for compression, which is
        done at the end, from a second hidden file.
    shape : tuple of int
        Voxels along (z, y, x).
    grid : Grid
        What the header repeats.
    dtype : numpy.dtype
        ``"<f4"``, ``"<i1"``, ``"<i2"`` or ``"<u2"``.
    label : str or None
        What the file is; follows the program's name and version in the header's label.
    name : str
        Names the volume in errors.

    Yields
    ------
    FileSink
        Takes all slices of the volume, and gives them back as a memory map. Drop that map before the
        block ends: some systems do not move a file that is mapped.

    Raises
    ------
    InputError
        When slices are missing, or a value is not finite.
    OutputError
        When the file cannot be written.
    """
    path = Path(path)
    check_name(path)
    packing = path.suffix.lower() in (".gz", ".bz2")
    with atomic_path(path) as temporary:
        plain = temporary.with_suffix(".plain") if packing else temporary
        try:
            with plain.open("w+b") as stream:
                sink = FileSink(stream, shape, dtype, offset=HEADER_BYTES, name=name)
                yield sink
                data = sink.array()
                header = header_bytes(data, grid, np.dtype(dtype), label)
                release_pages(data)
                del data
                stream.seek(0)
                stream.write(header)
            if packing:
                with plain.open("rb") as source, packed_stream(temporary, path.suffix) as target:
                    shutil.copyfileobj(source, target, 1 << 24)
        finally:
            if packing:
                plain.unlink(missing_ok=True)


@contextmanager
def scratch_sink(
    folder: Path | None, shape: TripleInt, *, name: str = "volume"
) -> Iterator[FileSink]:
    """Keep a float32 volume in a file without a name, which is gone when the block ends.

    Parameters
    ----------
    folder : pathlib.Path or None
        Where there is room for it; the system's folder for temporary files when None.
    shape : tuple of int
        Voxels along (z, y, x).
    name : str
        Names the volume in errors.

    Raises
    ------
    OutputError
        When there is no room.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as stream:
            yield FileSink(stream, shape, "<f4", name=name)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        reason = (error.strerror or str(error)).lower()
        raise OutputError(
            f"{folder or tempfile.gettempdir()}: an interim file for {name} cannot be written "
            f"({reason}); make room or choose another folder for the output."
        ) from error
