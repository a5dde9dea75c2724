"""Refuse an output that cannot be written before the work starts."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from napari_voxuda.errors import OutputError
from napari_voxuda.io.provenance import check_sidecar_place
from napari_voxuda.io.zarr_folder import is_zarr_folder

__all__ = ["check_new_file", "check_new_files", "check_new_folder", "check_suffix"]


def check_new_file(path: Path, *, inputs: Sequence[Path] = (), overwrite: bool = False) -> None:
    """Refuse `path` as an output file.

    Parameters
    ----------
    path : Path
        The file that is to be written.
    inputs : sequence of Path
        Files that are read; none of them may be written.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        When the file is an input, exists and may not be replaced, or its folder is missing or
        cannot be written to.
    """
    _refuse_input(path, inputs)
    is_zarr = path.suffix.lower() == ".zarr" and (is_zarr_folder(path) or not path.exists())
    if path.is_dir() and not is_zarr:
        raise OutputError(f"{path}: a file was wanted as output, but this is a folder.")
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: the file exists; choose another name or add --overwrite.")
    check_sidecar_place(path)
    if path.parent.is_file():
        raise OutputError(f"{path}: {path.parent} is a file, not a folder; choose another place.")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist; make it first.")
    _refuse_unwritable(path.parent, path)


def check_new_files(
    paths: Sequence[Path], *, inputs: Sequence[Path] = (), overwrite: bool = False
) -> None:
    """Refuse several output files, also when two of them are the same file.

    Raises
    ------
    OutputError
        As `check_new_file`.
    """
    for number, path in enumerate(paths):
        if any(path.resolve() == other.resolve() for other in paths[:number]):
            raise OutputError(f"{path}: two outputs have this name; choose two names.")
        check_new_file(path, inputs=inputs, overwrite=overwrite)


def check_suffix(path: Path, *suffixes: str) -> None:
    """Refuse an output whose name does not end in one of `suffixes`.

    Raises
    ------
    OutputError
        When it has another ending.
    """
    if path.suffix.lower() not in suffixes:
        raise OutputError(f"{path}: a name that ends in {' or '.join(suffixes)} was wanted.")


def check_new_folder(path: Path, *, inputs: Sequence[Path] = (), may_exist: bool = False) -> None:
    """Refuse `path` as an output folder; missing parent folders are allowed.

    Parameters
    ----------
    path : Path
        The folder that is to be made.
    inputs : sequence of Path
        Files and folders that are read; the output may not be one of them.
    may_exist : bool
        Whether a folder with something in it is allowed.

    Raises
    ------
    OutputError
        When the folder is an input, has something in it, or cannot be made.
    """
    _refuse_input(path, inputs)
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path}: a folder was wanted as output, but this is a file.")
    if path.is_dir() and not may_exist and any(path.iterdir()):
        raise OutputError(f"{path}: the folder is not empty; choose a new one.")
    existing = next(p for p in (path, *path.absolute().parents) if p.exists())
    if not existing.is_dir():
        raise OutputError(f"{path}: {existing} is a file, not a folder; choose another place.")
    _refuse_unwritable(existing, path)


def _refuse_input(path: Path, inputs: Sequence[Path]) -> None:
    for taken in inputs:
        if path.resolve() == taken.resolve() or _are_one(path, taken):
            raise OutputError(f"{path}: this is an input; choose another output.")


def _are_one(path: Path, taken: Path) -> bool:
    """Whether two names are of one file; a file that is not there, or has just gone, is no other's."""
    try:
        return path.samefile(taken)
    except OSError:
        return False


def _refuse_unwritable(folder: Path, path: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{path}: the folder {folder} cannot be written to ({reason})."
        ) from error
