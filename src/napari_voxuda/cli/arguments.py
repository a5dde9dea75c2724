"""Options that several subcommands share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from napari_voxuda.adaptation.settings import PresetName
from napari_voxuda.app.jobs import ContrastChoice, DeviceName, TargetChoice

__all__ = [
    "MOLECULE_WORDS",
    "SOURCE_WORDS",
    "TARGET_OPTION",
    "Device",
    "Json",
    "Level",
    "Overwrite",
    "PicksFile",
    "Preset",
    "Seed",
    "SourceWords",
    "TargetContrast",
    "VolumeFile",
    "VoxelSize",
    "target_of",
]

SOURCE_WORDS = "phantom|ID...|DIR|FILE..."
MOLECULE_WORDS = (
    "identifiers of the Protein Data Bank (1bxn), paper-A or paper-B (the structures of the paper's "
    "two sources, imaged as published), structure files (PDB, mmCIF), or density maps (MRC)"
)


def target_of(paths: list[Path]) -> TargetChoice:
    """Return the words after --target as a target."""
    return paths[0] if len(paths) == 1 else tuple(paths)


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
TARGET_OPTION = typer.Option(
    "--target",
    exists=True,
    help="A tomogram (MRC, EM, TIFF, OME-Zarr), several of one voxel size, or a folder of subtomograms or "
    "tomograms (MRC).",
)
PicksFile = Annotated[
    Path | None,
    typer.Option(
        "--picks",
        exists=True,
        dir_okay=False,
        help="Picks (STAR, copick JSON, ndjson, CSV) at which a tomogram's boxes are cut; without, at random. Of "
        "several tomograms a STAR file that names them.",
    ),
]
SourceWords = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        metavar=SOURCE_WORDS,
        help="Built-in phantoms (the default), a folder of subtomograms with masks, "
        f"{MOLECULE_WORDS}.",
    ),
]
Preset = Annotated[
    PresetName, typer.Option("--preset", help="Where the settings below start from.")
]
TargetContrast = Annotated[
    ContrastChoice,
    typer.Option("--contrast", help="Whether protein is dark or bright in the target."),
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
