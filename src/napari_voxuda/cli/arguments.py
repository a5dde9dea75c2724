"""Options that several subcommands share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from napari_voxuda.app.jobs import DeviceName

__all__ = [
    "MOLECULE_WORDS",
    "SOURCE_WORDS",
    "Device",
    "Json",
    "Level",
    "Overwrite",
    "Seed",
    "VolumeFile",
    "VoxelSize",
]

SOURCE_WORDS = "phantom|ID...|DIR|FILE..."
MOLECULE_WORDS = (
    "identifiers of the Protein Data Bank (1bxn), paper-A or paper-B (the structures of the paper's "
    "two sources, imaged as published), structure files (PDB, mmCIF), or density maps (MRC)"
)


def _positive(value: float | None) -> float | None:
    if value is not None and not 0 < value < math.inf:
        raise typer.BadParameter(f"a positive number of Å was wanted, got {value:g}.")
    return value


Device = Annotated[
    DeviceName, typer.Option("--device", help="Where to compute; auto takes a GPU if there is one.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
Level = Annotated[
    int,
    typer.Option(
        "--level",
        min=0,
        metavar="N",
        help="Which resolution of an OME-Zarr image is read; 0 is the finest.",
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace output files that exist already.")
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed",
        min=0,
        metavar="N",
        help="Seed of all random numbers; the same seed gives the same result.",
    ),
]
VolumeFile = Annotated[
    Path,
    typer.Argument(
        metavar="IN", exists=True, help="A volume (MRC, EM, TIFF, OME-Zarr, or a copick project)."
    ),
]
VoxelSize = Annotated[
    float | None,
    typer.Option(
        "--voxel-size",
        metavar="Å",
        callback=_positive,
        help="Voxel size in Å; needed where the file does not tell it (default the file's).",
        show_default=False,
    ),
]
