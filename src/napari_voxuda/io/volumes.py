"""Read a volume from any of the formats that are understood."""

from __future__ import annotations

from pathlib import Path

from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError
from napari_voxuda.io.copick import is_copick_project, read_copick_project
from napari_voxuda.io.em import EM_HEADER_BYTES, looks_like_em, read_em
from napari_voxuda.io.mrc import MRC_SUFFIXES, is_mrc_name, mrc_stem, read_mrc
from napari_voxuda.io.ome_zarr import read_ome_zarr, zarr_stem
from napari_voxuda.io.tiff import is_tiff, read_tiff
from napari_voxuda.io.zarr_folder import ZARR_FILES, is_zarr_folder

__all__ = [
    "VOLUME_SUFFIXES",
    "is_mrc_content",
    "is_volume_folder",
    "is_volume_name",
    "only_tomogram",
    "read_volume",
    "volume_stem",
    "zarr_folder_of",
]

VOLUME_SUFFIXES: tuple[str, ...] = (*MRC_SUFFIXES, ".em", ".tif", ".tiff", ".zarr")
"""Suffixes of volumes; those of MRC may be followed by ``.gz`` or ``.bz2``."""

_MRC_STAMP = slice(208, 211)


def is_volume_name(path: str | Path) -> bool:
    """Whether a name ends like that of a volume, in any case."""
    return is_mrc_name(path) or Path(path).suffix.lower() in VOLUME_SUFFIXES


def is_volume_folder(path: Path) -> bool:
    """Whether a folder is one volume (zarr), and not a folder of volumes."""
    return is_zarr_folder(path)


def volume_stem(path: str | Path) -> str:
    """Return the name of a volume without folder and suffix."""
    path = Path(path)
    if path.suffix.lower() == ".zarr":
        return zarr_stem(path)
    return mrc_stem(path) or path.stem


def zarr_folder_of(path: Path) -> Path | None:
    """Return the zarr folder that a path means: itself, that of its metadata file, a project's.

    Raises
    ------
    InputError
        When it is a copick project that has no tomogram, or several.
    """
    path = path.expanduser()
    if path.name in ZARR_FILES and is_zarr_folder(path.parent):
        return path.parent
    if is_copick_project(path):
        return only_tomogram(path)
    return path if path.is_dir() else None


def read_volume(path: str | Path, *, level: int = 0) -> Volume:
    """Read a volume.

    Parameters
    ----------
    path : str or pathlib.Path
        MRC, EM or TIFF file, recognised by content; folder of an OME-Zarr image, or the
        metadata file in it; or JSON file of a
        copick project that has one tomogram.
    level : int
        Which resolution of an image that has several; 0 is the finest.

    Returns
    -------
    Volume
        (d, h, w) values in the order (z, y, x): a read-only memory map or a `LazyArray` where the
        format allows it, an array in memory otherwise. Its `warnings` tell what is doubtful.

    Raises
    ------
    InputError
        When there is no such file, it cannot be read, or there is no such level.
    FileFormatError
        When it is of no format that is understood, or damaged.
    DependencyError
        When a package that the format needs is not installed.
    """
    path = Path(path).expanduser()
    folder = zarr_folder_of(path)
    if folder is not None:
        return read_ome_zarr(folder, level=level)
    if level != 0:
        raise InputError(f"{path}: level 0 was wanted, got {level}; it has one resolution.")
    if is_mrc_content(path):
        return read_mrc(path)
    return read_tiff(path) if is_tiff(_start_of(path)) else read_em(path)


def only_tomogram(project: Path) -> Path:
    """Return the one tomogram of a copick project.

    Raises
    ------
    InputError
        When it has none, or several; the message names them.
    """
    found = read_copick_project(project).tomograms()
    if len(found) == 1:
        return found[0].path
    if not found:
        raise InputError(f"{project}: a project with a tomogram was wanted, found none.")
    shown = ", ".join(str(t.path) for t in found[:3]) + (", …" if len(found) > 3 else "")
    raise InputError(
        f"{project}: the project has {len(found)} tomograms; give the folder of one: {shown}"
    )


def is_mrc_content(path: Path) -> bool:
    """Whether `read_volume` takes a path for an MRC file."""
    if zarr_folder_of(path) is not None:
        return False
    start = _start_of(path)
    if start[_MRC_STAMP] == b"MAP":
        return True
    return not is_tiff(start) and not looks_like_em(start) and path.suffix.lower() != ".em"


def _start_of(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(EM_HEADER_BYTES)
    except OSError:
        return b""  # the reader of MRC files says what is wrong
