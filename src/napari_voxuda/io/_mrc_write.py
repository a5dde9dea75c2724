"""Write MRC volumes and masks, slab by slab and whole or not at all."""

from __future__ import annotations

import bz2
import gzip
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from mrcfile.dtypes import HEADER_DTYPE  # type: ignore[import-untyped]

from napari_voxuda import __version__
from napari_voxuda.data.slabs import release_pages
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io._mrc_grid import put_grid
from napari_voxuda.io.atomic import atomic_path

__all__ = [
    "MRC_SUFFIXES",
    "check_name",
    "header_bytes",
    "label_dtype",
    "mrc_stem",
    "packed_stream",
    "write_mask",
    "write_mrc",
]

MRC_SUFFIXES: tuple[str, ...] = (".mrc", ".map", ".rec", ".st", ".ali", ".preali", ".mrcs")
"""Suffixes of MRC files; each may be followed by ``.gz`` or ``.bz2``."""

_MODES = {"i1": 0, "i2": 1, "f4": 2, "u2": 6}
_SLAB_BYTES = 1 << 25
_FLOAT32_EXACT = 1 << 24
_LABEL_BYTES = 80


def mrc_stem(path: str | Path) -> str | None:
    """Return a file's name without its MRC suffix (and ``.gz``, ``.bz2``), None if it has none."""
    name = Path(path).name
    for packed in (".gz", ".bz2"):
        if name.lower().endswith(packed):
            name = name[: -len(packed)]
    stem, suffix = Path(name).stem, Path(name).suffix
    return stem if suffix.lower() in MRC_SUFFIXES else None


def write_mrc(path: str | Path, volume: Volume, *, label: str | None = None) -> None:
    """Write a volume as an MRC file with the header of its grid.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; its suffix is one of `MRC_SUFFIXES`, with ``.gz`` or ``.bz2`` for compression.
    volume : Volume
        (d, h, w) finite values. Floats become 32-bit floats (mode 2); whole numbers keep their
        value in the smallest of modes 0 (signed bytes), 1, 6 and 2 that their type needs.
    label : str or None
        What the file is; follows the program's name and version in the header's label.

    Raises
    ------
    InputError
        When values are not finite, or are of a type or size that MRC cannot hold.
    OutputError
        When the file cannot be written.
    """
    minimum, maximum = _finite_range(volume)
    dtype = _dtype_for(volume, minimum, maximum)
    _write(Path(path), volume, dtype, label)


def write_mask(path: str | Path, volume: Volume, *, label: str | None = None) -> None:
    """Write a mask or instance labels as an MRC file that every reader understands alike.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; its suffix is one of `MRC_SUFFIXES`, with ``.gz`` or ``.bz2`` for compression.
    volume : Volume
        (d, h, w) labels, 0 to 65535. Up to 127 they are written as signed bytes (mode 0), up to
        32767 as signed (mode 1), above as unsigned 16-bit integers (mode 6).
    label : str or None
        What the file is; follows the program's name and version in the header's label.

    Raises
    ------
    InputError
        When a label is negative, fractional, not finite, or above 65535.
    OutputError
        When the file cannot be written.
    """
    minimum, maximum = _finite_range(volume)
    if minimum < 0:
        raise InputError(
            f"{volume.name}: labels of at least 0 were wanted, got {minimum:g}; use 0 for background."
        )
    dtype = label_dtype(maximum, volume.name)
    if volume.data.dtype.kind == "f" and any((s != np.rint(s)).any() for s in _slabs(volume.data)):
        raise InputError(f"{volume.name}: whole-numbered labels were wanted, got fractions.")
    _write(Path(path), volume, dtype, label or "mask")


def label_dtype(largest: float, name: str) -> np.dtype[Any]:
    """Return the type in which labels up to `largest` are written.

    Raises
    ------
    InputError
        When it is above 65535.
    """
    if largest > 65535:
        raise InputError(
            f"{name}: at most 65535 labels fit an MRC file, got label {largest:g}; number them "
            "anew from 1 or remove small ones."
        )
    return np.dtype("<i1" if largest <= 127 else "<i2" if largest <= 32767 else "<u2")


@dataclass(frozen=True)
class _Statistics:
    minimum: float
    maximum: float
    mean: float
    rms: float


def _write(path: Path, volume: Volume, dtype: np.dtype[Any], label: str | None) -> None:
    """Write header and voxels; the data are read twice, a slab at a time."""
    check_name(path)
    header = header_bytes(volume.data, volume.grid, dtype, label)
    with atomic_path(path) as temporary, packed_stream(temporary, path.suffix) as stream:
        stream.write(header)
        for slab in _slabs(volume.data):
            stream.write(np.ascontiguousarray(slab, dtype=dtype).data)


def check_name(path: Path) -> None:
    """Raise OutputError for a name that does not end like an MRC file's."""
    if mrc_stem(path) is None:
        raise OutputError(
            f"{path}: a name ending in one of {', '.join(MRC_SUFFIXES)} was wanted (.gz or .bz2 may "
            f"follow), got {path.suffix or 'no suffix'!r}."
        )


