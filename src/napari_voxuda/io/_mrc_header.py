"""The 1024 bytes at the start of an MRC file: taking them apart and putting them together."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from mrcfile.dtypes import HEADER_DTYPE  # type: ignore[import-untyped]

from napari_voxuda._types import TripleInt
from napari_voxuda.data.volume import Grid
from napari_voxuda.errors import FileFormatError
from napari_voxuda.io._foreign import foreign_kind
from napari_voxuda.io._mrc_grid import grid_from_header, imod_flags

__all__ = ["HEADER_BYTES", "MrcHeader", "parse_header"]

HEADER_BYTES = 1024
_DTYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
_REFUSED_MODES = {
    3: "complex 16-bit integers (mode 3, a Fourier transform)",
    4: "complex floats (mode 4, a Fourier transform)",
    5: "an obsolete byte format (mode 5)",
    7: "32-bit integers (mode 7, not in the MRC2014 standard)",
    16: "RGB colours (mode 16)",
    17: "RGB colours (mode 17)",
    101: "4-bit integers (mode 101)",
}
_IMOD_SIGNED = 1
_IMOD_PACKED = 16
_MAX_EDGE = 1 << 24


@dataclass(frozen=True, kw_only=True)
class MrcHeader:
    """What an MRC header says, with all triples in the order (z, y, x).

    Parameters
    ----------
    shape : tuple of int
        Voxels along (z, y, x), after the axis permutation.
    file_shape : tuple of int
        Sections, rows and columns as they lie in the file.
    axes : tuple of int
        Which axis of the file (0 = sections, 1 = rows, 2 = columns) is z, y, x.
    mode : int
        MRC mode: 0, 1, 2, 6 or 12.
    dtype : numpy.dtype
        Type of a voxel in the file, byte order included.
    extended_bytes : int
        Length of the extended header as the header claims it; may be nonsense, even negative.
    grid : Grid
        Voxel size, origin, start indices, cell and sampling.
    space_group : int
        0 for an image stack, 1 for a volume.
    statistics : tuple of float
        Minimum, maximum, mean and rms as the header claims them.
    labels : tuple of str
        The text labels in use.
    warnings : tuple of str
        Sentences about doubtful values.
    """

    shape: TripleInt
    file_shape: TripleInt
    axes: TripleInt
    mode: int
    dtype: np.dtype[np.generic]
    extended_bytes: int
    grid: Grid
    space_group: int
    statistics: tuple[float, float, float, float]
    labels: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def offset(self) -> int:
        """Bytes before the first voxel if the claimed length of the extended header is right."""
        return HEADER_BYTES + max(0, self.extended_bytes)

    @property
    def data_bytes(self) -> int:
        """Bytes of all voxels."""
        return math.prod(self.file_shape) * self.dtype.itemsize


def parse_header(raw: bytes, path: Path) -> MrcHeader:
    """Take an MRC header apart.

    Parameters
    ----------
    raw : bytes
        The first 1024 bytes of the (decompressed) file, or fewer when there are no more.
    path : pathlib.Path
        Named in the messages.

    Raises
    ------
    FileFormatError
        When this is no MRC header, or of a kind that is not supported.
    """
    kind = foreign_kind(raw)
    if kind is not None and raw[208:211] != b"MAP":
        raise FileFormatError(f"{path}: an MRC file was wanted, got {kind}.")
    if len(raw) < HEADER_BYTES:
        raise FileFormatError(
            f"{path}: an MRC file was wanted, but it has only {len(raw)} bytes and an MRC header "
            f"alone has {HEADER_BYTES}; copy or download the file again."
        )
    warnings: list[str] = []
    header = _in_byte_order(raw, path, warnings)
    _check_kind(header, path, warnings)
    axes = _file_axes(header, warnings)
    file_shape = (int(header["nz"]), int(header["ny"]), int(header["nx"]))
    d, h, w = (file_shape[a] for a in axes)
    return MrcHeader(
        shape=(d, h, w),
        file_shape=file_shape,
        axes=axes,
        mode=int(header["mode"]),
        dtype=_dtype(header, warnings),
        extended_bytes=int(header["nsymbt"]),
        grid=grid_from_header(header, axes, warnings),
        space_group=int(header["ispg"]),
        statistics=tuple(float(header[k]) for k in ("dmin", "dmax", "dmean", "rms")),  # type: ignore[arg-type]
        labels=_labels(header),
        warnings=tuple(warnings),
    )


def _in_byte_order(raw: bytes, path: Path, warnings: list[str]) -> npt.NDArray[np.void]:
    """Return the header as a record, in the byte order in which it makes sense."""
    little = np.frombuffer(raw[:HEADER_BYTES], HEADER_DTYPE)[0]
    big = np.frombuffer(raw[:HEADER_BYTES], HEADER_DTYPE.newbyteorder(">"))[0]
    stamp = raw[212:214]
    stamped = {b"DD": little, b"DA": little, b"\x11\x11": big}.get(stamp)
    order = [little, big] if stamped is not big else [big, little]
    sensible = [h for h in order if _is_sensible(h)]
    has_map = raw[208:211] == b"MAP"
    if not has_map:
        sensible = [h for h in sensible if _has_axes(h)]
    if not sensible:
        if not has_map:
            raise FileFormatError(
                f"{path}: an MRC file was wanted, but the first {HEADER_BYTES} bytes are no MRC "
                "header (no 'MAP' at byte 208, size and mode impossible)."
            )
        _refuse_values(order[0], path)
    header = sensible[0]
    if not has_map:
        warnings.append(
            "The header has no 'MAP' stamp: read as an old-style MRC file, its origin ignored."
        )
    elif stamped is None:
        warnings.append("The header has no valid byte-order stamp; the order was inferred.")
    elif header is not stamped:
        warnings.append("The byte-order stamp is wrong; the order was inferred from the mode.")
    return header  # type: ignore[no-any-return]


def _is_sensible(header: npt.NDArray[np.void]) -> bool:
    """Whether size and mode can be those of an MRC file."""
    edges = [int(header[k]) for k in ("nx", "ny", "nz")]
    modes = _DTYPES.keys() | _REFUSED_MODES.keys()
    return all(0 < n <= _MAX_EDGE for n in edges) and int(header["mode"]) in modes


def _has_axes(header: npt.NDArray[np.void]) -> bool:
    """Whether the axes are named or left empty, which tells an old-style header from other data."""
    return sorted(int(header[k]) for k in ("mapc", "mapr", "maps")) in ([0, 0, 0], [1, 2, 3])


def _refuse_values(header: npt.NDArray[np.void], path: Path) -> None:
    """Raise with the value that makes the header impossible."""
    edges = tuple(int(header[k]) for k in ("nx", "ny", "nz"))
    if not all(0 < n <= _MAX_EDGE for n in edges):
        raise FileFormatError(
            f"{path}: the MRC header is damaged: sizes (x, y, z) between 1 and {_MAX_EDGE} were "
            f"wanted, got {edges}; write the file again with the program that made it."
        )
    raise FileFormatError(
        f"{path}: MRC mode 0, 1, 2, 6 or 12 was wanted, got the unknown mode {int(header['mode'])}."
    )


def _check_kind(header: npt.NDArray[np.void], path: Path, warnings: list[str]) -> None:
    """Refuse modes and space groups that are not volumes; note doubtful ones."""
    mode, group = int(header["mode"]), int(header["ispg"])
    packed = mode == 0 and (imod_flags(header) or 0) & _IMOD_PACKED
    if mode in _REFUSED_MODES or packed:
        kind = "4-bit integers packed in bytes" if packed else _REFUSED_MODES[mode]
        raise FileFormatError(
            f"{path}: real values (mode 0, 1, 2, 6 or 12) were wanted, got {kind}; "
            "convert it to 32-bit floats first (IMOD: newstack -mode 2)."
        )
    if 401 <= group <= 630:
        raise FileFormatError(
            f"{path}: one volume was wanted, got a stack of volumes (space group {group}); "
            "write each volume to a file of its own."
        )
    if group == 0 and int(header["nz"]) > 1:
        warnings.append(
            "The header calls this an image stack (space group 0); it is read as a volume."
        )
    elif group not in (0, 1):
        warnings.append(f"Space group {group}: crystal symmetry is not applied.")
    angles = [float(header["cellb"][k]) for k in ("alpha", "beta", "gamma")]
    if any(math.isfinite(a) and a not in (0.0, 90.0) for a in angles):
        shown = ", ".join(f"{a:g}°" for a in angles)
        warnings.append(f"The cell angles are {shown}; voxels are treated as rectangular.")


def _file_axes(header: npt.NDArray[np.void], warnings: list[str]) -> TripleInt:
    """Return which axis of the file is z, y and x."""
    mapped = tuple(int(header[k]) for k in ("maps", "mapr", "mapc"))
    if sorted(mapped) != [1, 2, 3]:
        shown = ", ".join(str(axis) for axis in mapped[::-1])
        warnings.append(
            f"The axes in the header ({shown}) are no permutation of 1, 2, 3; columns, rows and "
            "sections are taken as x, y and z."
        )
        return 0, 1, 2
    return mapped.index(3), mapped.index(2), mapped.index(1)


def _dtype(header: npt.NDArray[np.void], warnings: list[str]) -> np.dtype[np.generic]:
    """Return the type of a voxel, deciding whether bytes are signed."""
    mode = int(header["mode"])
    if mode == 0 and not _bytes_are_signed(header):
        warnings.append("The bytes are read as unsigned, 0 to 255, as the header indicates.")
        return np.dtype("u1")
    return np.dtype(_DTYPES[mode]).newbyteorder(header.dtype["mode"].byteorder)


def _bytes_are_signed(header: npt.NDArray[np.void]) -> bool:
    """Decide by IMOD's stamp and flag, else by the header's range, else signed (MRC2014)."""
    flags = imod_flags(header)
    if flags is not None:
        return bool(flags & _IMOD_SIGNED)
    low, high = float(header["dmin"]), float(header["dmax"])
    return not (0 <= low <= high <= 255 and high > 127)


def _labels(header: npt.NDArray[np.void]) -> tuple[str, ...]:
    """Return the labels in use as printable text."""
    count = min(max(int(header["nlabl"]), 0), 10)
    texts = (bytes(label).decode("latin-1") for label in header["label"][:count])
    cleaned = (re.sub(r"[^\x20-\x7e\xa0-\xff]+", " ", text).strip() for text in texts)
    return tuple(text for text in cleaned if text)
