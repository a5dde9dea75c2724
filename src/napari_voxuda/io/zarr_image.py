"""Write volumes and labels as OME-Zarr, version 0.4 (zarr format 2) or 0.5 (zarr format 3).

Needs the extra ``zarr``. Coarser levels of labels hold every second voxel along each axis, so that a
label stays a label and a voxel's place is that of the voxel that it is; those of images are means of
2 x 2 x 2 voxels, whose centres lie half a voxel further in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import InputError
from napari_voxuda.io._ome_metadata import OmeVersion, label_metadata, multiscales_metadata
from napari_voxuda.io._optional import needed
from napari_voxuda.io.zarr_folder import zarr_folder

__all__ = ["label_dtype", "write_image_zarr", "write_label_zarr"]

_CHUNK = 128
_IMAGE_CHUNK = 64  # floats: a layer of two such chunks has to fit into memory
_COARSEST = 128
_MOST_LEVELS = 8
_LABEL_TYPES = {"uint8": 255, "uint16": 65535, "uint32": (1 << 32) - 1}


def write_image_zarr(
    path: str | Path,
    volume: Volume,
    *,
    version: OmeVersion = "0.4",
    levels: int | None = None,
    overwrite: bool = False,
) -> None:
    """Write a volume, for example a probability, as an OME-Zarr image.

    Parameters
    ----------
    path : str or pathlib.Path
        The folder, named ``NAME.zarr``.
    volume : Volume
        (d, h, w) finite values; floats are stored as float32, whole numbers in their type.
    version : {"0.4", "0.5"}
        Version of OME-Zarr.
    levels : int or None
        How many resolutions; by default until the longest edge is at most 128 voxels.
    overwrite : bool
        Replace a zarr folder that exists.

    Raises
    ------
    InputError
        When values are not finite or not real.
    OutputError
        When the folder exists or cannot be written.
    DependencyError
        When the package zarr is not installed.
    """
    kind = volume.data.dtype.kind
    if kind not in "biuf":
        raise InputError(f"{volume.name}: real values were wanted, got {volume.data.dtype}.")
    dtype = np.dtype(np.float32 if kind == "f" else np.uint8 if kind == "b" else volume.data.dtype)
    _write(path, volume, dtype, "mean", version, levels, {}, overwrite)


def write_label_zarr(
    path: str | Path,
    volume: Volume,
    *,
    version: OmeVersion = "0.4",
    levels: int | None = None,
    dtype: npt.DTypeLike | None = None,
    names: Mapping[int, str] | None = None,
    in_image: bool = False,
    overwrite: bool = False,
) -> None:
    """Write a mask or labels as an OME-Zarr label image.

    Parameters
    ----------
    path : str or pathlib.Path
        The folder, named ``NAME.zarr``.
    volume : Volume
        (d, h, w) whole numbers from 0 on.
    version : {"0.4", "0.5"}
        Version of OME-Zarr.
    levels : int or None
        How many resolutions; by default until the longest edge is at most 128 voxels.
    dtype : numpy type or None
        The type on disk; by default the smallest unsigned one that holds the labels.
    names : mapping of int to str or None
        What the labels mean.
    in_image : bool
        Whether `path` lies in the ``labels`` of an image, which is then named as the source.
    overwrite : bool
        Replace a zarr folder that exists.

    Raises
    ------
    InputError
        When values are no labels, or too large for the type.
    OutputError
        When the folder exists or cannot be written.
    DependencyError
        When the package zarr is not installed.
    """
    stored, found = label_dtype(volume, dtype)
    extra = label_metadata(version, found, names or {}, in_image=in_image)
    _write(path, volume, stored, "nearest", version, levels, extra, overwrite)


def label_dtype(volume: Volume, dtype: npt.DTypeLike | None) -> tuple[np.dtype[Any], list[int]]:
    """Return the type for labels on disk and which labels occur, in one pass over the volume.

    Raises
    ------
    InputError
        When values are no whole numbers from 0 on, or too large for the type.
    """
    kind = volume.data.dtype.kind
    occurring: set[int] = set()
    for slab in _slabs(volume.data, _CHUNK):
        values = np.unique(slab)
        if kind not in "biuf" or (kind == "f" and not (values == np.rint(values)).all()):
            raise InputError(f"{volume.name}: whole-numbered labels were wanted, got fractions.")
        if values[0] < 0:
            raise InputError(
                f"{volume.name}: labels of at least 0 were wanted, got {values[0]:g}; use 0 for "
                "background."
            )
        occurring.update(int(v) for v in values)
    largest = max(occurring)
    if dtype is None:
        name = next((n for n, most in _LABEL_TYPES.items() if largest <= most), None)
        if name is None:
            raise InputError(f"{volume.name}: labels below 2^32 were wanted, got {largest}.")
        dtype = name
    chosen = np.dtype(dtype)
    if largest > np.iinfo(chosen).max:
        raise InputError(
            f"{volume.name}: labels up to {np.iinfo(chosen).max} fit {chosen}, got {largest}."
        )
    return chosen, sorted(occurring - {0})


def _write(
    path: str | Path,
    volume: Volume,
    dtype: np.dtype[Any],
    method: Literal["nearest", "mean"],
    version: OmeVersion,
    levels: int | None,
    extra: Mapping[str, Any],
    overwrite: bool,
) -> None:
    """Write all levels and the metadata, whole or not at all."""
    path = Path(path).expanduser()
    if version not in ("0.4", "0.5"):
        raise InputError(f"OME-Zarr: version 0.4 or 0.5 was wanted, got {version!r}.")
    zarr = needed("zarr", "zarr", "OME-Zarr")
    count = _level_count(volume.shape) if levels is None else levels
    grids = [_coarser(volume.grid, n, method) for n in range(count)]
    with zarr_folder(path, overwrite=overwrite) as part:
        group = zarr.open_group(part, mode="w-", zarr_format=2 if version == "0.4" else 3)
        above: Any = volume.data
        for n in range(count):
            above = _level(group, str(n), above, dtype, method, first=n == 0, name=volume.name)
        metadata = multiscales_metadata(
            version,
            volume.name,
            [(str(n), grid) for n, grid in enumerate(grids)],
            method=method,
            extra=extra,
        )
        group.attrs.update(metadata)


def _level(
    group: Any,
    path: str,
    above: Any,
    dtype: np.dtype[Any],
    method: str,
    *,
    first: bool,
    name: str,
) -> Any:
    """Write one level from the one above it, a layer of chunks at a time, and return its array."""
    step = 1 if first else 2
    edge = _CHUNK if method == "nearest" else _IMAGE_CHUNK
    shape = tuple(-(-n // step) for n in above.shape)
    is_format_2 = group.metadata.zarr_format == 2
    array = group.create_array(
        path,
        shape=shape,
        chunks=tuple(min(edge, n) for n in shape),
        dtype=dtype,
        fill_value=0,
        chunk_key_encoding={"name": "v2", "separator": "/"} if is_format_2 else None,
        dimension_names=None if is_format_2 else ("z", "y", "x"),
    )
    for start in range(0, shape[0], edge):
        slab = np.asarray(above[start * step : (start + edge) * step])
        if first and dtype.kind == "f" and not np.isfinite(slab).all():
            raise InputError(f"{name}: finite values were wanted, got NaN or infinity.")
        if not first:
            slab = slab[::2, ::2, ::2] if method == "nearest" else _halved(slab)
        if dtype.kind in "iu" and slab.dtype.kind == "f":
            slab = np.rint(slab)
        array[start : start + len(slab)] = slab.astype(dtype, copy=False)
    return array


def _halved(slab: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return means over 2 x 2 x 2 voxels; an odd last one is repeated."""
    mean = slab
    for axis in range(3):
        first = mean[(slice(None),) * axis + (slice(0, None, 2),)]
        second = mean[(slice(None),) * axis + (slice(1, None, 2),)]
        mean = first.astype(np.float32) if mean is slab else first.copy()
        paired = mean[(slice(None),) * axis + (slice(0, second.shape[axis]),)]
        paired += second
        paired *= 0.5
    return mean


def _level_count(shape: tuple[int, int, int]) -> int:
    count = 1
    while max(shape) > _COARSEST << (count - 1) and count < _MOST_LEVELS:
        count += 1
    return count


def _coarser(grid: Grid, level: int, method: str) -> Grid:
    """Return the grid of a level; the middle of a mean lies half of what was added further in."""
    size = grid.voxel_size_angstrom
    if size is None or level == 0:
        return replace(grid, cell_angstrom=None, sampling=None)
    factor = 1 << level
    shift = (factor - 1) / 2 if method == "mean" else 0.0
    z, y, x = (o + v * shift for o, v in zip(grid.origin_angstrom, size, strict=True))
    return Grid(
        voxel_size_angstrom=(size[0] * factor, size[1] * factor, size[2] * factor),
        origin_angstrom=(z, y, x),
    )


def _slabs(data: Any, depth: int) -> Any:
    return (np.asarray(data[z : z + depth]) for z in range(0, len(data), depth))
