"""Read OME-Zarr images, versions up to 0.5 (zarr formats 2 and 3), without loading them.

Needs the extra ``zarr``. Only folders on this machine are read.
"""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from napari_voxuda.data.lazy import LazyArray
from napari_voxuda.data.memory import machine_memory_bytes
from napari_voxuda.data.volume import Grid, Volume
from napari_voxuda.errors import FileFormatError, InputError
from napari_voxuda.io._blosc import check_blosc_buffers
from napari_voxuda.io._chunk_files import ChunkFiles
from napari_voxuda.io._ome_metadata import OmeMetadata, parse_attributes
from napari_voxuda.io._optional import needed
from napari_voxuda.io.zarr_folder import is_zarr_folder

__all__ = ["OmeImage", "OmeLevel", "open_ome_zarr", "read_ome_zarr", "zarr_stem"]

_IN_MEMORY_BYTES = 1 << 30
_LARGEST_CHUNK_BYTES = 1 << 31
_MOST_LEVELS = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class OmeLevel:
    """One resolution of an image.

    Parameters
    ----------
    data : LazyArray
        (d, h, w) values in the order (z, y, x), read when sliced.
    grid : Grid
        Where its voxels lie.
    """

    data: LazyArray
    grid: Grid


@dataclass(frozen=True, kw_only=True, eq=False)
class OmeImage:
    """An image with its resolutions.

    Parameters
    ----------
    path : pathlib.Path
        Its folder.
    name : str
        The folder's name without ``.zarr``.
    version : str
        Version of OME-Zarr, ``""`` where it is not told or there are no OME metadata.
    levels : tuple of OmeLevel
        The finest first.
    is_label : bool
        Whether the metadata call it a label image.
    warnings : tuple of str
        Sentences about doubtful values.
    """

    path: Path
    name: str
    version: str
    levels: tuple[OmeLevel, ...]
    is_label: bool
    warnings: tuple[str, ...]


def zarr_stem(path: Path) -> str:
    """Return the name of a folder without ``.zarr`` and ``.ome.zarr``."""
    name = path.name
    for suffix in (".ome.zarr", ".zarr"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)] or name
    return name


