"""Read volumes from TIFF stacks, also those of ImageJ and OME.

Needs the extra ``tiff``. The voxel size comes from ImageJ's or OME's metadata; a resolution in
dots per inch, which most programs make up, is no voxel size.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from napari_voxuda._types import Triple
from napari_voxuda.data.lengths import angstrom_per_unit
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import DependencyError, FileFormatError, InputError
from napari_voxuda.io._in_memory import check_fits_memory
from napari_voxuda.io._optional import needed

__all__ = ["is_tiff", "read_tiff"]

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_DEPTH_AXES = "ZQIT"
_MOST_XML = 1 << 24


def is_tiff(raw: bytes) -> bool:
    """Whether the first bytes of a file are those of a TIFF image."""
    return raw[:4] in _MAGIC


def read_tiff(path: str | Path) -> Volume:
    """Read a volume from a TIFF file.

    Parameters
    ----------
    path : str or pathlib.Path
        TIFF stack with three axes of more than one pixel, the last two of them y and x.

    Returns
    -------
    Volume
        (d, h, w) values in the order (z, y, x): a read-only memory map where the file holds them in
        one uncompressed piece and in the machine's byte order, else an array in memory.

    Raises
    ------
    InputError
        When there is no such file, it cannot be read, or it does not fit into memory.
    FileFormatError
        When it is no TIFF stack of grey values, or is damaged.
    DependencyError
        When the package tifffile, or the one that unpacks this file, is not installed.
    """
    path = Path(path).expanduser()
    tifffile = needed("tifffile", "tiff", "TIFF")
    if not path.exists():
        raise InputError(f"{path}: there is no such file.")
    try:
        with _complaints() as complaints, tifffile.TiffFile(path) as file:
            number, axes = _series(file, path)
            series = file.series[number]
            if any("page offset" in text for text in complaints):
                raise FileFormatError(
                    f"{path}: the file is truncated: slices are missing; copy or download it again."
                )
            data = _values(file, series, path)
            size, warnings = _voxel_size(file, number)
    except (InputError, DependencyError):
        raise
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read ({error.strerror or error}).") from error
    except Exception as error:  # a damaged file raises anything in there
        reason = " ".join(str(error).split()) or type(error).__name__
        if "imagecodecs" in reason:
            raise DependencyError(
                f"{path}: unpacking this TIFF file needs the package imagecodecs; run: pip install "
                '"napari-voxuda[tiff]"'
            ) from error
        raise FileFormatError(f"{path}: the TIFF file cannot be read ({reason}).") from error
    volume = data.reshape([n for n in series.shape if n > 1])
    if size is None:
        warnings = (*warnings, "The file does not tell the voxel size; set it in Å.")
    if axes[0] == "T":
        warnings = (*warnings, "The file calls its slices points in time; they are taken as z.")
    grid = Grid() if size is None else Grid(voxel_size_angstrom=size)
    return Volume(data=volume, grid=grid, name=_stem(path), path=path, warnings=warnings)


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what tifffile logs as an error instead of raising it."""
    texts: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            texts.append(record.getMessage())

    logger, collector = logging.getLogger("tifffile"), Collector(logging.ERROR)
    logger.addHandler(collector)
    try:
        yield texts
    finally:
        logger.removeHandler(collector)


def _series(file: Any, path: Path) -> tuple[int, str]:
    """Return which series is a volume, and the names of its axes that are not 1 long."""
    for number, series in enumerate(file.series):
        axes = "".join(a for a, n in zip(series.axes, series.shape, strict=True) if n > 1)
        if len(axes) != 3 or axes[1:] != "YX" or axes[0] not in _DEPTH_AXES:
            continue
        if series.dtype is None or series.dtype.kind not in "biuf":
            raise FileFormatError(f"{path}: real values were wanted, got {series.dtype}.")
        return number, axes
    shapes = ", ".join(f"{s.axes} {s.shape}" for s in file.series[:3]) or "no image"
    raise FileFormatError(
        f"{path}: a stack of grey slices (z, y, x) was wanted, got {shapes}; save one channel as a "
        "stack."
    )


def _values(file: Any, series: Any, path: Path) -> npt.NDArray[Any]:
    """Return the values as a memory map where that is possible."""
    dtype = np.dtype(file.byteorder + series.dtype.char)
    nbytes = math.prod(series.shape) * dtype.itemsize
    offset = series.dataoffset
    if offset is not None and dtype.isnative:
        if offset + nbytes > path.stat().st_size:
            raise FileFormatError(
                f"{path}: the file is truncated: it says {offset + nbytes} bytes, it has "
                f"{path.stat().st_size}; copy or download it again."
            )
        return np.memmap(path, dtype, mode="r", offset=offset, shape=tuple(series.shape))
    check_fits_memory(nbytes, path, "save it without compression, or convert it to MRC")
    data: npt.NDArray[Any] = np.asarray(series.asarray())
    data = data if data.dtype.isnative else data.astype(data.dtype.newbyteorder("="))
    data.flags.writeable = False
    return data


def _voxel_size(file: Any, number: int) -> tuple[Triple | None, tuple[str, ...]]:
    """Return the voxel size in Å where ImageJ's or OME's metadata tell it, with what is doubtful."""
    if file.is_ome and file.ome_metadata and len(file.ome_metadata) <= _MOST_XML:
        return _ome_size(file.ome_metadata, number), ()
    if file.is_imagej:
        return _imagej_size(file)
    return None, ()


def _ome_size(text: str, index: int) -> Triple | None:
    """Return the physical size of a voxel of one image of OME-XML."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return None
    images = [e for e in root.iter() if e.tag.rpartition("}")[2] == "Pixels"]
    if index >= len(images):
        return None
    pixels = images[index]
    sizes = []
    for axis in "ZYX":
        factor = angstrom_per_unit(pixels.get(f"PhysicalSize{axis}Unit", "micrometer"))
        number = _positive(pixels.get(f"PhysicalSize{axis}"))
        if factor is None or number is None:
            return None
        sizes.append(number * factor)
    return sizes[0], sizes[1], sizes[2]


def _imagej_size(file: Any) -> tuple[Triple | None, tuple[str, ...]]:
    """Return what ImageJ's description and resolution say."""
    metadata = file.imagej_metadata or {}
    factor = angstrom_per_unit(str(metadata.get("unit", "")))
    tags = file.pages[0].tags
    x, y = (_pixel_size(tags.get(name)) for name in ("XResolution", "YResolution"))
    if factor is None or x is None or y is None:
        return None, ()
    z = _positive(metadata.get("spacing"))
    if z is None:
        return (x * factor,) * 3, ("The distance of slices is not told; taken as the pixel size.",)
    return (z * factor, y * factor, x * factor), ()


def _pixel_size(tag: Any) -> float | None:
    """Return the size of a pixel from a resolution, pixels per unit, as a fraction."""
    if tag is None:
        return None
    value = tag.value
    above, below = value if isinstance(value, tuple) else (value, 1)
    return _positive(below / above) if above else None


def _positive(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _stem(path: Path) -> str:
    name = path.name
    for suffix in (".ome.tiff", ".ome.tif", ".tiff", ".tif"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return path.stem
