"""Write a folder whole or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_voxuda.errors import OutputError
from napari_voxuda.io.atomic import _OUTPUT_ERRNOS, _reason

__all__ = ["ZARR_FILES", "atomic_folder", "check_new_folder", "is_zarr_folder"]

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
def atomic_folder(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
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
        A folder beside `path`. When the block raises it is removed and whatever was at `path`
        stays untouched.

    Raises
    ------
    OutputError
        When `path` exists, its folder is missing or not writable, or the disk is full.
    """
    target = Path(path).expanduser().absolute()
    check_new_folder(target, overwrite=overwrite)
    mark = uuid.uuid4().hex[:12]
    part, old = target.with_name(f".{mark}.part"), target.with_name(f".{mark}.old")
    try:
        part.mkdir()
        yield part
        _flush_to_disk(part)
        _publish(part, target, old, overwrite)
    except OSError as error:
        if isinstance(error, OutputError) or error.errno not in _OUTPUT_ERRNOS:
            raise
        raise OutputError(f"{path}: cannot be written ({_reason(error)}).") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _publish(part: Path, target: Path, old: Path, overwrite: bool) -> None:
    """Give the finished folder its name; what had it before is put back if that fails."""
    check_new_folder(target, overwrite=overwrite)  # again: something may be there by now
    replaced = target.exists()
    if replaced:
        os.rename(target, old)
    try:
        os.rename(part, target)
    except OSError:
        if replaced:
            os.rename(old, target)
        raise


def _flush_to_disk(folder: Path) -> None:
    """Make the files' content survive a crash of the machine after the rename."""
    for place, _, files in os.walk(folder):
        for name in files:
            with open(os.path.join(place, name), "rb+") as stream:
                os.fsync(stream.fileno())
