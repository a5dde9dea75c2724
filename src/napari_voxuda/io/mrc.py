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
from napari_voxuda.io._in_memory import check_fits_memory
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
_SURPLUS = "The file is longer than its header says; the rest is ignored."


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
        (d, h, w) values in the order (z, y, x), in the type and byte order of the file: a read-only
        memory map, or an array in memory when the file is compressed. Its `warnings` tell what is
        doubtful about the header.

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
        read = _decompressed if is_packed else _mapped
        data, warnings = read(stream, header, path)
    return Volume(
        data=data.transpose(header.axes),
        grid=header.grid,
        name=mrc_stem(path) or path.stem,
        path=path,
        warnings=header.warnings + warnings,
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


def _mapped(
    stream: IO[bytes], header: MrcHeader, path: Path
) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """Return the voxels as a read-only memory map, and sentences about the file's length."""
    size, offset = path.stat().st_size, header.offset
    warnings: tuple[str, ...] = ()
    if header.extended_bytes and size == HEADER_BYTES + header.data_bytes:
        offset, warnings = HEADER_BYTES, (_without_extension(header),)
    elif header.extended_bytes < 0:
        raise _negative_extension(header, path)
    wanted = offset + header.data_bytes
    if size < wanted:
        raise FileFormatError(
            f"{path}: the file is truncated: its header says {wanted} bytes, it has {size}; "
            "copy or download it again."
        )
    if size > wanted:
        warnings = (_SURPLUS,)
    data: npt.NDArray[Any] = np.memmap(
        stream,
        header.dtype,
        mode="r",
        offset=offset,
        shape=header.file_shape,
    )
    return data, warnings


def _decompressed(
    stream: IO[bytes], header: MrcHeader, path: Path
) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """Return the voxels of a compressed file, and sentences about its length.

    No more is ever read than the header says, and no memory is taken before data come.
    """
    wanted = header.data_bytes
    check_fits_memory(wanted, path, "unpack the file first; unpacked it is read piece by piece")
    skipped = _skip(stream, header.extended_bytes)
    buffer = _read(stream, wanted)
    surplus = bool(stream.read(1))  # at the end of the stream this also checks its checksum
    warnings = (_SURPLUS,) if surplus else ()
    if header.extended_bytes and not surplus and skipped + len(buffer) == wanted:
        stream.seek(HEADER_BYTES)
        buffer, warnings = _read(stream, wanted), (_without_extension(header),)
    elif header.extended_bytes < 0:
        raise _negative_extension(header, path)
    if len(buffer) < wanted:
        raise FileFormatError(
            f"{path}: the file is truncated: {wanted - len(buffer)} of {wanted} bytes of voxels are "
            "missing after decompression; copy or download it again."
        )
    data = np.frombuffer(buffer, header.dtype).reshape(header.file_shape)
    data.flags.writeable = False
    return data, warnings


def _without_extension(header: MrcHeader) -> str:
    return (
        f"The header claims {header.extended_bytes} bytes of extended header that the file does not "
        "have; it is read without."
    )


def _negative_extension(header: MrcHeader, path: Path) -> FileFormatError:
    return FileFormatError(
        f"{path}: the MRC header is damaged: a length of the extended header was wanted, got "
        f"{header.extended_bytes}; write the file again with the program that made it."
    )


def _skip(stream: IO[bytes], count: int) -> int:
    """Read up to `count` bytes in chunks, keep none, and return how many there were."""
    left = max(0, count)
    while left and (chunk := stream.read(min(left, _CHUNK_BYTES))):
        left -= len(chunk)
    return max(0, count) - left


def _read(stream: IO[bytes], count: int) -> bytearray:
    """Read up to `count` bytes in chunks."""
    buffer = bytearray()
    while len(buffer) < count and (chunk := stream.read(min(count - len(buffer), _CHUNK_BYTES))):
        buffer += chunk
    return buffer