def open_ome_zarr(path: str | Path) -> OmeImage:
    """Open an OME-Zarr image; no values are read.

    Parameters
    ----------
    path : str or pathlib.Path
        Folder of the image: a zarr group with ``multiscales``, one that bioformats2raw made, or a
        zarr array with three axes, whose voxel size is then unknown.

    Raises
    ------
    InputError
        When there is no such folder.
    FileFormatError
        When it is no zarr image of a volume, or is damaged.
    DependencyError
        When the package zarr is not installed.

    Notes
    -----
    Where an image has several channels or points in time, the first is taken, with a warning.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise InputError(f"{path}: there is no such folder.")
    if not is_zarr_folder(path):
        raise FileFormatError(
            f"{path}: a zarr folder was wanted, got neither a group nor an array."
        )
    zarr = needed("zarr", "zarr", "OME-Zarr")
    check_blosc_buffers()
    try:
        with warnings.catch_warnings(action="ignore"):  # of zarr, about damaged metadata
            return _opened(zarr, path)
    except InputError:
        raise
    except Exception as error:  # damaged metadata raise anything in there
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise FileFormatError(f"{path}: the zarr folder cannot be read ({reason}).") from error


def read_ome_zarr(path: str | Path, *, level: int = 0) -> Volume:
    """Read one resolution of an OME-Zarr image.

    Parameters
    ----------
    path : str or pathlib.Path
        Folder of the image.
    level : int
        Which resolution; 0 is the finest.

    Returns
    -------
    Volume
        (d, h, w) values in the order (z, y, x): in memory up to 1 GiB or a quarter of the
        machine's memory, and beyond that a `LazyArray`, of which slices are read.

    Raises
    ------
    InputError
        When there is no such folder or no such level.
    FileFormatError
        When it is no zarr image of a volume, or is damaged.
    DependencyError
        When the package zarr is not installed.
    """
    image = open_ome_zarr(path)
    if not 0 <= level < len(image.levels):
        raise InputError(
            f"{path}: a level from 0 (the finest) to {len(image.levels) - 1} was wanted, got {level}."
        )
    chosen = image.levels[level]
    limit = min(_IN_MEMORY_BYTES, (machine_memory_bytes() or 4 * _IN_MEMORY_BYTES) // 4)
    data: Any = chosen.data
    if data.nbytes <= limit:
        try:
            data = np.asarray(data)
        except InputError:
            raise
        except Exception as error:  # a damaged chunk raises anything
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise FileFormatError(f"{path}: its values cannot be read ({reason}).") from error
        data.flags.writeable = False
    return Volume(
        data=cast("npt.NDArray[Any]", data),
        grid=chosen.grid,
        name=image.name,
        path=Path(path).expanduser(),
        warnings=image.warnings,
    )


def _opened(zarr: Any, path: Path) -> OmeImage:
    node = zarr.open(path, mode="r")
    if hasattr(node, "chunks"):
        level = OmeLevel(data=_lazy(node, tuple("zyx"), path), grid=Grid())
        note = "The zarr array has no OME metadata; set the voxel size in Å."
        return OmeImage(
            path=path,
            name=zarr_stem(path),
            version="",
            levels=(level,),
            is_label=False,
            warnings=(note,),
        )
    attributes = dict(node.attrs)
    metadata = parse_attributes(attributes, path)
    if metadata is None and _is_bioformats(attributes) and "0" in node:
        image = _opened(zarr, path / "0")
        return replace(image, path=path, name=zarr_stem(path))
    if metadata is None:
        inside = ", ".join(sorted(key for key, _ in node.groups())[:5])
        hint = f"; open one of the groups in it: {inside}" if inside else ""
        raise FileFormatError(f"{path}: an image (multiscales) was wanted, found none{hint}.")
    return _image(node, metadata, path)


def _image(node: Any, metadata: OmeMetadata, path: Path) -> OmeImage:
    """Return an image whose metadata have been understood."""
    if not metadata.paths or len(metadata.paths) > _MOST_LEVELS:
        raise FileFormatError(
            f"{path}: 1 to {_MOST_LEVELS} levels were wanted, got {len(metadata.paths)}."
        )
    arrays = [node[level] for level in metadata.paths]
    levels = tuple(
        OmeLevel(data=_lazy(array, metadata.axes, path), grid=grid)
        for array, grid in zip(arrays, metadata.grids, strict=True)
    )
    others = [
        f"{arrays[0].shape[i]} along {axis}"
        for i, axis in enumerate(metadata.axes)
        if axis not in "zyx" and arrays[0].shape[i] > 1
    ]
    doubts = metadata.warnings
    if others:
        doubts += (f"The image has {' and '.join(others)}; the first is taken.",)
    return OmeImage(
        path=path,
        name=zarr_stem(path),
        version=metadata.version,
        levels=levels,
        is_label=metadata.is_label,
        warnings=doubts,
    )


def _lazy(array: Any, axes: tuple[str, ...], path: Path) -> LazyArray:
    """Return an array in the order (z, y, x), refusing what cannot or must not be read."""
    if not hasattr(array, "chunks"):
        raise FileFormatError(f"{path}: a level that is an array was wanted, got a group.")
    if len(array.shape) != len(axes) or 0 in array.shape:
        raise FileFormatError(
            f"{path}: an array with the axes {', '.join(axes)} was wanted, got shape {array.shape}."
        )
    dtype = np.dtype(array.dtype)
    if dtype.kind not in "biuf":
        raise FileFormatError(f"{path}: real values were wanted, got {dtype}.")
    if "pickle" in json.dumps(array.metadata.to_dict(), default=str).lower():
        raise FileFormatError(
            f"{path}: its chunks are pickled, which could run code when read; it is not opened."
        )
    chunk = math.prod(min(c, n) for c, n in zip(array.chunks, array.shape, strict=True))
    if chunk * dtype.itemsize > _LARGEST_CHUNK_BYTES:
        raise FileFormatError(
            f"{path}: chunks of up to {_LARGEST_CHUNK_BYTES >> 30} GiB were wanted, got "
            f"{chunk * dtype.itemsize / (1 << 30):.1f} GiB; write the image again in smaller chunks."
        )
    z, y, x = (axes.index(a) for a in "zyx")
    fixed = {i: 0 for i, axis in enumerate(axes) if axis not in "zyx"}
    guard = ChunkFiles(array, path, max(_LARGEST_CHUNK_BYTES, 2 * chunk * dtype.itemsize))
    return LazyArray(array, (z, y, x), fixed, guard=guard)


def _is_bioformats(attributes: dict[str, Any]) -> bool:
    nested = attributes.get("ome")
    found = nested if isinstance(nested, dict) else attributes
    return "bioformats2raw.layout" in found
