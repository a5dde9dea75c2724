"""Write volumes, labels and positions in the format that a name's ending asks for."""

from __future__ import annotations

from pathlib import Path

from napari_voxuda._types import Triple, TripleInt
from napari_voxuda.data.picks import Picks
from napari_voxuda.data.volume import Volume
from napari_voxuda.errors import InputError, OutputError
from napari_voxuda.io._ome_metadata import OmeVersion
from napari_voxuda.io.copick import CopickOwner
from napari_voxuda.io.copick_picks import write_copick_picks
from napari_voxuda.io.mrc import is_mrc_name, write_mask, write_mrc
from napari_voxuda.io.ndjson import write_ndjson_picks
from napari_voxuda.io.star import write_star_picks
from napari_voxuda.io.zarr_image import write_image_zarr, write_label_zarr

__all__ = [
    "PICKS_OUTPUTS",
    "is_output_name",
    "is_zarr_name",
    "save_labels",
    "save_picks",
    "save_values",
]

PICKS_OUTPUTS: tuple[str, ...] = (".star", ".json", ".ndjson")
"""Suffixes of positions: STAR (RELION 5), copick, CryoET Data Portal."""


def is_zarr_name(path: str | Path) -> bool:
    """Whether a name ends in ``.zarr``, in any case."""
    return Path(path).suffix.lower() == ".zarr"


def is_output_name(path: str | Path) -> bool:
    """Whether volumes can be written under a name: one of MRC's, or ``NAME.zarr``."""
    return is_mrc_name(path) or is_zarr_name(path)


def save_values(
    path: Path,
    volume: Volume,
    *,
    label: str | None = None,
    version: OmeVersion = "0.4",
    overwrite: bool = False,
) -> None:
    """Write a volume as MRC, which replaces a file, or as OME-Zarr.

    Parameters
    ----------
    path : pathlib.Path
        The file or, for ``.zarr``, the folder.
    volume : Volume
        (d, h, w) finite values.
    label : str or None
        What it is, for the header of an MRC file.
    version : {"0.4", "0.5"}
        Version of OME-Zarr.
    overwrite : bool
        Replace a zarr folder that exists.

    Raises
    ------
    InputError, OutputError, DependencyError
        As `write_mrc` and `write_image_zarr` do.
    """
    if is_zarr_name(path):
        write_image_zarr(path, volume, version=version, overwrite=overwrite)
    else:
        write_mrc(path, volume, label=label)


def save_labels(
    path: Path,
    volume: Volume,
    *,
    label: str | None = None,
    version: OmeVersion = "0.4",
    overwrite: bool = False,
) -> None:
    """Write labels as MRC, which replaces a file, or as OME-Zarr; see `save_values`."""
    if is_zarr_name(path):
        write_label_zarr(path, volume, version=version, overwrite=overwrite)
    else:
        write_mask(path, volume, label=label)


def save_picks(
    path: Path,
    picks: Picks,
    *,
    tomogram_name: str,
    voxel_size_angstrom: Triple | None,
    shape: TripleInt,
    owner: CopickOwner | None = None,
) -> None:
    """Write positions as STAR (RELION 5), copick JSON or ndjson.

    Parameters
    ----------
    path : pathlib.Path
        The file, with one of `PICKS_OUTPUTS`.
    picks : Picks
        (n, 3) positions (z, y, x) in voxels.
    tomogram_name : str
        Name of the tomogram, copick's run.
    voxel_size_angstrom : tuple of float or None
        Voxel size of the tomogram in Å; not needed for ndjson.
    shape : tuple of int
        Voxels of the tomogram along (z, y, x).
    owner : CopickOwner or None
        Whose picks of which object, for copick.

    Raises
    ------
    InputError
        When the voxel size is needed and unknown.
    OutputError
        When the file cannot be written or its name ends otherwise.
    """
    suffix = path.suffix.lower()
    if suffix == ".ndjson":
        write_ndjson_picks(path, picks)
    elif suffix == ".star":
        write_star_picks(
            path,
            picks,
            tomogram_name=tomogram_name,
            voxel_size_angstrom=voxel_size_angstrom,
            shape=shape,
        )
    elif suffix == ".json":
        if voxel_size_angstrom is None:
            raise InputError(
                f"{path}: positions in Å need the voxel size, which is unknown; set it."
            )
        write_copick_picks(
            path,
            picks,
            owner=owner or CopickOwner(),
            run=tomogram_name,
            voxel_size_angstrom=voxel_size_angstrom,
        )
    else:
        raise OutputError(f"{path}: a name ending in {', '.join(PICKS_OUTPUTS)} was wanted.")
