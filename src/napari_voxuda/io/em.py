"""Read volumes in the EM format (EM program, TOM and AV3 toolboxes, Dynamo).

A header of 512 bytes: machine and type of the values, three edge lengths, a comment, forty whole
numbers, and room for the user; then the values, x fastest.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_voxuda._types import TripleInt
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import FileFormatError, InputError

__all__ = ["EM_HEADER_BYTES", "EmHeader", "looks_like_em", "read_em", "read_em_header"]

EM_HEADER_BYTES = 512
_BIG_ENDIAN_MACHINES = (0, 3, 4, 5)
_LITTLE_ENDIAN_MACHINES = (1, 6)
_VAX = 1
_DTYPES = {1: "i1", 2: "i2", 4: "i4", 5: "f4", 9: "f8"}
_COMPLEX = 8
_MOST_VOXELS_A_SIDE = 1 << 16
_PIXEL_SIZE_AT = 96 + 4 * 6
_COMMENT_AT = slice(16, 96)


@dataclass(frozen=True, kw_only=True)
class EmHeader:
    """What the header of an EM file says.

    Parameters
    ----------
    shape : tuple of int
        Voxels along (z, y, x).
    dtype : numpy.dtype
        Type of a voxel in the file, byte order included.
    comment : str
        The printable part of the comment.
    pixel_size : int
        The field "object pixel size", 0 where it is not set.
    warnings : tuple of str
        Sentences about doubtful values.
    """

    shape: TripleInt
    dtype: np.dtype[Any]
    comment: str
    pixel_size: int
    warnings: tuple[str, ...]

    @property
    def data_bytes(self) -> int:
        """Bytes of all voxels."""
        return math.prod(self.shape) * self.dtype.itemsize


def looks_like_em(raw: bytes) -> bool:
    """Whether the first bytes of a file are those of an EM header."""
    if len(raw) < EM_HEADER_BYTES or raw[0] > 6 or raw[1] > 1 or raw[2] != 0:
        return False
    if raw[3] not in (*_DTYPES, _COMPLEX):
        return False
    return any(_edges_make_sense(_edges(raw, order)) for order in "<>")


def read_em_header(path: str | Path) -> EmHeader:
    """Read the header of an EM file and nothing else.

    Parameters
    ----------
    path : str or pathlib.Path
        EM file.

    Raises
    ------
    InputError
        When there is no such file or it cannot be read.
    FileFormatError
        When it is not an EM file, is truncated, or is of a kind that is not supported.
    """
    path = Path(path).expanduser()
    try:
        with path.open("rb") as stream:
            raw = stream.read(EM_HEADER_BYTES)
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read ({error.strerror}).") from error
    return _parsed(raw, size, path)


def read_em(path: str | Path) -> Volume:
    """Read a volume from an EM file.

    Parameters
    ----------
    path : str or pathlib.Path
        EM file of bytes, 16- or 32-bit integers, or 32- or 64-bit floats.

    Returns
    -------
    Volume
        (d, h, w) values in the order (z, y, x) and in the type of the file: a read-only memory map,
        or an array in memory when the file is big-endian. The voxel size is unknown.

    Raises
    ------
    InputError
        When there is no such file or it cannot be read.
    FileFormatError
        When it is not an EM file, is truncated, or is of a kind that is not supported.

    Notes
    -----
    The header has a field for the pixel size, in thousandths of a nanometre by the format's own
    description and of an ångström as several programs write it. A factor of ten is too much to
    guess, so both readings are told and the user sets the size.
    """
    path = Path(path).expanduser()
    header = read_em_header(path)
    data: Any = np.memmap(path, header.dtype, mode="r", offset=EM_HEADER_BYTES, shape=header.shape)
    if not header.dtype.isnative:
        data = np.array(data, header.dtype.newbyteorder("="), subok=False)
        data.flags.writeable = False
    return Volume(data=data, grid=Grid(), name=path.stem, path=path, warnings=header.warnings)


def _parsed(raw: bytes, size: int, path: Path) -> EmHeader:
    if not looks_like_em(raw):
        raise FileFormatError(f"{path}: an EM file was wanted, but its header is none of EM's.")
    kind = raw[3]
    if kind == _COMPLEX:
        raise FileFormatError(f"{path}: complex values (a Fourier transform) are not supported.")
    warnings: list[str] = []
    order = _byte_order(raw, size, warnings)
    if raw[0] == _VAX and kind in (5, 9):
        raise FileFormatError(
            f"{path}: floats of a VAX are not supported; convert the file to MRC."
        )
    x, y, z = _edges(raw, order)
    (pixel_size,) = struct.unpack_from(f"{order}i", raw, _PIXEL_SIZE_AT)
    warnings.append(_voxel_size_words(pixel_size))
    header = EmHeader(
        shape=(z, y, x),
        dtype=np.dtype(order + _DTYPES[kind]),
        comment=_printable(raw[_COMMENT_AT]),
        pixel_size=max(0, pixel_size),
        warnings=tuple(warnings),
    )
    wanted = EM_HEADER_BYTES + header.data_bytes
    if size < wanted:
        raise FileFormatError(
            f"{path}: the file is truncated: its header says {wanted} bytes, it has {size}; copy or "
            "download it again."
        )
    return header


def _byte_order(raw: bytes, size: int, warnings: list[str]) -> str:
    """Return the order that the machine's number means, or the one with which the size fits."""
    stated = ">" if raw[0] in _BIG_ENDIAN_MACHINES else "<"
    if raw[0] not in (*_BIG_ENDIAN_MACHINES, *_LITTLE_ENDIAN_MACHINES):
        stated = "<"
    other = "<" if stated == ">" else ">"
    if _fits(raw, stated, size) or not _fits(raw, other, size):
        return stated if _edges_make_sense(_edges(raw, stated)) else other
    warnings.append("The machine's number in the header does not fit the size of the file.")
    return other


def _fits(raw: bytes, order: str, size: int) -> bool:
    edges = _edges(raw, order)
    if not _edges_make_sense(edges):
        return False
    return EM_HEADER_BYTES + math.prod(edges) * np.dtype(_DTYPES[raw[3]]).itemsize <= size


def _edges(raw: bytes, order: str) -> TripleInt:
    x, y, z = struct.unpack_from(f"{order}3i", raw, 4)
    return x, y, z


def _edges_make_sense(edges: TripleInt) -> bool:
    return all(0 < n <= _MOST_VOXELS_A_SIDE for n in edges)


def _voxel_size_words(pixel_size: int) -> str:
    if pixel_size <= 0:
        return "The header does not tell the voxel size; set it in Å."
    return (
        f"The voxel size is taken as unknown: the header's pixel size of {pixel_size} is "
        f"{pixel_size / 100:g} Å by the format and {pixel_size / 1000:g} Å as several programs write "
        "it; set it in Å."
    )


def _printable(raw: bytes) -> str:
    text = raw.split(b"\0")[0].decode("ascii", "replace")
    return "".join(c if c.isprintable() and c.isascii() else " " for c in text).strip()
