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
_MAX_DEFLATE_RATIO = 1100


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
    with _open(path) as (stream, compression):
        header = parse_header(stream.read(HEADER_BYTES), path)
        size = path.stat().st_size
        if compression is None:
            _check_length(header, size, path)
            data, surplus = _mapped(path, header), size - header.offset - header.data_bytes
        else:
            data, surplus = _decompressed(stream, header, size, compression, path)
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
def _open(path: Path) -> Iterator[tuple[IO[bytes], str | None]]:
    """Open a file, decompressing it where its first bytes ask for it; name the compression."""
    try:
        if path.is_dir():
            raise FileFormatError(f"{path}: an MRC file was wanted, got a folder.")
        with path.open("rb") as plain:
            magic = plain.read(3)
            plain.seek(0)
            if magic[:2] == b"\x1f\x8b":
                yield gzip.GzipFile(fileobj=plain), "gzip"  # type: ignore[misc]
            elif magic == b"BZh":
                yield bz2.BZ2File(plain), "bzip2"
            else:
                yield plain, None
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file.") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileFormatError(f"{path}: the compressed file is damaged ({error}).") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{path}: the file cannot be read ({reason}).") from error


def _check_length(header: MrcHeader, size: int, path: Path) -> None:
    """Raise when the file has fewer bytes than its header says."""
    wanted = header.offset + header.data_bytes
    if size < wanted:
        raise FileFormatError(
            f"{path}: the file is truncated: its header says {wanted} bytes, it has {size}; "
            "copy or download it again."
        )


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
    stream: IO[bytes], header: MrcHeader, size: int, compression: str, path: Path
) -> tuple[npt.NDArray[Any], bool]:
    """Return the voxels of a compressed file, and whether it holds more than its header says.

    No more is ever read than the header says, and no memory is taken before data come.
    """
    if compression == "gzip" and header.data_bytes > size * _MAX_DEFLATE_RATIO:
        raise FileFormatError(
            f"{path}: the file is truncated: its header says {header.data_bytes} bytes, more than "
            f"{size} compressed bytes can hold; copy or download it again."
        )
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
