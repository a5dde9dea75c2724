"""Write a zarr folder whole or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_voxuda.errors import OutputError
from napari_voxuda.io.atomic import atomic_folder

__all__ = ["ZARR_FILES", "check_new_folder", "is_zarr_folder", "zarr_folder"]

ZARR_FILES = ("zarr.json", ".zgroup", ".zarray", ".zattrs")
"""Files that make a folder a zarr group or array."""


def is_zarr_folder(path: Path) -> bool:
    """Whether a folder holds a zarr group or array, of format 2 or 3."""
    return path.is_dir() and any((path / name).is_file() for name in ZARR_FILES)


def check_new_folder(path: Path, *, overwrite: bool = False) -> None:
    """Refuse a place where a folder may not be written.

    Parameters
    ----------
    path : pathlib.Path
        The folder to be.
    overwrite : bool
        Whether a zarr folder that exists may be replaced; other folders never may.

    Raises
    ------
    OutputError
        When it exists already, or the folder that it is to stand in does not.
    """
    if not path.parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist; make it first.")
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_dir():
        raise OutputError(f"{path}: a new folder was wanted, but this is a file.")
    if not overwrite:
        raise OutputError(
            f"{path}: a new folder was wanted, but it exists; choose another name or allow "
            "overwriting."
        )
    if not is_zarr_folder(path):
        raise OutputError(
            f"{path}: only a zarr folder may be replaced, and this is none; choose another name."
        )


@contextmanager
def zarr_folder(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a hidden, empty folder that becomes `path` when the block succeeds.

    Parameters
    ----------
    path : str or pathlib.Path
        The folder to be written.
    overwrite : bool
        Replace a zarr folder that exists: it is moved aside, and removed only after the new one
        has its name.

    Yields
    ------
    pathlib.Path
        A folder beside `path`; see `napari_voxuda.io.atomic.atomic_folder`. When the block raises, whatever
        was at `path` stays untouched.

    Raises
    ------
    OutputError
        When `path` exists, its folder is missing or not writable, or the disk is full.
    """
    target = Path(path).expanduser().absolute()
    check_new_folder(target, overwrite=overwrite)
    old = target.with_name(f".{target.name[:40]}.{uuid.uuid4().hex}.old")
    try:
        with atomic_folder(target) as part:
            yield part
            _flush_to_disk(part)
            check_new_folder(target, overwrite=overwrite)  # again: something may be there by now
            if target.exists():
                os.rename(target, old)
    except BaseException:
        if old.exists() and not target.exists():
            os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _flush_to_disk(folder: Path) -> None:
    """Make the files' content survive a crash of the machine after the rename."""
    for place, _, files in os.walk(folder):
        for name in files:
            with open(os.path.join(place, name), "rb+") as stream:
                os.fsync(stream.fileno())
