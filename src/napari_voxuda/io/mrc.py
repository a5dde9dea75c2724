"""Read and write MRC volumes and masks.

Reading is permissive, and what is doubtful about a header becomes a sentence in
``Volume.warnings``. Files whose voxels need no conversion are memory-mapped.
"""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import FileFormatError, InputError
from napari_voxuda.io._mrc_header import HEADER_BYTES, MrcHeader, parse_header
from napari_voxuda.io._mrc_write import MRC_SUFFIXES, mrc_stem, write_mask, write_mrc

__all__ = [
    "MRC_SUFFIXES",
    "MrcHeader",
    "is_mrc_name",
    "mrc_stem",
    "read_header",
    "read_mrc",
    "write_mask",
    "write_mrc",
]

_CHUNK_BYTES = 1 << 24


def is_mrc_name(path: str | Path) -> bool:
    """Whether a file name ends like an MRC file, compressed or not, in any case."""
    return mrc_stem(path) is not None


def read_header(path: str | Path) -> MrcHeader:
    """Read the header of an MRC file and nothing else.

    Parameters
    ----------
    path : str or pathlib.Path
        MRC file; gzip and bzip2 are recognised by content.

    Raises
    ------
    InputError
        When there is no such file or it cannot be read.
    FileFormatError
        When it is not an MRC file, is damaged, or is of a kind that is not supported.
    """
    path = Path(path).expanduser()
    with _open(path) as (stream, _):
        return parse_header(stream.read(HEADER_BYTES), path)


def read_mrc(path: str | Path) -> Volume:
    """Read a volume from an MRC file.

    Parameters
    ----------
    path : str or pathlib.Path
        MRC file of mode 0, 1, 2, 6 or 12; gzip and bzip2 are recognised by content.

    Returns
    -------
    Volume
        (d, h, w) values in the order (z, y, x) and in the type of the file: a read-only memory map,
        or an array in memory when the file is compressed or big-endian. Its `warnings` tell what
        is doubtful about the header.

    Raises
    ------
    InputError
        When there is no such file or it cannot be read.
    FileFormatError
        When it is not an MRC file, is damaged or truncated, or is of a kind that is not supported.
    """
    path = Path(path).expanduser()
    with _open(path) as (stream, is_packed):
        header = parse_header(stream.read(HEADER_BYTES), path)
        if not is_packed:
            surplus = _surplus(header, path)
            data = _mapped(path, header)
        else:
            data, surplus = _decompressed(stream, header, path)
    warnings = header.warnings
    if surplus:
        warnings += ("The file is longer than its header says; the rest is ignored.",)
    return Volume(
        data=data.transpose(header.axes),
        grid=header.grid,
        name=mrc_stem(path) or path.stem,
        path=path,
        warnings=warnings,
    )


@contextmanager
def _open(path: Path) -> Iterator[tuple[IO[bytes], bool]]:
    """Open a file, unpacking it where its first bytes ask for it; tell whether they do."""
    try:
        if path.is_dir():
            raise FileFormatError(f"{path}: an MRC file was wanted, got a folder.")
        with path.open("rb") as plain:
            magic = plain.read(3)
            plain.seek(0)
            if magic[:2] == b"\x1f\x8b":
                yield gzip.GzipFile(fileobj=plain), True  # type: ignore[misc]
            elif magic == b"BZh":
                yield bz2.BZ2File(plain), True
            else:
                yield plain, False
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file.") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileFormatError(f"{path}: the compressed file is damaged ({error}).") from error
    except OSError as error:
        if error.errno is None:  # bz2 has no error class of its own
            raise FileFormatError(f"{path}: the compressed file is damaged ({error}).") from error
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{path}: the file cannot be read ({reason}).") from error


def _surplus(header: MrcHeader, path: Path) -> bool:
    """Whether the file is longer than its header says; raise when it is shorter."""
    size, wanted = path.stat().st_size, header.offset + header.data_bytes
    if size < wanted:
        raise FileFormatError(
            f"{path}: the file is truncated: its header says {wanted} bytes, it has {size}; "
            "copy or download it again."
        )
    return size > wanted


def _mapped(path: Path, header: MrcHeader) -> npt.NDArray[Any]:
    """Return the voxels as a read-only memory map, or in memory where they must be swapped."""
    data: npt.NDArray[Any] = np.memmap(
        path, header.dtype, mode="r", offset=header.offset, shape=header.file_shape
    )
    return data if header.dtype.isnative else _swapped(data)


def _swapped(data: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only copy in the machine's byte order, which torch needs."""
    swapped = np.array(data, data.dtype.newbyteorder("="), subok=False)
    swapped.flags.writeable = False
    return swapped


def _decompressed(
    stream: IO[bytes], header: MrcHeader, path: Path
) -> tuple[npt.NDArray[Any], bool]:
    """Return the voxels of a compressed file, and whether it holds more than its header says.

    No more is ever read than the header says, and no memory is taken before data come.
    """
    _read_exactly(stream, header.offset - HEADER_BYTES, path, keep=False)
    buffer = _read_exactly(stream, header.data_bytes, path, keep=True)
    surplus = bool(stream.read(1))  # at the end of the stream this also checks its checksum
    data = np.frombuffer(buffer, header.dtype).reshape(header.file_shape)
    data.flags.writeable = False
    return data if header.dtype.isnative else _swapped(data), surplus


def _read_exactly(stream: IO[bytes], count: int, path: Path, *, keep: bool) -> bytearray:
    """Read `count` bytes in chunks."""
    buffer, left = bytearray(), count
    while left:
        chunk = stream.read(min(left, _CHUNK_BYTES))
        if not chunk:
            raise FileFormatError(
                f"{path}: the file is truncated: {left} of {count} bytes are missing after "
                "decompression; copy or download it again."
            )
        left -= len(chunk)
        if keep:
            buffer += chunk
    return buffer
