"""Volumes as the subcommands read them, with warnings shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_voxuda.cli.console import message
from napari_voxuda.errors import OutputError

if TYPE_CHECKING:
    from napari_voxuda.data.volume import Volume

__all__ = ["check_output_name", "open_volume"]


def open_volume(path: Path, voxel_size_angstrom: float | None = None, *, level: int = 0) -> Volume:
    """Return the volume in `path`, with its voxel size replaced where one is given.

    Doubtful header values are told on stderr; `level` chooses among several resolutions.

    Raises
    ------
    InputError
        When the file cannot be read or the voxel size is not positive.
    """
    from napari_voxuda.io.volumes import read_volume

    volume = read_volume(path, level=level)
    for warning in volume.warnings:
        message(f"{path}: {warning}", "warning")
    if voxel_size_angstrom is None:
        return volume
    return replace(volume, grid=volume.grid.with_voxel_size(voxel_size_angstrom))


def check_output_name(path: Path) -> None:
    """Refuse an output whose suffix is neither one of MRC's nor ``.zarr``.

    Raises
    ------
    OutputError
        When the suffix is another one.
    """
    from napari_voxuda.io.saving import is_output_name

    if not is_output_name(path):
        raise OutputError(f"{path}: a name that ends in .mrc or .zarr was wanted.")