@contextmanager
def packed_stream(path: Path, suffix: str) -> Iterator[IO[bytes]]:
    """Open a file for writing, compressed as the final name's suffix asks."""
    suffix = suffix.lower()
    with path.open("wb") as plain:
        if suffix == ".gz":
            with gzip.GzipFile(filename="", mode="wb", fileobj=plain, mtime=0) as packed:
                yield packed  # type: ignore[misc]
        elif suffix == ".bz2":
            with bz2.BZ2File(plain, "wb") as packed:
                yield packed
        else:
            yield plain


def _slabs(data: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """Yield the volume in slabs of whole z slices."""
    depth = max(1, _SLAB_BYTES // max(1, data[0].size * 8))
    for start in range(0, len(data), depth):
        yield data[start : start + depth]
        release_pages(data)


def _finite_range(volume: Volume) -> tuple[float, float]:
    """Return minimum and maximum; refuse types without order and values that are not finite."""
    if volume.data.dtype.kind not in "biuf":
        raise InputError(
            f"{volume.name}: real numbers were wanted for an MRC file, got {volume.data.dtype}."
        )
    low, high = math.inf, -math.inf
    for slab in _slabs(volume.data):
        least, most = float(slab.min()), float(slab.max())
        if not (math.isfinite(least) and math.isfinite(most)):
            raise InputError(
                f"{volume.name}: finite values were wanted for an MRC file, got NaN or infinity."
            )
        low, high = min(low, least), max(high, most)
    return low, high


def _dtype_for(volume: Volume, minimum: float, maximum: float) -> np.dtype[Any]:
    """Return the type that the file gets."""
    kind, size = volume.data.dtype.kind, volume.data.dtype.itemsize
    if kind == "f":
        limit = float(np.finfo(np.float32).max)
        if max(-minimum, maximum) > limit:
            raise InputError(
                f"{volume.name}: values within ±{limit:.3g} (32-bit floats) were wanted, got "
                f"{minimum:.3g} to {maximum:.3g}; rescale them."
            )
        return np.dtype("<f4")
    if kind == "b" or (minimum >= -128 and maximum <= 127 and size == 1):
        return np.dtype("<i1")
    if minimum >= -32768 and maximum <= 32767 and (kind, size) != ("u", 2) and size > 1:
        return np.dtype("<i2")
    if minimum >= 0 and maximum <= 65535:
        return np.dtype("<u2")
    if max(-minimum, maximum) <= _FLOAT32_EXACT:
        return np.dtype("<f4")
    raise InputError(
        f"{volume.name}: whole numbers within ±{_FLOAT32_EXACT} fit an MRC file exactly, got "
        f"{minimum:.0f} to {maximum:.0f}; convert them to floats if rounding does no harm."
    )


def _statistics(data: npt.NDArray[Any], dtype: np.dtype[Any]) -> _Statistics:
    """Return range, mean and rms deviation of the values as they will be written."""
    count, mean, squares = 0, 0.0, 0.0
    low, high = math.inf, -math.inf
    for slab in _slabs(data):
        values = np.asarray(slab, dtype=dtype).astype(np.float64)
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        slab_mean = float(values.mean())
        values -= slab_mean
        squares += float(np.vdot(values, values))
        squares += (slab_mean - mean) ** 2 * count * values.size / (count + values.size)
        count += values.size
        mean += (slab_mean - mean) * values.size / count
    return _Statistics(low, high, mean, math.sqrt(squares / count))


def header_bytes(
    data: npt.NDArray[Any], grid: Grid, dtype: np.dtype[Any], label: str | None
) -> bytes:
    """Return the 1024 bytes of the header of a file of these values."""
    statistics = _statistics(data, dtype)
    header = np.zeros((), HEADER_DTYPE)
    d, h, w = data.shape
    header["nx"], header["ny"], header["nz"] = w, h, d
    header["mode"] = _MODES[dtype.str[1:]]
    header["mapc"], header["mapr"], header["maps"] = 1, 2, 3
    header["cellb"] = (90.0, 90.0, 90.0)
    header["ispg"] = 1
    header["map"], header["machst"] = b"MAP ", (0x44, 0x44, 0, 0)
    header["dmin"], header["dmax"] = statistics.minimum, statistics.maximum
    header["dmean"], header["rms"] = statistics.mean, min(statistics.rms, 3.4e38)
    header["nlabl"] = 1
    header["label"] = b""
    header["label"][0] = _label(label)
    put_grid(header, grid, (d, h, w))
    return header.tobytes()


def _label(text: str | None) -> bytes:
    """Return one 80-byte label with program, version and what the file is."""
    full = f"napari-voxuda {__version__}" + (f": {text}" if text else "")
    return " ".join(full.split()).encode("ascii", "replace")[:_LABEL_BYTES].ljust(_LABEL_BYTES)
